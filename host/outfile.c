/* Files that appear when they are complete. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/outfile.h"

/* A link to the file that our output goes to, as /dev/stdout is: that output, since the
 * link is nobody's to replace. -1: it is not one. */
static int own_output(int at, const char *path, const struct stat *to)
{
	struct stat link, own;

	if (fstatat(at, path, &link, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISLNK(link.st_mode))
		return -1;
	for (int fd = STDOUT_FILENO; fd <= STDERR_FILENO; fd++)
		if (fstat(fd, &own) == 0 && own.st_dev == to->st_dev &&
		    own.st_ino == to->st_ino)
			return fcntl(fd, F_DUPFD_CLOEXEC, 3);
	return -1;
}

/* A device or pipe that has the name already: opened as it is. -ENOENT if nothing has
 * it. */
static int special_open(int at, const char *path)
{
	struct stat st;
	int fd;

	if (fstatat(at, path, &st, 0) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	if (S_ISREG(st.st_mode)) {
		fd = own_output(at, path, &st);
		return fd < 0 ? -ENOENT : fd;
	}
	fd = openat(at, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* A file without a name in the folder; where the file system has no such thing, one with
 * a name of its own that goes when the file is complete or dropped. An fd or -errno. */
static int nameless_open(struct outfile *file, mode_t mode)
{
	uint64_t random;
	int fd = openat(file->folder, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);

	if (fd >= 0)
		return fd;
	if (errno != EOPNOTSUPP && errno != EISDIR)
		return -errno;
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		return -EIO;
	file->stand_in = must_format(".mayfly-%016llx", (unsigned long long)random);
	fd = openat(file->folder, file->stand_in,
		    O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	return fd < 0 ? -errno : fd;
}

int outfile_open(int at, const char *path, mode_t mode, struct outfile *ret_file)
{
	const char *slash = strrchr(path, '/');
	struct outfile file = { .fd = -1, .folder = -1 };
	/* Below a folder whose content the guest chose, nothing that is there is
	 * trusted. */
	int fd = at == AT_FDCWD ? special_open(at, path) : -ENOENT;
	char *folder;

	if (fd >= 0) {
		file.fd = fd;
		*ret_file = file;
		return 0;
	}
	if (fd != -ENOENT)
		return fd;
	if (slash && !slash[1])
		return -EISDIR;
	folder = slash ? must_format("%.*s", (int)(slash - path + 1), path) : NULL;
	file.folder = openat(at, folder ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (file.folder < 0)
		return -errno;
	fd = nameless_open(&file, mode);
	if (fd < 0) {
		outfile_drop(&file);
		return fd;
	}
	file.fd = fd;
	file.name = must_format("%s", slash ? slash + 1 : path);
	*ret_file = file;
	return 0;
}

/* Gives a nameless file its name. 0 or -errno. */
static int name_give(const struct outfile *file)
{
	char self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	if (unlinkat(file->folder, file->name, 0) < 0 && errno != ENOENT)
		return -errno;
	if (linkat(AT_FDCWD, self, file->folder, file->name, AT_SYMLINK_FOLLOW) < 0)
		return -errno;
	return 0;
}

int outfile_commit(struct outfile *file)
{
	int error = 0;

	if (file->stand_in) {
		if (renameat(file->folder, file->stand_in, file->folder, file->name) < 0)
			error = -errno;
		else
			*file->stand_in = 0;
	} else if (file->folder >= 0) {
		error = name_give(file);
	}
	outfile_drop(file);
	return error;
}

void outfile_drop(struct outfile *file)
{
	if (file->stand_in && *file->stand_in)
		unlinkat(file->folder, file->stand_in, 0);
	if (file->fd >= 0)
		close(file->fd);
	if (file->folder >= 0)
		close(file->folder);
	free(file->name);
	free(file->stand_in);
	*file = (struct outfile){ .fd = -1, .folder = -1 };
}
