/*
 * Deciding whether what was found may run. The one place where a loader checks its input
 * before using it; nothing of the bundle is interpreted elsewhere before this says yes.
 */
#ifndef BOOT_COMMON_VERIFY_H
#define BOOT_COMMON_VERIFY_H

#include "lib/boot_info.h"
#include "lib/bundle.h"
#include "lib/elf.h"

struct verified {
	struct bundle bundle;
	struct elf_plan kernel;
	const struct elf_rela *relocs; /* borrows from the bundle */
	uint64_t reloc_count;
};

/* Checks the container, its command line, and the kernel's image: structure, W^X,
 * relocations of the one kind known, each on a writable or read-only word inside the
 * image. 0 or -EINVAL with
 * *ret_why. */
must_use int verify_bundle(const void *file, uint64_t size, struct verified *ret,
			   struct refusal *ret_why);

#endif
