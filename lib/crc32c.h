/*
 * CRC-32C (Castagnoli, reflected polynomial 0x82f63b78), the raw register: no inversion
 * before or after, so that sums chain and the caller chooses the start value. The usual
 * CRC-32C of a text is ~crc32c(~0, text, n).
 */
#ifndef LIB_CRC32C_H
#define LIB_CRC32C_H

#include "lib/base.h"

must_use uint32_t crc32c(uint32_t crc, const void *data, size_t n);

#endif
