/*
 * The kernel log ring and the boot time line.
 *
 * The ring holds the last LOG_SIZE bytes of text; positions count all bytes ever written,
 * so a reader that fell behind notices and continues at the oldest byte.
 */
#include <asm/poll.h>

#include "core/log.h"
#include "core/spinlock.h"
#include "lib/fmt.h"
#include "lib/string.h"

#define LOG_SIZE (32 * 1024u)
#define LINE_MAX 240
#define TIMELINE_MAX 32
#define FACILITY_USER (1u << 3) /* syslog(3)'s, beside the level */

static struct spinlock lock = SPINLOCK_INIT(RANK_LOG);
static char ring[LOG_SIZE]; /* [lock] */
static uint64_t written;    /* [lock] */
static uint64_t n_lines;    /* [lock] ever written */
static _Atomic bool fresh;  /* readers have not been woken for the last lines */
struct waitq log_wait = WAITQ_INIT(log_wait);
static enum log_level console_level = LOG_WARN;

static struct timeline_entry marks[TIMELINE_MAX]; /* boot CPU, before user code runs */
static size_t n_marks;

void log_set_console_level(enum log_level level)
{
	console_level = level;
}

/* One line, with its newline. */
static void append(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		ring[written++ % LOG_SIZE] = s[i];
	n_lines++;
	fresh = true;
}

/* "<level>[seconds]": how every line begins. */
static size_t head_write(char line[LINE_MAX], unsigned level)
{
	uint64_t us = clock_mono() / NSEC_PER_USEC;

	return fmt_to(line, LINE_MAX, "<%u>[%5lu.%06lu] ", level,
		      (unsigned long)(us / 1000000), (unsigned long)(us % 1000000));
}

void log_at(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX];
	size_t n = head_write(line, level);
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

void log_user(unsigned level, const char *text, size_t n)
{
	char line[LINE_MAX];
	size_t at = head_write(line, FACILITY_USER | level);

	n = MIN(n, sizeof line - 1 - at);
	for (size_t i = 0; i < n; i++)
		line[at++] = text[i] == '\n' ? ' ' : text[i];
	line[at++] = '\n';
	uint64_t flags = spin_lock_irq(&lock);
	append(line, at);
	spin_unlock_irq(&lock, flags);
}

void log_wake(void)
{
	if (__atomic_load_n((bool *)&fresh, __ATOMIC_RELAXED) &&
	    __atomic_exchange_n((bool *)&fresh, false, __ATOMIC_SEQ_CST))
		wake_poll(&log_wait, POLLIN | POLLRDNORM);
}

/* The first whole line at or after pos. */
static uint64_t line_start(uint64_t pos)
{
	if (written <= LOG_SIZE || pos >= written - LOG_SIZE)
		return MIN(pos, written);
	pos = written - LOG_SIZE;
	while (pos < written && ring[(pos - 1) % LOG_SIZE] != '\n')
		pos++;
	return pos;
}

static uint64_t lines_from(uint64_t pos)
{
	uint64_t n = 0;

	for (; pos < written; pos++)
		n += ring[pos % LOG_SIZE] == '\n';
	return n;
}

size_t log_read_line(uint64_t *pos, char *buf, size_t n, uint64_t *ret_seq)
{
	size_t done = 0;
	uint64_t flags = spin_lock_irq(&lock), at = line_start(*pos);

	*ret_seq = n_lines - lines_from(at);
	while (at < written) {
		char c = ring[at++ % LOG_SIZE];

		if (done < n)
			buf[done++] = c;
		if (c == '\n')
			break;
	}
	*pos = at;
	spin_unlock_irq(&lock, flags);
	return done;
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
