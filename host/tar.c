/*
 * Unpacking an archive. libarchive is loaded when it is needed: with all it stands on it
 * would make every other start of the command slower by what it takes to boot a guest.
 */
#include <archive.h>
#include <archive_entry.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/rootbuild.h"
#include "lib/wire.h"

/* What is used of libarchive: FUNCTION(name, return type, arguments) */
#define FUNCTIONS                                                                        \
	FUNCTION(archive_read_new, struct archive *, (void))                             \
	FUNCTION(archive_read_support_filter_all, int, (struct archive *))               \
	FUNCTION(archive_read_support_format_tar, int, (struct archive *))               \
	FUNCTION(archive_read_open_filename, int,                                        \
		 (struct archive *, const char *, size_t))                               \
	FUNCTION(archive_read_next_header, int,                                          \
		 (struct archive *, struct archive_entry **))                            \
	FUNCTION(archive_read_data_into_fd, int, (struct archive *, int))                \
	FUNCTION(archive_read_free, int, (struct archive *))                             \
	FUNCTION(archive_error_string, const char *, (struct archive *))                 \
	FUNCTION(archive_entry_pathname, const char *, (struct archive_entry *))         \
	FUNCTION(archive_entry_hardlink, const char *, (struct archive_entry *))         \
	FUNCTION(archive_entry_symlink, const char *, (struct archive_entry *))          \
	FUNCTION(archive_entry_mode, mode_t, (struct archive_entry *))                   \
	FUNCTION(archive_entry_size, la_int64_t, (struct archive_entry *))               \
	FUNCTION(archive_entry_uid, la_int64_t, (struct archive_entry *))                \
	FUNCTION(archive_entry_gid, la_int64_t, (struct archive_entry *))                \
	FUNCTION(archive_entry_mtime, time_t, (struct archive_entry *))

static struct {
#define FUNCTION(name, type, arguments) type(*name) arguments;
	FUNCTIONS
#undef FUNCTION
} la;

static bool library_load(void)
{
	static const struct {
		const char *name;
		void **at;
	} functions[] = {
#define FUNCTION(name, type, arguments) { #name, (void **)&la.name },
		FUNCTIONS
#undef FUNCTION
	};
	void *library = dlopen("libarchive.so.13", RTLD_NOW);

	for (size_t i = 0; library && i < ARRAY_LEN(functions); i++) {
		*functions[i].at = dlsym(library, functions[i].name);
		if (!*functions[i].at)
			return false;
	}
	return library;
}

/* Opens a folder below `top` without following a link that the archive made. */
static int folder_open(int top, const char *path)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };
	long fd = syscall(SYS_openat2, top, *path ? path : ".", &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* The open folder of a path, made if the archive lacks it, and the path's last name. */
static int parent_open(int top, char *path, const char **ret_name)
{
	char *slash = strrchr(path, '/');
	int fd;

	*ret_name = slash ? slash + 1 : path;
	if (!slash)
		return folder_open(top, "");
	*slash = 0;
	fd = folder_open(top, path);
	if (fd == -ENOENT) {
		const char *name;
		int parent = parent_open(top, path, &name);

		if (parent >= 0) {
			mkdirat(parent, name, 0700);
			close(parent);
			fd = folder_open(top, path);
		}
	}
	*slash = '/';
	return fd;
}

/* A path of the archive below its root: "./usr/bin/" is "usr/bin". Heap, NULL if it
 * leaves. */
static char *path_clean(const char *path)
{
	char *clean;
	size_t size;

	while (*path == '/' || (path[0] == '.' && (path[1] == '/' || !path[1])))
		path++;
	size = strlen(path);
	while (size && path[size - 1] == '/')
		size--;
	clean = must_format("%.*s", (int)size, path);
	if (wire_path_inside(clean))
		return clean;
	free(clean);
	return NULL;
}

static int regular_unpack(struct archive *archive, int folder, const char *name,
			  time_t mtime)
{
	struct timespec times[2] = { { .tv_sec = mtime }, { .tv_sec = mtime } };
	int fd = openat(folder, name,
			O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int result;

	if (fd < 0)
		return -errno;
	result = la.archive_read_data_into_fd(archive, fd);
	futimens(fd, times);
	close(fd);
	return result == ARCHIVE_OK ? 0 : -EIO;
}

static int hardlink_unpack(int top, int folder, const char *name, const char *target)
{
	char *clean = path_clean(target);
	const char *target_name;
	int parent = clean ? parent_open(top, clean, &target_name) : -EINVAL, error = 0;

	if (parent < 0)
		error = parent;
	else if (linkat(parent, target_name, folder, name, 0) < 0)
		error = -errno;
	if (parent >= 0)
		close(parent);
	free(clean);
	return error;
}

/* Makes one entry. Devices, sockets and pipes are left out: the guest makes its own. */
static int entry_unpack(struct archive *archive, struct archive_entry *entry, int top,
			char *path, struct rootfix *fix)
{
	const char *link = la.archive_entry_hardlink(entry), *name;
	mode_t mode = la.archive_entry_mode(entry);
	int folder = parent_open(top, path, &name), error = 0;

	if (folder < 0)
		return folder;
	/* The last of several entries of one name counts, as in tar. */
	if (!S_ISDIR(mode) || link)
		unlinkat(folder, name, 0);
	if (link)
		error = hardlink_unpack(top, folder, name, link);
	else if (S_ISREG(mode))
		error = regular_unpack(archive, folder, name,
				       la.archive_entry_mtime(entry));
	else if (S_ISLNK(mode))
		error = symlinkat(la.archive_entry_symlink(entry), folder, name) < 0
				? -errno
				: 0;
	else if (S_ISDIR(mode))
		error = mkdirat(folder, name, 0700) < 0 && errno != EEXIST ? -errno : 0;
	close(folder);
	if (error < 0 || !(link || S_ISREG(mode) || S_ISLNK(mode) || S_ISDIR(mode)))
		return error;
	rootfix_count(fix, S_ISREG(mode) ? (uint64_t)la.archive_entry_size(entry) : 0);
	if (!link)
		rootfix_inode(fix, path, mode, la.archive_entry_uid(entry),
			      la.archive_entry_gid(entry));
	return 0;
}

static int entries_unpack(struct archive *archive, const char *archive_path, int top,
			  struct rootfix *fix)
{
	struct archive_entry *entry;
	int result;

	while ((result = la.archive_read_next_header(archive, &entry)) == ARCHIVE_OK ||
	       result == ARCHIVE_WARN) {
		const char *name = la.archive_entry_pathname(entry);
		char *path = name ? path_clean(name) : NULL;
		int error = -EINVAL;

		if (path && !*path) {
			free(path);
			continue;
		}
		if (path)
			error = entry_unpack(archive, entry, top, path, fix);
		free(path);
		if (error < 0) {
			say("--root '%s': '%s' in the archive: %s", archive_path,
			    name ? name : "?", strerror(-error));
			return -1;
		}
	}
	if (result == ARCHIVE_EOF && fix->inodes)
		return 0;
	say("--root '%s': neither an ext4 image nor a tar archive: %s", archive_path,
	    result == ARCHIVE_EOF ? "it holds nothing"
				  : la.archive_error_string(archive));
	return -1;
}

int tar_unpack(const char *path, const char *into, struct rootfix *fix)
{
	struct archive *archive;
	int top, result = -1;

	if (!library_load()) {
		say("--root '%s': no libarchive here: install the package libarchive13",
		    path);
		return -1;
	}
	top = open(into, O_PATH | O_DIRECTORY | O_CLOEXEC);
	archive = la.archive_read_new();
	if (top >= 0 && archive) {
		la.archive_read_support_filter_all(archive);
		la.archive_read_support_format_tar(archive);
		if (la.archive_read_open_filename(archive, path, 65536) == ARCHIVE_OK)
			result = entries_unpack(archive, path, top, fix);
		else
			say("--root '%s': neither an ext4 image nor a tar archive: %s",
			    path, la.archive_error_string(archive));
	}
	if (archive)
		la.archive_read_free(archive);
	if (top >= 0)
		close(top);
	return result;
}
