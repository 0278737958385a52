/* Files that come before the job, and belong to it. Their place and content are the
 * host's choice: the agent writes as root of a machine that holds nothing else. */
#include <fcntl.h>
#include <sys/stat.h>

#include "agent.h"

/* The job owns what was sent for it: 0 or -errno. */
static int path_adopt(const struct agent *a, const char *path)
{
	struct identity id;

	if (identity_is_own(a))
		return 0;
	/* An unknown user is START's to report. */
	if (identity_find(&a->job, &id) < 0)
		return 0;
	return lchown(path, id.uid, id.gid) < 0 ? -errno : 0;
}

/* Makes the folders above a path. */
static int parents_make(const struct agent *a, char *path)
{
	int error = 0;

	for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
		*slash = 0;
		if (mkdir(path, 0755) == 0 && error >= 0)
			error = path_adopt(a, path);
		*slash = '/';
	}
	return error;
}

/* The FILE's own object: 0 or a negative errno. */
static int file_make(struct agent *a, const struct wire_file *file)
{
	const char *path = a->file_path;

	switch (file->kind) {
	case WIRE_FILE_FOLDER:
		if (mkdir(path, file->mode) < 0 && errno != EEXIST)
			return -errno;
		return 0;
	case WIRE_FILE_LINK:
		return symlink(file->target.at, path) < 0 ? -errno : 0;
	default:
		a->file =
			open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, file->mode);
		return a->file < 0 ? -errno : 0;
	}
}

/* umask may have taken bits of the mode. */
static int file_adopt(const struct agent *a, const struct wire_file *file)
{
	if (file->kind != WIRE_FILE_LINK && (file->mode & 0022) &&
	    chmod(a->file_path, file->mode) < 0)
		return -errno;
	return path_adopt(a, a->file_path);
}

void file_open(struct agent *a, const struct wire_file *file)
{
	int error;

	if (a->file >= 0 || !file->path.size)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EBUSY, "FILE");
	memcpy(a->file_path, file->path.at, file->path.size + 1);
	a->file_mtime_ns = file->mtime_ns;
	error = file_make(a, file);
	if (error == -ENOENT) {
		error = parents_make(a, a->file_path);
		if (error >= 0)
			error = file_make(a, file);
	}
	if (error >= 0)
		error = file_adopt(a, file);
	if (error < 0)
		agent_fail(a, WIRE_STAGE_FILE, -error, a->file_path);
}

void file_data(struct agent *a, const struct wire_tail *bytes)
{
	const char *at = bytes->at;
	size_t left = bytes->size;

	if (a->file < 0)
		agent_fail(a, WIRE_STAGE_PROTOCOL, EBADF, "FILE_DATA");
	while (left) {
		ssize_t n = write(a->file, at, left);

		if (n < 0)
			agent_fail(a, WIRE_STAGE_FILE, errno, a->file_path);
		at += n;
		left -= n;
	}
}

void file_end(struct agent *a, unsigned error)
{
	uint64_t at = a->file_mtime_ns;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { at / NSEC_PER_SEC, at % NSEC_PER_SEC } };

	if (error)
		agent_fail(a, WIRE_STAGE_FILE, error, a->file_path);
	if (a->file < 0)
		return;
	if (at)
		futimens(a->file, times);
	close(a->file);
	a->file = -1;
}
