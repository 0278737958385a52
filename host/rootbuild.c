/* Building and keeping root images. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/outfile.h"
#include "host/rootbuild.h"
#include "host/tool.h"

/* The newest images that stay in the cache. */
#define KEPT_MAX 8
/* What Mayfly's kernel reads; as tools/mkroot.py. */
#define FEATURES "none,extent,dir_index,filetype,large_file,sparse_super,metadata_csum"

/* -- debugfs commands -- */

static void fix_add(struct rootfix *fix, const char *format, ...) printf_like(2, 3);

static void fix_add(struct rootfix *fix, const char *format, ...)
{
	va_list ap;
	char *line;
	int size;

	va_start(ap, format);
	size = vasprintf(&line, format, ap);
	va_end(ap);
	if (size < 0)
		return;
	if (fix->size + size + 1 > fix->room) {
		fix->room = 2 * fix->room + size + 4096;
		fix->commands = must_grow(fix->commands, fix->room);
	}
	memcpy(fix->commands + fix->size, line, size + 1);
	fix->size += size;
	free(line);
}

void rootfix_inode(struct rootfix *fix, const char *path, unsigned mode, unsigned uid,
		   unsigned gid)
{
	if (strpbrk(path, "\"\n"))
		return;
	fix_add(fix, "sif \"/%s\" mode 0%o\nsif \"/%s\" uid %u\nsif \"/%s\" gid %u\n",
		path, mode, path, uid, path, gid);
}

void rootfix_count(struct rootfix *fix, uint64_t size)
{
	fix->inodes++;
	fix->bytes += ALIGN_UP(size, KIB(4)) + KIB(1);
}

/* -- a folder -- */

/* Walks the folder: its sums and owners into `fix`, what identifies its state into
 * `key`. */
static int folder_scan(const char *path, struct rootfix *fix, struct rootfix *key)
{
	char *paths[] = { (char *)path, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	uid_t own = getuid();
	FTSENT *entry;

	while (walk && (entry = fts_read(walk))) {
		const struct stat *st = entry->fts_statp;
		const char *below = entry->fts_path + strlen(path);

		if (entry->fts_info == FTS_DP)
			continue;
		if (entry->fts_info == FTS_DNR || entry->fts_info == FTS_ERR ||
		    entry->fts_info == FTS_NS) {
			say("--root '%s': %s: %s", path, entry->fts_path,
			    strerror(entry->fts_errno));
			fts_close(walk);
			return -1;
		}
		below += strspn(below, "/");
		rootfix_count(fix, S_ISREG(st->st_mode) ? (uint64_t)st->st_size : 0);
		if (own && st->st_uid == own)
			rootfix_inode(fix, below, st->st_mode, 0, 0);
		fix_add(key, "%s\n%llu %llu %o %u %u %lld %lld.%09ld\n", below,
			(unsigned long long)st->st_dev, (unsigned long long)st->st_ino,
			st->st_mode, st->st_uid, st->st_gid, (long long)st->st_size,
			(long long)st->st_ctim.tv_sec, st->st_ctim.tv_nsec);
	}
	if (!walk)
		return -1;
	fts_close(walk);
	return 0;
}

static int archive_scan(const char *path, struct rootfix *key)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		say("--root '%s': %s", path, strerror(errno));
		return -1;
	}
	fix_add(key, "%llu %llu %lld %lld.%09ld\n", (unsigned long long)st.st_dev,
		(unsigned long long)st.st_ino, (long long)st.st_size,
		(long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	return 0;
}

/* -- the folder an archive is unpacked to (R1)
 * --------------------------------------------- */

struct scratch {
	char *path;
	int lifeline; /* the keeper removes the folder when this closes */
	pid_t keeper;
};

static void tree_remove(const char *path)
{
	char *paths[] = { (char *)path, NULL };
	FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
	FTSENT *entry;

	while (walk && (entry = fts_read(walk)))
		if (entry->fts_info != FTS_D)
			remove(entry->fts_accpath);
	if (walk)
		fts_close(walk);
}

static int scratch_open(const char *cache, struct scratch *ret_scratch)
{
	struct scratch scratch = { .path = must_format("%s/unpack-XXXXXX", cache) };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	if (!mkdtemp(scratch.path))
		return -errno;
	scratch.lifeline = ends[1];
	scratch.keeper = fork();
	if (scratch.keeper == 0) {
		char end;

		/* Out of reach of what kills the terminal's group. */
		setsid();
		close(ends[1]);
		while (read(ends[0], &end, 1) < 0 && errno == EINTR)
			;
		tree_remove(scratch.path);
		_exit(0);
	}
	close(ends[0]);
	*ret_scratch = scratch;
	return 0;
}

static void scratch_close(struct scratch *scratch)
{
	close(scratch->lifeline);
	if (scratch->keeper > 0)
		waitpid(scratch->keeper, NULL, 0);
	free(scratch->path);
}

/* -- the image -- */

/* One line of what a failed tool printed: the last that says something. */
static void tool_failed(const char *path, const char *tool, int status, char *output)
{
	size_t size = output ? strlen(output) : 0;
	const char *line;

	if (status == -ENOENT) {
		say("--root '%s': no %s here: install the package e2fsprogs", path, tool);
		return;
	}
	while (size && output[size - 1] == '\n')
		output[--size] = 0;
	line = size ? strrchr(output, '\n') : NULL;
	say("--root '%s': %s failed: %s", path, tool,
	    line   ? line + 1
	    : size ? output
		   : "");
}

static int image_format(const char *path, const char *folder, const struct rootfix *fix,
			int fd)
{
	uint64_t blocks =
		(fix->bytes + fix->bytes / 8 + MIB(4)) / KIB(4) + fix->inodes / 8;
	char *argv[] = { "mke2fs",
			 "-q",
			 "-F",
			 "-t",
			 "ext4",
			 "-b",
			 "4096",
			 "-I",
			 "256",
			 "-m",
			 "0",
			 "-O",
			 FEATURES,
			 "-E",
			 "root_owner=0:0",
			 "-N",
			 must_format("%llu", (unsigned long long)(fix->inodes + 64)),
			 "-d",
			 (char *)folder,
			 must_format("/proc/self/fd/%d", fd),
			 must_format("%llu", (unsigned long long)blocks),
			 NULL };
	char *output = NULL;
	int status = tool_run(argv, "", 0, fd, &output);

	if (status)
		tool_failed(path, "mke2fs", status, output);
	free(output);
	return status ? -1 : 0;
}

/* Adds the agent of the base image and the folders that a Linux system needs, and applies
 * the owners and modes. */
static int image_fix(const char *path, struct rootfix *fix, int fd, const char *agent)
{
	static const char *const folders[] = { "proc", "dev", "sys", "tmp", "job" };
	char *argv[] = {
		"debugfs", "-w", "-f", "/dev/stdin", must_format("/proc/self/fd/%d", fd),
		NULL
	};
	char *output = NULL;
	int status;

	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		fix_add(fix, "mkdir /%s\n", folders[i]);
	fix_add(fix, "write %s %s\n", agent, &ROOTBUILD_INIT[1]);
	fix_add(fix, "sif %s mode 0100755\nsif %s uid 0\nsif %s gid 0\n", ROOTBUILD_INIT,
		ROOTBUILD_INIT, ROOTBUILD_INIT);
	status = tool_run(argv, fix->commands, fix->size, fd, &output);
	if (status)
		tool_failed(path, "debugfs", status, output);
	free(output);
	return status ? -1 : 0;
}

/* Copies the agent out of the base image to memory; its fd, or -1 with a
 * line. */
static int agent_extract(const struct install *install)
{
	int fd = memfd_create("agent", MFD_CLOEXEC);
	char *argv[] = { "debugfs", "-R",
			 must_format("dump /sbin/agent /proc/self/fd/%d", fd),
			 must_format("%s/base.img", install->roots), NULL };
	struct stat st;
	int status = fd < 0 ? -errno : tool_run(argv, "", 0, fd, NULL);

	if (status || fstat(fd, &st) < 0 || !st.st_size) {
		say("cannot take the agent out of '%s'%s", argv[3],
		    status == -ENOENT ? ": no debugfs here: install the package e2fsprogs"
				      : "");
		return -1;
	}
	return fd;
}

/* The image of a folder into an open nameless file. */
static int image_build(const struct install *install, const char *path,
		       const char *folder, struct rootfix *fix, struct outfile *file)
{
	int agent = agent_extract(install), result = -1;
	char *agent_path = must_format("/proc/%d/fd/%d", getpid(), agent);

	if (agent >= 0) {
		rootfix_count(fix, MIB(1));
		result = image_format(path, folder, fix, file->fd);
		if (result == 0)
			result = image_fix(path, fix, file->fd, agent_path);
		close(agent);
	}
	free(agent_path);
	return result;
}

static int archive_build(const struct install *install, const char *path,
			 struct outfile *file, const char *cache)
{
	struct rootfix fix = { 0 };
	struct scratch scratch = { NULL, -1, -1 };
	int result = scratch_open(cache, &scratch);

	if (result < 0) {
		say("cannot unpack into '%s': %s", cache, strerror(-result));
		return -1;
	}
	result = tar_unpack(path, scratch.path, &fix);
	if (result == 0)
		result = image_build(install, path, scratch.path, &fix, file);
	scratch_close(&scratch);
	free(fix.commands);
	return result;
}

/* -- the cache -- */

/* The name of the image for this state of the source; heap, NULL with a line. */
static char *image_name(const char *cache, const struct rootfix *key)
{
	char *argv[] = { "sha256sum", NULL }, *output = NULL, *name = NULL;
	int status = tool_run(argv, key->commands, key->size, -1, &output);

	if (status == 0 && strlen(output) >= 64)
		name = must_format("%s/root-%.64s.img", cache, output);
	else
		say("sha256sum failed");
	free(output);
	return name;
}

static int is_image(const struct dirent *entry)
{
	return !strncmp(entry->d_name, "root-", 5);
}

/* Removes all but the newest images; each use makes one new again. */
static void cache_prune(const char *cache)
{
	struct dirent **entries;
	int count = scandir(cache, &entries, is_image, alphasort);

	for (int i = 0; i < count; i++) {
		char *path = must_format("%s/%s", cache, entries[i]->d_name);
		struct stat st, other;
		int newer = 0;

		for (int k = 0; k < count && stat(path, &st) == 0; k++) {
			char *rival = must_format("%s/%s", cache, entries[k]->d_name);

			newer += stat(rival, &other) == 0 && other.st_mtime > st.st_mtime;
			free(rival);
		}
		if (newer >= KEPT_MAX)
			unlink(path);
		free(path);
	}
	for (int i = 0; i < count; i++)
		free(entries[i]);
	if (count >= 0)
		free(entries);
}

static int cached_open(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		futimens(fd, NULL);
	return fd;
}

/* Builds the image and puts it into the cache as `name`. An fd, or -1 with a line. */
static int cache_fill(const struct install *install, const char *path, bool tar,
		      struct rootfix *fix, const char *cache, const char *name)
{
	struct outfile file;
	int error = outfile_open(AT_FDCWD, name, 0600, &file), fd;

	if (error < 0) {
		say("cannot write to '%s': %s", cache, strerror(-error));
		return -1;
	}
	if (tar ? archive_build(install, path, &file, cache)
		: image_build(install, path, path, fix, &file)) {
		outfile_drop(&file);
		return -1;
	}
	error = outfile_commit(&file);
	fd = error < 0 ? error : cached_open(name);
	if (fd < 0)
		say("cannot write '%s': %s", name, strerror(error < 0 ? -error : errno));
	cache_prune(cache);
	return fd;
}

int rootbuild(const struct install *install, const char *path, bool tar, bool verbose)
{
	const char *cache = cache_folder();
	struct rootfix fix = { 0 }, key = { 0 };
	struct stat base;
	char *base_path = must_format("%s/base.img", install->roots), *name;
	int fd = -1;

	if (!cache) {
		say("--root '%s': no cache folder: set HOME or XDG_CACHE_HOME", path);
		return -1;
	}
	/* Another agent makes another image. */
	if (stat(base_path, &base) == 0)
		fix_add(&key, "%s %lld %lld\n", MAYFLY_VERSION, (long long)base.st_size,
			(long long)base.st_ctim.tv_sec);
	free(base_path);
	if (tar ? archive_scan(path, &key) : folder_scan(path, &fix, &key))
		return -1;
	name = image_name(cache, &key);
	if (name) {
		fd = cached_open(name);
		if (fd < 0) {
			if (verbose)
				say("building an image of '%s'", path);
			fd = cache_fill(install, path, tar, &fix, cache, name);
		}
	}
	free(name);
	free(fix.commands);
	free(key.commands);
	return fd;
}
