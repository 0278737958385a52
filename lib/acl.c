/* Access control lists as bytes, and as part of a mode. Little endian, as the machine. */
#include "lib/acl.h"
#include "lib/string.h"

#define EXT4_ACL_VERSION 1u
#define PERMS (ACL_READ | ACL_WRITE | ACL_EXECUTE)

static bool is_named(uint16_t tag)
{
	return tag == ACL_USER || tag == ACL_GROUP;
}

/* ---- attributes ---- */

int64_t acl_xattr_count(const void *value, size_t n)
{
	struct posix_acl_xattr_header h;

	if (n < sizeof(h))
		return -EINVAL;
	memcpy(&h, value, sizeof(h));
	if (h.a_version != POSIX_ACL_XATTR_VERSION)
		return -EOPNOTSUPP;
	n -= sizeof(h);
	if (n % sizeof(struct posix_acl_xattr_entry) || n > UINT32_MAX)
		return -EINVAL;
	return (int64_t)(n / sizeof(struct posix_acl_xattr_entry));
}

static int take_xattr_entry(const struct posix_acl_xattr_entry *x, struct acl_entry *ret)
{
	*ret = (struct acl_entry){ x->e_tag, x->e_perm, (uint32_t)ACL_UNDEFINED_ID };
	switch (x->e_tag) {
	case ACL_USER:
	case ACL_GROUP:
		ret->id = x->e_id;
		return ret->id == (uint32_t)ACL_UNDEFINED_ID ? -EINVAL : 0;
	case ACL_USER_OBJ:
	case ACL_GROUP_OBJ:
	case ACL_MASK:
	case ACL_OTHER:
		return 0;
	}
	return -EINVAL;
}

int acl_xattr_decode(const void *value, uint32_t count, struct acl_entry *ret)
{
	const uint8_t *at =
		(const uint8_t *)value + sizeof(struct posix_acl_xattr_header);
	int err = 0;

	for (uint32_t k = 0; k < count && !err; k++) {
		struct posix_acl_xattr_entry x;

		memcpy(&x, at + k * sizeof(x), sizeof(x));
		err = take_xattr_entry(&x, &ret[k]);
	}
	return err;
}

void acl_xattr_encode(const struct acl_entry *e, uint32_t count, void *value)
{
	struct posix_acl_xattr_header h = { POSIX_ACL_XATTR_VERSION };
	uint8_t *at = value;

	memcpy(at, &h, sizeof(h));
	at += sizeof(h);
	for (uint32_t k = 0; k < count; k++) {
		struct posix_acl_xattr_entry x = { e[k].tag, e[k].perm, e[k].id };

		memcpy(at + k * sizeof(x), &x, sizeof(x));
	}
}

/* ---- ext4 ---- */

int64_t acl_ext4_decode(const void *value, size_t n, struct acl_entry *ret)
{
	const uint8_t *at = value;
	int64_t count = 0;
	uint32_t version;

	if (n < sizeof(version))
		return -EUCLEAN;
	memcpy(&version, at, sizeof(version));
	if (version != EXT4_ACL_VERSION)
		return -EUCLEAN;
	for (size_t k = sizeof(version); k < n; count++) {
		/* Tag and permissions; then an id where there is one. */
		struct acl_entry e = { .id = (uint32_t)ACL_UNDEFINED_ID };
		const size_t head = sizeof(e.tag) + sizeof(e.perm);

		if (n - k < head)
			return -EUCLEAN;
		memcpy(&e, at + k, head);
		k += head;
		if (is_named(e.tag)) {
			if (n - k < sizeof(e.id))
				return -EUCLEAN;
			memcpy(&e.id, at + k, sizeof(e.id));
			k += sizeof(e.id);
		}
		if (ret)
			ret[count] = e;
	}
	return count;
}

/* ---- what is in a list ---- */

/* Which entries may come next: each kind once, the named ones any number of times. */
static uint32_t may_follow(uint32_t tag, bool named)
{
	switch (tag) {
	case ACL_USER_OBJ:
	case ACL_USER:
		return ACL_USER | ACL_GROUP_OBJ;
	case ACL_GROUP_OBJ:
	case ACL_GROUP:
		return ACL_GROUP | ACL_MASK | (named ? 0 : ACL_OTHER);
	case ACL_MASK:
		return ACL_OTHER;
	}
	return 0;
}

int acl_check(const struct acl_entry *e, uint32_t count)
{
	uint32_t expected = ACL_USER_OBJ;
	bool named = false;

	for (uint32_t k = 0; k < count; k++) {
		uint32_t tag = e[k].tag;
		bool one = tag && !(tag & (tag - 1));

		if (!one || !(tag & expected) || (e[k].perm & ~PERMS))
			return -EINVAL;
		if (is_named(e[k].tag) && e[k].id == (uint32_t)ACL_UNDEFINED_ID)
			return -EINVAL;
		named |= is_named(e[k].tag);
		expected = may_follow(tag, named);
	}
	return count && !expected ? 0 : -EINVAL;
}

/* How far left in a mode's bits an entry's belong; -1: it has none there. */
static int shift_of(const struct acl_entry *e, bool masked)
{
	switch (e->tag) {
	case ACL_USER_OBJ:
		return 6;
	case ACL_GROUP_OBJ:
		return masked ? -1 : 3;
	case ACL_MASK:
		return 3;
	case ACL_OTHER:
		return 0;
	}
	return -1;
}

static bool has_mask(const struct acl_entry *e, uint32_t count)
{
	return e[count - 2].tag == ACL_MASK;
}

uint32_t acl_mode(const struct acl_entry *e, uint32_t count)
{
	bool masked = has_mask(e, count);
	uint32_t mode = 0;

	for (uint32_t k = 0; k < count; k++) {
		int shift = shift_of(&e[k], masked);

		if (shift >= 0)
			mode |= (uint32_t)e[k].perm << shift;
	}
	return mode;
}

bool acl_is_minimal(const struct acl_entry *e, uint32_t count)
{
	return count == 3 && !has_mask(e, count);
}

void acl_set_mode(struct acl_entry *e, uint32_t count, uint32_t mode)
{
	bool masked = has_mask(e, count);

	for (uint32_t k = 0; k < count; k++) {
		int shift = shift_of(&e[k], masked);

		if (shift >= 0)
			e[k].perm = mode >> shift & PERMS;
	}
}

void acl_limit(struct acl_entry *e, uint32_t count, uint32_t mode)
{
	acl_set_mode(e, count, acl_mode(e, count) & mode);
}
