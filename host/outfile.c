/* Files that appear when they are complete. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/outfile.h"

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
	if (S_ISREG(st.st_mode))
		return -ENOENT;
	fd = openat(at, path, O_WRONLY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int outfile_open(int at, const char *path, mode_t mode, struct outfile *ret_file)
{
	const char *slash = strrchr(path, '/');
	char *folder = slash ? must_format("%.*s", (int)(slash - path + 1), path) : NULL;
	struct outfile file = { -1, -1, NULL };
	/* Below a folder whose content the guest chose, nothing that is there is
	 * trusted. */
	int fd = at == AT_FDCWD ? special_open(at, path) : -ENOENT;

	if (fd >= 0) {
		*ret_file = (struct outfile){ fd, -1, NULL };
		free(folder);
		return 0;
	}
	if (fd != -ENOENT) {
		free(folder);
		return fd;
	}
	file.folder = openat(at, folder ? folder : ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(folder);
	if (file.folder < 0)
		return -errno;
	if (slash && !slash[1]) {
		close(file.folder);
		return -EISDIR;
	}
	file.fd = openat(file.folder, ".", O_TMPFILE | O_WRONLY | O_CLOEXEC, mode);
	if (file.fd < 0) {
		int error = -errno;

		close(file.folder);
		return error;
	}
	file.name = must_format("%s", slash ? slash + 1 : path);
	*ret_file = file;
	return 0;
}

int outfile_commit(struct outfile *file)
{
	char self[64];
	int error = 0;

	if (file->folder >= 0) {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
		if (unlinkat(file->folder, file->name, 0) < 0 && errno != ENOENT)
			error = -errno;
		else if (linkat(AT_FDCWD, self, file->folder, file->name,
				AT_SYMLINK_FOLLOW) < 0)
			error = -errno;
	}
	outfile_drop(file);
	return error;
}

void outfile_drop(struct outfile *file)
{
	if (file->fd >= 0)
		close(file->fd);
	if (file->folder >= 0)
		close(file->folder);
	free(file->name);
	*file = (struct outfile){ -1, -1, NULL };
}
