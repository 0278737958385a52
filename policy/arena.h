/*
 * Memory that is freed all at once. When there is none left the program ends, as
 * everything here runs in a command: a line on stderr and ARENA_EXIT.
 */
#ifndef POLICY_ARENA_H
#define POLICY_ARENA_H

#include "lib/base.h"

enum { ARENA_EXIT = 125 };

struct arena {
	struct arena_block *blocks;
	char *at;
	size_t left;
};

/* Zeroed, aligned for anything. */
void *arena_new(struct arena *a, size_t size);
/* A copy with a NUL behind it. */
char *arena_copy(struct arena *a, const char *bytes, size_t size);
char *arena_format(struct arena *a, const char *format, ...) printf_like(2, 3);
/* What holds `room` things of that size, begins with the n that are at `at`. */
void *arena_grow(struct arena *a, const void *at, size_t n, size_t room, size_t size);
void arena_free(struct arena *a);

/* Things in a row. */
#define VEC(type)                                                                        \
	struct {                                                                         \
		type *at;                                                                \
		uint32_t n, room;                                                        \
	}
/* Makes room for one more behind the last, and is a pointer to it. */
#define vec_push(arena, v)                                                               \
	((v)->n == (v)->room ? (void)((v)->room = (v)->room ? (v)->room * 2 : 8,         \
				      (v)->at = arena_grow(arena, (v)->at, (v)->n,       \
							   (v)->room, sizeof(*(v)->at))) \
			     : (void)0,                                                  \
	 &(v)->at[(v)->n++])

#endif
