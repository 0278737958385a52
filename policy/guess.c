/* What a misspelt word may have meant: the known one that fewest changes lead to. */
#include <string.h>

#include "policy/names.h"
#include "policy/words.h"

#define LONGEST 48 /* no known word is longer */

void guess_begin(struct guess *g, const char *word, size_t size)
{
	/* A third of the letters may be wrong, and at least one. */
	*g = (struct guess){ .word = word,
			     .size = size,
			     .distance = 2 + (unsigned)size / 4 };
	if (size > LONGEST)
		g->distance = 0;
}

/* Changes, insertions, removals and exchanges of neighbours; from `most` on it does not
 * matter how many. */
static unsigned distance_of(const char *a, size_t n, const char *b, size_t m,
			    unsigned most)
{
	unsigned rows[3][LONGEST + 1];
	unsigned *before = rows[0], *above = rows[1], *row = rows[2], *spare;

	for (unsigned k = 0; k <= m; k++)
		above[k] = k;
	for (size_t i = 1; i <= n; i++) {
		unsigned least = row[0] = (unsigned)i;

		for (size_t k = 1; k <= m; k++) {
			unsigned cost = above[k - 1] + (a[i - 1] != b[k - 1]);

			cost = MIN(cost, MIN(above[k], row[k - 1]) + 1);
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] &&
			    a[i - 2] == b[k - 1])
				cost = MIN(cost, before[k - 2] + 1);
			row[k] = cost;
			least = MIN(least, cost);
		}
		if (least >= most)
			return most;
		spare = before;
		before = above;
		above = row;
		row = spare;
	}
	return above[m];
}

void guess_offer(struct guess *g, const char *known)
{
	size_t size = strlen(known);
	unsigned distance;

	if (!g->distance || size > LONGEST ||
	    (size > g->size ? size - g->size : g->size - size) >= g->distance)
		return;
	distance = distance_of(g->word, g->size, known, size, g->distance);
	if (distance < g->distance) {
		g->distance = distance;
		g->best = known;
	}
}

const char *guess_hint(const struct guess *g, struct arena *a)
{
	return g->best ? arena_format(a, "did you mean '%s'?", g->best) : NULL;
}

const char *guess_syscall(struct arena *a, const char *name, size_t size)
{
	struct guess g;

	guess_begin(&g, name, size);
	for (uint32_t i = 0; i < syscall_numbers(); i++)
		if (syscall_row(i))
			guess_offer(&g, syscall_row(i)->name);
	return guess_hint(&g, a);
}

const char *guess_group(struct arena *a, const char *name, size_t size)
{
	char known[SYSCALL_GROUPS][33];
	struct guess g;

	guess_begin(&g, name, size);
	for (unsigned i = 0; i < SYSCALL_GROUPS; i++) {
		known[i][0] = '@';
		group_name(i, known[i] + 1);
		guess_offer(&g, known[i]);
	}
	return guess_hint(&g, a);
}

const char *guess_constant(struct arena *a, const char *name, size_t size)
{
	struct guess g;

	guess_begin(&g, name, size);
	for (size_t i = 0; i < names_all_count; i++)
		for (size_t k = 0; k < names_all[i]->count; k++)
			guess_offer(&g, names_all[i]->at[k].name);
	return guess_hint(&g, a);
}
