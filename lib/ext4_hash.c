/*
 * Hashes of file names, as directory indexes are sorted by (Linux,
 * Documentation/filesystems/ext4, "Hash Tree Directories"): the old polynomial, half of
 * MD4 (RFC 1320 with 8-word blocks), and TEA (Wheeler and Needham) as a mixing
 * function. Not for security: the seed is on the disk.
 */
#include "lib/ext4.h"
#include "lib/string.h"

/* The hash of "end of directory" in readdir cookies; no name has it. */
#define HASH_EOF 0xfffffffeu

struct name_bytes {
	const uint8_t *s;
	uint32_t left;
	bool is_unsigned;
};

static uint32_t byte_at(const struct name_bytes *n, uint32_t at)
{
	return n->is_unsigned ? n->s[at] : (uint32_t)(int8_t)n->s[at];
}

static uint32_t hash_legacy(const struct name_bytes *n)
{
	uint32_t hash = 0x12a3fe2d, before = 0x37abe8f9;

	for (uint32_t i = 0; i < n->left; i++) {
		uint32_t next = before + (hash ^ byte_at(n, i) * 7152373);

		if (next & 0x80000000)
			next -= 0x7fffffff;
		before = hash;
		hash = next;
	}
	return hash << 1;
}

/* The next 4 * words bytes of the name as big-endian words, the end padded with its
 * length. */
static void words_take(struct name_bytes *n, uint32_t *ret, uint32_t words)
{
	uint32_t pad = n->left | n->left << 8, take = MIN(n->left, 4 * words);

	pad |= pad << 16;
	for (uint32_t w = 0; w < words; w++) {
		ret[w] = pad;
		for (uint32_t i = 4 * w; i < MIN(4 * w + 4, take); i++)
			ret[w] = (ret[w] << 8) + byte_at(n, i);
	}
	n->s += take;
	n->left -= take;
}

static uint32_t rotate(uint32_t x, uint32_t by)
{
	return x << by | x >> (32 - by);
}

static uint32_t choose(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (~x & z);
}

static uint32_t majority(uint32_t x, uint32_t y, uint32_t z)
{
	return (x & y) | (x & z) | (y & z);
}

static uint32_t parity(uint32_t x, uint32_t y, uint32_t z)
{
	return x ^ y ^ z;
}

/* MD4's three rounds, eight steps each, with their own order of words and rotations. */
static const struct md4_round {
	uint32_t (*mix)(uint32_t x, uint32_t y, uint32_t z);
	uint32_t add;
	uint8_t word[8], by[4];
} md4_rounds[] = {
	{ choose, 0, { 0, 1, 2, 3, 4, 5, 6, 7 }, { 3, 7, 11, 19 } },
	{ majority, 0x5a827999, { 1, 3, 5, 7, 0, 2, 4, 6 }, { 3, 5, 9, 13 } },
	{ parity, 0x6ed9eba1, { 3, 7, 2, 6, 1, 5, 0, 4 }, { 3, 9, 11, 15 } },
};

static void half_md4(uint32_t state[4], const uint32_t in[8])
{
	uint32_t v[4];

	memcpy(v, state, sizeof(v));
	for (size_t r = 0; r < ARRAY_LEN(md4_rounds); r++) {
		const struct md4_round *round = &md4_rounds[r];

		for (uint32_t k = 0; k < 8; k++) {
			/* The roles a, b, c, d move on by one each step. */
			uint32_t *a = &v[-k & 3];
			uint32_t b = v[(1 - k) & 3], c = v[(2 - k) & 3],
				 d = v[(3 - k) & 3];

			*a = rotate(*a + round->mix(b, c, d) + in[round->word[k]] +
					    round->add,
				    round->by[k & 3]);
		}
	}
	for (int i = 0; i < 4; i++)
		state[i] += v[i];
}

static void tea(uint32_t state[2], const uint32_t in[4])
{
	uint32_t y = state[0], z = state[1], sum = 0;

	for (int n = 0; n < 16; n++) {
		sum += 0x9e3779b9;
		y += ((z << 4) + in[0]) ^ (z + sum) ^ ((z >> 5) + in[1]);
		z += ((y << 4) + in[2]) ^ (y + sum) ^ ((y >> 5) + in[3]);
	}
	state[0] += y;
	state[1] += z;
}

uint32_t ext4_name_hash(const uint32_t seed[4], bool is_unsigned,
			enum ext4_hash_version version, const char *name, uint32_t len)
{
	struct name_bytes n = { (const uint8_t *)name, len, is_unsigned };
	uint32_t state[4] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476 };
	uint32_t in[8], hash;

	if (seed[0] | seed[1] | seed[2] | seed[3])
		memcpy(state, seed, sizeof(state));
	if (version == EXT4_HASH_LEGACY) {
		hash = hash_legacy(&n);
	} else if (version == EXT4_HASH_HALF_MD4) {
		while (n.left) {
			words_take(&n, in, 8);
			half_md4(state, in);
		}
		hash = state[1];
	} else {
		while (n.left) {
			words_take(&n, in, 4);
			tea(state, in);
		}
		hash = state[0];
	}
	hash &= ~1u;
	return hash == HASH_EOF ? HASH_EOF - 2 : hash;
}
