/* Building and keeping root images. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/outfile.h"
#include "host/rootbuild.h"
#include "host/rootfs/source.h"
#include "host/rootfs/trailer.h"

/* The newest images that stay in the cache, and links to them. */
#define IMAGES_MAX 8
#define LINKS_MAX 64
/* Another layout of images makes other images. */
#define FORMAT "image 4"

static int failed(const struct rootbuild *build, const char *what, int error)
{
	say("--root '%s': %s: %s", build->path, what, strerror(-error));
	return -1;
}

/* -- what an image is known by -- */

/* Another agent makes another image. */
static void key_begin(const struct rootbuild *build, struct digest_run *run)
{
	char *base_path = must_format("%s/base.img", build->install->roots);
	struct stat base;

	digest_begin(run);
	digest_text(run, "%s %s", FORMAT, MAYFLY_VERSION);
	if (stat(base_path, &base) == 0)
		digest_text(run, "%lld %lld", (long long)base.st_size,
			    (long long)base.st_ctim.tv_sec);
	free(base_path);
}

static int file_state(const struct rootbuild *build, const char *path,
		      struct digest_run *run)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return failed(build, path, -errno);
	digest_text(run, "%llu %llu %lld %lld.%09ld", (unsigned long long)st.st_dev,
		    (unsigned long long)st.st_ino, (long long)st.st_size,
		    (long long)st.st_ctim.tv_sec, st.st_ctim.tv_nsec);
	return 0;
}

/* An open folder, or -1. */
static int folder_open(const struct rootbuild *build)
{
	return build->folder ? open(build->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
}

static bool is_layout(const struct rootbuild *build)
{
	int fd = folder_open(build);
	bool is = fd >= 0 && layout_is_folder(fd);

	if (fd >= 0)
		close(fd);
	return is;
}

/* What changes when the source does. 0, or -1 with a line. */
static int state_key(const struct rootbuild *build, struct digest *ret_key)
{
	struct digest_run run;
	char *index;
	int error;

	key_begin(build, &run);
	digest_text(&run, "%s", build->reference ? build->reference : "");
	if (is_layout(build)) {
		/* Its other files are named after their content. */
		index = must_format("%s/index.json", build->path);
		error = file_state(build, index, &run);
		free(index);
	} else if (build->folder) {
		error = folder_state(build->path, &run);
	} else {
		error = file_state(build, build->path, &run);
	}
	*ret_key = digest_end(&run);
	return error;
}

static struct digest content_key(const struct rootbuild *build,
				 const struct digest *content)
{
	struct digest_run run;

	key_begin(build, &run);
	digest_text(&run, "%s", content->hex);
	return digest_end(&run);
}

/* -- a conversion -- */

struct conversion {
	const struct rootbuild *build;
	struct source source;
	struct progress progress;
	struct digest state;  /* before anything was read */
	struct outfile spool; /* members of an archive of an image */
	int file;	      /* the archive; -1: a folder */
	uint8_t *agent;	      /* its bytes */
	struct tree_inode *init;
};

static void conversion_fini(struct conversion *c)
{
	progress_end(&c->progress);
	source_fini(&c->source);
	outfile_drop(&c->spool);
	if (c->file >= 0)
		close(c->file);
	free(c->agent);
}

static uint64_t bytes_of_layers(const struct source *source)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < source->layer_count; i++)
		bytes += source->layers[i].blob.size;
	return bytes;
}

/* Reads the layers' items, which count for half of the work. */
static int layers_read(struct conversion *c)
{
	progress_begin(&c->progress, "making the root image",
		       2 * bytes_of_layers(&c->source));
	return layers_scan(&c->source);
}

/* `spool`: where a file without a name may be made. */
static int archive_read(struct conversion *c, const char *spool)
{
	struct source *source = &c->source;
	struct stat st;
	int error;

	c->file = open(c->build->path, O_RDONLY | O_CLOEXEC);
	if (c->file < 0 || fstat(c->file, &st) < 0)
		return failed(c->build, "cannot read it", -errno);
	source->layers = must_alloc(sizeof(*source->layers));
	source->layers->blob = (struct blob){ c->file, 0, st.st_size };
	source->layer_count = 1;
	if (layers_read(c))
		return -1;
	if (!layout_is_archive(source->tree)) {
		if (!c->build->reference)
			return 0;
		say("--root '%s': it holds no images to choose '%s' from", c->build->path,
		    c->build->reference);
		return -1;
	}
	progress_end(&c->progress);
	error = outfile_open(AT_FDCWD, spool, 0600, &c->spool);
	if (error < 0)
		return failed(c->build, spool, error);
	if (layout_open_archive(source, c->spool.fd, c->build->reference))
		return -1;
	return layers_read(c);
}

/* How many bytes a folder's files have is known after the scan only, so the first half is
 * without a measure. */
static int folder_read(struct conversion *c)
{
	int fd = folder_open(c->build), error;

	if (fd < 0)
		return failed(c->build, "cannot read it", -errno);
	if (layout_is_folder(fd)) {
		error = layout_open_folder(&c->source, fd, c->build->reference);
		close(fd);
		return error ? error : layers_read(c);
	}
	close(fd);
	progress_begin(&c->progress, "reading the folder", 0);
	return folder_scan(&c->source);
}

/* getmntent(3)'s list: whoever starts a system or a container makes it, so images and
 * folders have none. */
static int mounts_link(struct tree *tree)
{
	struct tree_meta meta = { .mode = S_IFLNK | 0777, .target = "/proc/self/mounts" };
	struct tree_inode *inode;
	int error;

	if (!tree_find(tree, "etc") || tree_find(tree, "etc/mtab"))
		return 0;
	error = tree_put(tree, 0, "etc/mtab", &meta, &inode);
	/* An /etc that is no folder, nor leads to one, does without. */
	return error == -ENOTDIR || error == -EINVAL || error == -ELOOP ||
			       error == -ENAMETOOLONG
		       ? 0
		       : error;
}

/* What a Linux system needs and archives lack; the folder that the image's config names,
 * which Docker makes too, for its user. */
static int tree_complete(struct conversion *c)
{
	static const struct {
		const char *path;
		uint32_t mode, owner;
	} folders[] = {
		{ "proc", 0555, 0 }, { "dev", 0755, 0 }, { "sys", 0555, 0 },
		{ "tmp", 01777, 0 }, { "run", 0755, 0 }, { "job", 0755, JOB_ID },
	};
	const struct image_config *config = &c->source.config;
	struct tree *tree = c->source.tree;
	struct tree_meta meta = { .mode = S_IFDIR | 0755 };
	struct tree_inode *inode;
	int error = 0;

	meta.uid = meta.gid = config->user ? 0 : JOB_ID;
	if (config->folder && !tree_find(tree, config->folder))
		error = tree_put(tree, 0, config->folder, &meta, &inode);
	for (size_t i = 0; i < ARRAY_LEN(folders) && error == 0; i++) {
		meta.mode = S_IFDIR | folders[i].mode;
		meta.uid = meta.gid = folders[i].owner;
		if (!tree_find(tree, folders[i].path))
			error = tree_put(tree, 0, folders[i].path, &meta, &inode);
	}
	if (error == 0)
		error = mounts_link(tree);
	return error < 0 ? failed(c->build, "cannot complete it", error) : 0;
}

/* Puts the agent of the base image into the tree. */
static int agent_add(struct conversion *c)
{
	struct tree_meta meta = { .mode = S_IFREG | 0755 };
	char *base = must_format("%s/base.img", c->build->install->roots);
	size_t size;
	int error = image_file_read(base, "/sbin/agent", &c->agent, &size);

	if (error < 0)
		say("cannot take the agent out of '%s'", base);
	free(base);
	if (error < 0)
		return -1;
	meta.size = size;
	error = tree_put(c->source.tree, 0, ROOTBUILD_INIT, &meta, &c->init);
	return error < 0 ? failed(c->build, ROOTBUILD_INIT, error) : 0;
}

/* Reads all that there is to know before the bytes. 0, or -1 with a line. */
static int conversion_read(struct conversion *c, const struct rootbuild *build,
			   const char *spool)
{
	*c = (struct conversion){ .build = build,
				  .source = { .name = build->path,
					      .tree = tree_new(),
					      .progress = &c->progress },
				  .spool = { -1, -1, NULL, NULL },
				  .file = -1 };
	if (build->verbose)
		say("building an image of '%s'", build->path);
	if (state_key(build, &c->state))
		return -1;
	return build->folder ? folder_read(c) : archive_read(c, spool);
}

static uint64_t bytes_of_files(const struct source *source)
{
	uint64_t bytes = 0;

	for (size_t i = 0; i < source->file_count; i++)
		bytes += source->files[i]->meta.size;
	return bytes;
}

static int bytes_write(struct conversion *c, struct image *image)
{
	int error = image_write(image, c->init, c->agent, c->init->meta.size, 0);

	if (error < 0)
		return failed(c->build, "cannot write the image", error);
	if (c->source.layer_count)
		return layers_write(&c->source, image);
	progress_begin(&c->progress, "making the root image", bytes_of_files(&c->source));
	return folder_write(&c->source, image);
}

/* Writes the image to the empty file. 0, or -1 with a line. */
static int conversion_write(struct conversion *c, int fd)
{
	struct image *image;
	struct digest after;
	int error;

	if (tree_complete(c) || agent_add(c))
		return -1;
	image = image_new(c->build->path, fd, c->source.tree);
	if (!image)
		return -1;
	error = bytes_write(c, image);
	progress_end(&c->progress);
	if (error) {
		image_drop(image);
		return -1;
	}
	if (image_finish(image) || state_key(c->build, &after))
		return -1;
	if (!digest_same(&c->state, &after)) {
		say("--root '%s': it changed while it was read", c->build->path);
		return -1;
	}
	error = trailer_write(fd, &c->source.config);
	return error < 0 ? failed(c->build, "cannot write the image", error) : 0;
}

/* Writes the image as `name`. 0, or -1 with a line. */
static int conversion_save(struct conversion *c, const char *name)
{
	struct outfile file;
	int error = outfile_open(AT_FDCWD, name, 0666 & ~umask_now(), &file);

	if (error < 0)
		return failed(c->build, name, error);
	if (conversion_write(c, file.fd)) {
		outfile_drop(&file);
		return -1;
	}
	error = outfile_commit(&file);
	return error < 0 ? failed(c->build, name, error) : 0;
}

/* -- the cache -- */

static const char *pruned; /* scandir(3) has no context: the start of names */

static int is_pruned(const struct dirent *entry)
{
	return !strncmp(entry->d_name, pruned, strlen(pruned));
}

/* Removes all but the newest of those that start so, and links to nothing. */
static void names_prune(const char *cache, const char *start, int kept)
{
	struct dirent **entries;
	int count;

	pruned = start;
	count = scandir(cache, &entries, is_pruned, alphasort);
	for (int i = 0; i < count; i++) {
		char *path = must_format("%s/%s", cache, entries[i]->d_name);
		struct stat st, other;
		int newer = 0;

		for (int k = 0; k < count && lstat(path, &st) == 0; k++) {
			char *rival = must_format("%s/%s", cache, entries[k]->d_name);

			newer +=
				lstat(rival, &other) == 0 && other.st_mtime > st.st_mtime;
			free(rival);
		}
		if (newer >= kept || access(path, F_OK) < 0)
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

/* Makes `seen` a link to the image of the same folder. */
static void seen_set(const char *seen, const char *image)
{
	unlink(seen);
	if (symlink(strrchr(image, '/') + 1, seen) < 0)
		say("cannot write '%s': %s", seen, strerror(errno));
}

/* Reads the source, and finds or makes the image of its content. An fd, or -1 with a
 * line. */
static int cache_fill(const struct rootbuild *build, const char *cache, const char *seen)
{
	char *spool = must_format("%s/spool", cache), *image = NULL;
	struct conversion c;
	struct digest key;
	int fd = -1;

	if (conversion_read(&c, build, spool) == 0) {
		key = content_key(build, &c.source.content);
		image = must_format("%s/root-%s.img", cache, key.hex);
		fd = cached_open(image);
		if (fd < 0 && conversion_save(&c, image) == 0)
			fd = cached_open(image);
	}
	conversion_fini(&c);
	if (fd >= 0)
		seen_set(seen, image);
	names_prune(cache, "root-", IMAGES_MAX);
	names_prune(cache, "seen-", LINKS_MAX);
	free(image);
	free(spool);
	return fd;
}

/* R3: the folder itself is the lock, so none is left behind. */
static int cache_lock(const char *cache)
{
	int fd = open(cache, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && flock(fd, LOCK_EX) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int rootbuild(const struct rootbuild *build)
{
	const char *cache = cache_folder();
	struct digest key;
	char *seen;
	int fd, lock;

	if (!cache) {
		say("--root '%s': no cache folder: set HOME or XDG_CACHE_HOME",
		    build->path);
		return -1;
	}
	if (state_key(build, &key))
		return -1;
	seen = must_format("%s/seen-%s", cache, key.hex);
	fd = cached_open(seen);
	if (fd < 0) {
		lock = cache_lock(cache);
		/* Somebody else may have made it while we waited. */
		fd = cached_open(seen);
		if (lock < 0)
			failed(build, cache, -errno);
		else if (fd < 0)
			fd = cache_fill(build, cache, seen);
		if (lock >= 0)
			close(lock);
	}
	free(seen);
	return fd;
}

int rootbuild_to(const struct rootbuild *build, const char *to)
{
	struct conversion c;
	int error = conversion_read(&c, build, to);

	if (error == 0)
		error = conversion_save(&c, to);
	conversion_fini(&c);
	return error;
}
