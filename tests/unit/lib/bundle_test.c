/* lib/bundle.c: a good bundle parses; each way of breaking one is refused, by name. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "lib/bundle.h"

struct file {
	uint8_t bytes[512];
	size_t size;
};

static void put(struct file *f, const void *p, size_t n)
{
	memcpy(f->bytes + f->size, p, n);
	f->size += n;
}

static void put_u32(struct file *f, uint32_t v)
{
	put(f, &v, 4);
}

static void put_u64(struct file *f, uint64_t v)
{
	put(f, &v, 8);
}

static void part_add(struct file *f, uint32_t type, const char *text)
{
	static const uint8_t zeros[BUNDLE_ALIGN];
	size_t n = strlen(text);

	put_u32(f, type);
	put_u32(f, 0);
	put_u64(f, n);
	put(f, text, n);
	put(f, zeros, -n % BUNDLE_ALIGN);
}

static void header_put(struct file *f, uint32_t parts)
{
	put(f, BUNDLE_MAGIC, 8);
	put_u32(f, BUNDLE_VERSION);
	put_u32(f, parts);
	put_u64(f, 0);
}

static void size_set(struct file *f)
{
	uint64_t size = f->size;

	memcpy(f->bytes + 16, &size, 8);
}

static struct file good(void)
{
	struct file f = { .size = 0 };

	header_put(&f, 2);
	part_add(&f, BUNDLE_KERNEL, "the kernel's bytes");
	part_add(&f, BUNDLE_SYMBOLS, "sym");
	size_set(&f);
	return f;
}

static int parse(const struct file *f, struct bundle *b, struct refusal *why)
{
	/* An exact heap copy, so that the sanitizer sees any read past the end. */
	uint8_t *copy = malloc(f->size ? f->size : 1);

	memcpy(copy, f->bytes, f->size);
	int err = bundle_parse(copy, f->size, b, why);
	free(copy);
	return err;
}

static void refused(const struct file *f, const char *part, const char *reason)
{
	struct bundle b;
	struct refusal why = { 0 };

	assert_int_equal(parse(f, &b, &why), -EINVAL);
	assert_string_equal(why.part, part);
	assert_string_equal(why.reason, reason);
}

static void test_good(void **state)
{
	struct file f = good();
	struct bundle b;
	struct refusal why;

	assert_int_equal(bundle_parse(f.bytes, f.size, &b, &why), 0);
	assert_int_equal(b.part[BUNDLE_KERNEL].size, strlen("the kernel's bytes"));
	assert_memory_equal(b.part[BUNDLE_KERNEL].data, "the kernel's bytes", 18);
	assert_memory_equal(b.part[BUNDLE_SYMBOLS].data, "sym", 3);
	assert_null(b.part[BUNDLE_CMDLINE].data);
}

static void test_every_truncation(void **state)
{
	struct file f = good();
	struct bundle b;
	struct refusal why;
	size_t whole = f.size;

	for (f.size = 0; f.size < whole; f.size++) {
		assert_int_equal(parse(&f, &b, &why), -EINVAL);
		if (f.size >= 24) {
			size_set(&f); /* the header agrees: the parts do not fit */
			assert_int_equal(parse(&f, &b, &why), -EINVAL);
		}
	}
}

static void test_header(void **state)
{
	struct file f = good();

	f.bytes[0] ^= 1;
	refused(&f, "bundle", "not a Mayfly bundle");
	f = good();
	f.bytes[8] = 2;
	refused(&f, "bundle", "unknown version");
	f = good();
	f.bytes[16]++;
	refused(&f, "bundle", "its size is not the file's");
	f = good();
	put_u64(&f, 0);
	size_set(&f);
	refused(&f, "bundle", "bytes after the last part");
	f = good();
	f.bytes[12] = 3;
	refused(&f, "bundle", "a part's header is cut short");
	f = good();
	f.bytes[12] = 1;
	refused(&f, "bundle", "bytes after the last part");
}

static void test_parts(void **state)
{
	struct file f = good();

	f.bytes[24] = 9;
	refused(&f, "bundle", "a part of unknown type");
	f = good();
	f.bytes[24] = 0;
	refused(&f, "bundle", "a part of unknown type");
	f = good();
	f.bytes[28] = 1;
	refused(&f, "kernel", "reserved field is not zero");
	f = good();
	memset(f.bytes + 32, 0xff, 8);
	refused(&f, "kernel", "longer than the bundle");
	f = good();
	f.bytes[f.size - 1] = 1;
	refused(&f, "symbols", "padding is not zero");
}

static void test_order_and_presence(void **state)
{
	struct file f = { .size = 0 };

	header_put(&f, 2);
	part_add(&f, BUNDLE_KERNEL, "k");
	part_add(&f, BUNDLE_KERNEL, "k");
	size_set(&f);
	refused(&f, "kernel", "out of order or given twice");

	f.size = 0;
	header_put(&f, 2);
	part_add(&f, BUNDLE_SYMBOLS, "s");
	part_add(&f, BUNDLE_KERNEL, "k");
	size_set(&f);
	refused(&f, "kernel", "out of order or given twice");

	f.size = 0;
	header_put(&f, 1);
	part_add(&f, BUNDLE_SYMBOLS, "s");
	size_set(&f);
	refused(&f, "kernel", "missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_every_truncation),
		cmocka_unit_test(test_header),
		cmocka_unit_test(test_parts),
		cmocka_unit_test(test_order_and_presence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
