/*
 * PVH entry: 32-bit protected mode, flat segments, paging off, %ebx = start info (Xen
 * docs/misc/pvh.pandoc). Maps the first 4 GiB one to one, enters long mode, calls C.
 */
#define CR0_PG_WP_NE_PE 0x80010021
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900
#define CPUID_LM (1 << 29)
#define CPUID_NX (1 << 20)

#define PTE_TABLE 0x03	/* present, writable */
#define PTE_LARGE 0x83	/* and a 2 MiB page */

	.section .note.pvh, "a", @note
	.balign 4
	.long 4			/* name size */
	.long 8			/* description size */
	.long 18		/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz "Xen"
	.quad pvh_entry

	.section .text.entry, "ax"
	.code32
	.globl pvh_entry
pvh_entry:
	cld
	rdtsc
	mov %eax, %esi		/* %ebp:%esi: the TSC at entry */
	mov %edx, %ebp
	mov $stack_top, %esp

	mov $0x80000000, %eax
	mov %ebx, %edi		/* %edi: start info; cpuid clobbers %ebx */
	cpuid
	cmp $0x80000001, %eax
	jb no_long_mode
	mov $0x80000001, %eax
	cpuid
	and $(CPUID_LM | CPUID_NX), %edx
	cmp $(CPUID_LM | CPUID_NX), %edx
	jne no_long_mode

	/* Four tables of 512 2 MiB pages; they follow one another, so one loop fills
	 * all. */
	mov $identity_pds, %edx
	mov $PTE_LARGE, %eax
	mov $(4 * 512), %ecx
1:	mov %eax, (%edx)
	add $0x200000, %eax
	add $8, %edx
	loop 1b
	movl $(identity_pds + 0x0000 + PTE_TABLE), identity_pdpt
	movl $(identity_pds + 0x1000 + PTE_TABLE), identity_pdpt + 8
	movl $(identity_pds + 0x2000 + PTE_TABLE), identity_pdpt + 16
	movl $(identity_pds + 0x3000 + PTE_TABLE), identity_pdpt + 24
	movl $(identity_pdpt + PTE_TABLE), identity_pml4

	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov $identity_pml4, %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov $EFER_LME_NXE, %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_PG_WP_NE_PE, %eax
	mov %eax, %cr0
	lgdt gdt_pointer
	ljmp $8, $long_mode

/* Says why on the serial port, ends the VM with EXIT_REFUSED (lib/abi/exit.def). */
no_long_mode:
	mov $no_long_mode_text, %esi
	mov $0x3f8, %dx
1:	lodsb
	test %al, %al
	jz 2f
	out %al, %dx
	jmp 1b
2:	mov $0x12, %eax
	mov $0x501, %dx
	out %ax, %dx
3:	hlt
	jmp 3b

	.code64
long_mode:
	xor %eax, %eax
	mov %eax, %ds
	mov %eax, %es
	mov %eax, %fs
	mov %eax, %gs
	mov %eax, %ss
	shl $32, %rbp
	mov %esi, %esi
	or %rbp, %rsi		/* the TSC at entry */
	mov %edi, %edi		/* the start info */
	xor %ebp, %ebp
	call loader_main
	ud2

/* noreturn loader_jump(root table, entry, boot_info):
 * takes over the kernel's tables, which still hold the identity map, and leaves. */
	.globl loader_jump
loader_jump:
	mov %rdi, %cr3
	mov %rdx, %rdi
	xor %ebp, %ebp
	jmp *%rsi

	.section .rodata
no_long_mode_text:
	.asciz "mayfly: loader: refused: cpu: no 64-bit mode, or no NX\n"
	.balign 8
gdt:	.quad 0
	.quad 0x00af9b000000ffff	/* 64-bit code */
gdt_pointer:
	.word . - gdt - 1
	.long gdt

	.section .bss
	.balign 4096
	.globl identity_pdpt
identity_pml4:	.skip 4096
identity_pdpt:	.skip 4096
identity_pds:	.skip 4 * 4096
	.skip 8192
stack_top:
