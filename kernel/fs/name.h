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

/* The component at s, up to '/' or NUL, with its hash below parent. */
struct qname name_scan(const struct dentry *parent, const char *s);

/* A buffer for PATH_MAX_LEN bytes, the NUL among them; NULL: no memory. */
must_use char *path_buf_alloc(void);
void path_buf_free(char *buf);
void name_init(void);

#endif
