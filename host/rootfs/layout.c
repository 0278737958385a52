/*
 * Images: an OCI image layout in a folder or an archive, and what `docker save` writes.
 * Names that come out of JSON are looked up below the folder, or in the archive's tree,
 * and nowhere else.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/rootfs/source.h"

#define MARK "oci-layout"
#define INDEX "index.json"
#define DOCKER "manifest.json"
/* image-spec asks readers to take manifests of 4 MiB. */
#define JSON_MAX MIB(4)
/* An index may name an index; nobody does it often. */
#define INDEX_DEPTH_MAX 4

/* Where the members of an image are. */
struct store {
	struct source *source;
	int folder;		 /* -1: in an archive */
	const struct tree *tree; /* the archive's, with each file's bytes at... */
	const struct blob *at;	 /* ...by its item */
};

static bool is_file(const struct tree_inode *inode)
{
	return inode && S_ISREG(inode->meta.mode);
}

bool layout_is_folder(int folder)
{
	return faccessat(folder, MARK, R_OK, 0) == 0 &&
	       faccessat(folder, INDEX, R_OK, 0) == 0;
}

/* A root file system may well have a manifest.json, but not instead of what makes it
 * one. */
bool layout_is_archive(const struct tree *tree)
{
	static const char *const roots[] = { "usr", "bin", "etc", "lib", "sbin" };

	for (size_t i = 0; i < ARRAY_LEN(roots); i++)
		if (tree_find(tree, roots[i]))
			return false;
	return (is_file(tree_find(tree, MARK)) && is_file(tree_find(tree, INDEX))) ||
	       is_file(tree_find(tree, DOCKER));
}

/* -- members -- */

/* A member of the archive. Old versions of Docker link layers that are the same, as
 * ../OTHER/layer.tar. */
static struct tree_inode *member_find(const struct tree *tree, const char *name)
{
	struct tree_inode *inode = tree_find(tree, name);

	if (inode && S_ISLNK(inode->meta.mode) && !strncmp(inode->meta.target, "../", 3))
		inode = tree_find(tree, inode->meta.target + 3);
	return is_file(inode) ? inode : NULL;
}

/* Opens a member: 0 or -errno. Of a folder's the file stays open until the command ends,
 * which is when the image is made. */
static int member_open(const struct store *store, const char *name, struct blob *ret_blob)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC,
				.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS };
	struct tree_inode *inode;
	struct stat st;
	int fd;

	if (store->folder < 0) {
		inode = member_find(store->tree, name);
		if (!inode)
			return -ENOENT;
		*ret_blob = store->at[inode->index];
		return 0;
	}
	fd = syscall(SYS_openat2, store->folder, name, &how, sizeof(how));
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	*ret_blob = (struct blob){ fd, 0, st.st_size };
	return 0;
}

/* A member as text: heap, NULL with a line. digest: what it must have; may be NULL. */
static char *member_read(const struct store *store, const char *name,
			 const struct digest *digest, size_t *ret_size)
{
	struct digest_run run;
	struct digest own;
	struct blob blob;
	char *text;
	int error = member_open(store, name, &blob);

	if (error == 0 && blob.size > JSON_MAX)
		error = -EFBIG;
	if (error < 0) {
		source_failed(store->source, name, strerror(-error));
		return NULL;
	}
	text = must_alloc(blob.size + 1);
	if (pread(blob.fd, text, blob.size, blob.offset) != (ssize_t)blob.size) {
		source_failed(store->source, name, strerror(EIO));
		free(text);
		return NULL;
	}
	digest_begin(&run);
	digest_add(&run, text, blob.size);
	own = digest_end(&run);
	if (digest && !digest_same(&own, digest)) {
		source_failed(store->source, name,
			      "it is damaged: not what its name says");
		free(text);
		return NULL;
	}
	*ret_size = blob.size;
	return text;
}

static char *digest_name(const struct digest *digest)
{
	return must_format("blobs/sha256/%s", digest->hex);
}

static char *blob_read(const struct store *store, const struct digest *digest,
		       size_t *ret_size)
{
	char *name = digest_name(digest), *text;

	text = member_read(store, name, digest, ret_size);
	free(name);
	return text;
}

/* -- what they say -- */

static int json_failed(const struct store *store, const char *name, int error,
		       const char *reference)
{
	const char *why = "it is not what an image's should be";

	if (error == -E2BIG)
		why = "it holds several images: name one, as in PATH:TAG";
	else if (error == -ENOENT)
		why = reference ? "no image for x86-64 Linux has that tag"
				: "no image for x86-64 Linux is in it";
	return source_failed(store->source, name, why);
}

static int config_take(const struct store *store, const char *name, char *text,
		       size_t size, struct oci_manifest *ret_plain)
{
	int error =
		text ? image_config_parse(text, size, &store->source->config, ret_plain)
		     : 0;

	free(text);
	if (!text)
		return -1;
	return error < 0 ? json_failed(store, name, error, NULL) : 0;
}

/* Adds a layer; *ret_layer is good until the next. 0, or -1 with a line. */
static int layer_add(const struct store *store, const char *name,
		     struct layer **ret_layer)
{
	struct source *source = store->source;
	struct layer layer = { .named = false };
	int error = member_open(store, name, &layer.blob);

	if (error < 0)
		return source_failed(source, name, strerror(-error));
	source->layers = must_grow(source->layers,
				   (source->layer_count + 1) * sizeof(*source->layers));
	*ret_layer = &source->layers[source->layer_count++];
	**ret_layer = layer;
	return 0;
}

/* -- OCI -- */

static int manifest_find(const struct store *store, const char *reference,
			 struct digest *ret_digest)
{
	struct oci_descriptor descriptor = { .index = true };
	size_t size;
	char *text = member_read(store, INDEX, NULL, &size);

	for (int depth = 0; text && descriptor.index; depth++) {
		int error =
			depth == INDEX_DEPTH_MAX
				? -EINVAL
				: oci_index_parse(text, size, depth ? NULL : reference,
						  &descriptor);

		free(text);
		text = NULL;
		if (error < 0)
			return json_failed(store, INDEX, error, reference);
		if (descriptor.index)
			text = blob_read(store, &descriptor.digest, &size);
	}
	if (descriptor.index)
		return -1;
	*ret_digest = descriptor.digest;
	return 0;
}

static int oci_layers_add(const struct store *store, const struct oci_manifest *manifest)
{
	for (size_t i = 0; i < manifest->layer_count; i++) {
		char *name = digest_name(&manifest->layers[i]);
		struct layer *layer;
		int error = layer_add(store, name, &layer);

		free(name);
		if (error)
			return -1;
		layer->digest = manifest->layers[i];
		layer->named = true;
	}
	return 0;
}

static int oci_open(const struct store *store, const char *reference)
{
	struct oci_manifest manifest;
	struct digest digest;
	size_t size;
	char *text, *name;
	int error;

	if (manifest_find(store, reference, &digest))
		return -1;
	text = blob_read(store, &digest, &size);
	if (!text)
		return -1;
	error = oci_manifest_parse(text, size, &manifest);
	free(text);
	if (error < 0)
		return json_failed(store, "its manifest", error, NULL);
	name = digest_name(&manifest.config);
	text = member_read(store, name, &manifest.config, &size);
	error = config_take(store, name, text, size, NULL);
	free(name);
	if (error == 0)
		error = oci_layers_add(store, &manifest);
	oci_manifest_fini(&manifest);
	return error;
}

/* -- docker save -- */

/* The digest that a config's name is: "HEX.json", or "blobs/sha256/HEX". */
static bool name_digest(const char *name, struct digest *ret_digest)
{
	const char *slash = strrchr(name, '/');
	char *text = must_format("sha256:%s", slash ? slash + 1 : name);
	bool is;

	text[MIN(strlen(text), 7 + sizeof(ret_digest->hex) - 1)] = 0;
	is = digest_parse(text, ret_digest) == 0;
	free(text);
	return is;
}

static int docker_layers_add(const struct store *store,
			     const struct docker_manifest *manifest,
			     const struct oci_manifest *plain)
{
	for (size_t i = 0; i < manifest->layers.count; i++) {
		const char *name = manifest->layers.at[i];
		struct layer *layer;

		if (layer_add(store, name, &layer))
			return -1;
		layer->named = strstr(name, "blobs/sha256/") &&
			       name_digest(name, &layer->digest);
		layer->plain_named = i < plain->layer_count;
		if (layer->plain_named)
			layer->plain = plain->layers[i];
	}
	return 0;
}

static int docker_open(const struct store *store, const char *reference)
{
	struct docker_manifest manifest;
	struct oci_manifest plain = { .layer_count = 0 };
	struct digest digest;
	size_t size;
	char *text = member_read(store, DOCKER, NULL, &size);
	int error;

	if (!text)
		return -1;
	error = docker_manifest_parse(text, size, reference, &manifest);
	free(text);
	if (error < 0)
		return json_failed(store, DOCKER, error, reference);
	text = member_read(store, manifest.config,
			   name_digest(manifest.config, &digest) ? &digest : NULL, &size);
	error = config_take(store, manifest.config, text, size, &plain);
	if (error == 0)
		error = docker_layers_add(store, &manifest, &plain);
	oci_manifest_fini(&plain);
	docker_manifest_fini(&manifest);
	return error;
}

/* -- from outside -- */

static int layout_open(const struct store *store, bool oci, const char *reference)
{
	struct source *source = store->source;

	source->is_image = true;
	if (oci ? oci_open(store, reference) : docker_open(store, reference))
		return -1;
	if (!source->layer_count)
		return source_failed(source, "the image", "it has no layers");
	return 0;
}

int layout_open_folder(struct source *source, int folder, const char *reference)
{
	struct store store = { .source = source, .folder = folder };

	return layout_open(&store, true, reference);
}

/* Copies an item's bytes to the end of the spool. */
static int spool_copy(struct source *source, struct archive_reader *reader, int spool,
		      struct blob *ret_blob, uint64_t *end)
{
	const void *bytes;
	uint64_t offset;
	size_t size;
	int more;

	*ret_blob = (struct blob){ spool, *end, 0 };
	while ((more = archive_data(reader, &bytes, &size, &offset)) > 0) {
		if (pwrite(spool, bytes, size, *end + offset) != (ssize_t)size)
			return source_failed(source, "cannot copy it", strerror(errno));
		ret_blob->size = offset + size;
	}
	*end += ret_blob->size;
	return more < 0 ? source_failed(source, "cannot read it", archive_why(reader))
			: 0;
}

/* Copies the files of the scanned archive to the spool. */
static int archive_spool(struct source *source, const struct layer *archive, int spool,
			 struct blob *at)
{
	struct archive_reader *reader;
	struct archive_item item;
	uint64_t end = 0;
	int error = archive_open(&archive->blob, NULL, NULL, &reader);

	if (error < 0)
		return source_failed(source, "cannot read it", strerror(-error));
	for (size_t i = 0; i < archive->count && error == 0; i++) {
		if (archive_next(reader, &item) <= 0)
			error = source_failed(source, "cannot read it",
					      "it changed meanwhile");
		else if (archive->files[i])
			error = spool_copy(source, reader, spool, &at[i], &end);
	}
	archive_close(reader);
	return error;
}

int layout_open_archive(struct source *source, int spool, const char *reference)
{
	struct layer archive = source->layers[0];
	struct tree *members = source->tree;
	struct store store = { .source = source, .folder = -1, .tree = members };
	struct blob *at = must_alloc(archive.count * sizeof(*at));
	int error = archive_spool(source, &archive, spool, at);

	/* From here on the source is what is in the archive. */
	source->tree = tree_new();
	source->layer_count = 0;
	for (size_t i = 0; i < archive.count; i++)
		if (archive.files[i])
			archive.files[i]->index = i;
	store.at = at;
	if (error == 0)
		error = layout_open(&store,
				    is_file(tree_find(members, INDEX)) &&
					    is_file(tree_find(members, MARK)),
				    reference);
	free(archive.files);
	free(at);
	tree_free(members);
	return error;
}
