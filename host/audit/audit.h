/*
 * `mayfly audit`: what its commands share. Exit status: 0; AUDIT_NOT_SOUND for a log that
 * was tampered with or cut (verify: also one without an end); MAYFLY_FAILED if it could
 * not be read, or is none.
 */
#ifndef HOST_AUDIT_AUDIT_H
#define HOST_AUDIT_AUDIT_H

#include "host/strace/text.h"

enum { AUDIT_NOT_SOUND = 1 };

/* What a command prints, and where. */
struct output {
	struct text text;
	bool utf8;  /* as the locale is */
	bool color; /* stdout is a terminal, and NO_COLOR is not set */
};

/* Printing to a pipe that nobody reads ends the command, as it ends other programs. */
void output_begin(struct output *o);
/* Once much has gathered. 0 or MAYFLY_FAILED, having said why. */
must_use int output_some(struct output *o);
/* All of it, and the end. 0 or MAYFLY_FAILED, having said why. */
must_use int output_end(struct output *o);

#endif
