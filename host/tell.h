/* What the user is told when a run has ended otherwise than by the job's own doing. */
#ifndef HOST_TELL_H
#define HOST_TELL_H

#include "host/session.h"

/* One line for most endings; a paragraph for those that only the kernel's log explains,
 * and where all of it is. Nothing for a job that simply ended. */
void outcome_tell(const struct session *session);

#endif
