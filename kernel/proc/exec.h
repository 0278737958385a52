/*
 * execve(2): from a path and two string arrays to a process that runs another program.
 *
 * Always true:
 *  X1  the file whose permission was checked is the file that is mapped (one struct
 *      file);
 *  X2  until the point of no return nothing of the caller changes: every allocation,
 *      every check and all mapping is done before, in a space of its own;
 *  X3  after it, what still can fail (writing the new stack) ends the process.
 */
#ifndef PROC_EXEC_H
#define PROC_EXEC_H

#include "lib/elf.h"
#include "proc/audit.h"
#include "proc/policy.h"

/* Argument strings, as the program will find them: argv's one after the other, then
 * envp's. */
struct exec_args {
	char *buf; /* vmap'd or heap */
	size_t len, cap;
	size_t max; /* strings and their pointers may take this much: else E2BIG */
	uint32_t argc, envc;
};

void exec_args_init(struct exec_args *a);
void exec_args_fini(struct exec_args *a);
/* Adds a string; `user` or kernel arrays ended by NULL. 0, -E2BIG, -EFAULT, -ENOMEM. */
must_use int exec_args_add(struct exec_args *a, const char *s);
must_use int exec_args_from_user(struct exec_args *a, uaddr_t argv, uaddr_t envp);
must_use int exec_args_from_kernel(struct exec_args *a, const char *const *argv,
				   const char *const *envp);
/* For a script: argv[0] gives way to the n strings. */
must_use int exec_args_replace_first(struct exec_args *a, const char *const *s,
				     uint32_t n);

/* A program's file and what is known of it. */
struct exec_image {
	struct file *file;
	struct elf_plan plan;
	uint64_t bias; /* added to every address of the plan */
};
/* Opens nothing: takes the file over. 0, -ENOEXEC, -EIO, -ENOMEM. */
must_use int exec_image_read(struct exec_image *im, const char *head, size_t n);
/* Maps it into s at im->bias + plan.lo. */
must_use int exec_image_map(struct exec_image *im, struct space *s);
/* Zeroes the rest of pages that hold the end of file data; s is the running space. */
must_use int exec_image_clear(const struct exec_image *im);
void exec_image_put(struct exec_image *im);

#define EXEC_HEAD 256 /* bytes of a file that are looked at first, as Linux does */

struct exec {
	struct exec_args args;
	struct exec_image program, interp; /* interp.file NULL: none */
	struct space *space;
	struct cred *cred;
	struct audit_draft draft; /* of who it becomes, if that is worth a record */
	struct cred *unraised; /* what it is instead if it is steered; NULL: the same */
	const char *name;      /* as called: AT_EXECFN, and the base of comm */
	bool script_bits; /* a script of it has set-id bits, which count for nothing */
	bool secure;	  /* AT_SECURE */
	bool unraised_secure; /* AT_SECURE with `unraised` */
	bool unreadable;      /* the caller may not read a file of it: not dumpable */
	bool gains;	      /* the program gets privilege that its caller has not */
	struct policy_exec_layers layers; /* that it comes under */
	uint64_t stack_top, vdso, sp;
	uint64_t entry;
};

/* A random number below n; 0 for a program whose addresses are to repeat
 * (ADDR_NO_RANDOMIZE). */
uint64_t exec_random_below(uint64_t n);
/* Chooses the addresses of stack, mmap, image and heap; maps image, interpreter, stack,
 * vDSO. */
must_use int exec_layout(struct exec *e);
/* Writes strings, auxiliary vector and pointers; sets e->sp. s is the running space. */
must_use int exec_stack_write(struct exec *e);

/* Would its set-id bits make the caller somebody else, were it a program? */
must_use bool exec_has_bits(const struct inode *i);
/* The new credentials into e->cred, by the file's set-id bits and capabilities. 0,
 * -ENOMEM, -EPERM (capabilities that the file insists on cannot be had), -EACCES (it is
 * not to be executed any more), -EINVAL (what its image gives for capabilities is none).
 */
must_use int exec_cred(struct exec *e);
/* The last word on them, after exec_alone and with process->lock held: from then on
 * nobody may attach who may not see the new program. */
void exec_cred_decide(struct exec *e);
/* Ends all other threads of the process; the caller has their leader's id then. 0 or
 * -EAGAIN,
 * -EINTR. */
must_use int exec_alone(void);

/* The path is relative to dirfd; walk_flags WALK_FOLLOW, WALK_EMPTY. 0: the registers are
 * the new program's. `a` is consumed. */
must_use int process_exec(int dirfd, const char *path, uint32_t walk_flags,
			  struct exec_args *a);

#endif
