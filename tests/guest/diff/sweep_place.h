/*
 * Where the values of the sweep lie: see sweep.h. Memory is at fixed addresses, each page
 * before a hole; descriptors have fixed numbers. So all values are constants, but those
 * of pids.
 */
#ifndef SWEEP_PLACE_H
#define SWEEP_PLACE_H

#define PAGE(n) (0x20000000ull + (n)*0x2000ull)
#define BUFFER PAGE(0)
#define ZEROS PAGE(1)
#define ONES PAGE(2)
#define COUNTING PAGE(3) /* 64-bit numbers 1, 2, ... */
#define READ_ONLY PAGE(4)
#define NO_ACCESS PAGE(5)
#define EDGE PAGE(6) /* zeros */
#define VECTOR PAGE(7)
#define DATA PAGE(8)
#define ADDRESS PAGE(9)
#define MESSAGE PAGE(10)
#define LENGTH PAGE(11)
#define TEXT PAGE(12)
#define HOW PAGE(13) /* struct open_how: O_CREAT | O_RDWR, 0644 */
#define PAGES 14
#define FILL 0xa5
#define HOLE(bytes) (EDGE + 0x1000 - (bytes))

#define FIRST_FD 100
#define PIDFD 130
#define QUEUE 131

/* A number, said as it is written. */
#define N(x)                                                                             \
	{                                                                                \
#x, (uint64_t)(x)                                                        \
	}
#define MAX 0x7fffffff
#define MIN 0x80000000
#define MAX64 0x7fffffffffffffff
#define MIN64 0x8000000000000000
#define HIGH 0x100000000 /* what a 32-bit argument does not see */

#define DOMAIN(name, values)                                                             \
	{                                                                                \
		name, values, sizeof values / sizeof *values                             \
	}

/* Domains of single calls: sweep_commands.c. */
extern const struct sweep_domain sweep_commands[];
extern const int sweep_commands_n;

/* Texts whose addresses are known at run time only. */
void sweep_prepare_values(void);

#endif
