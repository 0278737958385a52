/*
 * Intrusive circular doubly linked list. The head is a node of its own; an unlinked node
 * points at itself, so that list_del is idempotent and list_empty(node) says "not
 * queued".
 */
#ifndef LIB_LIST_H
#define LIB_LIST_H

#include "lib/base.h"

struct list {
	struct list *next, *prev;
};

#define LIST_INIT(name)                                                                  \
	{                                                                                \
		&(name), &(name)                                                         \
	}

static inline void list_init(struct list *l)
{
	l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
	return l->next == l;
}

static inline void list_link(struct list *n, struct list *prev, struct list *next)
{
	n->prev = prev;
	n->next = next;
	prev->next = n;
	next->prev = n;
}

/* First in the list: right after the head. */
static inline void list_push_front(struct list *head, struct list *n)
{
	list_link(n, head, head->next);
}

static inline void list_push_back(struct list *head, struct list *n)
{
	list_link(n, head->prev, head);
}

static inline void list_del(struct list *n)
{
	n->prev->next = n->next;
	n->next->prev = n->prev;
	list_init(n);
}

/* Moves all of `from` to the end of `to`; `from` is empty after. */
static inline void list_splice_back(struct list *to, struct list *from)
{
	if (list_empty(from))
		return;
	from->next->prev = to->prev;
	to->prev->next = from->next;
	from->prev->next = to;
	to->prev = from->prev;
	list_init(from);
}

#define list_entry(node, type, member) container_of(node, type, member)
#define list_first(head, type, member) list_entry((head)->next, type, member)
#define list_last(head, type, member) list_entry((head)->prev, type, member)

/* NULL when the list is empty. */
#define list_first_or_null(head, type, member)                                           \
	(list_empty(head) ? NULL : list_first(head, type, member))

#define list_for_each(pos, head, type, member)                                           \
	for (type *pos = list_first(head, type, member); &pos->member != (head);         \
	     pos = list_first(&pos->member, type, member))

/* The body may unlink or free `pos`. */
#define list_for_each_safe(pos, head, type, member)                                      \
	for (type *pos = list_first(head, type, member),                                 \
		  *pos##_next = list_first(&pos->member, type, member);                  \
	     &pos->member != (head); pos = pos##_next,                                   \
		  pos##_next = list_first(&pos##_next->member, type, member))

#endif
