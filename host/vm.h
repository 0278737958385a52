/*
 * One QEMU process: started, killed, waited for.
 *
 * V1  It dies with this process, however this one ends.
 * V2  It holds no file but its pipes, its end of the port and the root image, and none of
 *     them has a name on the host.
 */
#ifndef HOST_VM_H
#define HOST_VM_H

#include "host/mayfly.h"

struct vm_config {
	const char *qemu, *loader, *bundle;
	int root;	  /* fd of the root image */
	const char *init; /* the agent's path in the root image; NULL: the usual one */
	unsigned cpus;
	unsigned mem_mib;
	bool kvm;
	bool audit_stop;
	bool verbose; /* the kernel logs more than it must */
};

struct vm {
	pid_t pid;
	int pidfd;  /* readable when the process has ended */
	int port;   /* non-blocking, both directions */
	int log;    /* the guest's serial port, non-blocking */
	int errors; /* QEMU's stderr, non-blocking */
	bool ended;
	int status; /* as wait gives it, once ended */
};

/* Starts QEMU. 0 or -errno: of exec too. Borrows the config's fd. */
must_use int vm_start(const struct vm_config *config, struct vm *ret_vm);
/* Kills it if it lives, and waits for its end. */
void vm_end(struct vm *vm);
/* Closes what is open. Call vm_end() first. */
void vm_close(struct vm *vm);

#endif
