/* Where the pieces of Mayfly and of this machine are. */
#ifndef HOST_INSTALL_H
#define HOST_INSTALL_H

#include "host/mayfly.h"

struct install {
	char *loader, *bundle; /* QEMU's -kernel and -initrd */
	char *roots;	       /* folder of NAME.img */
	char *qemu;	       /* NULL: none in PATH */
};

/*
 * Finds the loader and its company next to the command (a build folder), in ../lib/mayfly
 * of the command's folder (an installation), or in $MAYFLY_LIB; and QEMU, which
 * $MAYFLY_QEMU may name. -ENOENT if the loader is nowhere; *ret_install then says where
 * it should be.
 */
must_use int install_find(struct install *ret_install);

/* The first program of that name in PATH, as a path; heap. NULL if there is none. */
char *program_find(const char *name);

#endif
