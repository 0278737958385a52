/*
 * Placing the kernel: random addresses, copy, relocate, map, hand over. Everything here
 * runs after verify_bundle said yes.
 */
#ifndef BOOT_COMMON_PLACE_H
#define BOOT_COMMON_PLACE_H

#include "boot/common/verify.h"

/* Fills info from `v`; info->map holds all memory, with MEM_LOADER for what the loader
 * and its input occupy. Adds the first 2^39 bytes of the identity table `identity` (a
 * page directory pointer table) below 0. *ret_entry: the kernel's entry, virtual. 0 or
 * -ENOMEM. */
must_use int place_kernel(struct boot_info *info, const struct verified *v,
			  uint64_t identity, uint64_t *ret_entry);

/* Puts the bundle's command line before the one already in info: the kernel lets the last
 * of two words of one name win. False: too long together. */
must_use bool cmdline_prepend(struct boot_info *info, const struct bundle_part *defaults);

#endif
