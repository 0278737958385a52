/* The cases of the sweep, one for each row of syscalls.def that has a handler. */
#include "sweep.h"

#define SWEEP_refused(nr, name, ...)
#define SWEEP_none(nr, name, ...)
#define SWEEP_partial SWEEP_full
#define SWEEP_full(number, call, ...)                                                    \
	DIFF_CASE(sweep_##call)                                                          \
	{                                                                                \
		static const struct sweep_call c = { number, #call, { __VA_ARGS__ } };   \
		sweep(&c);                                                               \
	}

#define SYSCALL0(nr, name, s, g, a) SWEEP_##s(nr, name, NULL)
#define SYSCALL1(nr, name, s, g, a, t1, n1) SWEEP_##s(nr, name, #t1)
#define SYSCALL2(nr, name, s, g, a, t1, n1, t2, n2) SWEEP_##s(nr, name, #t1, #t2)
#define SYSCALL3(nr, name, s, g, a, t1, n1, t2, n2, t3, n3)                              \
	SWEEP_##s(nr, name, #t1, #t2, #t3)
#define SYSCALL4(nr, name, s, g, a, t1, n1, t2, n2, t3, n3, t4, n4)                      \
	SWEEP_##s(nr, name, #t1, #t2, #t3, #t4)
#define SYSCALL5(nr, name, s, g, a, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5)              \
	SWEEP_##s(nr, name, #t1, #t2, #t3, #t4, #t5)
#define SYSCALL6(nr, name, s, g, a, t1, n1, t2, n2, t3, n3, t4, n4, t5, n5, t6, n6)      \
	SWEEP_##s(nr, name, #t1, #t2, #t3, #t4, #t5, #t6)
#include "lib/abi/syscalls.def"
