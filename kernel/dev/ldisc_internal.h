/* Between ldisc.c and ldisc_echo.c. */
#ifndef DEV_LDISC_INTERNAL_H
#define DEV_LDISC_INTERNAL_H

#include "dev/ldisc.h"

enum erase_what { ERASE_CHAR, ERASE_WORD, ERASE_LINE };

static inline void ldisc_mark(struct ldisc *l, uint32_t at)
{
	l->marks[at % LDISC_SIZE / 64] |= BIT(at % 64);
}

static inline bool ldisc_marked(const struct ldisc *l, uint32_t at)
{
	return l->marks[at % LDISC_SIZE / 64] >> (at % 64) & 1;
}

/* One byte to the terminal, through output processing, whatever the echo flags say. */
void ldisc_echo_raw(struct ldisc *l, uint8_t c);
/* A typed byte: by ECHO, control characters as ^X by ECHOCTL. */
void ldisc_echo_typed(struct ldisc *l, uint8_t c);
void ldisc_echo_newline(struct ldisc *l); /* ECHO or ECHONL */
void ldisc_echo_literal_mark(struct ldisc *l);
void ldisc_finish_erasing(struct ldisc *l);
void ldisc_erase(struct ldisc *l, enum erase_what what);
void ldisc_reprint(struct ldisc *l, uint8_t c);

#endif
