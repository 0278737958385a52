/*
 * The few functions that libsodium's own sources expect from the rest of libsodium, which
 * is not built for ring 0 (it wants mlock, signals and a C library). Constant time where
 * libsodium's are: the number of steps depends on the length alone.
 */
#include <sodium/core.h>
#include <sodium/utils.h>

#include "core/panic.h"
#include "lib/string.h"

void sodium_memzero(void *const at, const size_t len)
{
	memset(at, 0, len);
	/* The compiler may not drop the store although nobody reads it. */
	__asm__ volatile("" : : "r"(at) : "memory");
}

int sodium_memcmp(const void *const a_, const void *const b_, size_t len)
{
	const volatile unsigned char *a = a_, *b = b_;
	unsigned int differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return (int)((differ - 1) >> 31) - 1;
}

int sodium_is_zero(const unsigned char *bytes, const size_t len)
{
	const volatile unsigned char *at = bytes;
	unsigned int any = 0;

	for (size_t i = 0; i < len; i++)
		any |= at[i];
	return (int)((any - 1) >> 31);
}

/* A length or a state no caller of ours may pass: never reached by a job's data. */
void sodium_misuse(void)
{
	panic("libsodium: misused");
}
