/* The trailer of an image. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/rootfs/trailer.h"

#define BLOCK_SIZE 4096u
/* A config comes from a manifest of at most 4 MiB. */
#define JSON_MAX MIB(8)

static const char magic[12] = "mayfly-image";

struct footer {
	char magic[sizeof(magic)];
	uint8_t size[4]; /* little endian */
};

int trailer_write(int fd, const struct image_config *config)
{
	char *json = image_config_text(config), *bytes;
	size_t size = strlen(json), total;
	struct footer footer = { .size = { size, size >> 8, size >> 16, size >> 24 } };
	struct stat st;
	int error;

	total = ALIGN_UP(size + sizeof(footer), BLOCK_SIZE);
	bytes = must_alloc(total);
	memcpy(footer.magic, magic, sizeof(magic));
	memcpy(bytes, json, size);
	memcpy(bytes + total - sizeof(footer), &footer, sizeof(footer));
	free(json);
	if (fstat(fd, &st) < 0)
		error = -errno;
	else
		error = pwrite(fd, bytes, total, ALIGN_UP(st.st_size, BLOCK_SIZE)) ==
					(ssize_t)total
				? 0
				: -ENOSPC;
	free(bytes);
	return error;
}

int trailer_read(int fd, struct image_config *ret_config)
{
	struct footer footer;
	struct stat st;
	size_t size;
	char *json;
	int error;

	if (fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof(footer) ||
	    pread(fd, &footer, sizeof(footer), st.st_size - sizeof(footer)) !=
		    sizeof(footer) ||
	    memcmp(footer.magic, magic, sizeof(magic)))
		return -ENOENT;
	size = footer.size[0] | footer.size[1] << 8 | footer.size[2] << 16 |
	       (size_t)footer.size[3] << 24;
	if (size > JSON_MAX ||
	    ALIGN_UP(size + sizeof(footer), BLOCK_SIZE) > (size_t)st.st_size)
		return -ENOENT;
	json = must_alloc(size + 1);
	error = pread(fd, json, size,
		      st.st_size - ALIGN_UP(size + sizeof(footer), BLOCK_SIZE)) ==
				(ssize_t)size
			? image_config_parse(json, size, ret_config, NULL)
			: -ENOENT;
	free(json);
	return error < 0 ? -ENOENT : 0;
}
