/* What the handlers of System V's three families share. */
#ifndef SYS_IPC_SYSV_H
#define SYS_IPC_SYSV_H

#include "mm/usercopy.h"

/* A control call that fills in a struct: its result unless that cannot be copied out. */
#define ipc_reply(buf, result, ret_struct)                                               \
	({                                                                               \
		int64_t r_ = (result);                                                   \
		int e_ = r_ < 0 ? 0 : put_user((buf), (ret_struct));                     \
		e_ ? e_ : r_;                                                            \
	})

#endif
