/* Text that grows, and how strace shows the simplest things. */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/strace/text.h"

void text_put(struct text *t, const char *bytes, size_t size)
{
	if (!size)
		return;
	if (t->room - t->size < size) {
		t->room = MAX(t->room * 2, t->size + size + 4096);
		t->at = must_grow(t->at, t->room);
	}
	memcpy(t->at + t->size, bytes, size);
	t->size += size;
}

void text_add(struct text *t, const char *format, ...)
{
	char piece[256];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (n > 0)
		text_put(t, piece, MIN((size_t)n, sizeof(piece) - 1));
}

void text_end_line(struct text *t)
{
	text_put(t, "\n", 1);
	t->line = t->size;
}

/* ---- strings ---- */

/* next: the byte behind it, which may be read as a digit of an octal escape. */
static void quote_byte(struct text *t, uint8_t byte, uint8_t next)
{
	static const char special[] = "\f\n\r\t\v\"\\", letters[] = "fnrtv\"\\";
	const char *at = byte ? strchr(special, byte) : NULL;

	if (at)
		text_add(t, "\\%c", letters[at - special]);
	else if (byte >= ' ' && byte <= '~')
		text_put(t, (const char *)&byte, 1);
	else
		text_add(t, next >= '0' && next <= '9' ? "\\%03o" : "\\%o", byte);
}

void text_escape(struct text *t, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		quote_byte(t, (uint8_t)bytes[i],
			   i + 1 < size ? (uint8_t)bytes[i + 1] : 0);
}

void text_quote(struct text *t, const uint8_t *bytes, size_t size, bool more)
{
	text_put(t, "\"", 1);
	text_escape(t, (const char *)bytes, size);
	text_add(t, more ? "\"..." : "\"");
}

void text_quote_hex(struct text *t, const uint8_t *bytes, size_t size, bool more)
{
	text_put(t, "\"", 1);
	for (size_t i = 0; i < size; i++)
		text_add(t, "\\x%02x", bytes[i]);
	text_add(t, more ? "\"..." : "\"");
}

void text_pointer(struct text *t, uint64_t value)
{
	if (value)
		text_add(t, "%#lx", value);
	else
		text_add(t, "NULL");
}

/* ---- names ---- */

void text_choice(struct text *t, const struct names *set, uint64_t value)
{
	const char *name = names_find(set, value);

	if (name)
		text_add(t, "%s", name);
	else
		text_add(t, "%#lx", value);
}

void text_flags(struct text *t, const struct names *set, uint64_t value)
{
	const char *none = names_find(set, 0), *between = "";

	if (!value) {
		text_add(t, "%s", none ? none : "0");
		return;
	}
	for (size_t i = 0; i < set->count; i++) {
		uint64_t bits = set->at[i].value;

		if (!bits || (value & bits) != bits)
			continue;
		text_add(t, "%s%s", between, set->at[i].name);
		value &= ~bits;
		between = "|";
	}
	if (value)
		text_add(t, "%s%#lx", between, value);
}

/* ---- signals and errors ---- */

/* Without "SIG". NULL: no signal. */
static const char *signal_name(uint64_t number, char space[16])
{
	enum { FIRST_REALTIME = 32, LAST = 64 };

	if (number < 1 || number > LAST)
		return NULL;
	if (number == SIGIO)
		return "IO";
	if (number < FIRST_REALTIME)
		return sigabbrev_np((int)number);
	if (number == FIRST_REALTIME)
		return "RTMIN";
	snprintf(space, 16, "RT_%lu", number - FIRST_REALTIME);
	return space;
}

void text_signal(struct text *t, uint64_t number)
{
	char space[16];
	const char *name = signal_name(number, space);

	if (name)
		text_add(t, "SIG%s", name);
	else
		text_add(t, "%d", (int)number);
}

void text_sigset(struct text *t, uint64_t set)
{
	/* As strace: the shorter way of two. */
	bool inverted = __builtin_popcountll(set) >= 64 * 2 / 3;
	const char *between = "";
	char space[16];

	if (inverted)
		set = ~set;
	text_add(t, inverted ? "~[" : "[");
	for (int i = 1; i <= 64; i++) {
		if (!(set & BIT(i - 1)))
			continue;
		text_add(t, "%s%s", between, signal_name((uint64_t)i, space));
		between = " ";
	}
	text_add(t, "]");
}

void text_error(struct text *t, int error)
{
	const char *name = strerrorname_np(error), *what = strerrordesc_np(error);

	if (name && what)
		text_add(t, "%s (%s)", name, what);
	else
		text_add(t, "(errno %d)", error);
}

/* ---- siginfo ---- */

static const struct code {
	int signal; /* 0: any */
	int code;
	const char *name;
} codes[] = {
#define CODE(signal, code) { signal, code, #code },
	CODE(0, SI_USER) CODE(0, SI_KERNEL) CODE(0, SI_QUEUE) CODE(0, SI_TIMER) CODE(
		0, SI_MESGQ) CODE(0, SI_ASYNCIO) CODE(0, SI_SIGIO) CODE(0, SI_TKILL)
		CODE(SIGCHLD, CLD_EXITED) CODE(SIGCHLD, CLD_KILLED) CODE(
			SIGCHLD, CLD_DUMPED) CODE(SIGCHLD, CLD_TRAPPED) CODE(SIGCHLD,
									     CLD_STOPPED)
			CODE(SIGCHLD, CLD_CONTINUED) CODE(SIGSEGV, SEGV_MAPERR) CODE(
				SIGSEGV, SEGV_ACCERR) CODE(SIGBUS,
							   BUS_ADRALN) CODE(SIGBUS,
									    BUS_ADRERR)
				CODE(SIGBUS, BUS_OBJERR) CODE(SIGFPE, FPE_INTDIV) CODE(
					SIGFPE, FPE_INTOVF) CODE(SIGFPE, FPE_FLTDIV)
					CODE(SIGFPE, FPE_FLTOVF) CODE(SIGFPE, FPE_FLTUND)
						CODE(SIGFPE, FPE_FLTRES) CODE(
							SIGFPE,
							FPE_FLTINV) CODE(SIGILL,
									 ILL_ILLOPC)
							CODE(SIGILL, ILL_ILLOPN) CODE(
								SIGILL, ILL_PRVOPC)
								CODE(SIGTRAP, TRAP_BRKPT)
									CODE(SIGTRAP,
									     TRAP_TRACE)
#undef CODE
};

static void text_code(struct text *t, const siginfo_t *info)
{
	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		if (codes[i].code == info->si_code &&
		    (!codes[i].signal || codes[i].signal == info->si_signo)) {
			text_add(t, "%s", codes[i].name);
			return;
		}
	}
	text_add(t, "%#x", (unsigned)info->si_code);
}

static bool is_fault(int signal)
{
	return signal == SIGSEGV || signal == SIGBUS || signal == SIGFPE ||
	       signal == SIGILL || signal == SIGTRAP;
}

static void text_child(struct text *t, const siginfo_t *info)
{
	text_add(t, ", si_pid=%d, si_uid=%u, si_status=", info->si_pid, info->si_uid);
	if (info->si_code == CLD_EXITED)
		text_add(t, "%d", info->si_status);
	else
		text_signal(t, (uint64_t)info->si_status);
	text_add(t, ", si_utime=%ld, si_stime=%ld", info->si_utime, info->si_stime);
}

static void text_value(struct text *t, const siginfo_t *info)
{
	text_add(t, ", si_int=%d, si_ptr=", info->si_int);
	text_pointer(t, (uint64_t)info->si_ptr);
}

void text_siginfo(struct text *t, const void *bytes)
{
	siginfo_t info;

	memcpy(&info, bytes, sizeof(info));
	text_add(t, "{si_signo=");
	text_signal(t, (uint64_t)info.si_signo);
	text_add(t, ", si_code=");
	text_code(t, &info);
	if (info.si_signo == SIGCHLD && info.si_code > 0) {
		text_child(t, &info);
	} else if (is_fault(info.si_signo) && info.si_code > 0) {
		text_add(t, ", si_addr=");
		text_pointer(t, (uint64_t)info.si_addr);
	} else if (info.si_code == SI_TIMER) {
		text_add(t, ", si_timerid=%#x, si_overrun=%d", info.si_timerid,
			 info.si_overrun);
		text_value(t, &info);
	} else if (info.si_code <= 0) {
		text_add(t, ", si_pid=%d, si_uid=%u", info.si_pid, info.si_uid);
		if (info.si_code == SI_QUEUE)
			text_value(t, &info);
	}
	text_add(t, "}");
}
