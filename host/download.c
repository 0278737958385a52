/* What --out brings. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/download.h"

void download_init(struct download *d, const struct mapping *outs, size_t count,
		   uint64_t max)
{
	*d = (struct download){ .outs = outs, .count = count, .left = max, .top = -1 };
	d->file = (struct outfile){ .fd = -1, .folder = -1 };
}

void download_fini(struct download *d)
{
	outfile_drop(&d->file);
	if (d->top >= 0)
		close(d->top);
	free(d->place);
	d->top = -1;
	d->place = NULL;
}

/* The name that a guest's path ends in. */
static const char *last_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* As cp: into a folder that exists, under its own name; else under the name given. */
static char *place_of(const struct mapping *out)
{
	struct stat st;

	if (stat(out->to, &st) == 0 && S_ISDIR(st.st_mode) &&
	    wire_path_inside(last_name(out->from)))
		return must_format("%s/%s", out->to, last_name(out->from));
	return must_format("%s", out->to);
}

int download_check(const struct mapping *outs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char *place = place_of(&outs[i]);
		struct outfile probe;
		int error = outfile_open(AT_FDCWD, place, 0600, &probe);

		if (error == 0)
			outfile_drop(&probe);
		/* A folder may be in the way of a file but not of a folder: the end will
		 * tell. */
		if (error < 0 && error != -EISDIR) {
			say("--out: cannot write '%s': %s", place, strerror(-error));
			free(place);
			return MAYFLY_FAILED;
		}
		free(place);
	}
	return 0;
}

static void fail(struct download *d, int error)
{
	if (!d->error)
		d->error = error;
}

/* Opens the folder of `path` below the tree's top without following a link (L1). Returns
 * an fd or -errno; *ret_name is the path's last name. */
static int parent_open(const struct download *d, const char *path, const char **ret_name)
{
	const char *slash = strrchr(path, '/');
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	char *folder =
		must_format("%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	long fd = syscall(SYS_openat2, d->top, folder, &how, sizeof(how));

	free(folder);
	*ret_name = slash ? slash + 1 : path;
	return fd < 0 ? -errno : (int)fd;
}

/* Whether a link with this target, at this path of the tree, stays inside (L2). The
 * target's own links were checked when they came, so names are all that counts. */
static bool link_stays(const char *path, const char *target)
{
	int depth = 0;

	for (const char *at = path; (at = strchr(at, '/')); at++)
		depth++;
	if (*target == '/' || !*target)
		return false;
	while (*target) {
		size_t size = strcspn(target, "/");

		if (size == 2 && !memcmp(target, "..", 2)) {
			if (--depth < 0)
				return false;
		} else if (size > 0 && !(size == 1 && *target == '.')) {
			/* A name followed by ".." might be a link to somewhere deeper. */
			if (strstr(target + size, "/.."))
				return false;
			depth++;
		}
		target += size + (target[size] == '/');
	}
	return true;
}

/* -- the first FILE of an OUT decides whether it is a file or a tree
 * ------------------------ */

static void top_make(struct download *d, const struct wire_file *file)
{
	int error;

	d->place = place_of(&d->outs[d->at]);
	if (file->kind == WIRE_FILE_REGULAR) {
		error = outfile_open(AT_FDCWD, d->place, 0600, &d->file);
		if (error < 0)
			fail(d, -error);
		d->writing = error == 0;
		return;
	}
	if (file->kind == WIRE_FILE_LINK) {
		fail(d, ELOOP);
		return;
	}
	if (mkdir(d->place, 0777) < 0 && errno != EEXIST) {
		fail(d, errno);
		return;
	}
	d->top = open(d->place, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (d->top < 0)
		fail(d, errno);
}

static int entry_make(struct download *d, const struct wire_file *file, int folder,
		      const char *name)
{
	int error;

	switch (file->kind) {
	case WIRE_FILE_REGULAR:
		error = outfile_open(folder, name, 0600, &d->file);
		d->writing = error == 0;
		return error;
	case WIRE_FILE_FOLDER:
		if (mkdirat(folder, name, 0777) < 0 && errno != EEXIST)
			return -errno;
		return 0;
	default:
		if (!link_stays(file->path.at, file->target.at)) {
			d->skipped++;
			return 0;
		}
		if (unlinkat(folder, name, 0) < 0 && errno != ENOENT)
			return -errno;
		return symlinkat(file->target.at, folder, name) < 0 ? -errno : 0;
	}
}

int download_file(struct download *d, const struct wire_file *file)
{
	const char *name;
	int folder, error;

	if (d->open || d->at == d->count || !wire_path_inside(file->path.at))
		return -EPROTO;
	if (!*file->path.at == !!d->place)
		return -EPROTO;
	d->open = true;
	d->mode = file->mode & 0777;
	d->mtime_ns = file->mtime_ns;
	if (!d->place) {
		top_make(d, file);
		return 0;
	}
	if (d->top < 0)
		return d->error ? 0 : -EPROTO;
	folder = parent_open(d, file->path.at, &name);
	error = folder < 0 ? folder : entry_make(d, file, folder, name);
	if (folder >= 0)
		close(folder);
	if (error < 0)
		fail(d, -error);
	return 0;
}

int download_data(struct download *d, const struct wire_tail *bytes)
{
	int error;

	if (!d->open)
		return -EPROTO;
	if (bytes->size > d->left) {
		fail(d, EFBIG);
		return -EFBIG;
	}
	d->left -= bytes->size;
	if (!d->writing)
		return 0;
	error = write_all(d->file.fd, bytes->at, bytes->size);
	if (error < 0) {
		fail(d, -error);
		outfile_drop(&d->file);
		d->writing = false;
	}
	return 0;
}

static void file_commit(struct download *d)
{
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT },
				     { d->mtime_ns / NSEC_PER_SEC,
				       d->mtime_ns % NSEC_PER_SEC } };
	int error;

	if (d->file.folder >= 0) {
		fchmod(d->file.fd, d->mode & ~umask_now());
		futimens(d->file.fd, times);
	}
	error = outfile_commit(&d->file);
	if (error < 0)
		fail(d, -error);
}

int download_file_end(struct download *d, unsigned error)
{
	if (!d->open)
		return -EPROTO;
	d->open = false;
	if (error)
		fail(d, error);
	if (d->writing && error)
		outfile_drop(&d->file);
	else if (d->writing)
		file_commit(d);
	d->writing = false;
	return 0;
}

int download_done(struct download *d, const struct wire_out_done *done)
{
	const struct mapping *out = &d->outs[d->at];

	if (d->open || d->at == d->count)
		return -EPROTO;
	if (done->error) {
		say("--out: '%s' in the guest: %s", out->from, strerror(done->error));
		d->failures++;
	} else if (d->error) {
		say("--out: '%s' to '%s': %s%s", out->from, d->place, strerror(d->error),
		    d->top >= 0 ? "; the folder is incomplete" : "");
		d->failures++;
	}
	if (done->skipped || d->skipped)
		say("--out: '%s': left out %u: devices, sockets, or links that lead "
		    "outside",
		    out->from, done->skipped + d->skipped);
	download_fini(d);
	d->error = d->skipped = 0;
	d->at++;
	return 0;
}
