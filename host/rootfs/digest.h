/* SHA-256, by which images name their parts. libsodium does the work. */
#ifndef HOST_ROOTFS_DIGEST_H
#define HOST_ROOTFS_DIGEST_H

#include <sodium/crypto_hash_sha256.h>

#include "host/mayfly.h"

/* Hexadecimal, lower case. */
struct digest {
	char hex[2 * crypto_hash_sha256_BYTES + 1];
};

struct digest_run {
	crypto_hash_sha256_state state;
};

void digest_begin(struct digest_run *run);
void digest_add(struct digest_run *run, const void *bytes, size_t size);
/* Adds a text and its end, so that texts one after the other stay apart. */
void digest_text(struct digest_run *run, const char *format, ...) printf_like(2, 3);
struct digest digest_end(struct digest_run *run);

/* "sha256:" and 64 hexadecimal digits: 0, or -EINVAL. */
must_use int digest_parse(const char *text, struct digest *ret_digest);
bool digest_same(const struct digest *a, const struct digest *b);

#endif
