/* Shared anonymous memory: a page cache without a file, kept by the areas that map it. */
#include "core/ref.h"
#include "lib/string.h"
#include "mm/slab.h"
#include "mm/space_internal.h"

struct shared_memory {
	struct ref refs;
	uint64_t number;  /* [I] its inode number, as /proc/pid/maps shows it */
	const char *name; /* [I] as shown there */
	struct mapping mapping;
};

static uint64_t last_number; /* [a] */

static void shared_get(void *owner)
{
	ref_get(&((struct shared_memory *)owner)->refs);
}

static void shared_put(void *owner)
{
	struct shared_memory *m = owner;
	if (!ref_put(&m->refs))
		return;
	mapping_fini(&m->mapping);
	heap_free(m);
}

static size_t shared_name(void *owner, char *buf, size_t n)
{
	return str_copy(buf, ((struct shared_memory *)owner)->name, n);
}

static void shared_id(void *owner, uint64_t *ret_dev, uint64_t *ret_ino)
{
	*ret_dev = 1; /* no device: as Linux's internal tmpfs, 00:01 */
	*ret_ino = ((struct shared_memory *)owner)->number;
}

static int64_t shared_punch(void *owner, uint64_t off, uint64_t len)
{
	mapping_punch(&((struct shared_memory *)owner)->mapping, off, off + len);
	return 0;
}

static const struct area_ops shared_ops = {
	.get = shared_get,
	.put = shared_put,
	.name = shared_name,
	.id = shared_id,
	.punch = shared_punch,
};

int space_shared_memory(uint64_t len, const char *name, struct map_request *r)
{
	struct shared_memory *m = heap_zalloc(sizeof *m);
	if (!m)
		return -ENOMEM;
	ref_init(&m->refs, 1);
	m->name = name;
	m->number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
	mapping_init(&m->mapping, NULL, m, false);
	m->mapping.size = ALIGN_UP(len, PAGE_SIZE);
	r->mapping = &m->mapping;
	r->pgoff = 0;
	r->ops = &shared_ops;
	r->owner = m;
	r->flags |= AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC;
	return 0;
}
