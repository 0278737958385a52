/*
 * lib/acl.c on hostile bytes, as an attribute and as ext4's form: entries stay within the
 * bytes, and what is taken for a list behaves like one.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/acl.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_list(struct acl_entry *e, uint32_t n, uint32_t mode)
{
	if (acl_check(e, n))
		return;
	must(n >= 3 && e[0].tag == ACL_USER_OBJ && e[n - 1].tag == ACL_OTHER);
	must(acl_mode(e, n) <= 0777 && acl_mask(e, n) <= 7);
	must(!acl_is_minimal(e, n) || acl_mask(e, n) == 7);
	uint32_t before = acl_mode(e, n);
	acl_limit(e, n, mode);
	must(acl_mode(e, n) == (before & mode & 0777));
	acl_set_mode(e, n, mode);
	must(acl_mode(e, n) == (mode & 0777));
	must(!acl_check(e, n));
}

static void try_attribute(const uint8_t *bytes, size_t size, uint32_t mode)
{
	int64_t n = acl_xattr_count(bytes, size);

	if (n < 0)
		return;
	must(acl_xattr_size((uint32_t)n) == size);
	struct acl_entry *e = malloc((size_t)n * sizeof(*e) + 1);
	if (!acl_xattr_decode(bytes, (uint32_t)n, e)) {
		/* What is written is read back as the same. */
		uint8_t *back = malloc(size);
		struct acl_entry *again = malloc((size_t)n * sizeof(*e) + 1);
		acl_xattr_encode(e, (uint32_t)n, back);
		must(!acl_xattr_decode(back, (uint32_t)n, again));
		must(!memcmp(e, again, (size_t)n * sizeof(*e)));
		free(back);
		free(again);
		try_list(e, (uint32_t)n, mode);
	}
	free(e);
}

static void try_ext4(const uint8_t *bytes, size_t size, uint32_t mode)
{
	int64_t n = acl_ext4_decode(bytes, size, NULL);

	if (n < 0)
		return;
	must((size_t)n <= size / 4);
	struct acl_entry *e = malloc((size_t)n * sizeof(*e) + 1);
	must(acl_ext4_decode(bytes, size, e) == n);
	try_list(e, (uint32_t)n, mode);
	free(e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t mode;

	if (size < sizeof(mode))
		return 0;
	memcpy(&mode, data, sizeof(mode));
	size -= sizeof(mode);
	/* Memory of just that size, so that a read past its end shows. */
	uint8_t *bytes = malloc(size ? size : 1);
	memcpy(bytes, data + sizeof(mode), size);
	try_attribute(bytes, size, mode);
	try_ext4(bytes, size, mode);
	free(bytes);
	return 0;
}
