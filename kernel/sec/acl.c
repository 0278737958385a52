/* Access control lists as objects. */
#include "lib/string.h"
#include "mm/slab.h"
#include "sec/acl.h"

struct acl *acl_new(uint32_t n)
{
	struct acl *a = heap_alloc(sizeof *a + n * sizeof a->entry[0]);
	if (!a)
		return NULL;
	ref_init(&a->refs, 1);
	a->n = n;
	return a;
}

struct acl *acl_copy(const struct acl *from)
{
	struct acl *a = acl_new(from->n);
	if (a)
		memcpy(a->entry, from->entry, from->n * sizeof a->entry[0]);
	return a;
}

void acl_put(struct acl *a)
{
	if (a && ref_put(&a->refs))
		heap_free(a);
}
