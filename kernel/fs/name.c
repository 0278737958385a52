/*
 * Names: the per-boot keyed hash, and paths copied in from user space. The hash is a
 * keyed multiply-and-fold over 8 bytes at a time: without the key nobody can choose names
 * that collide, and the key never leaves the kernel.
 */
#include "fs/name.h"

#include "mm/page.h"

_Static_assert(PATH_MAX_LEN == PAGE_SIZE, "a path buffer is a page");

static struct {
	uint64_t start, mul;
} key;

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;
	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static inline uint64_t hash_start(const struct dentry *parent)
{
	return key.start ^ (uint64_t)(uintptr_t)parent;
}

static inline uint32_t hash_end(uint64_t h, uint32_t len)
{
	h = fold(h ^ len, key.mul);
	return (uint32_t)(h ^ (h >> 32));
}

uint32_t name_hash(const struct dentry *parent, const char *s, size_t len)
{
	uint64_t h = hash_start(parent), w = 0;

	for (size_t k = 0; k < len; k++) {
		w = w << 8 | (uint8_t)s[k];
		if ((k & 7) == 7) {
			h = fold(h ^ w, key.mul);
			w = 0;
		}
	}
	return hash_end(fold(h ^ w, key.mul), (uint32_t)len);
}

/* The same value as name_hash, found in the pass that looks for the component's end. */
struct qname name_scan(const struct dentry *parent, const char *s)
{
	uint64_t h = hash_start(parent), w = 0;
	uint32_t k = 0;

	for (char c; (c = s[k]) != '\0' && c != '/'; k++) {
		w = w << 8 | (uint8_t)c;
		if ((k & 7) == 7) {
			h = fold(h ^ w, key.mul);
			w = 0;
		}
	}
	return (struct qname){ s, k, hash_end(fold(h ^ w, key.mul), k) };
}

char *path_buf_alloc(void)
{
	return page_mem_alloc(0);
}

void path_buf_free(char *buf)
{
	page_mem_free(buf);
}

/* Most paths fit the struct itself; the others get a buffer and are read again. */
static int64_t copy_path(uaddr_t path, struct pathname *n)
{
	n->s = n->inline_buf;
	int64_t len = copy_in_str(n->s, path, sizeof n->inline_buf);
	if (len != -ENAMETOOLONG)
		return len;
	n->s = path_buf_alloc();
	if (!n->s)
		return -ENOMEM;
	len = copy_in_str(n->s, path, PATH_MAX_LEN);
	if (len < 0)
		name_put(n);
	return len;
}

int name_get(uaddr_t path, uint32_t walk_flags, struct pathname *ret)
{
	int64_t len = copy_path(path, ret);

	if (len < 0)
		return (int)len;
	if (len == 0 && !(walk_flags & WALK_EMPTY)) {
		name_put(ret);
		return -ENOENT;
	}
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
	if (arch_hw_random(&key, sizeof key) != sizeof key) {
		key.start = fold(clock_mono() | 1, 0x9e3779b97f4a7c15ull);
		key.mul = fold(key.start ^ (uintptr_t)&key, 0xd6e8feb86659fd93ull);
	}
	key.mul |= 1;
}
