/* --root: which of its forms it is. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/args.h"
#include "host/root.h"
#include "host/rootbuild.h"
#include "host/rootfs/trailer.h"

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

/* An image as it is: one of ours says where the agent is, and how it wants to be run. */
static int image_take(int fd, struct root *ret_root)
{
	struct root root = { .fd = fd };

	if (trailer_read(fd, &root.config) == 0)
		root.init = ROOTBUILD_INIT;
	*ret_root = root;
	return 0;
}

/* Finds the file or folder of the name, which may end in ":TAG". Heap, or NULL with
 * errno. */
static char *path_find(const char *name, struct stat *ret_st, const char **ret_tag)
{
	const char *colon = strrchr(name, ':');
	char *path = must_format("%s", name);

	*ret_tag = NULL;
	if (stat(path, ret_st) == 0)
		return path;
	if (errno == ENOENT && colon && colon != name && colon[1]) {
		path[colon - name] = 0;
		*ret_tag = colon + 1;
		if (stat(path, ret_st) == 0)
			return path;
	}
	free(path);
	return NULL;
}

static bool is_ext4(int fd)
{
	uint8_t head[2048];
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n >= 0 && root_sniff(head, n) == ROOT_EXT4;
}

/* Opens what `build->path` is, found to be `st`. */
static int path_open(struct rootbuild *build, const struct stat *st,
		     struct root *ret_root)
{
	int fd;

	build->folder = S_ISDIR(st->st_mode);
	if (!build->folder) {
		if (!S_ISREG(st->st_mode) && !S_ISBLK(st->st_mode))
			return unusable(build->path, "neither a folder nor a file");
		fd = open(build->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return unusable(build->path, strerror(errno));
		if (is_ext4(fd))
			return image_take(fd, ret_root);
		close(fd);
	}
	fd = rootbuild(build);
	return fd < 0 ? MAYFLY_FAILED : image_take(fd, ret_root);
}

static int name_unknown(const char *name)
{
	if (!strcmp(name, "debian"))
		return unusable(name, "not installed; 'make root-debian' builds it");
	return unusable(name, "no installed root has that name, nor a file here");
}

int root_open(const struct install *install, const char *name, bool verbose,
	      struct root *ret_root)
{
	struct rootbuild build = { .install = install, .verbose = verbose };
	char *image = must_format("%s/%s.img", install->roots, name), *path;
	bool by_name = !strchr(name, '/');
	int fd = by_name ? open(image, O_RDONLY | O_CLOEXEC) : -1, status;
	struct stat st;

	free(image);
	if (fd >= 0)
		return image_take(fd, ret_root);
	path = path_find(name, &st, &build.reference);
	if (!path)
		return errno == ENOENT && by_name ? name_unknown(name)
						  : unusable(name, strerror(errno));
	build.path = path;
	status = path_open(&build, &st, ret_root);
	free(path);
	return status;
}

int command_convert(const struct options *options)
{
	struct rootbuild build = { .verbose = options->verbose };
	struct install install;
	struct stat st;
	char *path;
	int error;

	if (install_find(&install) < 0) {
		say("'%s' is not there; 'make' builds it, 'make install' installs it",
		    install.loader);
		return MAYFLY_FAILED;
	}
	path = path_find(options->argv[0], &st, &build.reference);
	if (!path)
		return unusable(options->argv[0], strerror(errno));
	build.install = &install;
	build.path = path;
	build.folder = S_ISDIR(st.st_mode);
	error = rootbuild_to(&build, options->argv[1]);
	free(path);
	return error ? MAYFLY_FAILED : 0;
}
