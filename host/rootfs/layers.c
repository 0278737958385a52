/* Layers: what each holds, and its files' bytes. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "host/rootfs/source.h"

/* What sees each byte of a layer. */
struct watcher {
	struct digest_run digest;
	struct progress *progress;
};

static void watch(void *context, const void *bytes, size_t size)
{
	struct watcher *watcher = context;

	digest_add(&watcher->digest, bytes, size);
	progress_add(watcher->progress, size);
}

int source_failed(const struct source *source, const char *what, const char *why)
{
	progress_end(source->progress);
	say("--root '%s': %s: %s", source->name, what, why);
	return -1;
}

static int item_failed(const struct source *source, const struct archive_item *item,
		       int error)
{
	progress_end(source->progress);
	say("--root '%s': '%s' in the archive: %s", source->name,
	    item->path ? item->path : "?", strerror(-error));
	return -1;
}

/* -- scanning -- */

/* Remembers whose bytes the item has. */
static void file_note(struct layer *layer, size_t item, struct tree_inode *inode)
{
	/* Powers of two. */
	if (!(item & (item - 1)))
		layer->files = must_grow(layer->files,
					 MAX(2 * item, 1u) * sizeof(*layer->files));
	layer->files[item] = inode;
	layer->count = item + 1;
}

/* Takes an item into the tree. 0 with the inode if the item made one, or -errno. */
static int item_take(struct source *source, unsigned layer,
		     const struct archive_item *item, struct tree_inode **ret_inode)
{
	int hidden = 0;

	*ret_inode = NULL;
	if (!item->path)
		return -EILSEQ;
	if (source->is_image)
		hidden = tree_whiteout(source->tree, layer, item->path);
	if (hidden)
		return MIN(hidden, 0);
	if (item->hardlink)
		return tree_hardlink(source->tree, layer, item->path, item->hardlink);
	return tree_put(source->tree, layer, item->path, &item->meta, ret_inode);
}

static int items_scan(struct source *source, unsigned number,
		      struct archive_reader *reader)
{
	struct layer *layer = &source->layers[number];
	struct archive_item item;
	int more;

	while ((more = archive_next(reader, &item)) > 0) {
		struct tree_inode *inode;
		int error = item_take(source, number, &item, &inode);

		if (error < 0)
			return item_failed(source, &item, error);
		if (inode)
			archive_xattrs(reader, inode);
		file_note(layer, layer->count,
			  inode && S_ISREG(inode->meta.mode) ? inode : NULL);
	}
	if (more == 0 && (layer->count || source->is_image))
		return 0;
	return source_failed(source, "neither an ext4 image nor a tar archive",
			     more ? archive_why(reader) : "it holds nothing");
}

/* Whether the layer's bytes are those it was named after (O1). */
static int layer_check(const struct source *source, struct layer *layer,
		       const struct archive_reader *reader, struct digest digest)
{
	const struct digest *wanted = NULL;

	if (layer->named)
		wanted = &layer->digest;
	else if (layer->plain_named && !archive_compressed(reader))
		wanted = &layer->plain;
	if (wanted && !digest_same(wanted, &digest)) {
		progress_end(source->progress);
		say("--root '%s': a layer is damaged: its SHA-256 is %s, not %s",
		    source->name, digest.hex, wanted->hex);
		return -1;
	}
	layer->digest = digest;
	layer->named = true;
	return 0;
}

static int open_failed(const struct source *source, int error)
{
	return source_failed(source, "cannot read it",
			     error == -ENOSYS ? "no libarchive here: install the package "
						"libarchive13"
					      : strerror(-error));
}

static int layer_scan(struct source *source, unsigned number)
{
	struct layer *layer = &source->layers[number];
	struct watcher watcher = { .progress = source->progress };
	struct archive_reader *reader;
	int error;

	digest_begin(&watcher.digest);
	error = archive_open(&layer->blob, watch, &watcher, &reader);
	if (error < 0)
		return open_failed(source, error);
	error = items_scan(source, number, reader);
	if (error == 0 && archive_finish(reader) < 0)
		error = source_failed(source, "cannot read it", strerror(EIO));
	if (error == 0)
		error = layer_check(source, layer, reader, digest_end(&watcher.digest));
	archive_close(reader);
	return error;
}

int layers_scan(struct source *source)
{
	struct digest_run content;
	char *config;

	for (unsigned i = 0; i < source->layer_count; i++)
		if (layer_scan(source, i))
			return -1;
	config = image_config_text(&source->config);
	digest_begin(&content);
	digest_text(&content, "%s", config);
	free(config);
	for (unsigned i = 0; i < source->layer_count; i++)
		digest_text(&content, "%s", source->layers[i].digest.hex);
	source->content = digest_end(&content);
	return 0;
}

/* -- writing -- */

static int item_write(struct source *source, struct archive_reader *reader,
		      const struct archive_item *item, const struct tree_inode *inode,
		      struct image *image)
{
	const void *bytes;
	uint64_t offset;
	size_t size;
	int more;

	while ((more = archive_data(reader, &bytes, &size, &offset)) > 0) {
		int error = image_write(image, inode, bytes, size, offset);

		if (error < 0)
			return item_failed(source, item, error);
	}
	return more < 0 ? source_failed(source, "cannot read it", archive_why(reader))
			: 0;
}

static int items_write(struct source *source, struct layer *layer,
		       struct archive_reader *reader, struct image *image)
{
	struct archive_item item;
	int more = 0, error = 0;

	for (size_t i = 0; i < layer->count && error == 0; i++) {
		const struct tree_inode *inode = layer->files[i];

		more = archive_next(reader, &item);
		if (more <= 0)
			return source_failed(source, "cannot read it",
					     more ? archive_why(reader)
						  : "it became shorter");
		/* Another layer's, or a later item's, took its place. */
		if (inode && inode->links)
			error = item_write(source, reader, &item, inode, image);
	}
	return error;
}

static int layer_write(struct source *source, struct layer *layer, struct image *image)
{
	struct watcher watcher = { .progress = source->progress };
	struct archive_reader *reader;
	struct digest digest;
	int error;

	digest_begin(&watcher.digest);
	error = archive_open(&layer->blob, watch, &watcher, &reader);
	if (error < 0)
		return open_failed(source, error);
	error = items_write(source, layer, reader, image);
	if (error == 0 && archive_finish(reader) < 0)
		error = source_failed(source, "cannot read it", strerror(EIO));
	archive_close(reader);
	digest = digest_end(&watcher.digest);
	if (error == 0 && !digest_same(&digest, &layer->digest))
		error = source_failed(source, "cannot read it", "it changed meanwhile");
	return error;
}

int layers_write(struct source *source, struct image *image)
{
	for (unsigned i = 0; i < source->layer_count; i++)
		if (layer_write(source, &source->layers[i], image))
			return -1;
	return 0;
}

void source_fini(struct source *source)
{
	for (size_t i = 0; i < source->layer_count; i++)
		free(source->layers[i].files);
	free(source->layers);
	for (size_t i = 0; i < source->file_count; i++)
		free(source->paths[i]);
	free(source->paths);
	free(source->files);
	image_config_fini(&source->config);
	tree_free(source->tree);
}
