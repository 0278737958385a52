/*
 * The boot bundle: one file that holds what the loader needs. QEMU passes it as -initrd.
 *
 *	header	"MFLYBNDL" | u32 version 1 | u32 parts | u64 size of the whole file
 *	part	u32 type | u32 zero | u64 length | value | zeros up to a multiple of 16
 *
 * little endian, parts in ascending order of type (lib/abi/bundle.def), nothing after the
 * last. There is exactly one way to write a given content, so a digest of the file
 * identifies the content.
 */
#ifndef LIB_BUNDLE_H
#define LIB_BUNDLE_H

#include "lib/base.h"

#define BUNDLE_MAGIC "MFLYBNDL"
#define BUNDLE_VERSION 1
#define BUNDLE_ALIGN 16

enum bundle_type {
#define BUNDLE_PART(name, type, text, required) BUNDLE_##name = type,
#include "lib/abi/bundle.def"
#undef BUNDLE_PART
	BUNDLE_TYPES
};

struct bundle_part {
	const uint8_t *data; /* borrows from the file; NULL: absent */
	uint64_t size;
};

struct bundle {
	struct bundle_part part[BUNDLE_TYPES]; /* indexed by enum bundle_type */
};

/* Why something was refused: in which component ("bundle" for the container), and the
 * reason. */
struct refusal {
	const char *part, *reason;
};

/* Checks the file and finds its parts. 0 or -EINVAL with *ret_why set. */
must_use int bundle_parse(const void *file, uint64_t size, struct bundle *ret,
			  struct refusal *ret_why);
/* The name of a part; "bundle" for anything else. */
const char *bundle_part_name(uint32_t type);

#endif
