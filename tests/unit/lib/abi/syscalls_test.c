/* syscalls.def against the host's <asm/unistd_64.h>, and its own consistency. */
#include <setjmp.h>
#include <stdio.h>
#include <string.h>
#include <asm/unistd.h>
/* after setjmp.h */
#include <cmocka.h>

#include "lib/base.h"

struct row {
	unsigned nr, nargs;
	const char *name, *state, *group;
	unsigned header_nr; /* what <asm/unistd_64.h> says */
};

#define ROW(n, nr, name, state, group) { nr, n, #name, #state, #group, __NR_##name },
#define SYSCALL0(nr, name, state, group, ...) ROW(0, nr, name, state, group)
#define SYSCALL1(nr, name, state, group, ...) ROW(1, nr, name, state, group)
#define SYSCALL2(nr, name, state, group, ...) ROW(2, nr, name, state, group)
#define SYSCALL3(nr, name, state, group, ...) ROW(3, nr, name, state, group)
#define SYSCALL4(nr, name, state, group, ...) ROW(4, nr, name, state, group)
#define SYSCALL5(nr, name, state, group, ...) ROW(5, nr, name, state, group)
#define SYSCALL6(nr, name, state, group, ...) ROW(6, nr, name, state, group)
static const struct row rows[] = {
#include "lib/abi/syscalls.def"
};

#define GROUP(name, text) #name,
static const char *const groups[] = {
#include "lib/abi/groups.def"
};

static void numbers_are_linux_numbers(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(rows[i].nr, rows[i].header_nr);
}

static void every_header_number_has_a_row(void **state)
{
	char line[256], name[128];
	unsigned nr, seen = 0;
	FILE *f = fopen("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "r");
	assert_non_null(f);
	while (fgets(line, sizeof line, f)) {
		if (sscanf(line, "#define __NR_%127s %u", name, &nr) != 2)
			continue;
		bool found = false;
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			found |= rows[i].nr == nr && !strcmp(rows[i].name, name);
		if (!found)
			fail_msg("no row for %s (%u)", name, nr);
		seen++;
	}
	fclose(f);
	assert_int_equal(seen, ARRAY_LEN(rows));
}

static void rows_are_sorted_and_grouped(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (i > 0)
			assert_true(rows[i].nr > rows[i - 1].nr);
		bool known = false;
		for (size_t g = 0; g < ARRAY_LEN(groups); g++)
			known |= !strcmp(groups[g], rows[i].group);
		assert_true(known);
		bool right = !strcmp(rows[i].state, "full") ||
			     !strcmp(rows[i].state, "partial") ||
			     !strcmp(rows[i].state, "refused") ||
			     !strcmp(rows[i].state, "none");
		assert_true(right);
	}
}

static void attack_surface_stays_refused(void **state)
{
	static const char *const never[] = { "bpf",	    "io_uring_setup",
					     "kexec_load",  "init_module",
					     "userfaultfd", "perf_event_open" };
	for (size_t n = 0; n < ARRAY_LEN(never); n++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++)
			if (!strcmp(rows[i].name, never[n]))
				assert_string_equal(rows[i].state, "refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_linux_numbers),
		cmocka_unit_test(every_header_number_has_a_row),
		cmocka_unit_test(rows_are_sorted_and_grouped),
		cmocka_unit_test(attack_surface_stays_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
