/*
 * Where a root file system comes from, read twice: once for what there is, so that the
 * image can be laid out (source_scan), and once for the files' bytes (source_write).
 *
 * O1  What has a digest is checked against it before anything of it counts.
 * O2  What changes between the two readings is an error, not a mixture.
 */
#ifndef HOST_ROOTFS_SOURCE_H
#define HOST_ROOTFS_SOURCE_H

#include "host/rootfs/archive.h"
#include "host/rootfs/image.h"
#include "host/rootfs/oci.h"
#include "host/rootfs/progress.h"

/* One archive of those that lie one on the other. */
struct layer {
	struct blob blob;
	struct digest digest; /* of the blob; known from the start if `named` */
	struct digest plain;  /* of what it unpacks to, if `plain_named` */
	bool named, plain_named;
	struct tree_inode **files; /* by item: whose bytes it has; NULL: nobody's */
	size_t count;
};

struct source {
	const char *name;
	struct tree *tree;
	struct image_config config;
	struct digest content; /* of all that the image will hold, after the scan */
	struct progress *progress;
	bool is_image; /* its layers hide and are hidden */
	struct layer *layers;
	size_t layer_count;
	struct tree_inode **files; /* a folder's, in the order of the walk */
	char **paths;
	size_t file_count;
};

/* A folder of this machine: 0, or -1 with a line. */
must_use int folder_scan(struct source *source);
must_use int folder_write(struct source *source, struct image *image);
/* Identifies the folder's state without reading its files. */
must_use int folder_state(const char *name, struct digest_run *run);

/* The layers, of which there is at least one. */
must_use int layers_scan(struct source *source);
must_use int layers_write(struct source *source, struct image *image);

/* Whether the open folder, or the scanned archive, is not a root file system but holds an
 * image of one. */
bool layout_is_folder(int folder);
bool layout_is_archive(const struct tree *tree);
/*
 * Finds the layers and the config of the image called `reference` (NULL: the only one):
 * in an open folder, or in the scanned archive, whose members are first copied to
 * `spool`. 0, or -1 with a line. The layers' blobs borrow what `files` and `spool` keep
 * open.
 */
must_use int layout_open_folder(struct source *source, int folder, const char *reference);
must_use int layout_open_archive(struct source *source, int spool, const char *reference);

void source_fini(struct source *source);

/* A line about it; -1. */
int source_failed(const struct source *source, const char *what, const char *why);

#endif
