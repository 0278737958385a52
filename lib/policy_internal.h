/* What the parts of lib/policy share. */
#ifndef LIB_POLICY_INTERNAL_H
#define LIB_POLICY_INTERNAL_H

#include <asm/errno.h>

#include "lib/policy.h"
#include "lib/syscall_table.h"

/* What argument, or field, of that call it is; KIND_none: it has none there. */
enum syscall_kind policy_arg_kind(uint32_t number, uint32_t arg);
/* Are arguments of that kind compared as signed numbers; are they of 32 bits? */
bool policy_kind_is_signed(enum syscall_kind kind);
bool policy_kind_is_narrow(enum syscall_kind kind);

#endif
