/* Boot steps that gather several subsystems. */
#ifndef INIT_INIT_H
#define INIT_INIT_H

#include "lib/base.h"

void init_files(void);	 /* VFS and the file systems' types */
void init_devices(void); /* buses, then what hangs on them */
/* `panic=test`: ends here as a fault of the kernel's own would, to show that it is
 * reported. */
void init_panic_test(void);
/* Mounts the read-only root below a writable overlay; ends the VM with EXIT_ROOT on
 * failure. */
void init_root(void);
/* Runs the program of `init=` (default /sbin/agent) as PID 1. */
void init_start_agent(void);

#endif
