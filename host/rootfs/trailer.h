/*
 * What an image of ours says about itself behind the end of its file system, so that
 * image and config are one file:
 *
 *	JSON of the config | zeroes | "mayfly-image" | u32 size of the JSON
 *
 * with the end of the file a multiple of 4096.
 */
#ifndef HOST_ROOTFS_TRAILER_H
#define HOST_ROOTFS_TRAILER_H

#include "host/rootfs/oci.h"

/* Appends to the file: 0 or -errno. */
must_use int trailer_write(int fd, const struct image_config *config);
/* 0 with the config, or -ENOENT: not an image of ours. */
must_use int trailer_read(int fd, struct image_config *ret_config);

#endif
