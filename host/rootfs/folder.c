/* A folder of this machine. What is mounted below it is left out. */
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "host/rootfs/source.h"

/* A file of several names, met before. */
struct twin {
	dev_t dev;
	ino_t ino;
	char *path; /* below the folder, by its first name */
};

static int names_compare(const FTSENT **a, const FTSENT **b)
{
	return strcmp((*a)->fts_name, (*b)->fts_name);
}

static int twins_compare(const void *a, const void *b)
{
	const struct twin *left = a, *right = b;

	if (left->dev != right->dev)
		return left->dev < right->dev ? -1 : 1;
	return (left->ino > right->ino) - (left->ino < right->ino);
}

static void twin_free(void *at)
{
	struct twin *twin = at;

	free(twin->path);
	free(twin);
}

/* Calls `each` with every entry, folders before what is in them. */
static int folder_walk(const char *name, void *context,
		       int (*each)(void *context, FTSENT *entry, const char *below))
{
	char *paths[] = { (char *)name, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR | FTS_XDEV,
			     names_compare);
	FTSENT *entry;
	int error = 0;

	while (walk && error == 0 && (entry = fts_read(walk))) {
		const char *below = entry->fts_path + strlen(name);

		below += strspn(below, "/");
		if (entry->fts_info == FTS_DP)
			continue;
		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
		    entry->fts_info == FTS_NS) {
			say("--root '%s': %s: %s", name, entry->fts_path,
			    strerror(entry->fts_errno));
			error = -1;
		} else {
			error = each(context, entry, below);
		}
	}
	if (!walk)
		return -1;
	fts_close(walk);
	return error;
}

/* -- the state -- */

static int state_add(void *context, FTSENT *entry, const char *below)
{
	const struct stat *st = entry->fts_statp;

	digest_text(context, "%s", below);
	digest_text(context, "%llu %llu %o %u %u %lld %lld.%09ld",
		    (unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
		    st->st_mode, st->st_uid, st->st_gid, (long long)st->st_size,
		    (long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	return 0;
}

int folder_state(const char *name, struct digest_run *run)
{
	return folder_walk(name, run, state_add);
}

/* -- scanning -- */

struct scan {
	struct source *source;
	struct digest_run content;
	void *twins;
};

static void xattrs_take(const char *path, struct tree_inode *inode,
			struct digest_run *content)
{
	ssize_t size = llistxattr(path, NULL, 0);
	char *names, *value;

	if (size <= 0)
		return;
	names = must_alloc(size + 1);
	size = llistxattr(path, names, size);
	for (const char *at = names; at < names + size; at += strlen(at) + 1) {
		ssize_t length = lgetxattr(path, at, NULL, 0);

		if (length < 0)
			continue;
		value = must_alloc(length);
		length = lgetxattr(path, at, value, length);
		if (length >= 0) {
			tree_xattr_set(inode, at, value, length);
			digest_text(content, "%s=%zd", at, length);
			digest_add(content, value, length);
		}
		free(value);
	}
	free(names);
}

/* The whole of a file, piece by piece, to `each`. 0, -errno, or -ESTALE: not what was
 * seen before. */
static int file_read(const char *path, const struct tree_meta *meta, void *context,
		     int (*each)(void *context, const void *bytes, size_t size,
				 uint64_t offset))
{
	static uint8_t bytes[KIB(256)];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), error = 0;
	uint64_t at = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (error == 0 && (n = read(fd, bytes, sizeof(bytes))) > 0) {
		if ((uint64_t)n > meta->size - at) {
			error = -ESTALE;
			break;
		}
		error = each(context, bytes, n, at);
		at += n;
	}
	if (error == 0 && n < 0)
		error = -errno;
	if (error == 0 && at != meta->size)
		error = -ESTALE;
	close(fd);
	return error;
}

static int content_add(void *context, const void *bytes, size_t size, uint64_t offset)
{
	struct scan *scan = context;

	digest_add(&scan->content, bytes, size);
	progress_add(scan->source->progress, size);
	return 0;
}

static int path_failed(const struct source *source, const char *path, int error)
{
	return source_failed(source, path,
			     error == -ESTALE ? "it changed meanwhile"
					      : strerror(-error));
}

/* Notes a file whose bytes are to be written. */
static void file_note(struct source *source, struct tree_inode *inode, const char *path)
{
	size_t n = source->file_count++;

	if (!(n & (n - 1))) {
		source->files =
			must_grow(source->files, MAX(2 * n, 1u) * sizeof(*source->files));
		source->paths =
			must_grow(source->paths, MAX(2 * n, 1u) * sizeof(*source->paths));
	}
	inode->index = n;
	source->files[n] = inode;
	source->paths[n] = must_format("%s", path);
}

/* A further name of a file that was met: 1; 0 if it is new. */
static int twin_link(struct scan *scan, const struct stat *st, const char *below)
{
	struct twin *twin, **found;
	int error;

	if (st->st_nlink < 2 || S_ISDIR(st->st_mode))
		return 0;
	twin = must_alloc(sizeof(*twin));
	*twin = (struct twin){ st->st_dev, st->st_ino, must_format("%s", below) };
	found = tsearch(twin, &scan->twins, twins_compare);
	if (!found || *found == twin)
		return 0;
	twin_free(twin);
	digest_text(&scan->content, "link %s", (*found)->path);
	error = tree_hardlink(scan->source->tree, 0, below, (*found)->path);
	return error < 0 ? error : 1;
}

/* The caller's own files are root's in the guest: who builds an image for a VM of their
 * own means that. */
static uint32_t owner_of(uint32_t id, uint32_t own)
{
	return id == own ? 0 : id;
}

static int entry_put(struct scan *scan, FTSENT *entry, const char *below)
{
	const struct stat *st = entry->fts_statp;
	char target[4096] = "";
	struct tree_meta meta = {
		.mode = st->st_mode,
		.uid = owner_of(st->st_uid, getuid()),
		.gid = st->st_uid == getuid() ? owner_of(st->st_gid, getgid())
					      : st->st_gid,
		.major = major(st->st_rdev),
		.minor = minor(st->st_rdev),
		.mtime_s = st->st_mtim.tv_sec,
		.mtime_ns = st->st_mtim.tv_nsec,
		.size = S_ISREG(st->st_mode) ? st->st_size : 0,
	};
	struct tree_inode *inode;
	int error;

	if (S_ISLNK(st->st_mode)) {
		if (readlink(entry->fts_accpath, target, sizeof(target) - 1) < 0)
			return -errno;
		meta.target = target;
	}
	error = tree_put(scan->source->tree, 0, below, &meta, &inode);
	if (error < 0)
		return error;
	digest_text(&scan->content, "%o %u %u %u %u %lld.%09u %llu", meta.mode, meta.uid,
		    meta.gid, meta.major, meta.minor, (long long)meta.mtime_s,
		    meta.mtime_ns, (unsigned long long)meta.size);
	digest_text(&scan->content, "%s", target);
	xattrs_take(entry->fts_accpath, inode, &scan->content);
	if (!S_ISREG(st->st_mode))
		return 0;
	file_note(scan->source, inode, entry->fts_path);
	return file_read(entry->fts_accpath, &inode->meta, scan, content_add);
}

static int entry_scan(void *context, FTSENT *entry, const char *below)
{
	struct scan *scan = context;
	int error;

	/* Bound to a program of this machine, it means nothing elsewhere. */
	if (S_ISSOCK(entry->fts_statp->st_mode))
		return 0;
	digest_text(&scan->content, "%s", below);
	error = twin_link(scan, entry->fts_statp, below);
	if (error == 0)
		error = entry_put(scan, entry, below);
	return error < 0 ? path_failed(scan->source, entry->fts_path, error) : 0;
}

int folder_scan(struct source *source)
{
	struct scan scan = { .source = source };
	int error;

	digest_begin(&scan.content);
	error = folder_walk(source->name, &scan, entry_scan);
	tdestroy(scan.twins, twin_free);
	source->content = digest_end(&scan.content);
	return error;
}

/* -- writing -- */

struct target {
	struct source *source;
	struct image *image;
	const struct tree_inode *inode;
};

static int content_copy(void *context, const void *bytes, size_t size, uint64_t offset)
{
	struct target *target = context;

	progress_add(target->source->progress, size);
	return image_write(target->image, target->inode, bytes, size, offset);
}

int folder_write(struct source *source, struct image *image)
{
	struct target target = { source, image, NULL };

	for (size_t i = 0; i < source->file_count; i++) {
		int error;

		target.inode = source->files[i];
		/* The agent of now took its place: the folder was an image once. */
		if (!target.inode->links)
			continue;
		error = file_read(source->paths[i], &target.inode->meta, &target,
				  content_copy);
		if (error < 0)
			return path_failed(source, source->paths[i], error);
	}
	return 0;
}
