/* The vDSO's bytes, page-aligned; made of kernel/proc/vdso/. */
	.section .rodata.vdso_image, "a"
	.balign 4096
	.globl vdso_image_start
	.hidden vdso_image_start
vdso_image_start:
	.incbin "vdso.so"
	.globl vdso_image_end
	.hidden vdso_image_end
vdso_image_end:
	.section .note.GNU-stack, "", @progbits
