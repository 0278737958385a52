/*
 * The kernel log ring and the boot time line.
 *
 * The ring holds the last LOG_SIZE bytes of text; positions count all bytes ever written,
 * so a reader that fell behind notices and continues at the oldest byte.
 */
#include "core/log.h"
#include "core/spinlock.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define LOG_SIZE (32 * 1024u)
#define LINE_MAX 240
#define TIMELINE_MAX 32

static struct spinlock lock = SPINLOCK_INIT(RANK_LOG);
static char ring[LOG_SIZE]; /* [lock] */
static uint64_t written;    /* [lock] */
static enum log_level console_level = LOG_WARN;

static struct timeline_entry marks[TIMELINE_MAX]; /* boot CPU, before user code runs */
static size_t n_marks;

void log_set_console_level(enum log_level level)
{
	console_level = level;
}

static void append(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[written++ % LOG_SIZE] = s[i];
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX];
	uint64_t us = clock_mono() / NSEC_PER_USEC;
	size_t n = fmt_to(line, sizeof line, "<%d>[%5lu.%06lu] ", level,
			  (unsigned long)(us / 1000000), (unsigned long)(us % 1000000));
	va_list ap;
	va_start(ap, fmt);
	n += fmt_va(line + n, sizeof line - n, fmt, ap);
	va_end(ap);
	if (n > sizeof line - 2)
		n = sizeof line - 2;
	line[n++] = '\n';
	uint64_t flags = spin_lock_irq(&lock);
	append(line, n);
	if (level <= console_level)
		arch_serial_write(line + 3, n - 3);
	spin_unlock_irq(&lock, flags);
}

size_t log_read(uint64_t *pos, char *buf, size_t n)
{
	uint64_t flags = spin_lock_irq(&lock);
	if (written > LOG_SIZE && *pos < written - LOG_SIZE)
		*pos = written - LOG_SIZE;
	if (*pos > written)
		*pos = written;
	size_t done = 0;
	while (done < n && *pos < written)
		buf[done++] = ring[(*pos)++ % LOG_SIZE];
	spin_unlock_irq(&lock, flags);
	return done;
}

size_t log_size(void)
{
	return LOG_SIZE;
}

uint64_t log_end(void)
{
	uint64_t flags = spin_lock_irq(&lock);
	uint64_t end = written;
	spin_unlock_irq(&lock, flags);
	return end;
}

void timeline_mark_at(const char *name, uint64_t tsc)
{
	if (n_marks < TIMELINE_MAX)
		marks[n_marks++] = (struct timeline_entry){ name, tsc };
}

void timeline_mark(const char *name)
{
	timeline_mark_at(name, __builtin_ia32_rdtsc());
}

size_t timeline_get(const struct timeline_entry **ret)
{
	*ret = marks;
	return n_marks;
}
