/* Names: comparing, hashing, and the user's path strings. */
#ifndef FS_NAME_H
#define FS_NAME_H

#include "fs/vfs.h"

/* Names are short: a loop of our own beats a call. */
static inline bool name_equal(const struct qname *a, const char *s, uint32_t len)
{
	if (a->len != len)
		return false;
	for (uint32_t k = 0; k < len; k++)
		if (a->s[k] != s[k])
			return false;
	return true;
}

static inline bool name_is_dot(const char *s, size_t len)
{
	return len == 1 && s[0] == '.';
}

static inline bool name_is_dotdot(const char *s, size_t len)
{
	return len == 2 && s[0] == '.' && s[1] == '.';
}

/* The hash: a keyed multiply per byte, folded at the end. Without the key nobody can
 * choose names that collide, and the key never leaves the kernel. */
struct name_key {
	uint64_t start, mul;
};
extern struct name_key name_key; /* [I] after name_init */

static inline uint64_t name_fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t name_hash_start(const struct dentry *parent)
{
	return name_key.start ^ (uint64_t)(uintptr_t)parent;
}

static inline uint64_t name_hash_byte(uint64_t h, char c)
{
	return (h ^ (uint8_t)c) * name_key.mul;
}

static inline uint32_t name_hash_end(uint64_t h, uint32_t len)
{
	return (uint32_t)name_fold(h ^ len, name_key.mul);
}

/* The component at s, up to '/' or NUL, with its hash below parent: name_hash's value,
 * found in the pass that looks for the end. */
static inline struct qname name_scan(const struct dentry *parent, const char *s)
{
	uint64_t h = name_hash_start(parent);
	const char *p = s;

	for (char c; (c = *p) != '\0' && c != '/'; p++)
		h = name_hash_byte(h, c);
	uint32_t len = (uint32_t)(p - s);
	return (struct qname){ s, len, name_hash_end(h, len) };
}

/* A buffer for PATH_MAX_LEN bytes, the NUL among them; NULL: no memory. */
must_use char *path_buf_alloc(void);
void path_buf_free(char *buf);
void name_init(void);

#endif
