/* The vDSO's bytes, page-aligned; made of kernel/proc/vdso/. */
	.section .rodata.vdso_image, "a"
	.balign 4096
	.globl vdso_image_start
	.hidden vdso_image_start
vdso_image_start:
	.incbin "vdso.so"
	.globl vdso_image_size
	.hidden vdso_image_size
	.balign 8
vdso_image_size:
	.quad vdso_image_size - vdso_image_start
	.section .note.GNU-stack, "", @progbits
