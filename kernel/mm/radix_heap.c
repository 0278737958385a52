/* Radix nodes from a slab cache, for every tree of the kernel. */
#include "lib/radix.h"
#include "lib/string.h"
#include "mm/slab_internal.h"

static struct slab_cache *node_cache; /* [I] after radix_heap_init */

void radix_heap_init(void)
{
	node_cache = slab_cache_new("radix_node", sizeof(struct radix_node), 0);
}

static struct radix_node *node_alloc(void)
{
	struct radix_node *n = slab_alloc_atomic(node_cache);
	if (n)
		memset(n, 0, sizeof *n);
	return n;
}

static void node_free(struct radix_node *n)
{
	slab_free(node_cache, n);
}

const struct radix_ops radix_heap_ops = { .alloc = node_alloc, .free = node_free };
