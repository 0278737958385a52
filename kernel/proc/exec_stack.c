/*
 * A new program's first stack (x86-64 psABI 3.4.1), from the top down: the strings, the
 * name it was started by, platform name and random bytes, the auxiliary vector, the
 * pointers to the environment and the arguments, their count. The program starts with
 * %rsp at the count.
 */
#include <asm/errno.h>
#include <linux/auxvec.h>

#include "lib/string.h"
#include "proc/exec.h"
#include "proc/signal.h"
#include "sec/entropy.h"

#define CLOCK_TICKS 100 /* sysconf(_SC_CLK_TCK) */

static const char platform[] = "x86_64";

/* Words on their way out, in order. */
struct writer {
	uaddr_t at;
	int err;
	uint32_t n;
	uint64_t word[64];
};

static void flush(struct writer *w)
{
	if (!w->err && w->n)
		w->err = copy_out(w->at, w->word, w->n * sizeof w->word[0]);
	w->at = uaddr_add(w->at, w->n * sizeof w->word[0]);
	w->n = 0;
}

static void put(struct writer *w, uint64_t v)
{
	w->word[w->n++] = v;
	if (w->n == ARRAY_LEN(w->word))
		flush(w);
}

/* Pointers to n strings that lie one after the other; *buf and *at move on. */
static void put_strings(struct writer *w, const char **buf, uint64_t *at, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t len = strlen(*buf) + 1;
		put(w, *at);
		*buf += len;
		*at += len;
	}
	put(w, 0);
}

struct strings {
	uint64_t args, name, platform, random;
};

static uint64_t program_headers(const struct exec *e)
{
	const struct elf_plan *p = &e->program.plan;
	return p->phdr_va ? e->program.bias + p->phdr_va : 0;
}

static size_t make_auxv(const struct exec *e, const struct strings *s, uint64_t *v)
{
	const struct cred *c = e->cred;
	const uint64_t rows[][2] = {
		{ AT_SYSINFO_EHDR, e->vdso },
		{ AT_MINSIGSTKSZ, sigframe_max_size() },
		{ AT_HWCAP, arch_hwcap() },
		{ AT_PAGESZ, PAGE_SIZE },
		{ AT_CLKTCK, CLOCK_TICKS },
		{ AT_PHDR, program_headers(e) },
		{ AT_PHENT, ELF_PHDR_SIZE },
		{ AT_PHNUM, e->program.plan.phnum },
		{ AT_BASE, e->interp.file ? e->interp.bias : 0 },
		{ AT_FLAGS, 0 },
		{ AT_ENTRY, e->program.bias + e->program.plan.entry },
		{ AT_UID, c->uid },
		{ AT_EUID, c->euid },
		{ AT_GID, c->gid },
		{ AT_EGID, c->egid },
		{ AT_SECURE, e->secure },
		{ AT_RANDOM, s->random },
		{ AT_HWCAP2, arch_hwcap2() },
		{ AT_EXECFN, s->name },
		{ AT_PLATFORM, s->platform },
		{ AT_NULL, 0 },
	};
	memcpy(v, rows, sizeof rows);
	return sizeof rows / sizeof(uint64_t);
}

static int write_strings(const struct exec *e, struct strings *s)
{
	uint8_t random[16];
	size_t name_len = strlen(e->name) + 1;
	entropy_get(random, sizeof random);
	s->name = e->stack_top - sizeof(uint64_t) - name_len;
	s->args = s->name - e->args.len;
	/* Within a page the start is random too. */
	s->platform =
		ALIGN_DOWN(s->args, 16) - exec_random_below(512) * 16 - sizeof platform;
	s->random = s->platform - sizeof random;
	int err = copy_out(UADDR(s->name), e->name, name_len);
	if (!err)
		err = copy_out(UADDR(s->args), e->args.buf, e->args.len);
	if (!err)
		err = copy_out(UADDR(s->platform), platform, sizeof platform);
	if (!err)
		err = copy_out(UADDR(s->random), random, sizeof random);
	return err;
}

int exec_stack_write(struct exec *e)
{
	struct space *sp = e->space;
	struct strings s;
	int err = write_strings(e, &s);
	if (err)
		return err;
	memset(sp->auxv, 0, sizeof sp->auxv);
	size_t n_aux = make_auxv(e, &s, sp->auxv);
	size_t words = 1 + e->args.argc + 1 + e->args.envc + 1 + n_aux;
	e->sp = ALIGN_DOWN(s.random - words * sizeof(uint64_t), 16);

	struct writer w = { .at = UADDR(e->sp) };
	const char *buf = e->args.buf;
	uint64_t at = s.args;
	put(&w, e->args.argc);
	sp->arg_start = at;
	put_strings(&w, &buf, &at, e->args.argc);
	sp->arg_end = sp->env_start = at;
	put_strings(&w, &buf, &at, e->args.envc);
	sp->env_end = at;
	for (size_t i = 0; i < n_aux; i++)
		put(&w, sp->auxv[i]);
	flush(&w);
	return w.err;
}
