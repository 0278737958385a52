/* A system call as text. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/strace/call.h"

/* Results that mean "restart the call", as the kernel has them; no program sees them. */
enum { RESTART_SYS = 512, RESTART_NOINTR, RESTART_NOHAND, RESTART_BLOCK = 516 };

static const struct argument kinds[] = {
	[KIND_fd] = { arg_int, NULL, false },
	[KIND_dirfd] = { arg_dirfd, NULL, false },
	[KIND_pid] = { arg_int, NULL, false },
	[KIND_sig] = { arg_signal, NULL, false },
	[KIND_uid] = { arg_id, NULL, false },
	[KIND_gid] = { arg_id, NULL, false },
	[KIND_mode] = { arg_mode, NULL, false },
	[KIND_flags] = { arg_hex, NULL, false },
	[KIND_flags64] = { arg_hex, NULL, false },
	[KIND_i32] = { arg_int, NULL, false },
	[KIND_u32] = { arg_unsigned, NULL, false },
	[KIND_i64] = { arg_long, NULL, false },
	[KIND_u64] = { arg_ulong, NULL, false },
	[KIND_size] = { arg_ulong, NULL, false },
	[KIND_off] = { arg_long, NULL, false },
	[KIND_addr] = { arg_address, NULL, false },
	[KIND_path] = { arg_path, NULL, false },
	[KIND_str] = { arg_string, NULL, false },
	[KIND_in] = { arg_address, NULL, false },
	[KIND_out] = { arg_address, NULL, false },
	[KIND_inout] = { arg_address, NULL, false },
	[KIND_iovin] = { arg_iov, NULL, false },
	[KIND_iovout] = { arg_iov_out, NULL, true },
	[KIND_msgin] = { arg_message, NULL, false },
	[KIND_msgout] = { arg_message_out, NULL, true },
	[KIND_strv] = { arg_argv, NULL, false },
	[KIND_ptrv] = { arg_envp, NULL, false },
	[KIND_ptr] = { arg_address, NULL, false },
};

#define P(printer)                                                                       \
	{                                                                                \
		arg_##printer, NULL, false                                               \
	}
#define L(printer)                                                                       \
	{                                                                                \
		arg_##printer, NULL, true                                                \
	}
#define F(names)                                                                         \
	{                                                                                \
		arg_flags, &set_##names, false                                           \
	}
#define E(names)                                                                         \
	{                                                                                \
		arg_choice, &set_##names, false                                          \
	}
#define K                                                                                \
	{                                                                                \
		NULL, NULL, false                                                        \
	}
#define NONE                                                                             \
	{                                                                                \
		NULL, NULL, true                                                         \
	} /* is not printed, nor is what follows */
#define CALL(name, result, ...) [SYS_##name] = { { __VA_ARGS__ }, result },
static const struct call_row rows[] = {
#include "host/strace/calls.def"
};
#undef P
#undef L
#undef F
#undef E
#undef K
#undef NONE
#undef CALL

/* NULL: there is no argument i. */
static const struct argument *argument_of(const struct call *c, unsigned i)
{
	static const struct argument unknown = { arg_hex, NULL, false };
	const struct syscall_row *row = syscall_row(c->enter.nr);
	const struct argument *own;

	if (i >= SYSCALL_ARGS_MAX)
		return NULL;
	if (!row)
		return &unknown;
	own = c->enter.nr < ARRAY_LEN(rows) ? &rows[c->enter.nr].args[i] : NULL;
	if (own && own->print)
		return own;
	if ((own && own->late) || row->kinds[i] == KIND_none)
		return NULL;
	return &kinds[row->kinds[i]];
}

const char *call_name(uint64_t nr, char space[32])
{
	const struct syscall_row *row = syscall_row(nr);

	if (row)
		return row->name;
	snprintf(space, 32, "syscall_%#lx", nr);
	return space;
}

bool call_complete(const struct call *c)
{
	return c->no_more || !argument_of(c, c->next);
}

void call_args(struct call *c)
{
	while (!call_complete(c)) {
		const struct argument *argument = argument_of(c, c->next);
		size_t before = c->out->size;

		if (argument->late && !c->after)
			return;
		argument->print(c, c->next, argument->set);
		if (c->out->size == before) {
			/* It waits for the call to return, or there is none. */
			c->no_more = !c->later;
			c->later = false;
			if (c->no_more && c->next)
				c->out->size -= strlen(", ");
			return;
		}
		c->next++;
		if (call_complete(c))
			return;
		text_add(c->out, ", ");
	}
}

/* ---- the result ---- */

static const char *restart_name(int64_t result)
{
	switch (result) {
	case -RESTART_SYS:
		return "ERESTARTSYS (To be restarted if SA_RESTART is set)";
	case -RESTART_NOINTR:
		return "ERESTARTNOINTR (To be restarted)";
	case -RESTART_NOHAND:
		return "ERESTARTNOHAND (To be restarted if no handler)";
	case -RESTART_BLOCK:
		return "ERESTART_RESTARTBLOCK (Interrupted by signal)";
	default:
		return NULL;
	}
}

void call_result(struct call *c)
{
	const char *restart = restart_name(c->result);
	bool known = c->enter.nr < ARRAY_LEN(rows) && rows[c->enter.nr].result;

	if (restart) {
		text_add(c->out, "? %s", restart);
	} else if (c->failed) {
		text_add(c->out, "-1 ");
		text_error(c->out, (int)-c->result);
	} else if (known) {
		rows[c->enter.nr].result(c);
	} else {
		text_add(c->out, "%ld", c->result);
	}
}

void result_hex(struct call *c)
{
	text_add(c->out, "%#lx", (uint64_t)c->result);
}

void result_octal(struct call *c)
{
	text_add(c->out, "%#03o", (unsigned)c->result);
}

void result_never(struct call *c)
{
	text_add(c->out, "?");
}

/* ---- memory ---- */

static bool memory_of(const struct calltrace_record *r, uint64_t address, void *to,
		      size_t n)
{
	size_t have;
	const void *at = r ? calltrace_at(r, address, &have) : NULL;

	if (!at || have < n)
		return false;
	memcpy(to, at, n);
	return true;
}

bool memory_before(const struct call *c, uint64_t address, void *to, size_t n)
{
	return memory_of(c->before, address, to, n);
}

bool memory_after(const struct call *c, uint64_t address, void *to, size_t n)
{
	return memory_of(c->after, address, to, n);
}

bool memory_get(const struct call *c, bool late, uint64_t address, void *to, size_t n)
{
	return memory_of(late ? c->after : c->before, address, to, n);
}

bool struct_in(struct call *c, unsigned i, void *to, size_t n)
{
	if (memory_before(c, c->enter.args[i], to, n))
		return true;
	text_pointer(c->out, c->enter.args[i]);
	return false;
}

bool struct_out(struct call *c, unsigned i, void *to, size_t n)
{
	if (!c->failed && memory_after(c, c->enter.args[i], to, n))
		return true;
	text_pointer(c->out, c->enter.args[i]);
	return false;
}

static const uint8_t *memory_at(const struct call *c, bool late, uint64_t address,
				size_t *ret_size)
{
	const struct calltrace_record *r = late ? c->after : c->before;

	return r ? calltrace_at(r, address, ret_size) : NULL;
}

void print_data(struct call *c, bool late, uint64_t address, uint64_t size, bool hex)
{
	size_t have = 0, shown = MIN(size, (uint64_t)STRING_SHOWN);
	const uint8_t *at = size ? memory_at(c, late, address, &have) : NULL;

	if (size && (!at || have < shown)) {
		text_pointer(c->out, address);
		return;
	}
	(hex ? text_quote_hex : text_quote)(c->out, at, shown, size > shown);
}

static void print_chars(struct call *c, bool late, uint64_t address, size_t max)
{
	size_t have;
	const uint8_t *at = memory_at(c, late, address, &have);
	size_t size = at ? strnlen((const char *)at, have) : 0, shown = MIN(size, max);

	if (!at)
		text_pointer(c->out, address);
	else
		text_quote(c->out, at, shown, shown < size || size == have);
}

void print_string(struct call *c, bool late, uint64_t address)
{
	print_chars(c, late, address, STRING_SHOWN);
}

void print_path(struct call *c, uint64_t address)
{
	print_chars(c, false, address, CALLTRACE_STRING_MAX);
}
