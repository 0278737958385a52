/* Policies for tests: tests/attack/policies/NAME.policy, compiled by `mayfly policy`. */
#ifndef GUEST_POLICY_H
#define GUEST_POLICY_H

#include <sys/syscall.h>
#include <unistd.h>

#include "lib/policy.h"

/* dir.mk says where the assembler finds it. */
#define POLICY_FORM(name)                                                                \
	__asm__(".pushsection .rodata\n"                                                 \
		".balign 8\n"                                                            \
		"form_" #name ":\n"                                                      \
		".incbin \"" #name ".form\"\n"                                           \
		"form_" #name "_end:\n"                                                  \
		".popsection\n");                                                        \
	extern const char form_##name[], form_##name##_end[];

/* As mayfly_policy returns: -1 with errno. */
#define POLICY_USE(op, name)                                                             \
	syscall(POLICY_SYSCALL, (op), form_##name,                                       \
		(size_t)(form_##name##_end - form_##name))

#define POLICY_INSTALL(name) CHECK_EQ(POLICY_USE(POLICY_OP_NOW, name), 0)

#endif
