/* SHA-256. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/rootfs/digest.h"

void digest_begin(struct digest_run *run)
{
	crypto_hash_sha256_init(&run->state);
}

void digest_add(struct digest_run *run, const void *bytes, size_t size)
{
	crypto_hash_sha256_update(&run->state, bytes, size);
}

void digest_text(struct digest_run *run, const char *format, ...)
{
	va_list ap;
	char *text;
	int size;

	va_start(ap, format);
	size = vasprintf(&text, format, ap);
	va_end(ap);
	if (size < 0) {
		say("out of memory on this machine");
		exit(MAYFLY_FAILED);
	}
	digest_add(run, text, size + 1);
	free(text);
}

struct digest digest_end(struct digest_run *run)
{
	uint8_t bytes[crypto_hash_sha256_BYTES];
	struct digest digest = { 0 };

	crypto_hash_sha256_final(&run->state, bytes);
	for (size_t i = 0; i < sizeof(bytes); i++)
		snprintf(digest.hex + 2 * i, 3, "%02x", bytes[i]);
	return digest;
}

int digest_parse(const char *text, struct digest *ret_digest)
{
	static const char algorithm[] = "sha256:";
	const char *hex = text + strlen(algorithm);

	if (strncmp(text, algorithm, strlen(algorithm)) ||
	    strspn(hex, "0123456789abcdef") != sizeof(ret_digest->hex) - 1 ||
	    strlen(hex) != sizeof(ret_digest->hex) - 1)
		return -EINVAL;
	memcpy(ret_digest->hex, hex, sizeof(ret_digest->hex));
	return 0;
}

bool digest_same(const struct digest *a, const struct digest *b)
{
	return !strcmp(a->hex, b->hex);
}
