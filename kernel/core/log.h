/*
 * The kernel log: a ring in memory, copied to the serial port while `log=serial` (default
 * for warnings and worse; `loglevel=7` for all). Callable from any context.
 */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include "core/wait.h"

enum log_level {
	LOG_EMERG,
	LOG_ALERT,
	LOG_CRIT,
	LOG_ERR,
	LOG_WARN,
	LOG_NOTICE,
	LOG_INFO,
	LOG_DEBUG
};

void log_at(enum log_level level, const char *fmt, ...) printf_like(2, 3);
#define log_err(...) log_at(LOG_ERR, __VA_ARGS__)
#define log_warn(...) log_at(LOG_WARN, __VA_ARGS__)
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)

void log_set_console_level(enum log_level level); /* what is below it goes to serial */
/* Reads the ring (dmesg): from *pos, at most n bytes; advances *pos. Bytes copied. */
size_t log_read(uint64_t *pos, char *buf, size_t n);

/* A line of user space's: kept, but not shown on the console. level: enum log_level. */
void log_user(unsigned level, const char *text, size_t n);
/* The next line of the ring at or after *pos, with its newline: bytes (cut at n), 0 at
 * the end; *pos is then behind it and *ret_seq its number since boot. */
size_t log_read_line(uint64_t *pos, char *buf, size_t n, uint64_t *ret_seq);
/* Readers sleep here until the log grows. Woken (POLLIN | POLLRDNORM) by log_wake, which
 * ticks and idle CPUs call: log_at itself may run below any lock. */
extern struct waitq log_wait;
void log_wake(void);

size_t log_size(void);	/* bytes the ring holds */
uint64_t log_end(void); /* position after the newest byte */

/* Boot time line: a named mark at the present time, for /proc/mayfly/timeline. */
void timeline_mark(const char *name);
void timeline_mark_at(const char *name, uint64_t tsc);
struct timeline_entry {
	const char *name;
	uint64_t tsc;
};
size_t timeline_get(const struct timeline_entry **ret); /* borrows; count */

#endif
