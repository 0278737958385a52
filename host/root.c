/* --root: which of its four forms it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/root.h"
#include "host/rootbuild.h"

/* ext4, 1.4: the superblock is at 1024, its magic 56 bytes in. */
#define EXT4_MAGIC_AT (1024 + 56)

enum root_kind root_sniff(const void *bytes, size_t size)
{
	const uint8_t *at = bytes;

	if (size >= EXT4_MAGIC_AT + 2 && at[EXT4_MAGIC_AT] == 0x53 &&
	    at[EXT4_MAGIC_AT + 1] == 0xef)
		return ROOT_EXT4;
	return ROOT_OTHER;
}

static int unusable(const char *name, const char *why)
{
	say("--root '%s': %s", name, why);
	return MAYFLY_FAILED;
}

static int built_open(const struct install *install, const char *name, bool tar,
		      bool verbose, struct root *ret_root)
{
	int fd = rootbuild(install, name, tar, verbose);

	if (fd < 0)
		return MAYFLY_FAILED;
	*ret_root = (struct root){ fd, ROOTBUILD_INIT };
	return 0;
}

int root_open(const struct install *install, const char *name, bool verbose,
	      struct root *ret_root)
{
	char *image = must_format("%s/%s.img", install->roots, name);
	bool by_name = !strchr(name, '/');
	int fd = by_name ? open(image, O_RDONLY | O_CLOEXEC) : -1;
	uint8_t head[2048];
	struct stat st;
	ssize_t n;

	free(image);
	if (fd >= 0) {
		*ret_root = (struct root){ fd, NULL };
		return 0;
	}
	if (stat(name, &st) < 0)
		return unusable(
			name, errno == ENOENT && by_name
				      ? "no installed root has that name, nor a file here"
				      : strerror(errno));
	if (S_ISDIR(st.st_mode))
		return built_open(install, name, false, verbose, ret_root);
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return unusable(name, "neither a folder nor a file");
	fd = open(name, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : pread(fd, head, sizeof(head), 0);
	if (n < 0) {
		int error = errno;

		if (fd >= 0)
			close(fd);
		return unusable(name, strerror(error));
	}
	if (root_sniff(head, n) == ROOT_EXT4) {
		*ret_root = (struct root){ fd, NULL };
		return 0;
	}
	close(fd);
	return built_open(install, name, true, verbose, ret_root);
}
