/* The kernel's memory functions under names that leave the C library's alone. */
#define memcpy kernel_memcpy
#define memmove kernel_memmove
#define memset kernel_memset
#define memcmp kernel_memcmp
#include "kernel/arch/x86_64/mem.S"
	.section .note.GNU-stack, "", @progbits
