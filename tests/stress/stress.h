/* What stressors are given; see stress.c. A stressor runs until stress_on says no, in an
 * empty folder that it leaves empty. */
#ifndef STRESS_H
#define STRESS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <time.h>

struct stress;

bool stress_on(struct stress *s);
unsigned stress_random(struct stress *s);
/* What may still be allocated, clean cache included. */
long stress_available_kib(void);
/* Ends the stressor as failed. */
void stress_fail(struct stress *s, const char *fmt, ...)
	__attribute__((noreturn, format(printf, 2, 3)));

#define NEED(s, cond)                                                                    \
	do {                                                                             \
		if (!(cond))                                                             \
			stress_fail(s, "%s:%d: %s (errno %d)", __FILE__, __LINE__,       \
				    #cond, errno);                                       \
	} while (0)

#define STRESSOR(name, processes) void stress_##name(struct stress *s);
#include "stress.def"
#undef STRESSOR

#endif
