/* Text that grows, and how strace shows the simplest things. */
#ifndef HOST_STRACE_TEXT_H
#define HOST_STRACE_TEXT_H

#include "host/mayfly.h"
#include "policy/names.h"

struct text {
	char *at;
	size_t size, room;
	size_t line; /* where the last line begins */
};

#define STRING_SHOWN 32 /* bytes of a string that is no path */

void text_add(struct text *t, const char *format, ...) printf_like(2, 3);
void text_put(struct text *t, const char *bytes, size_t size);
void text_end_line(struct text *t);

/* Bytes, those that are not printable and quotes escaped. */
void text_escape(struct text *t, const char *bytes, size_t size);
/* "bytes", escaped; with "..." behind if `more` follows. */
void text_quote(struct text *t, const uint8_t *bytes, size_t size, bool more);
/* The same, every byte as \xhh. */
void text_quote_hex(struct text *t, const uint8_t *bytes, size_t size, bool more);
/* 0x..., NULL */
void text_pointer(struct text *t, uint64_t value);
void text_signal(struct text *t, uint64_t number); /* SIGINT, SIGRT_1, 0 */
void text_sigset(struct text *t, uint64_t set);	   /* [INT USR1], ~[KILL] */
void text_error(struct text *t, int error);	   /* ENOENT (No such file or ...) */
/* {si_signo=..., ...} of 128 bytes. */
void text_siginfo(struct text *t, const void *info);

/* A|B|0x40; the name of zero, or 0. */
void text_flags(struct text *t, const struct names *set, uint64_t value);
/* A, or 0x40. */
void text_choice(struct text *t, const struct names *set, uint64_t value);

#endif
