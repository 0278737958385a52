/* What IPC may hold of the kernel's memory. */
#include "ipc/ids.h"
#include "ipc/ipc.h"
#include "mm/page.h"
#include "mm/slab.h"

#define SHARE 8 /* of all memory: 1/SHARE */

static uint64_t max;	      /* [I] bytes */
static _Atomic uint64_t used; /* bytes */

void *ipc_alloc(size_t size)
{
	void *p = NULL;

	if (__atomic_add_fetch((uint64_t *)&used, size, __ATOMIC_RELAXED) <= max)
		p = heap_zalloc(size);
	if (!p)
		used -= size;
	return p;
}

void ipc_free(void *p, size_t size)
{
	if (!p)
		return;
	used -= size;
	heap_free(p);
}

void ipc_memory_init(void)
{
	max = page_get_total() * PAGE_SIZE / SHARE;
}
