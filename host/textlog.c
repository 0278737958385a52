/* Text of a hostile source, kept within bounds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/textlog.h"

void textlog_add(struct textlog *log, const char *text, size_t size)
{
	if (!log->text)
		log->text = must_alloc(TEXTLOG_MAX + 1);
	if (size > TEXTLOG_MAX / 2) {
		text += size - TEXTLOG_MAX / 2;
		size = TEXTLOG_MAX / 2;
		log->cut = true;
	}
	if (log->size + size > TEXTLOG_MAX) {
		size_t drop = log->size - TEXTLOG_MAX / 2;

		memmove(log->text, log->text + drop, log->size - drop);
		log->size -= drop;
		log->cut = true;
	}
	memcpy(log->text + log->size, text, size);
	log->size += size;
	log->text[log->size] = 0;
}

bool textlog_read(struct textlog *log, int fd, int echo)
{
	char piece[16384];

	for (;;) {
		ssize_t n = read(fd, piece, sizeof(piece));

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno == EAGAIN;
		textlog_add(log, piece, n);
		/* A log that cannot be shown is still kept. */
		if (echo >= 0 && write_all(echo, piece, n) < 0)
			echo = -1;
	}
}

void textlog_fini(struct textlog *log)
{
	free(log->text);
	*log = (struct textlog){ 0 };
}
