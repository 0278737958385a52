/*
 * The smallest virtual machine: a PVH image that ends QEMU with its first instruction.
 * What it costs, QEMU's own start and end, is the floor every other number stands on.
 */
	.section .note.pvh, "a", @note
	.balign 4
	.long 4, 4, 18	/* name and value size, XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.long start

	.text
	.code32
	.globl start
start:
	movw $0x501, %dx	/* isa-debug-exit */
	xorl %eax, %eax
	outl %eax, %dx
1:	hlt
	jmp 1b

	.section .note.GNU-stack, "", @progbits
