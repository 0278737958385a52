/* Where the pieces of Mayfly and of this machine are. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/install.h"

#define QEMU "qemu-system-x86_64"

char *program_find(const char *name)
{
	const char *at = getenv("PATH");

	if (!at)
		at = "/usr/local/bin:/usr/bin:/bin";
	for (;;) {
		const char *end = strchrnul(at, ':');
		char *path = must_format("%.*s/%s", (int)(end - at), at, name);

		/* An empty or relative entry of PATH is a trap, not a place for QEMU. */
		if (*path == '/' && end > at && access(path, X_OK) == 0)
			return path;
		free(path);
		if (!*end)
			return NULL;
		at = end + 1;
	}
}

/* The folder of this executable; heap. "/" when /proc is not there. */
static char *own_folder(void)
{
	char path[4096];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *slash;

	path[MAX(n, 0)] = 0;
	slash = strrchr(path, '/');
	return must_format("%.*s", slash ? (int)(slash - path) : 0, path);
}

static void install_in(struct install *install, const char *folder)
{
	install->loader = must_format("%s/loader.elf", folder);
	install->bundle = must_format("%s/bundle.bin", folder);
	install->roots = must_format("%s/root", folder);
}

static char *qemu_find(void)
{
	const char *named = getenv("MAYFLY_QEMU");

	if (!named || !*named)
		return program_find(QEMU);
	if (strchr(named, '/'))
		return access(named, X_OK) == 0 ? must_format("%s", named) : NULL;
	return program_find(named);
}

int install_find(struct install *ret_install)
{
	const char *named = getenv("MAYFLY_LIB");
	char *own = own_folder();
	char *places[] = {
		named ? must_format("%s", named) : own,
		must_format("%s/../lib/mayfly", own),
	};
	size_t count = named ? 1 : ARRAY_LEN(places);
	struct install install = { .qemu = qemu_find() };

	/* The last to be looked at, and so the one that a failure names, is the
	 * likeliest. */
	for (size_t i = count; i-- > 0;) {
		install_in(&install, places[i]);
		if (access(install.loader, R_OK) == 0 &&
		    access(install.bundle, R_OK) == 0) {
			*ret_install = install;
			return 0;
		}
	}
	*ret_install = install;
	return -ENOENT;
}
