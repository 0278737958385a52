/* Text of a hostile source, kept within bounds: the newest stays. */
#ifndef HOST_TEXTLOG_H
#define HOST_TEXTLOG_H

#include "host/mayfly.h"

#define TEXTLOG_MAX 262144

struct textlog {
	char *text; /* NUL at the end once anything came; NULL before */
	size_t size;
	bool cut; /* older text was dropped */
};

void textlog_add(struct textlog *log, const char *text, size_t size);
/* Adds what a non-blocking fd has; false at its end. echo: -1 or where it goes as
 * well. */
bool textlog_read(struct textlog *log, int fd, int echo);
void textlog_fini(struct textlog *log);

#endif
