/* Memory that is freed all at once. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/arena.h"

#define BLOCK KIB(64)

struct arena_block {
	struct arena_block *next;
	max_align_t bytes[];
};

static void *arena_none(void)
{
	fputs("mayfly: out of memory\n", stderr);
	exit(ARENA_EXIT);
}

static char *block_add(struct arena *a, size_t size)
{
	struct arena_block *block = calloc(1, sizeof(*block) + size);

	if (!block)
		arena_none();
	block->next = a->blocks;
	a->blocks = block;
	return (char *)block->bytes;
}

void *arena_new(struct arena *a, size_t size)
{
	char *at;

	size = ALIGN_UP(size, sizeof(max_align_t));
	if (size > BLOCK / 4)
		return block_add(a, size);
	if (size > a->left) {
		a->at = block_add(a, BLOCK);
		a->left = BLOCK;
	}
	at = a->at;
	a->at += size;
	a->left -= size;
	return at;
}

char *arena_copy(struct arena *a, const char *bytes, size_t size)
{
	char *copy = arena_new(a, size + 1);

	if (size)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_format(struct arena *a, const char *format, ...)
{
	va_list list;
	char *text, *copy;

	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		arena_none();
	va_end(list);
	copy = arena_copy(a, text, strlen(text));
	free(text);
	return copy;
}

void *arena_grow(struct arena *a, const void *at, size_t n, size_t room, size_t size)
{
	char *more = arena_new(a, room * size);

	if (n)
		memcpy(more, at, n * size);
	return more;
}

void arena_free(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *next = a->blocks->next;

		free(a->blocks);
		a->blocks = next;
	}
	*a = (struct arena){ 0 };
}
