/*
 * CRC-32C eight bytes at a time (Kounavis and Berry, "slicing-by-8"). The tables are
 * linear over GF(2): row n is the sum of the rows of n's bits, so 64 constants give all
 * 2,048 entries at compile time. tests/unit/lib/crc32c_test.c derives them again from the
 * polynomial.
 */
#include "lib/crc32c.h"
#include "lib/string.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "loads are little endian");

#define ENTRY(n, b0, b1, b2, b3, b4, b5, b6, b7)                                         \
	(((n)&1 ? b0 : 0) ^ ((n)&2 ? b1 : 0) ^ ((n)&4 ? b2 : 0) ^ ((n)&8 ? b3 : 0) ^     \
	 ((n)&16 ? b4 : 0) ^ ((n)&32 ? b5 : 0) ^ ((n)&64 ? b6 : 0) ^ ((n)&128 ? b7 : 0))
#define ROW4(n, ...)                                                                     \
	ENTRY((n), __VA_ARGS__), ENTRY((n) + 1, __VA_ARGS__),                            \
		ENTRY((n) + 2, __VA_ARGS__), ENTRY((n) + 3, __VA_ARGS__)
#define ROW16(n, ...)                                                                    \
	ROW4((n), __VA_ARGS__), ROW4((n) + 4, __VA_ARGS__), ROW4((n) + 8, __VA_ARGS__),  \
		ROW4((n) + 12, __VA_ARGS__)
#define ROW64(n, ...)                                                                    \
	ROW16((n), __VA_ARGS__), ROW16((n) + 16, __VA_ARGS__),                           \
		ROW16((n) + 32, __VA_ARGS__), ROW16((n) + 48, __VA_ARGS__)
#define TABLE(...)                                                                       \
	{                                                                                \
		ROW64(0, __VA_ARGS__), ROW64(64, __VA_ARGS__), ROW64(128, __VA_ARGS__),  \
			ROW64(192, __VA_ARGS__)                                          \
	}

/* table[k][b]: the register after byte b and then k zero bytes, from register 0. */
static const uint32_t table[8][256] = {
	TABLE(0xf26b8303, 0xe13b70f7, 0xc79a971f, 0x8ad958cf, 0x105ec76f, 0x20bd8ede,
	      0x417b1dbc, 0x82f63b78),
	TABLE(0x13a29877, 0x274530ee, 0x4e8a61dc, 0x9d14c3b8, 0x3fc5f181, 0x7f8be302,
	      0xff17c604, 0xfbc3faf9),
	TABLE(0xa541927e, 0x4f6f520d, 0x9edea41a, 0x38513ec5, 0x70a27d8a, 0xe144fb14,
	      0xc76580d9, 0x8b277743),
	TABLE(0xdd45aab8, 0xbf672381, 0x7b2231f3, 0xf64463e6, 0xe964b13d, 0xd725148b,
	      0xaba65fe7, 0x52a0c93f),
	TABLE(0x38116fac, 0x7022df58, 0xe045beb0, 0xc5670b91, 0x8f2261d3, 0x1ba8b557,
	      0x37516aae, 0x6ea2d55c),
	TABLE(0xef306b19, 0xdb8ca0c3, 0xb2f53777, 0x6006181f, 0xc00c303e, 0x85f4168d,
	      0x0e045beb, 0x1c08b7d6),
	TABLE(0x68032cc8, 0xd0065990, 0xa5e0c5d1, 0x4e2dfd53, 0x9c5bfaa6, 0x3d5b83bd,
	      0x7ab7077a, 0xf56e0ef4),
	TABLE(0x493c7d27, 0x9278fa4e, 0x211d826d, 0x423b04da, 0x847609b4, 0x0d006599,
	      0x1a00cb32, 0x34019664),
};

static inline uint32_t byte_add(uint32_t crc, uint8_t b)
{
	return crc >> 8 ^ table[0][(uint8_t)(crc ^ b)];
}

static inline uint32_t word_add(uint32_t crc, uint64_t w)
{
	w ^= crc;
	return table[7][(uint8_t)w] ^ table[6][(uint8_t)(w >> 8)] ^
	       table[5][(uint8_t)(w >> 16)] ^ table[4][(uint8_t)(w >> 24)] ^
	       table[3][(uint8_t)(w >> 32)] ^ table[2][(uint8_t)(w >> 40)] ^
	       table[1][(uint8_t)(w >> 48)] ^ table[0][w >> 56];
}

uint32_t crc32c(uint32_t crc, const void *data, size_t n)
{
	const uint8_t *p = data;

	for (; n >= 8; p += 8, n -= 8) {
		uint64_t w;

		memcpy(&w, p, sizeof(w));
		crc = word_add(crc, w);
	}
	while (n--)
		crc = byte_add(crc, *p++);
	return crc;
}
