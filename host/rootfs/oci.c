/* JSON of images. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "host/rootfs/oci.h"

#define REFERENCE "org.opencontainers.image.ref.name"
#define LATEST "latest"

static json_t *parse(const char *text, size_t size, json_type type)
{
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);

	if (json && json_typeof(json) == type)
		return json;
	json_decref(json);
	return NULL;
}

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static char *text_copy(const char *text)
{
	return text && *text ? must_format("%s", text) : NULL;
}

/* -- lists -- */

static void texts_fini(struct texts *texts)
{
	for (size_t i = 0; i < texts->count; i++)
		free(texts->at[i]);
	free(texts->at);
	*texts = (struct texts){ NULL, 0 };
}

/* A list of texts; nothing at all is an empty one. */
static int texts_parse(const json_t *array, struct texts *ret_texts)
{
	struct texts texts = { NULL, 0 };
	size_t count = json_array_size(array);

	if (array && !json_is_array(array) && !json_is_null(array))
		return -EINVAL;
	texts.at = must_alloc((count + 1) * sizeof(*texts.at));
	for (; texts.count < count; texts.count++) {
		const char *text = json_string_value(json_array_get(array, texts.count));

		if (!text) {
			texts_fini(&texts);
			return -EINVAL;
		}
		texts.at[texts.count] = must_format("%s", text);
	}
	*ret_texts = texts;
	return 0;
}

static json_t *texts_json(const struct texts *texts)
{
	json_t *array = json_array();

	for (size_t i = 0; i < texts->count; i++)
		json_array_append_new(array, json_string(texts->at[i]));
	return array;
}

/* -- an index -- */

static bool is_kind(const json_t *descriptor, const char *const *kinds, size_t count)
{
	const char *kind = text_of(descriptor, "mediaType");

	for (size_t i = 0; kind && i < count; i++)
		if (!strcmp(kind, kinds[i]))
			return true;
	return false;
}

static bool is_manifest(const json_t *descriptor)
{
	static const char *const kinds[] = {
		"application/vnd.oci.image.manifest.v1+json",
		"application/vnd.docker.distribution.manifest.v2+json",
	};

	return is_kind(descriptor, kinds, ARRAY_LEN(kinds));
}

static bool is_index(const json_t *descriptor)
{
	static const char *const kinds[] = {
		"application/vnd.oci.image.index.v1+json",
		"application/vnd.docker.distribution.manifest.list.v2+json",
	};

	return is_kind(descriptor, kinds, ARRAY_LEN(kinds));
}

static bool is_for_us(const json_t *descriptor)
{
	const json_t *platform = json_object_get(descriptor, "platform");
	const char *os = text_of(platform, "os");
	const char *machine = text_of(platform, "architecture");

	return (!os || !strcmp(os, "linux")) && (!machine || !strcmp(machine, "amd64"));
}

static bool is_called(const json_t *descriptor, const char *name)
{
	const char *own = text_of(json_object_get(descriptor, "annotations"), REFERENCE);

	return own && !strcmp(own, name);
}

/* The one to take, which must be the only one, or one called "latest". */
static const json_t *index_choose(const json_t *list, const char *reference,
				  size_t *ret_count)
{
	const json_t *chosen = NULL, *latest = NULL, *at;
	size_t i, count = 0;

	json_array_foreach(list, i, at)
	{
		if (!(is_manifest(at) || is_index(at)) || !is_for_us(at) ||
		    (reference && !is_called(at, reference)))
			continue;
		count++;
		chosen = chosen ? chosen : at;
		if (is_called(at, LATEST))
			latest = at;
	}
	*ret_count = latest ? 1 : count;
	return latest ? latest : chosen;
}

int oci_index_parse(const char *text, size_t size, const char *reference,
		    struct oci_descriptor *ret_descriptor)
{
	json_t *json = parse(text, size, JSON_OBJECT);
	const json_t *list = json_object_get(json, "manifests"), *chosen;
	const char *digest;
	size_t count;
	int error = -EINVAL;

	if (json_is_array(list)) {
		chosen = index_choose(list, reference, &count);
		digest = text_of(chosen, "digest");
		if (!count)
			error = -ENOENT;
		else if (count > 1)
			error = -E2BIG;
		else if (digest)
			error = digest_parse(digest, &ret_descriptor->digest);
		if (error == 0)
			ret_descriptor->index = is_index(chosen);
	}
	json_decref(json);
	return error;
}

/* -- manifests -- */

/* The digests that a list's members are, or have as "digest". */
static int digests_parse(const json_t *list, struct oci_manifest *manifest)
{
	const json_t *at;
	size_t i;

	if (!json_is_array(list))
		return -EINVAL;
	manifest->layers =
		must_alloc((json_array_size(list) + 1) * sizeof(*manifest->layers));
	json_array_foreach(list, i, at)
	{
		const char *digest = json_is_string(at) ? json_string_value(at)
							: text_of(at, "digest");

		if (!digest || digest_parse(digest, &manifest->layers[i]) < 0)
			return -EINVAL;
		manifest->layer_count = i + 1;
	}
	return 0;
}

int oci_manifest_parse(const char *text, size_t size, struct oci_manifest *ret_manifest)
{
	json_t *json = parse(text, size, JSON_OBJECT);
	struct oci_manifest manifest = { .layer_count = 0 };
	const char *config = text_of(json_object_get(json, "config"), "digest");
	int error = -EINVAL;

	if (config && digest_parse(config, &manifest.config) == 0)
		error = digests_parse(json_object_get(json, "layers"), &manifest);
	json_decref(json);
	if (error < 0)
		oci_manifest_fini(&manifest);
	else
		*ret_manifest = manifest;
	return error;
}

void oci_manifest_fini(struct oci_manifest *manifest)
{
	free(manifest->layers);
	manifest->layers = NULL;
	manifest->layer_count = 0;
}

/* Whether the image has that tag: "debian:12", or just "12". */
static bool is_tagged(const json_t *image, const char *reference)
{
	const json_t *tags = json_object_get(image, "RepoTags"), *at;
	size_t i;

	json_array_foreach(tags, i, at)
	{
		const char *tag = json_string_value(at);
		const char *colon = tag ? strrchr(tag, ':') : NULL;

		if (tag &&
		    (!strcmp(tag, reference) || (colon && !strcmp(colon + 1, reference))))
			return true;
	}
	return false;
}

static int docker_image_parse(const json_t *image, struct docker_manifest *ret_manifest)
{
	struct docker_manifest manifest = { .config = NULL };
	const char *config = text_of(image, "Config");
	int error = texts_parse(json_object_get(image, "Layers"), &manifest.layers);

	if (error == 0 && !config)
		error = -EINVAL;
	if (error < 0) {
		docker_manifest_fini(&manifest);
		return error;
	}
	manifest.config = must_format("%s", config);
	*ret_manifest = manifest;
	return 0;
}

int docker_manifest_parse(const char *text, size_t size, const char *reference,
			  struct docker_manifest *ret_manifest)
{
	json_t *json = parse(text, size, JSON_ARRAY);
	const json_t *chosen = NULL, *at;
	size_t i, count = 0;
	int error;

	json_array_foreach(json, i, at)
	{
		if (reference && !is_tagged(at, reference))
			continue;
		chosen = at;
		count++;
	}
	if (!json)
		error = -EINVAL;
	else if (count != 1)
		error = count ? -E2BIG : -ENOENT;
	else
		error = docker_image_parse(chosen, ret_manifest);
	json_decref(json);
	return error;
}

void docker_manifest_fini(struct docker_manifest *manifest)
{
	free(manifest->config);
	manifest->config = NULL;
	texts_fini(&manifest->layers);
}

/* -- config -- */

static int run_parse(const json_t *run, struct image_config *config)
{
	int error = texts_parse(json_object_get(run, "Env"), &config->env);

	if (error == 0)
		error = texts_parse(json_object_get(run, "Entrypoint"),
				    &config->entrypoint);
	if (error == 0)
		error = texts_parse(json_object_get(run, "Cmd"), &config->command);
	config->folder = text_copy(text_of(run, "WorkingDir"));
	config->user = text_copy(text_of(run, "User"));
	return error;
}

int image_config_parse(const char *text, size_t size, struct image_config *ret_config,
		       struct oci_manifest *ret_layers)
{
	json_t *json = parse(text, size, JSON_OBJECT);
	const json_t *ids = json_object_get(json_object_get(json, "rootfs"), "diff_ids");
	struct image_config config = { .folder = NULL };
	struct oci_manifest layers = { .layer_count = 0 };
	int error = json ? run_parse(json_object_get(json, "config"), &config) : -EINVAL;

	if (error == 0 && ids)
		error = digests_parse(ids, &layers);
	json_decref(json);
	if (error < 0) {
		image_config_fini(&config);
		oci_manifest_fini(&layers);
		return error;
	}
	*ret_config = config;
	if (ret_layers)
		*ret_layers = layers;
	else
		oci_manifest_fini(&layers);
	return 0;
}

char *image_config_text(const struct image_config *config)
{
	json_t *json = json_pack("{s:{s:o, s:o, s:o, s:s*, s:s*}}", "config", "Env",
				 texts_json(&config->env), "Entrypoint",
				 texts_json(&config->entrypoint), "Cmd",
				 texts_json(&config->command), "WorkingDir",
				 config->folder, "User", config->user);
	char *text = json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text ? text : must_format("{}");
}

void image_config_fini(struct image_config *config)
{
	texts_fini(&config->env);
	texts_fini(&config->entrypoint);
	texts_fini(&config->command);
	free(config->folder);
	free(config->user);
	*config = (struct image_config){ .folder = NULL };
}
