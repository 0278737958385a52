/* What the policy refused, as the guest's kernel tells of it (WIRE_TOPIC_POLICY). */
#ifndef HOST_REFUSALS_H
#define HOST_REFUSALS_H

#include <jansson.h>

#include "host/session.h"

/* Lines for the user: of what was refused for want of a permission, with the line that
 * would give it. What a line of the policy refuses with an error its author knows of:
 * that is in the report. */
void refusals_tell(const struct session *s);
/* All of it, for --report. */
json_t *refusals_json(const struct session *s);

#endif
