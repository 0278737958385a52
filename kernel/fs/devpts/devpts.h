/* devpts: the slaves of the pty pairs, by number; and ptmx, which makes pairs
 * (pts(4)). */
#ifndef FS_DEVPTS_DEVPTS_H
#define FS_DEVPTS_DEVPTS_H

#include "fs/vfs.h"

void devpts_init(void); /* registers the type and the device ptmx */

#endif
