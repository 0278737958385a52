/* kernel/sec/csprng.c: it is ChaCha20, and keeps nothing of what it gave (C1). */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "core/panic.h"
#include "sec/csprng.h"

/* For kernel/sec/sodium.c, which comes with the generator. */
void panic(const char *fmt, ...)
{
	abort();
}

static struct csprng seeded(uint8_t with)
{
	struct csprng c;
	uint8_t key[CSPRNG_KEY];

	memset(key, with, sizeof(key));
	csprng_seed(&c, key);
	return c;
}

/* RFC 7539's first vector of A.1: key 0, nonce 0; the first 32 bytes are the next key. */
static void the_stream_is_chacha20(void **state)
{
	static const uint8_t want[] = { 0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d };
	struct csprng c = seeded(0);
	uint8_t got[8];

	csprng_get(&c, got, sizeof(got));
	assert_memory_equal(got, want, sizeof(want));
	assert_int_equal(c.key[0], 0x76);
}

/* Cut in any way, the bytes are the same, and none comes twice. */
static void pieces_make_one_stream(void **state)
{
	uint8_t whole[3 * CSPRNG_BATCH], part[3 * CSPRNG_BATCH];
	struct csprng a = seeded(1), b = seeded(1);

	csprng_get(&a, whole, sizeof(whole));
	for (size_t at = 0, n = 1; at < sizeof(part); at += n, n = n * 2 + 1) {
		if (n > sizeof(part) - at)
			n = sizeof(part) - at;
		csprng_get(&b, part + at, n);
	}
	assert_memory_equal(whole, part, sizeof(whole));
	assert_memory_not_equal(whole, whole + CSPRNG_BATCH, CSPRNG_BATCH);
}

static void what_was_given_is_not_in_the_state(void **state)
{
	struct csprng c = seeded(2);
	uint8_t got[64];

	for (int round = 0; round < 20; round++) {
		csprng_get(&c, got, sizeof(got));
		for (size_t at = 0; at + 8 <= sizeof(got); at += 8)
			assert_null(memmem(&c, sizeof(c), got + at, 8));
	}
}

/* Neither is the key that a batch was made with: the past cannot be computed again. */
static void the_key_is_replaced(void **state)
{
	struct csprng c = seeded(3);
	uint8_t before[CSPRNG_KEY], byte;

	memcpy(before, c.key, sizeof(before));
	csprng_get(&c, &byte, 1);
	assert_null(memmem(&c, sizeof(c), before, 8));
}

static void mixing_changes_the_next_batch_only(void **state)
{
	struct csprng a = seeded(4), b = seeded(4);
	uint8_t x[CSPRNG_BATCH], y[CSPRNG_BATCH], salt[16] = { 1 };

	csprng_get(&a, x, 100);
	csprng_get(&b, y, 100);
	csprng_mix(&b, salt, sizeof(salt));
	csprng_get(&a, x, CSPRNG_BATCH - 100);
	csprng_get(&b, y, CSPRNG_BATCH - 100);
	assert_memory_equal(x, y, CSPRNG_BATCH - 100);
	csprng_get(&a, x, CSPRNG_BATCH);
	csprng_get(&b, y, CSPRNG_BATCH);
	assert_memory_not_equal(x, y, CSPRNG_BATCH);
}

static void a_batch_lasts_as_long_as_it_says(void **state)
{
	struct csprng c = seeded(5);
	uint8_t buf[CSPRNG_BATCH];

	assert_true(csprng_is_dry(&c, 1));
	csprng_get(&c, buf, 1);
	assert_false(csprng_is_dry(&c, CSPRNG_BATCH - 1));
	assert_true(csprng_is_dry(&c, CSPRNG_BATCH));
	csprng_get(&c, buf, 0);
	assert_false(csprng_is_dry(&c, CSPRNG_BATCH - 1));
}

static void an_expanded_key_is_erased(void **state)
{
	static const uint8_t zero[CSPRNG_KEY];
	uint8_t key[CSPRNG_KEY] = { 9 }, again[CSPRNG_KEY] = { 9 };
	uint8_t want[1000], got[1000];
	uint8_t nonce[crypto_stream_chacha20_NONCEBYTES] = { 0 };

	crypto_stream_chacha20(want, sizeof(want), nonce, again);
	csprng_expand(key, got, sizeof(got));
	assert_memory_equal(got, want, sizeof(got));
	assert_memory_equal(key, zero, sizeof(key));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_stream_is_chacha20),
		cmocka_unit_test(pieces_make_one_stream),
		cmocka_unit_test(what_was_given_is_not_in_the_state),
		cmocka_unit_test(the_key_is_replaced),
		cmocka_unit_test(mixing_changes_the_next_batch_only),
		cmocka_unit_test(a_batch_lasts_as_long_as_it_says),
		cmocka_unit_test(an_expanded_key_is_erased),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
