/* What a run is to do, worked out from the options before anything starts. */
#ifndef HOST_PLAN_H
#define HOST_PLAN_H

#include "host/args.h"
#include "host/rootfs/config.h"
#include "host/tty.h"
#include "lib/wire.h"

struct plan {
	const struct options *options; /* `own` */
	struct options own;	       /* as given, within the policy's limits */
	struct wire_job job;	       /* its texts point into the plan and the options */
	char *program; /* the path that the guest executes, or the name it looks up */
	const char *program_here; /* the file that travels as PROG; NULL: none does */
	char *strings;		  /* argv and env, each with its NUL */
	size_t strings_size;
	struct mapping *files; /* --file, and PROG */
	size_t file_count;
	enum tty_mode tty_mode;
	void *policy; /* compiled; job.policy bytes; NULL: none */
};

/* What the options leave open is as the image's config has it (docs/man/mayfly-run.1).
 * Borrows both. 0, or the exit status, having said why. */
must_use int plan_make(const struct options *options, const struct image_config *config,
		       struct plan *ret_plan);

/* Where a PROG of the host lies in the guest, as the job sees it: the same path if it can
 * be, else its name in the job's folder. Heap. */
char *program_place(const char *path);

/* Why the guest could not execute PROG, as far as the file on the host tells: an ELF of
 * another machine, a missing interpreter. NULL if nothing is known; heap. */
char *program_explain(const char *path);

#endif
