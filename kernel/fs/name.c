/* Names: the per-boot key of their hash, and paths copied in from user space. */
#include "fs/name.h"

#include "core/timer.h"
#include "mm/page.h"

_Static_assert(PATH_MAX_LEN == PAGE_SIZE, "a path buffer is a page");

struct name_key name_key;

uint32_t name_hash(const struct dentry *parent, const char *s, size_t len)
{
	uint64_t h = name_hash_start(parent);

	for (size_t k = 0; k < len; k++)
		h = name_hash_byte(h, s[k]);
	return name_hash_end(h, (uint32_t)len);
}

char *path_buf_alloc(void)
{
	return page_mem_alloc(0);
}

void path_buf_free(char *buf)
{
	page_mem_free(buf);
}

/* For what does not fit the struct itself: a buffer, and the text read again. */
static int64_t copy_long(uaddr_t path, struct pathname *n)
{
	n->s = path_buf_alloc();
	if (!n->s)
		return -ENOMEM;
	int64_t len = copy_in_str(n->s, path, PATH_MAX_LEN);
	if (len < 0)
		path_buf_free(n->s);
	return len;
}

int name_get(uaddr_t path, uint32_t walk_flags, struct pathname *ret)
{
	ret->s = ret->inline_buf;
	int64_t len = copy_in_str(ret->s, path, sizeof ret->inline_buf);
	if (unlikely(len == -ENAMETOOLONG))
		len = copy_long(path, ret);
	if (unlikely(len <= 0) && (len < 0 || !(walk_flags & WALK_EMPTY)))
		return len < 0 ? (int)len : -ENOENT;
	ret->len = (size_t)len;
	return 0;
}

void name_put(struct pathname *n)
{
	if (n->s != n->inline_buf)
		path_buf_free(n->s);
	n->s = n->inline_buf;
}

void name_init(void)
{
	if (arch_hw_random(&name_key, sizeof name_key) != sizeof name_key) {
		name_key.start = name_fold(clock_mono() | 1, 0x9e3779b97f4a7c15ull);
		name_key.mul = name_fold(name_key.start ^ (uintptr_t)&name_key,
					 0xd6e8feb86659fd93ull);
	}
	name_key.mul |= 1;
}
