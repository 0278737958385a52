/* --report: what happened, as JSON. */
#ifndef HOST_REPORT_H
#define HOST_REPORT_H

#include "host/session.h"

/* The report's text; heap. */
char *report_text(const struct session *session, bool kvm, int exit_status);

#endif
