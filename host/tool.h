/* Other programs that the command uses: mke2fs, debugfs, sha256sum. */
#ifndef HOST_TOOL_H
#define HOST_TOOL_H

#include "host/mayfly.h"

/*
 * Runs argv[0] of PATH, /sbin and /usr/sbin with `input` on stdin. Its stdout and stderr
 * together become *ret_output (heap; may be NULL if not wanted). kept: an fd it inherits,
 * or -1. Dies with us. The exit status, or -errno: -ENOENT if there is no such program.
 */
must_use int tool_run(char *const argv[], const char *input, size_t input_size, int kept,
		      char **ret_output);
/* The program's path; heap, NULL if it is not installed. */
char *tool_find(const char *name);

#endif
