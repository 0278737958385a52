/*
 * The vDSO: a small shared object in every program's memory that tells the time without a
 * system call (vdso(7)). One data page lies right below its code.
 */
#ifndef PROC_VDSO_H
#define PROC_VDSO_H

#include "mm/space.h"

size_t vdso_pages(void); /* data and image together */
/* Maps both from `at` on; *ret is the image's address (AT_SYSINFO_EHDR). */
must_use int vdso_map(struct space *s, uint64_t at, uint64_t *ret);

#endif
