/* Arguments that are numbers, names and bytes. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <ucontext.h>

#include "host/strace/args.h"

/* ---- numbers ---- */

void arg_int(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%d", (int32_t)c->enter.args[i]);
}

void arg_unsigned(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%u", (uint32_t)c->enter.args[i]);
}

void arg_long(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%ld", (int64_t)c->enter.args[i]);
}

void arg_ulong(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%lu", c->enter.args[i]);
}

void arg_hex(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%#lx", c->enter.args[i]);
}

void arg_octal(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%#03o", (uint32_t)c->enter.args[i]);
}

void arg_address(struct call *c, unsigned i, const struct names *set)
{
	text_pointer(c->out, c->enter.args[i]);
}

void arg_file_offset(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%#lx", c->enter.args[i]);
}

/* A user or group: -1 means none. */
void arg_id(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%d", (int32_t)c->enter.args[i]);
}

void arg_dirfd(struct call *c, unsigned i, const struct names *set)
{
	int32_t fd = (int32_t)c->enter.args[i];

	if (fd == AT_FDCWD)
		text_add(c->out, "AT_FDCWD");
	else
		text_add(c->out, "%d", fd);
}

void arg_signal(struct call *c, unsigned i, const struct names *set)
{
	text_signal(c->out, (uint32_t)c->enter.args[i]);
}

void arg_mode(struct call *c, unsigned i, const struct names *set)
{
	text_add(c->out, "%#03o", (uint32_t)c->enter.args[i] & 0xffff);
}

/* ---- names ---- */

void arg_flags(struct call *c, unsigned i, const struct names *set)
{
	text_flags(c->out, set, (uint32_t)c->enter.args[i]);
}

void arg_choice(struct call *c, unsigned i, const struct names *set)
{
	text_choice(c->out, set, (uint32_t)c->enter.args[i]);
}

/* The access mode, then the flags. */
void text_open_flags(struct text *t, uint64_t flags)
{
	text_choice(t, &set_open_access, flags & O_ACCMODE);
	if (flags & ~(uint64_t)O_ACCMODE) {
		text_add(t, "|");
		text_flags(t, &set_open, flags & ~(uint64_t)O_ACCMODE);
	}
}

void arg_open(struct call *c, unsigned i, const struct names *set)
{
	text_open_flags(c->out, (uint32_t)c->enter.args[i]);
}

void arg_open_mode(struct call *c, unsigned i, const struct names *set)
{
	uint64_t flags = c->enter.args[i - 1];

	if ((flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE)
		arg_mode(c, i, set);
}

void arg_pipe_flags(struct call *c, unsigned i, const struct names *set)
{
	text_flags(c->out, &set_open, (uint32_t)c->enter.args[i]);
}

void arg_map(struct call *c, unsigned i, const struct names *set)
{
	uint64_t flags = (uint32_t)c->enter.args[i];

	text_choice(c->out, &set_map_type, flags & MAP_TYPE);
	if (flags & ~(uint64_t)MAP_TYPE) {
		text_add(c->out, "|");
		text_flags(c->out, &set_map, flags & ~(uint64_t)MAP_TYPE);
	}
}

void arg_mremap_to(struct call *c, unsigned i, const struct names *set)
{
	if (c->enter.args[i - 1] & (MREMAP_FIXED | MREMAP_DONTUNMAP))
		arg_address(c, i, set);
}

/* S_IFREG|S_ISUID|0644 */
void text_mode(struct text *t, uint32_t mode)
{
	uint32_t bits = mode & (S_ISUID | S_ISGID | S_ISVTX);
	const char *type = names_find(&set_file_type, mode & S_IFMT);

	if (type)
		text_add(t, "%s|", type);
	else if (mode & S_IFMT)
		text_add(t, "%#o|", mode & S_IFMT);
	if (bits) {
		text_flags(t, &set_file_bits, bits);
		text_add(t, "|");
	}
	text_add(t, "%#03o", mode & 0777);
}

void arg_node_mode(struct call *c, unsigned i, const struct names *set)
{
	text_mode(c->out, (uint32_t)c->enter.args[i]);
}

/* ---- bytes ---- */

void arg_path(struct call *c, unsigned i, const struct names *set)
{
	print_path(c, c->enter.args[i]);
}

void arg_string(struct call *c, unsigned i, const struct names *set)
{
	print_string(c, false, c->enter.args[i]);
}

void arg_data(struct call *c, unsigned i, const struct names *set)
{
	print_data(c, false, c->enter.args[i], c->enter.args[i + 1], false);
}

static void data_out(struct call *c, unsigned i, bool hex)
{
	if (c->failed)
		text_pointer(c->out, c->enter.args[i]);
	else
		print_data(c, true, c->enter.args[i], (uint64_t)c->result, hex);
}

/* As much as the result says. */
void arg_data_out(struct call *c, unsigned i, const struct names *set)
{
	data_out(c, i, false);
}

void arg_data_hex_out(struct call *c, unsigned i, const struct names *set)
{
	data_out(c, i, true);
}

void arg_string_out(struct call *c, unsigned i, const struct names *set)
{
	if (c->failed)
		text_pointer(c->out, c->enter.args[i]);
	else
		print_string(c, true, c->enter.args[i]);
}

void print_iovecs(struct call *c, uint64_t at, uint64_t count, bool late)
{
	uint64_t left = late ? (uint64_t)c->result : UINT64_MAX;
	struct iovec v;

	if ((late && c->failed) || !memory_get(c, late, at, &v, sizeof(v))) {
		if (count)
			text_pointer(c->out, at);
		else
			text_add(c->out, "[]");
		return;
	}
	text_add(c->out, "[");
	for (uint64_t k = 0; k < count; k++) {
		uint64_t size;

		if (!memory_get(c, late, at + k * sizeof(v), &v, sizeof(v))) {
			text_add(c->out, ", ...");
			break;
		}
		size = MIN((uint64_t)v.iov_len, left);
		left -= size;
		text_add(c->out, "%s{iov_base=", k ? ", " : "");
		print_data(c, late, (uint64_t)v.iov_base, size, false);
		text_add(c->out, ", iov_len=%zu}", v.iov_len);
	}
	text_add(c->out, "]");
}

void arg_iov(struct call *c, unsigned i, const struct names *set)
{
	print_iovecs(c, c->enter.args[i], c->enter.args[i + 1], false);
}

void arg_iov_out(struct call *c, unsigned i, const struct names *set)
{
	print_iovecs(c, c->enter.args[i], c->enter.args[i + 1], true);
}

/* ---- vectors of execve ---- */

void arg_argv(struct call *c, unsigned i, const struct names *set)
{
	uint64_t at = c->enter.args[i], word;

	if (!memory_before(c, at, &word, sizeof(word))) {
		text_pointer(c->out, at);
		return;
	}
	text_add(c->out, "[");
	for (unsigned k = 0; memory_before(c, at, &word, sizeof(word)) && word;
	     k++, at += sizeof(word)) {
		text_add(c->out, k ? ", " : "");
		if (k == CALLTRACE_VECTOR_STRINGS - 1) {
			text_add(c->out, "...");
			break;
		}
		print_string(c, false, word);
	}
	text_add(c->out, "]");
}

void arg_envp(struct call *c, unsigned i, const struct names *set)
{
	uint64_t at = c->enter.args[i], word;
	unsigned count = 0;
	bool known;

	text_pointer(c->out, at);
	while ((known = memory_before(c, at, &word, sizeof(word))) && word) {
		count++;
		at += sizeof(word);
	}
	if (c->enter.args[i] && (known || count))
		text_add(c->out, " /* %u%s var%s */", count, known ? "" : "+",
			 count == 1 ? "" : "s");
}

/* ---- signals ---- */

void arg_sigreturn(struct call *c, unsigned i, const struct names *set)
{
	uint64_t mask;

	if (!memory_before(c, c->enter.sp + offsetof(ucontext_t, uc_sigmask), &mask,
			   sizeof(mask)))
		return;
	text_add(c->out, "{mask=");
	text_sigset(c->out, mask);
	text_add(c->out, "}");
}

static void sigset_of(struct call *c, bool known, uint64_t set)
{
	if (known)
		text_sigset(c->out, set);
}

void arg_sigset(struct call *c, unsigned i, const struct names *set)
{
	uint64_t mask;
	bool known = struct_in(c, i, &mask, sizeof(mask));

	sigset_of(c, known, mask);
}

void arg_sigset_out(struct call *c, unsigned i, const struct names *set)
{
	uint64_t mask;
	bool known = struct_out(c, i, &mask, sizeof(mask));

	sigset_of(c, known, mask);
}

/* The kernel's struct sigaction. */
struct action {
	uint64_t handler, flags, restorer, mask;
};

static void print_action(struct call *c, const struct action *a)
{
	text_add(c->out, "{sa_handler=");
	if (a->handler == (uint64_t)SIG_DFL)
		text_add(c->out, "SIG_DFL");
	else if (a->handler == (uint64_t)SIG_IGN)
		text_add(c->out, "SIG_IGN");
	else
		text_pointer(c->out, a->handler);
	text_add(c->out, ", sa_mask=");
	text_sigset(c->out, a->mask);
	text_add(c->out, ", sa_flags=");
	text_flags(c->out, &set_sigaction, a->flags);
	if (a->restorer)
		text_add(c->out, ", sa_restorer=%#lx", a->restorer);
	text_add(c->out, "}");
}

void arg_sigaction(struct call *c, unsigned i, const struct names *set)
{
	struct action a;

	if (struct_in(c, i, &a, sizeof(a)))
		print_action(c, &a);
}

void arg_sigaction_out(struct call *c, unsigned i, const struct names *set)
{
	struct action a;

	if (struct_out(c, i, &a, sizeof(a)))
		print_action(c, &a);
}

static void print_stack(struct call *c, const stack_t *s)
{
	text_add(c->out, "{ss_sp=");
	text_pointer(c->out, (uint64_t)s->ss_sp);
	text_add(c->out, ", ss_flags=");
	text_flags(c->out, &set_sigaltstack, (uint32_t)s->ss_flags);
	text_add(c->out, ", ss_size=%zu}", s->ss_size);
}

void arg_sigaltstack(struct call *c, unsigned i, const struct names *set)
{
	stack_t s;

	if (struct_in(c, i, &s, sizeof(s)))
		print_stack(c, &s);
}

void arg_sigaltstack_out(struct call *c, unsigned i, const struct names *set)
{
	stack_t s;

	if (struct_out(c, i, &s, sizeof(s)))
		print_stack(c, &s);
}

static void print_siginfo(struct call *c, const uint8_t info[128])
{
	int signal;

	memcpy(&signal, info, sizeof(signal));
	if (signal)
		text_siginfo(c->out, info);
	else
		text_add(c->out, "{}");
}

void arg_siginfo(struct call *c, unsigned i, const struct names *set)
{
	uint8_t info[128];

	if (struct_in(c, i, info, sizeof(info)))
		print_siginfo(c, info);
}

void arg_siginfo_out(struct call *c, unsigned i, const struct names *set)
{
	uint8_t info[128];

	if (struct_out(c, i, info, sizeof(info)))
		print_siginfo(c, info);
}
