/* --timeline: where the time went, as a drawing. */
#ifndef HOST_TIMELINE_H
#define HOST_TIMELINE_H

#include "host/session.h"

struct mark {
	char name[48];
	uint64_t ns; /* since QEMU's start */
	bool guest;  /* told by the guest's clock */
};

/* The moments of a run; those that the guest saw by its clock are as near as can be told,
 * not when we heard of them. */
struct session_times timeline_times(const struct session_times *t);
/* The marks of a run in order of time; heap, *ret_count of them. */
struct mark *timeline_marks(const struct session *session, size_t *ret_count);
/* The SVG of marks; heap. */
char *timeline_svg(const struct mark *marks, size_t count, const char *title);

#endif
