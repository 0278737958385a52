/* Walks over segmented buffers, and structs of a size that user space states. "User
 * memory" is memory of this process; one page of it is made to fault. */
/* link: kernel/mm/usercopy.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
/* after setjmp.h */
#include <cmocka.h>

#include "mm/slab.h"
#include "mm/usercopy.h"

static char memory[8 * PAGE_SIZE] aligned_to(PAGE_SIZE);
static char *const bad = memory + 4 * PAGE_SIZE; /* this page faults */
static long live;

/* ---- what the kernel would give ---- */

void *heap_alloc_array(size_t n, size_t size)
{
	live++;
	return malloc(n * size);
}

void heap_free(void *p)
{
	live -= p != NULL;
	free(p);
}

/* Bytes of [at, at + n) before the bad page; none if the range leaves user space. */
static size_t good(uint64_t at, size_t n)
{
	uint64_t hole = (uint64_t)bad;
	if (n > USER_END || at > USER_END - n)
		return 0;
	if (at >= hole + PAGE_SIZE || at + n <= hole)
		return n;
	return at >= hole ? 0 : hole - at;
}

size_t arch_user_read(void *dst, uint64_t src, size_t n)
{
	memcpy(dst, (void *)src, good(src, n));
	return n - good(src, n);
}

size_t arch_user_write(uint64_t dst, const void *src, size_t n)
{
	memcpy((void *)dst, src, good(dst, n));
	return n - good(dst, n);
}

size_t arch_user_zero(uint64_t dst, size_t n)
{
	memset((void *)dst, 0, good(dst, n));
	return n - good(dst, n);
}

int64_t arch_user_strncpy(char *dst, uint64_t src, size_t max)
{
	size_t n = good(src, max), len = strnlen((char *)src, n);
	memcpy(dst, (char *)src, MIN(len + 1, n));
	return len < n ? (int64_t)len : n < max ? -EFAULT : (int64_t)max;
}

static long loads;

int arch_user_load32(uint64_t src, uint32_t *ret)
{
	loads++;
	*ret = 0;
	return good(src, 4) == 4 ? 0 : -EFAULT;
}

int arch_user_cmpxchg32(uint64_t dst, uint32_t old, uint32_t new, uint32_t *ret)
{
	return 0;
}

/* ---- */

static int start(void **state)
{
	memset(memory, 'u', sizeof memory);
	live = 0;
	return 0;
}

static void single_buffers_count_down(void **state)
{
	struct uio u;
	uio_init_user(&u, UADDR(memory), 10);
	assert_int_equal(uio_write(&u, "abcdefgh", 4), 4);
	assert_int_equal(uio_write(&u, "ABCDEFGH", 8), 6); /* no more fits */
	assert_int_equal(uio_write(&u, "x", 1), 0);
	assert_memory_equal(memory, "abcdABCDEFu", 11);
	uio_init_kernel(&u, memory, 4);
	char got[8] = "";
	assert_int_equal(uio_read(&u, got, 8), 4);
	assert_string_equal(got, "abcd");
	uio_init_kernel(&u, memory, 4);
	assert_int_equal(uio_write_zero(&u, 2), 2);
	assert_memory_equal(memory, "\0\0cd", 4);
}

static void vectors_are_walked_across_segments(void **state)
{
	struct iovec vec[] = {
		{ memory, 3 }, { NULL, 0 }, { memory + 100, 0 }, { memory + 200, 5 }
	};
	struct iovec fast[2], *own = NULL;
	struct uio u;
	assert_int_equal(uio_init_vec(&u, UADDR(vec), 4, fast, 2, &own), 0);
	assert_non_null(own);
	assert_int_equal(u.left, 8);
	assert_int_equal(uio_write(&u, "12345678", 8), 8);
	assert_memory_equal(memory, "123u", 4);
	assert_memory_equal(memory + 200, "45678u", 6);
	heap_free(own);
	assert_int_equal(uio_init_vec(&u, UADDR(vec), 1, fast, 2, &own), 0);
	assert_null(own);
	assert_int_equal(live, 0);
}

static void bad_vectors_are_refused(void **state)
{
	struct iovec fast[8], *own = NULL;
	struct uio u;
	struct iovec negative[] = { { memory, 1 }, { memory, (size_t)-1 } };
	struct iovec kernel[] = { { (void *)(USER_END - 2), 3 } };
	struct iovec huge[] = { { NULL, 0x7fffffff }, { NULL, 0x7fffffff } };
	assert_int_equal(uio_init_vec(&u, UADDR(negative), 2, fast, 8, &own), -EINVAL);
	assert_int_equal(uio_init_vec(&u, UADDR(negative), 2, fast, 1, &own), -EINVAL);
	assert_int_equal(uio_init_vec(&u, UADDR(kernel), 1, fast, 8, &own), -EFAULT);
	assert_int_equal(uio_init_vec(&u, UADDR(bad), 1, fast, 8, &own), -EFAULT);
	assert_int_equal(uio_init_vec(&u, UADDR(USER_END), 1, fast, 8, &own), -EFAULT);
	assert_int_equal(uio_init_vec(&u, UADDR(memory), 1025, fast, 8, &own), -EINVAL);
	assert_int_equal(uio_init_vec(&u, UADDR(huge), 2, fast, 8, &own), 0);
	assert_int_equal(u.left, 0x7ffff000); /* MAX_RW_COUNT */
	assert_int_equal(live, 0);
}

static void faults_cut_short(void **state)
{
	struct uio u;
	char data[20];
	memset(data, 'd', sizeof data);
	uio_init_user(&u, UADDR(bad - 5), 20);
	assert_int_equal(uio_write(&u, data, 20), 5);
	assert_int_equal(u.left, 15);
	assert_int_equal(uio_write(&u, data, 15), -EFAULT);
	assert_int_equal(bad[-1], 'd');
	assert_int_equal(*bad, 'u');
	uio_init_user(&u, UADDR(USER_END - 4), 20); /* not a byte past user space */
	assert_int_equal(uio_write(&u, data, 20), -EFAULT);
}

static void zeroing_counts_what_it_did(void **state)
{
	struct uio u;
	uio_init_user(&u, UADDR(memory), 6);
	assert_int_equal(uio_write_zero(&u, 4), 4);
	assert_int_equal(uio_write_zero(&u, 4), 2); /* no more fits */
	assert_int_equal(u.left, 0);
	assert_memory_equal(memory, "\0\0\0\0\0\0u", 7);
	uio_init_user(&u, UADDR(bad - 5), 20);
	assert_int_equal(uio_write_zero(&u, 20), 5);
	assert_int_equal(u.left, 15);
	assert_int_equal(uio_write_zero(&u, 15), -EFAULT);
	assert_int_equal(*bad, 'u');
	uio_init_user(&u, UADDR(USER_END - 4), 20);
	assert_int_equal(uio_write_zero(&u, 20), -EFAULT);
}

static void prefault_touches_each_page_once(void **state)
{
	struct uio u;
	uio_init_user(&u, UADDR(memory + 100), 3 * PAGE_SIZE);
	loads = 0;
	uio_prefault(&u, 3 * PAGE_SIZE, false);
	assert_int_equal(loads, 4);
	loads = 0;
	uio_prefault(&u, 50, true);
	assert_int_equal(loads, 1);
	uio_init_user(&u, UADDR(USER_END - 1), 8 * PAGE_SIZE);
	uio_prefault(&u, 8 * PAGE_SIZE,
		     false); /* finds the end of user space by itself */
}

static void strings_end_or_are_refused(void **state)
{
	char got[16];
	strcpy(memory, "hello");
	assert_int_equal(copy_in_str(got, UADDR(memory), 16), 5);
	assert_string_equal(got, "hello");
	assert_int_equal(copy_in_str(got, UADDR(memory), 5), -ENAMETOOLONG);
	assert_int_equal(copy_in_str(got, UADDR(bad - 3), 16), -EFAULT);
	assert_int_equal(copy_in_str(got, UADDR(USER_END), 16), -EFAULT);
}

static void structs_of_other_versions(void **state)
{
	struct {
		uint32_t a, b;
	} got = { 9, 9 };
	uint32_t in[4] = { 1, 2, 0, 0 };
	assert_int_equal(copy_in_struct(&got, sizeof got, UADDR(in), 4), 0); /* older */
	assert_true(got.a == 1 && got.b == 0);
	assert_int_equal(copy_in_struct(&got, sizeof got, UADDR(in), 16), 0); /* newer */
	assert_true(got.a == 1 && got.b == 2);
	in[3] = 1;
	assert_int_equal(copy_in_struct(&got, sizeof got, UADDR(in), 16), -E2BIG);
	assert_int_equal(copy_in_struct(&got, sizeof got, UADDR(in), 5000), -E2BIG);
	assert_int_equal(copy_in_struct(&got, sizeof got, UADDR(bad), 8), -EFAULT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(single_buffers_count_down, start),
		cmocka_unit_test_setup(vectors_are_walked_across_segments, start),
		cmocka_unit_test_setup(bad_vectors_are_refused, start),
		cmocka_unit_test_setup(faults_cut_short, start),
		cmocka_unit_test_setup(zeroing_counts_what_it_did, start),
		cmocka_unit_test_setup(prefault_touches_each_page_once, start),
		cmocka_unit_test_setup(strings_end_or_are_refused, start),
		cmocka_unit_test_setup(structs_of_other_versions, start),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
