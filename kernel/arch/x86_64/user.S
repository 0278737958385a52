/*
 * Kernel code that touches user memory: all of it. AC, which suspends SMAP, is set only here.
 * Every instruction that may fault has a fix-up (trap.c); a range that reaches past user
 * space is refused before it is touched.
 */
#include <asm/errno.h>
#define USER_END 0x00007ffffffff000

.macro SMAP_SITE bytes
661:	.byte 0x0f, 0x1f, 0x00
	.pushsection .smap_sites, "a"
	.balign 4
	.long 661b - .
	.long \bytes
	.popsection
.endm
.macro STAC
	SMAP_SITE 0xcb010f
.endm
.macro CLAC
	SMAP_SITE 0xca010f
.endm

/* A fault at `at` continues at `to`. */
.macro FIXUP at, to
	.pushsection .ex_table, "a"
	.balign 4
	.long \at - .
	.long \to - .
	.popsection
.endm

/* Jumps to `bad` unless [addr, addr + len) is user space. Clobbers %rax, %r8. */
.macro RANGE addr, len, bad
	movabs $USER_END, %r8
	mov \addr, %rax
	add \len, %rax
	jc \bad
	cmp %r8, %rax
	ja \bad
.endm

	.text

/* size_t arch_user_read(void *dst, uint64_t src, size_t n): bytes not copied */
	.globl arch_user_read
	.balign 16
arch_user_read:
	RANGE %rsi, %rdx, copy_refused
	jmp copy

/* size_t arch_user_write(uint64_t dst, const void *src, size_t n) */
	.globl arch_user_write
	.balign 16
arch_user_write:
	RANGE %rdi, %rdx, copy_refused
copy:
	STAC
	mov %rdx, %rcx
	shr $3, %rcx
1:	rep movsq
	and $7, %edx
	jnz copy_tail
	CLAC
	xor %eax, %eax
	ret
/* A fault among the words: %rcx of them and %edx bytes are left; the bytes up to the bad
 * page follow one by one. */
2:	and $7, %edx
	lea (%rdx,%rcx,8), %rdx
copy_tail:
3:	movzbl (%rsi), %eax
4:	mov %al, (%rdi)
	inc %rsi
	inc %rdi
	dec %rdx
	jnz 3b
5:	CLAC
	mov %rdx, %rax
	ret
	FIXUP 1b, 2b
	FIXUP 3b, 5b
	FIXUP 4b, 5b

copy_refused:
	mov %rdx, %rax
	ret

/* size_t arch_user_zero(uint64_t dst, size_t n) */
	.globl arch_user_zero
	.balign 16
arch_user_zero:
	mov %rsi, %rdx
	RANGE %rdi, %rdx, copy_refused
	STAC
	mov %rdx, %rcx
	shr $3, %rcx
	xor %eax, %eax
1:	rep stosq
	and $7, %edx
	jnz 3f
	CLAC
	xor %eax, %eax
	ret
2:	and $7, %edx
	lea (%rdx,%rcx,8), %rdx
3:	movb $0, (%rdi)
	inc %rdi
	dec %rdx
	jnz 3b
4:	CLAC
	mov %rdx, %rax
	ret
	FIXUP 1b, 2b
	FIXUP 3b, 4b

/* int64_t arch_user_strncpy(char *dst, uint64_t src, size_t max) */
	.globl arch_user_strncpy
	.balign 16
arch_user_strncpy:
	movabs $USER_END, %r8
	cmp %r8, %rsi
	jae 4f
	sub %rsi, %r8		/* bytes of user space from here */
	xor %ecx, %ecx
	STAC
1:	cmp %rdx, %rcx
	je 3f
	cmp %r8, %rcx
	je 5f
2:	movzbl (%rsi,%rcx), %eax
	mov %al, (%rdi,%rcx)
	inc %rcx
	test %al, %al
	jnz 1b
	dec %rcx
3:	CLAC
	mov %rcx, %rax
	ret
4:	mov $-EFAULT, %rax
	ret
5:	CLAC
	jmp 4b
	FIXUP 2b, 5b

/* int arch_user_load32(uint64_t src, uint32_t *ret) */
	.globl arch_user_load32
	.balign 16
arch_user_load32:
	RANGE %rdi, $4, 3f
	STAC
1:	mov (%rdi), %ecx
	CLAC
	mov %ecx, (%rsi)
	xor %eax, %eax
	ret
2:	CLAC
3:	mov $-EFAULT, %eax
	ret
	FIXUP 1b, 2b

/* int arch_user_cmpxchg32(uint64_t dst, uint32_t old, uint32_t new, uint32_t *ret) */
	.globl arch_user_cmpxchg32
	.balign 16
arch_user_cmpxchg32:
	RANGE %rdi, $4, 3f
	mov %esi, %eax
	STAC
1:	lock cmpxchg %edx, (%rdi)
	CLAC
	mov %eax, (%rcx)
	xor %eax, %eax
	ret
2:	CLAC
3:	mov $-EFAULT, %eax
	ret
	FIXUP 1b, 2b

/* bool probe_word(uint64_t va, uint64_t *ret): reads any address, for backtraces */
	.globl probe_word
	.balign 16
probe_word:
1:	mov (%rdi), %rax
	mov %rax, (%rsi)
	mov $1, %eax
	ret
2:	xor %eax, %eax
	ret
	FIXUP 1b, 2b
