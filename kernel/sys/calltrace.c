/*
 * What is told of a system call: its registers, and what lies where they point to, as
 * the kinds of its arguments in lib/abi/syscalls.def say.
 *
 * User memory is read as the call itself would read it, before (what it takes) and after
 * (what it gives). A pointer that leads nowhere is told as the number that it is.
 */
#include "sys/calltrace.h"

#include <asm/signal.h>
#include <asm/sigcontext.h>
#include <asm/ucontext.h>
#include <asm/unistd_64.h>
#include <linux/uio.h>

#include "lib/string.h"
#include "lib/syscall_table.h"
#include "mm/usercopy.h"
#include "proc/calltrace.h"

/* Of each struct iovec's data. */
#define IOVEC_DATA_MAX 64u
/* What an argument that may be a pointer is taken to point at. */
#define PTR_DATA_MAX 64u

/* Up to n bytes: all of them, or those of the first page. */
static void put_data(struct calltrace_writer *w, uint64_t at, size_t n)
{
	size_t fits, first = PAGE_SIZE - at % PAGE_SIZE;
	void *to = calltrace_room(w, n, &fits);

	if (!fits)
		return;
	if (copy_in(to, UADDR(at), fits)) {
		if (first >= fits || copy_in(to, UADDR(at), first))
			return;
		fits = first;
	}
	calltrace_added(w, at, fits);
}

static void put_string(struct calltrace_writer *w, uint64_t at, size_t max)
{
	size_t fits;
	char *to = calltrace_room(w, max, &fits);
	int64_t n = fits ? copy_in_str(to, UADDR(at), fits) : -ENAMETOOLONG;

	if (n >= 0)
		calltrace_added(w, at, (size_t)n + 1);
	else if (n == -ENAMETOOLONG && fits)
		calltrace_added(w, at, fits);
}

/* The pointers up to the NULL, which is told too; how many there are. */
static size_t put_vector(struct calltrace_writer *w, uint64_t at, size_t max)
{
	size_t fits, n = 0;
	uint8_t *to = calltrace_room(w, max * sizeof(uint64_t), &fits);
	uint64_t word;

	for (; (n + 1) * sizeof word <= fits; n++) {
		if (get_user(word, UADDR(at + n * sizeof word)))
			break;
		memcpy(to + n * sizeof word, &word, sizeof word);
		if (!word) {
			calltrace_added(w, at, (n + 1) * sizeof word);
			return n;
		}
	}
	if (n)
		calltrace_added(w, at, n * sizeof word);
	return n;
}

static void put_strings(struct calltrace_writer *w, uint64_t at)
{
	size_t n = put_vector(w, at, CALLTRACE_VECTOR_STRINGS);
	uint64_t word;

	for (size_t i = 0; i < n; i++)
		if (!get_user(word, UADDR(at + i * sizeof word)))
			put_string(w, word, IOVEC_DATA_MAX);
}

static void put_iovecs(struct calltrace_writer *w, uint64_t at, uint64_t count)
{
	size_t n = MIN(count, (uint64_t)CALLTRACE_IOVECS_MAX);
	struct iovec v;

	put_data(w, at, n * sizeof v);
	for (size_t i = 0; i < n; i++)
		if (!get_user(v, UADDR(at + i * sizeof v)))
			put_data(w, (uint64_t)v.iov_base,
				 MIN(v.iov_len, (size_t)IOVEC_DATA_MAX));
}

/* <linux/socket.h> keeps struct msghdr to the kernel. */
struct message {
	uint64_t name;
	uint32_t name_size, pad;
	uint64_t iov, iov_count, control, control_size;
};

static void put_message(struct calltrace_writer *w, uint64_t at)
{
	struct message m;

	put_data(w, at, sizeof m + sizeof(uint64_t)); /* the flags too */
	if (copy_in(&m, UADDR(at), sizeof m))
		return;
	put_iovecs(w, m.iov, m.iov_count);
	put_data(w, m.name, MIN(m.name_size, CALLTRACE_DATA_MAX));
	put_data(w, m.control, MIN(m.control_size, (uint64_t)CALLTRACE_DATA_MAX));
}

struct call {
	const struct syscall_row *row;
	uint64_t args[SYSCALL_ARGS_MAX];
};

/* What argument i's data is bounded by: the size behind it, if there is one. */
static size_t data_size(const struct call *c, size_t i)
{
	bool sized = i + 1 < SYSCALL_ARGS_MAX && c->row->kinds[i + 1] == KIND_size;

	return sized ? MIN(c->args[i + 1], (uint64_t)CALLTRACE_DATA_MAX)
		     : CALLTRACE_DATA_MAX;
}

static uint64_t iovec_count(const struct call *c, size_t i)
{
	return i + 1 < SYSCALL_ARGS_MAX ? c->args[i + 1] : 0;
}

static void put_before(struct calltrace_writer *w, const struct call *c, size_t i)
{
	uint64_t at = c->args[i];

	switch (c->row->kinds[i]) {
	case KIND_path:
	case KIND_str:
		put_string(w, at, CALLTRACE_STRING_MAX);
		break;
	case KIND_in:
	case KIND_inout:
		put_data(w, at, data_size(c, i));
		break;
	case KIND_ptr:
		put_data(w, at, PTR_DATA_MAX);
		break;
	case KIND_iovin:
		put_iovecs(w, at, iovec_count(c, i));
		break;
	case KIND_msgin:
	case KIND_msgout:
		put_message(w, at);
		break;
	case KIND_strv:
		put_strings(w, at);
		break;
	case KIND_ptrv:
		put_vector(w, at, CALLTRACE_VECTOR_MAX);
		break;
	default:
		break;
	}
}

static void put_after(struct calltrace_writer *w, const struct call *c, size_t i)
{
	switch (c->row->kinds[i]) {
	case KIND_out:
	case KIND_inout:
		put_data(w, c->args[i], data_size(c, i));
		break;
	case KIND_ptr:
		put_data(w, c->args[i], PTR_DATA_MAX);
		break;
	case KIND_iovout:
		put_iovecs(w, c->args[i], iovec_count(c, i));
		break;
	case KIND_msgout:
		put_message(w, c->args[i]);
		break;
	default:
		break;
	}
}

static struct call call_of(uint64_t nr, const struct pt_regs *r)
{
	return (struct call){ syscall_row(nr),
			      { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 } };
}

static bool is_exec(uint64_t nr)
{
	return nr == __NR_execve || nr == __NR_execveat;
}

static void put_args(struct calltrace_writer *w, const struct call *c,
		     void (*put)(struct calltrace_writer *w, const struct call *c,
				 size_t i))
{
	for (size_t i = 0; c->row && i < SYSCALL_ARGS_MAX; i++)
		if (c->args[i])
			put(w, c, i);
}

bool calltrace_enter(const struct pt_regs *regs)
{
	uint64_t nr = (uint32_t)regs->orig_rax;
	struct call c = call_of(nr, regs);
	struct calltrace_enter body = { .nr = nr, .sp = regs->rsp };
	bool held_back = calltrace_held_back();
	struct calltrace_writer *w;

	if (held_back && !is_exec(nr))
		return true;
	memcpy(body.args, c.args, sizeof body.args);
	if (!calltrace_record(CALLTRACE_ENTER, &body, &w))
		return false;
	if (!w)
		return true;
	put_args(w, &c, put_before);
	if (nr == __NR_rt_sigreturn)
		put_data(w, regs->rsp + offsetof(struct ucontext, uc_sigmask),
			 sizeof(uint64_t));
	if (held_back)
		calltrace_record_keep(w);
	else
		calltrace_record_end(w);
	return true;
}

void calltrace_exit(uint64_t nr, const struct pt_regs *regs)
{
	struct calltrace_exit body = { nr, regs->rax };
	struct call c = call_of(nr, regs);
	struct calltrace_writer *w;

	if (calltrace_held_back() && (!is_exec(nr) || regs->rax || !calltrace_release()))
		return;
	if (calltrace_cut_short() || !calltrace_record(CALLTRACE_EXIT, &body, &w) || !w)
		return;
	/* After execve the addresses are another program's. */
	if (!is_exec(nr))
		put_args(w, &c, put_after);
	calltrace_record_end(w);
}
