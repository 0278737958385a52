/* --root: a name, folder, archive or image becomes an open ext4 image. */
#ifndef HOST_ROOT_H
#define HOST_ROOT_H

#include "host/install.h"
#include "host/rootfs/config.h"

struct root {
	int fd;
	const char *init;	    /* the agent's path in it; NULL: the usual one */
	struct image_config config; /* how the image wants to be run */
};

/* Opens it, building an image in the cache if need be. 0, or the exit status with a
 * line. */
must_use int root_open(const struct install *install, const char *name, bool verbose,
		       struct root *ret_root);

/* What a file is, by its first bytes. */
enum root_kind { ROOT_EXT4, ROOT_OTHER };
enum root_kind root_sniff(const void *bytes, size_t size);

#endif
