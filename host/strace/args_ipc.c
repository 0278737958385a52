/* Arguments about System V IPC, message queues and other processes. */
#include <mqueue.h>
#include <stddef.h>
#include <string.h>
#include <sys/ipc.h>
#include <sys/ptrace.h>
#include <sys/sem.h>

#include "host/strace/args.h"

/* ---- System V ---- */

void arg_ipc_key(struct call *c, unsigned i, const struct names *set)
{
	uint32_t key = (uint32_t)c->enter.args[i];

	if (key == IPC_PRIVATE)
		text_add(c->out, "IPC_PRIVATE");
	else
		text_add(c->out, "%#x", key);
}

/* IPC_CREAT|0600 */
void arg_ipc_flags(struct call *c, unsigned i, const struct names *set)
{
	uint32_t flags = (uint32_t)c->enter.args[i];

	if (flags & ~0777u) {
		text_flags(c->out, &set_ipc, flags & ~0777u);
		text_add(c->out, "|");
	}
	text_add(c->out, "%#03o", flags & 0777);
}

void arg_sembufs(struct call *c, unsigned i, const struct names *set)
{
	uint64_t at = c->enter.args[i], count = (uint32_t)c->enter.args[i + 1];
	struct sembuf op;

	if (!count || !memory_before(c, at, &op, sizeof(op))) {
		text_pointer(c->out, at);
		return;
	}
	text_add(c->out, "[");
	for (uint64_t k = 0; k < count; k++, at += sizeof(op)) {
		text_add(c->out, k ? ", " : "");
		if (k == STRING_SHOWN || !memory_before(c, at, &op, sizeof(op))) {
			text_add(c->out, "...");
			break;
		}
		text_add(c->out, "{sem_num=%u, sem_op=%d, sem_flg=", op.sem_num,
			 op.sem_op);
		text_flags(c->out, &set_semop, (uint16_t)op.sem_flg);
		text_add(c->out, "}");
	}
	text_add(c->out, "]");
}

static void print_message_buffer(struct call *c, unsigned i, bool late)
{
	uint64_t at = c->enter.args[i];
	int64_t type;

	if (c->failed || !memory_get(c, late, at, &type, sizeof(type))) {
		text_pointer(c->out, at);
		return;
	}
	text_add(c->out, "{mtype=%ld, mtext=", type);
	print_data(c, late, at + sizeof(type), c->enter.args[i + 1], false);
	text_add(c->out, "}");
}

void arg_msgbuf(struct call *c, unsigned i, const struct names *set)
{
	print_message_buffer(c, i, false);
}

void arg_msgbuf_out(struct call *c, unsigned i, const struct names *set)
{
	print_message_buffer(c, i, true);
}

/* ---- message queues ---- */

static void print_mq_attr(struct call *c, const struct mq_attr *a)
{
	text_add(c->out, "{mq_flags=");
	text_flags(c->out, &set_open, (uint64_t)a->mq_flags);
	text_add(c->out, ", mq_maxmsg=%ld, mq_msgsize=%ld, mq_curmsgs=%ld}", a->mq_maxmsg,
		 a->mq_msgsize, a->mq_curmsgs);
}

void arg_mq_attr(struct call *c, unsigned i, const struct names *set)
{
	struct mq_attr a;

	if (struct_in(c, i, &a, sizeof(a)))
		print_mq_attr(c, &a);
}

void arg_mq_attr_out(struct call *c, unsigned i, const struct names *set)
{
	struct mq_attr a;

	if (struct_out(c, i, &a, sizeof(a)))
		print_mq_attr(c, &a);
}

/* ---- ptrace ---- */

/* Address and data, as far as the request takes them. */
void arg_ptrace(struct call *c, unsigned i, const struct names *set)
{
	const uint64_t *a = c->enter.args;

	text_choice(c->out, &set_ptrace, (uint32_t)a[0]);
	c->no_more = true;
	if (a[0] == PTRACE_TRACEME)
		return;
	text_add(c->out, ", %d", (int32_t)a[1]);
	switch ((int)a[0]) {
	case PTRACE_ATTACH:
	case PTRACE_INTERRUPT:
	case PTRACE_KILL:
	case PTRACE_LISTEN:
		return;
	default:
		break;
	}
	text_add(c->out, ", ");
	text_pointer(c->out, a[2]);
	text_add(c->out, ", ");
	switch ((int)a[0]) {
	case PTRACE_CONT:
	case PTRACE_DETACH:
	case PTRACE_SINGLESTEP:
	case PTRACE_SYSCALL:
		text_signal(c->out, a[3]);
		break;
	case PTRACE_SEIZE:
	case PTRACE_SETOPTIONS:
		text_flags(c->out, &set_ptrace_options, a[3]);
		break;
	default:
		text_pointer(c->out, a[3]);
	}
}
