/* Names: the per-boot key of their hash, and paths copied in from user space. */
#include "fs/name.h"

#include "core/timer.h"
#include "lib/string.h"
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

/* For what does not fit the thread's own: a buffer, and the text read again. */
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
	struct thread *t = thread_current();
	struct thread_named *own = &t->named[t->named_next++ % ARRAY_LEN(t->named)];

	own->from = path.va;
	ret->s = own->text;
	int64_t len = copy_in_str(ret->s, path, sizeof own->text);
	if (unlikely(len == -ENAMETOOLONG))
		len = copy_long(path, ret);
	if (unlikely(len <= 0) && (len < 0 || !(walk_flags & WALK_EMPTY))) {
		own->from = 0;
		return len < 0 ? (int)len : -ENOENT;
	}
	ret->len = (size_t)len;
	if (unlikely(ret->s != own->text))
		str_copy(own->text, ret->s + len - sizeof own->text + 1,
			 sizeof own->text);
	return 0;
}

static bool is_own(const struct thread *t, const char *s)
{
	return s == t->named[0].text || s == t->named[1].text;
}

void name_put(struct pathname *n)
{
	if (unlikely(!is_own(thread_current(), n->s)))
		path_buf_free(n->s);
	n->s = NULL;
}

const char *name_recall(uaddr_t path)
{
	const struct thread *t = thread_current();

	for (size_t k = 0; k < ARRAY_LEN(t->named); k++)
		if (path.va && t->named[k].from == path.va)
			return t->named[k].text;
	return NULL;
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
