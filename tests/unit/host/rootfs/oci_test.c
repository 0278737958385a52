/* host/rootfs/oci.c: what the JSON of images says. */
/* link: host/rootfs/digest.c host/say.c host/util.c */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host/rootfs/oci.h"

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define HEX_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define MANIFEST "\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\""
#define INDEX "\"mediaType\":\"application/vnd.oci.image.index.v1+json\""
#define NAME(n) "\"annotations\":{\"org.opencontainers.image.ref.name\":\"" n "\"}"

static int index_parse(const char *json, const char *reference,
		       struct oci_descriptor *ret_descriptor)
{
	return oci_index_parse(json, strlen(json), reference, ret_descriptor);
}

static void the_only_one_is_taken(void **state)
{
	struct oci_descriptor d;

	assert_int_equal(index_parse("{\"manifests\":[{" MANIFEST
				     ",\"digest\":\"sha256:" HEX_A "\"}]}",
				     NULL, &d),
			 0);
	assert_string_equal(d.digest.hex, HEX_A);
	assert_false(d.index);
	assert_int_equal(index_parse("{\"manifests\":[{" INDEX
				     ",\"digest\":\"sha256:" HEX_B "\"}]}",
				     NULL, &d),
			 0);
	assert_true(d.index);
}

static void several_need_a_name(void **state)
{
	static const char json[] =
		"{\"manifests\":["
		"{" MANIFEST ",\"digest\":\"sha256:" HEX_A
		"\"," NAME("one") "},"
				  "{" MANIFEST ",\"digest\":\"sha256:" HEX_B
				  "\"," NAME("two") "}]}";
	static const char latest[] =
		"{\"manifests\":["
		"{" MANIFEST ",\"digest\":\"sha256:" HEX_A
		"\"," NAME("one") "},"
				  "{" MANIFEST ",\"digest\":\"sha256:" HEX_B
				  "\"," NAME("latest") "}]}";
	struct oci_descriptor d;

	assert_int_equal(index_parse(json, NULL, &d), -E2BIG);
	assert_int_equal(index_parse(json, "three", &d), -ENOENT);
	assert_int_equal(index_parse(json, "two", &d), 0);
	assert_string_equal(d.digest.hex, HEX_B);
	assert_int_equal(index_parse(latest, NULL, &d), 0);
	assert_string_equal(d.digest.hex, HEX_B);
}

static void another_machine_s_is_not_ours(void **state)
{
	static const char json[] =
		"{\"manifests\":["
		"{" MANIFEST ",\"digest\":\"sha256:" HEX_A
		"\",\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\"}},"
		"{" MANIFEST ",\"digest\":\"sha256:" HEX_B
		"\",\"platform\":{\"os\":\"linux\",\"architecture\":\"amd64\"}}]}";
	struct oci_descriptor d;

	assert_int_equal(index_parse(json, NULL, &d), 0);
	assert_string_equal(d.digest.hex, HEX_B);
}

static void bad_digests_and_texts_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"[]",
		"{}",
		"{\"manifests\":{}}",
		"{\"manifests\":[{" MANIFEST "}]}",
		"{\"manifests\":[{" MANIFEST ",\"digest\":\"sha256:../../x\"}]}",
		"{\"manifests\":[{" MANIFEST ",\"digest\":\"md5:" HEX_A "\"}]}",
		"{\"manifests\":[{" MANIFEST ",\"digest\":\"sha256:" HEX_A "0\"}]}",
		"{\"manifests\":[{" MANIFEST ",\"digest\":17}]}",
		"{\"manifests\":[{" MANIFEST ",\"digest\":\"sha256:" HEX_A "\"}]",
	};
	struct oci_descriptor d;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(index_parse(bad[i], NULL, &d), -EINVAL);
}

static void a_manifest_names_layers(void **state)
{
	static const char json[] = "{\"config\":{\"digest\":\"sha256:" HEX_A
				   "\"},\"layers\":[{\"digest\":\"sha256:" HEX_B
				   "\"},{\"digest\":\"sha256:" HEX_A "\"}]}";
	static const char bad[] =
		"{\"config\":{\"digest\":\"sha256:" HEX_A
		"\"},\"layers\":[{\"digest\":\"sha256:" HEX_B "\"},{}]}";
	struct oci_manifest m;

	assert_int_equal(oci_manifest_parse(json, strlen(json), &m), 0);
	assert_int_equal(m.layer_count, 2);
	assert_string_equal(m.config.hex, HEX_A);
	assert_string_equal(m.layers[0].hex, HEX_B);
	oci_manifest_fini(&m);
	assert_int_equal(oci_manifest_parse(bad, strlen(bad), &m), -EINVAL);
	assert_int_equal(oci_manifest_parse("{}", 2, &m), -EINVAL);
}

static void docker_s_manifest_is_chosen_by_tag(void **state)
{
	static const char json[] =
		"[{\"Config\":\"a.json\",\"RepoTags\":[\"x/debian:12\"],"
		"\"Layers\":[\"a/layer.tar\"]},"
		"{\"Config\":\"b.json\",\"RepoTags\":null,\"Layers\":[]}]";
	struct docker_manifest m;

	assert_int_equal(docker_manifest_parse(json, strlen(json), NULL, &m), -E2BIG);
	assert_int_equal(docker_manifest_parse(json, strlen(json), "13", &m), -ENOENT);
	assert_int_equal(docker_manifest_parse(json, strlen(json), "12", &m), 0);
	assert_string_equal(m.config, "a.json");
	assert_int_equal(m.layers.count, 1);
	assert_string_equal(m.layers.at[0], "a/layer.tar");
	docker_manifest_fini(&m);
	assert_int_equal(docker_manifest_parse(json, strlen(json), "x/debian:12", &m), 0);
	docker_manifest_fini(&m);
	assert_int_equal(docker_manifest_parse("[{\"Layers\":[]}]", 15, NULL, &m),
			 -EINVAL);
	assert_int_equal(docker_manifest_parse("[{\"Config\":\"c\",\"Layers\":[1]}]", 30,
					       NULL, &m),
			 -EINVAL);
	assert_int_equal(docker_manifest_parse("{}", 2, NULL, &m), -EINVAL);
}

static void a_config_goes_through_its_text(void **state)
{
	static const char json[] = "{\"config\":{\"Env\":[\"A=1\",\"B=\"],\"Entrypoint\":"
				   "[\"/e\"],\"Cmd\":null,"
				   "\"WorkingDir\":\"/w\",\"User\":\"\"},"
				   "\"rootfs\":{\"diff_ids\":[\"sha256:" HEX_A "\"]}}";
	struct image_config first, second;
	struct oci_manifest layers;
	char *text;

	assert_int_equal(image_config_parse(json, strlen(json), &first, &layers), 0);
	assert_int_equal(layers.layer_count, 1);
	assert_string_equal(layers.layers[0].hex, HEX_A);
	oci_manifest_fini(&layers);
	text = image_config_text(&first);
	assert_int_equal(image_config_parse(text, strlen(text), &second, NULL), 0);
	assert_int_equal(second.env.count, 2);
	assert_string_equal(second.env.at[1], "B=");
	assert_null(second.env.at[2]);
	assert_string_equal(second.entrypoint.at[0], "/e");
	assert_int_equal(second.command.count, 0);
	assert_string_equal(second.folder, "/w");
	assert_null(second.user);
	free(text);
	image_config_fini(&first);
	image_config_fini(&second);
}

static void an_empty_config_says_nothing(void **state)
{
	struct image_config config;

	assert_int_equal(image_config_parse("{}", 2, &config, NULL), 0);
	assert_int_equal(
		config.env.count + config.entrypoint.count + config.command.count, 0);
	image_config_fini(&config);
	assert_int_equal(
		image_config_parse("{\"config\":{\"Env\":[1]}}", 22, &config, NULL),
		-EINVAL);
	assert_int_equal(image_config_parse("[]", 2, &config, NULL), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_only_one_is_taken),
		cmocka_unit_test(several_need_a_name),
		cmocka_unit_test(another_machine_s_is_not_ours),
		cmocka_unit_test(bad_digests_and_texts_are_refused),
		cmocka_unit_test(a_manifest_names_layers),
		cmocka_unit_test(docker_s_manifest_is_chosen_by_tag),
		cmocka_unit_test(a_config_goes_through_its_text),
		cmocka_unit_test(an_empty_config_says_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
