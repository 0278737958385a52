/*
 * Where a secondary CPU starts: real mode, %cs:0 at a page below 1 MiB. Copied there;
 * runs from the copy, so it addresses itself relative to %cs and its data in the page
 * after it. The boot CPU fills the data: see struct trampoline_data in smp.c.
 */
#define DATA 0x1000
#define DATA_ROOT 0x00
#define DATA_ENTRY 0x08
#define DATA_GDTR 0x10
#define DATA_FAR32 0x18
#define DATA_FAR64 0x20

#define CR0_PE 0x11
#define CR0_PG_WP_NE_PE 0x80010031
#define CR4_PAE 0x20
#define MSR_EFER 0xc0000080
#define EFER_LME_NXE 0x900

	.section .rodata.trampoline, "a"
	.globl trampoline_start, trampoline_end, trampoline_32, trampoline_64
	.code16
trampoline_start:
	cli
	cld
	mov %cs, %ax
	mov %ax, %ds
	movzwl %ax, %ebx
	shl $4, %ebx		/* %ebx: where this page is */
	lgdtl DATA + DATA_GDTR
	mov $CR0_PE, %eax
	mov %eax, %cr0
	ljmpl *(DATA + DATA_FAR32)

	.code32
trampoline_32:
	mov $0x10, %eax
	mov %eax, %ds
	mov %eax, %ss
	mov $CR4_PAE, %eax
	mov %eax, %cr4
	mov (DATA + DATA_ROOT)(%ebx), %eax
	mov %eax, %cr3
	mov $MSR_EFER, %ecx
	mov $EFER_LME_NXE, %eax
	xor %edx, %edx
	wrmsr
	mov $CR0_PG_WP_NE_PE, %eax
	mov %eax, %cr0
	ljmpl *(DATA + DATA_FAR64)(%ebx)

	.code64
trampoline_64:
	mov (DATA + DATA_ENTRY)(%rbx), %rax
	jmp *%rax
trampoline_end:
