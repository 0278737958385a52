/* How an image wants to be run. */
#ifndef HOST_ROOTFS_CONFIG_H
#define HOST_ROOTFS_CONFIG_H

#include "host/mayfly.h"

/* A list of texts, as argv: NULL at the end. Heap. */
struct texts {
	char **at;
	size_t count;
};

struct image_config {
	struct texts env, entrypoint, command;
	char *folder, *user; /* NULL: it does not say */
};

#endif
