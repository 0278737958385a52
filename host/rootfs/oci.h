/*
 * What the JSON of an image says: the OCI image layout (image-spec 1.0: image-layout.md,
 * image-index.md, manifest.md, config.md) and `docker save`'s manifest.json. Pure; the
 * texts are hostile.
 *
 * Each parser gives 0; -EINVAL if the text is not what it should be; -ENOENT if it has
 * nothing of that name or for this machine; -E2BIG if the name is needed to choose among
 * several.
 */
#ifndef HOST_ROOTFS_OCI_H
#define HOST_ROOTFS_OCI_H

#include "host/rootfs/config.h"
#include "host/rootfs/digest.h"

struct oci_descriptor {
	struct digest digest;
	bool index; /* it names an index, not a manifest */
};

struct oci_manifest {
	struct digest config;
	struct digest *layers; /* the lowest first */
	size_t layer_count;
};

/* An image of `docker save`. */
struct docker_manifest {
	char *config;	     /* a name in the archive */
	struct texts layers; /* likewise, the lowest first */
};

/* Which entry of an index to take: the one called `reference` (NULL: whichever it is),
 * for x86-64 Linux if it says for what it is. */
must_use int oci_index_parse(const char *json, size_t size, const char *reference,
			     struct oci_descriptor *ret_descriptor);
must_use int oci_manifest_parse(const char *json, size_t size,
				struct oci_manifest *ret_manifest);
void oci_manifest_fini(struct oci_manifest *manifest);
must_use int docker_manifest_parse(const char *json, size_t size, const char *reference,
				   struct docker_manifest *ret_manifest);
void docker_manifest_fini(struct docker_manifest *manifest);

/* The config's `config`, and the digests of its layers as they are uncompressed. */
must_use int image_config_parse(const char *json, size_t size,
				struct image_config *ret_config,
				struct oci_manifest *ret_layers);
/* The same `config` as text, for image_config_parse(). Heap. */
char *image_config_text(const struct image_config *config);
void image_config_fini(struct image_config *config);

#endif
