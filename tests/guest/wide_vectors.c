/* Instructions that work on both halves of a YMM register, where the CPU says it has
 * them: each half must come out as the 16-byte instruction has it. An emulated CPU may
 * offer what it cannot: QEMU 7.2 takes the AES state of the upper half from the lower
 * one. */
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>

#include "common/tap.h"

static bool has(unsigned bit)
{
	unsigned a, b, c = 0, d;
	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	return c & bit;
}

static void fill(unsigned char *at, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		at[i] = (unsigned char)(i * 31 + seed);
}

__attribute__((target("aes,vaes,avx2"))) static void aes_both_halves(void)
{
	unsigned char in[32], key[32], narrow[4][32], wide[4][32];
	fill(in, 32, 1);
	fill(key, 32, 77);
	for (int i = 0; i < 32; i += 16) {
		__m128i a = _mm_loadu_si128((void *)(in + i));
		__m128i k = _mm_loadu_si128((void *)(key + i));
		_mm_storeu_si128((void *)(narrow[0] + i), _mm_aesenc_si128(a, k));
		_mm_storeu_si128((void *)(narrow[1] + i), _mm_aesdec_si128(a, k));
		_mm_storeu_si128((void *)(narrow[2] + i), _mm_aesenclast_si128(a, k));
		_mm_storeu_si128((void *)(narrow[3] + i), _mm_aesdeclast_si128(a, k));
	}
	__m256i a = _mm256_loadu_si256((void *)in), k = _mm256_loadu_si256((void *)key);
	_mm256_storeu_si256((void *)wide[0], _mm256_aesenc_epi128(a, k));
	_mm256_storeu_si256((void *)wide[1], _mm256_aesdec_epi128(a, k));
	_mm256_storeu_si256((void *)wide[2], _mm256_aesenclast_epi128(a, k));
	_mm256_storeu_si256((void *)wide[3], _mm256_aesdeclast_epi128(a, k));
	CHECK(!memcmp(narrow, wide, sizeof wide));
}

__attribute__((target("pclmul,vpclmulqdq,avx2"))) static void products_both_halves(void)
{
	unsigned char one[32], two[32], narrow[32], wide[32];
	fill(one, 32, 3);
	fill(two, 32, 99);
	for (int i = 0; i < 32; i += 16)
		_mm_storeu_si128((void *)(narrow + i),
				 _mm_clmulepi64_si128(_mm_loadu_si128((void *)(one + i)),
						      _mm_loadu_si128((void *)(two + i)),
						      0x01));
	_mm256_storeu_si256((void *)wide, _mm256_clmulepi64_epi128(
						  _mm256_loadu_si256((void *)one),
						  _mm256_loadu_si256((void *)two), 0x01));
	CHECK(!memcmp(narrow, wide, sizeof wide));
}

static void vaes(void)
{
	if (!has(bit_VAES))
		tap_skip("no VAES");
	aes_both_halves();
}

static void vpclmulqdq(void)
{
	if (!has(bit_VPCLMULQDQ))
		tap_skip("no VPCLMULQDQ");
	products_both_halves();
}

TEST_MAIN(CASE(vaes), CASE(vpclmulqdq))
