/* host/rootfs/oci.c on hostile JSON: the first byte chooses the parser. What is accepted
 * can be used and freed, and a config survives its own text. */
/* link: host/rootfs/oci.c host/rootfs/digest.c host/say.c host/util.c */
#include <stdlib.h>
#include <string.h>

#include "host/rootfs/oci.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void digest_check(const struct digest *digest)
{
	must(strspn(digest->hex, "0123456789abcdef") == 64 && !digest->hex[64]);
}

static void fuzz_index(const char *json, size_t size)
{
	struct oci_descriptor d;

	if (oci_index_parse(json, size, NULL, &d) == 0)
		digest_check(&d.digest);
	if (oci_index_parse(json, size, "latest", &d) == 0)
		digest_check(&d.digest);
}

static void fuzz_manifest(const char *json, size_t size)
{
	struct oci_manifest m;

	if (oci_manifest_parse(json, size, &m))
		return;
	digest_check(&m.config);
	for (size_t i = 0; i < m.layer_count; i++)
		digest_check(&m.layers[i]);
	oci_manifest_fini(&m);
}

static void fuzz_docker(const char *json, size_t size)
{
	struct docker_manifest m;

	if (docker_manifest_parse(json, size, NULL, &m))
		return;
	must(m.config && !m.layers.at[m.layers.count]);
	docker_manifest_fini(&m);
}

static void fuzz_config(const char *json, size_t size)
{
	struct image_config first, second;
	struct oci_manifest layers;
	char *text;

	if (image_config_parse(json, size, &first, &layers))
		return;
	text = image_config_text(&first);
	must(image_config_parse(text, strlen(text), &second, NULL) == 0);
	must(first.env.count == second.env.count);
	must(!first.folder == !second.folder && !first.user == !second.user);
	free(text);
	image_config_fini(&first);
	image_config_fini(&second);
	oci_manifest_fini(&layers);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(const char *json,
				       size_t size) = { fuzz_index, fuzz_manifest,
							fuzz_docker, fuzz_config };

	if (size)
		parsers[data[0] % ARRAY_LEN(parsers)]((const char *)data + 1, size - 1);
	return 0;
}
