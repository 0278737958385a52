#include <sodium/crypto_stream_chacha20.h>
#include <sodium/utils.h>

#include "lib/string.h"
#include "sec/csprng.h"

_Static_assert(CSPRNG_KEY == crypto_stream_chacha20_KEYBYTES, "ChaCha20 keys");

/* Each key makes one stream, so the nonce need not vary. */
static const uint8_t nonce[crypto_stream_chacha20_NONCEBYTES];

void csprng_seed(struct csprng *c, const uint8_t key[CSPRNG_KEY])
{
	memcpy(c->key, key, CSPRNG_KEY);
	sodium_memzero(c->batch, sizeof(c->batch));
	c->left = 0;
}

void csprng_mix(struct csprng *c, const void *bytes, size_t n)
{
	const uint8_t *b = bytes;

	for (size_t i = 0; i < n && i < CSPRNG_KEY; i++)
		c->key[i] ^= b[i];
}

static void refill(struct csprng *c)
{
	uint8_t stream[CSPRNG_KEY + CSPRNG_BATCH];

	crypto_stream_chacha20(stream, sizeof(stream), nonce, c->key);
	memcpy(c->key, stream, CSPRNG_KEY);
	memcpy(c->batch, stream + CSPRNG_KEY, CSPRNG_BATCH);
	sodium_memzero(stream, sizeof(stream));
	c->left = CSPRNG_BATCH;
}

void csprng_get(struct csprng *c, void *buf, size_t n)
{
	uint8_t *to = buf;

	while (n) {
		uint8_t *from;
		size_t part;

		if (!c->left)
			refill(c);
		part = MIN(n, (size_t)c->left);
		from = c->batch + CSPRNG_BATCH - c->left;
		memcpy(to, from, part);
		sodium_memzero(from, part);
		c->left -= part;
		to += part;
		n -= part;
	}
}

void csprng_expand(uint8_t key[CSPRNG_KEY], void *buf, size_t n)
{
	crypto_stream_chacha20(buf, n, nonce, key);
	sodium_memzero(key, CSPRNG_KEY);
}
