/*
 * Kernel code that touches user memory: all of it. AC, which suspends SMAP, is set only
 * here. Every instruction that may fault has a fix-up (trap.c); a range that reaches past
 * user space is refused before it is touched.
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

/* A fault in [start, end) continues at `to`. */
.macro FIXUP start, end, to
	.pushsection .ex_table, "a"
	.balign 4
	.long \start - .
	.long \end - .
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

	.section .text.hot, "ax"

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
	sub $64, %rdx
	jb 2f
1:	mov (%rsi), %r8
	mov 8(%rsi), %r9
	mov 16(%rsi), %r10
	mov 24(%rsi), %r11
	mov %r8, (%rdi)
	mov %r9, 8(%rdi)
	mov %r10, 16(%rdi)
	mov %r11, 24(%rdi)
	mov 32(%rsi), %r8
	mov 40(%rsi), %r9
	mov 48(%rsi), %r10
	mov 56(%rsi), %r11
	mov %r8, 32(%rdi)
	mov %r9, 40(%rdi)
	mov %r10, 48(%rdi)
	mov %r11, 56(%rdi)
	add $64, %rsi
	add $64, %rdi
	sub $64, %rdx
	jae 1b
2:	add $56, %rdx		/* what is left, less 8 */
	jl 4f
3:	mov (%rsi), %r8
	mov %r8, (%rdi)
	add $8, %rsi
	add $8, %rdi
	sub $8, %rdx
	jge 3b
4:	add $8, %rdx
	jnz copy_bytes
	CLAC
	xor %eax, %eax
	ret
/* A fault: from the last block or word begun, byte by byte up to the bad page. */
5:	add $64, %rdx
	jmp copy_bytes
6:	add $8, %rdx
copy_bytes:
7:	movzbl (%rsi), %eax
	mov %al, (%rdi)
	inc %rsi
	inc %rdi
	dec %rdx
	jnz 7b
8:	CLAC
	mov %rdx, %rax
	ret
	FIXUP 1b, 2b, 5b
	FIXUP 3b, 4b, 6b
	FIXUP 7b, 8b, 8b

copy_refused:
	mov %rdx, %rax
	ret

/* size_t arch_user_zero(uint64_t dst, size_t n) */
	.globl arch_user_zero
	.balign 16
arch_user_zero:
	mov %rsi, %rdx
	RANGE %rdi, %rdx, copy_refused
	xor %eax, %eax
	STAC
	sub $64, %rdx
	jb 2f
1:	mov %rax, (%rdi)
	mov %rax, 8(%rdi)
	mov %rax, 16(%rdi)
	mov %rax, 24(%rdi)
	mov %rax, 32(%rdi)
	mov %rax, 40(%rdi)
	mov %rax, 48(%rdi)
	mov %rax, 56(%rdi)
	add $64, %rdi
	sub $64, %rdx
	jae 1b
2:	add $64, %rdx
	jz 4f
3:	mov %al, (%rdi)
	inc %rdi
	dec %rdx
	jnz 3b
4:	CLAC
	mov %rdx, %rax
	ret
	FIXUP 1b, 2b, 2b
	FIXUP 3b, 4b, 4b

/* int64_t arch_user_strncpy(char *dst, uint64_t src, size_t max): words while they fit
 * into dst and user space, then bytes. A word holds a NUL if (w - 0x01..) & ~w & 0x80..
 * is not 0; its lowest set bit is in the first one. */
	.globl arch_user_strncpy
	.balign 16
arch_user_strncpy:
	movabs $USER_END, %r8
	sub %rsi, %r8		/* bytes of user space from here */
	jbe 7f
	mov %rdx, %r9
	cmp %r8, %r9
	cmova %r8, %r9		/* as many are looked at */
	movabs $0x0101010101010101, %r10
	movabs $0x8080808080808080, %r11
	xor %ecx, %ecx
	STAC
	sub $8, %r9
	jb 3f
1:	mov (%rsi,%rcx), %rax
2:	mov %rax, (%rdi,%rcx)
	mov %rax, %r8
	sub %r10, %r8
	not %rax
	and %rax, %r8
	and %r11, %r8
	jnz 6f
	add $8, %rcx
	cmp %r9, %rcx
	jbe 1b
3:	add $8, %r9
4:	cmp %r9, %rcx
	jae 9f
5:	movzbl (%rsi,%rcx), %eax
	mov %al, (%rdi,%rcx)
	inc %rcx
	test %al, %al
	jnz 4b
	CLAC
	lea -1(%rcx), %rax
	ret
6:	CLAC
	bsf %r8, %rax
	shr $3, %eax
	add %rcx, %rax
	ret
8:	CLAC
7:	mov $-EFAULT, %rax
	ret
/* The end of dst, or of user space. */
9:	CLAC
	cmp %rdx, %rcx
	jne 7b
	mov %rdx, %rax
	ret
	FIXUP 1b, 2b, 3b
	FIXUP 5b, 6b, 8b

/* int arch_user_load32(uint64_t src, uint32_t *ret) */
	.globl arch_user_load32
	.balign 16
arch_user_load32:
	RANGE %rdi, $4, 3f
	STAC
1:	mov (%rdi), %ecx
2:	CLAC
	mov %ecx, (%rsi)
	xor %eax, %eax
	ret
4:	CLAC
3:	mov $-EFAULT, %eax
	ret
	FIXUP 1b, 2b, 4b

/* int arch_user_cmpxchg32(uint64_t dst, uint32_t old, uint32_t new, uint32_t *ret) */
	.globl arch_user_cmpxchg32
	.balign 16
arch_user_cmpxchg32:
	RANGE %rdi, $4, 3f
	mov %esi, %eax
	STAC
1:	lock cmpxchg %edx, (%rdi)
2:	CLAC
	mov %eax, (%rcx)
	xor %eax, %eax
	ret
4:	CLAC
3:	mov $-EFAULT, %eax
	ret
	FIXUP 1b, 2b, 4b

/* bool probe_word(uint64_t va, uint64_t *ret): reads any address, for backtraces */
	.globl probe_word
	.balign 16
probe_word:
1:	mov (%rdi), %rax
2:	mov %rax, (%rsi)
	mov $1, %eax
	ret
3:	xor %eax, %eax
	ret
	FIXUP 1b, 2b, 3b
