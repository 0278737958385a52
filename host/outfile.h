/*
 * A file that appears under its name only when it is complete. Until then it has no name,
 * so that not even SIGKILL leaves a part of it behind; on the few file systems that
 * cannot do that it has another name.
 */
#ifndef HOST_OUTFILE_H
#define HOST_OUTFILE_H

#include "host/mayfly.h"

struct outfile {
	int fd;		/* to read and write; -1: not open */
	int folder;	/* where it will be linked; -1: `fd` is the file itself */
	char *name;	/* in the folder */
	char *stand_in; /* its name until then, where it needs one; else NULL */
};

/* Prepares for a file `path`, below the open folder `at` or AT_FDCWD. A device or pipe of
 * that name is written directly. 0 or -errno. */
must_use int outfile_open(int at, const char *path, mode_t mode,
			  struct outfile *ret_file);
/* Gives it its name, in place of a file that had it. 0 or -errno; closes it in any
 * case. */
must_use int outfile_commit(struct outfile *file);
/* Forgets it. */
void outfile_drop(struct outfile *file);

#endif
