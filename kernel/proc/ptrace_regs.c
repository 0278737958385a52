/*
 * A frozen tracee's registers: as offsets into struct user, and as the sets of
 * PTRACE_GETREGSET. See ptrace.h, R1 and R3.
 *
 * The layout of user_regs_struct is that of pt_regs, as the entry code saves it, with the
 * segment bases and selectors behind it. A selector that cannot be loaded is taken as the
 * null selector: that is what Linux makes of it when the tracee goes on. There are no
 * hardware breakpoints: a debug register reads as 0 and takes nothing else.
 */
#include <asm/errno.h>
#include <asm/processor-flags.h>
#include <asm/ptrace-abi.h>
#include <linux/elf.h>

#include "lib/string.h"
#include "mm/usercopy.h"
#include "proc/ptrace.h"

#define USER_CS 0x33
#define USER_SS 0x2b
#define SELECTOR_RPL 3	 /* privilege bits of a selector: user mode's are all set */
#define DEBUGREGS_AT 848 /* of struct user, <sys/user.h> */
#define DEBUGREGS 8
#define USER_SIZE 912
#define FXSAVE_SIZE 512
#define XSAVE_HEADER_SIZE 64
#define XSAVE_SW_AT 464 /* in it, for software: here XCR0, as on Linux */
#define XFEATURE_FP_SSE 3ull

/* What a program could set itself, as in a signal frame: RF OF DF TF SF ZF AF PF CF,
 * AC. */
#define FLAGS_SETTABLE 0x00050dd5ull

struct user_regs {
	struct pt_regs r;
	uint64_t fs_base, gs_base, ds, es, fs, gs;
};
#define REG(field) (offsetof(struct user_regs, field) / sizeof(uint64_t))
#define REG_COUNT (sizeof(struct user_regs) / sizeof(uint64_t))

/* ---- single-stepping ---- */

void trace_step_on(struct task *t)
{
	struct pt_regs *r = task_user_regs(t);
	t->trace.step = true;
	if (!(r->eflags & X86_EFLAGS_TF))
		t->trace.forced_tf = true;
	r->eflags |= X86_EFLAGS_TF;
}

void trace_step_off(struct task *t)
{
	t->trace.step = false;
	if (t->trace.forced_tf)
		task_user_regs(t)->eflags &= ~(uint64_t)X86_EFLAGS_TF;
	t->trace.forced_tf = false;
}

/* ---- one register ---- */

static uint16_t *selector(struct task *t, size_t i)
{
	struct arch_segments *s = &t->thread.arch.segments;
	return i == REG(ds)   ? &s->ds
	       : i == REG(es) ? &s->es
	       : i == REG(fs) ? &s->fs
			      : &s->gs;
}

static int selector_set(struct task *t, size_t i, uint64_t v)
{
	if (v > UINT16_MAX || (v && (v & SELECTOR_RPL) != SELECTOR_RPL))
		return -EIO;
	*selector(t, i) = arch_selector_ok(v) ? (uint16_t)v : 0;
	return 0;
}

static uint64_t reg_get(struct task *t, size_t i)
{
	const struct pt_regs *r = task_user_regs(t);
	switch (i) {
	case REG(r.eflags):
		return t->trace.forced_tf ? r->eflags & ~(uint64_t)X86_EFLAGS_TF
					  : r->eflags;
	case REG(fs_base):
		return t->thread.arch.fs_base;
	case REG(gs_base):
		return t->thread.arch.gs_base;
	case REG(ds):
	case REG(es):
	case REG(fs):
	case REG(gs):
		return *selector(t, i);
	default:
		return ((const uint64_t *)r)[i];
	}
}

/* TF that the tracer writes is the program's; TF that it leaves out stays if it is
 * ours. */
static void flags_set(struct task *t, uint64_t v)
{
	struct pt_regs *r = task_user_regs(t);
	if (v & X86_EFLAGS_TF)
		t->trace.forced_tf = false;
	else if (t->trace.forced_tf)
		v |= X86_EFLAGS_TF;
	r->eflags = (r->eflags & ~FLAGS_SETTABLE) | (v & FLAGS_SETTABLE);
}

static int base_set(uint64_t *base, uint64_t v)
{
	if (v >= USER_END)
		return -EIO;
	*base = v;
	return 0;
}

static int reg_set(struct task *t, size_t i, uint64_t v)
{
	switch (i) {
	case REG(r.cs):
		return v == USER_CS ? 0 : -EIO;
	case REG(r.ss):
		return v == USER_SS ? 0 : -EIO;
	case REG(ds):
	case REG(es):
	case REG(fs):
	case REG(gs):
		return selector_set(t, i, v);
	case REG(fs_base):
		return base_set(&t->thread.arch.fs_base, v);
	case REG(gs_base):
		return base_set(&t->thread.arch.gs_base, v);
	case REG(r.eflags):
		flags_set(t, v);
		return 0;
	default:
		((uint64_t *)task_user_regs(t))[i] = v;
		return 0;
	}
}

static bool is_debugreg(uint64_t offset)
{
	return offset >= DEBUGREGS_AT &&
	       offset < DEBUGREGS_AT + DEBUGREGS * sizeof(uint64_t);
}

int trace_user_peek(struct task *t, uint64_t offset, uint64_t *ret)
{
	if (offset % sizeof(uint64_t) || offset >= USER_SIZE)
		return -EIO;
	size_t i = offset / sizeof(uint64_t);
	*ret = i < REG_COUNT ? reg_get(t, i) : 0;
	return 0;
}

int trace_user_poke(struct task *t, uint64_t offset, uint64_t value)
{
	if (offset % sizeof(uint64_t) || offset >= USER_SIZE)
		return -EIO;
	size_t i = offset / sizeof(uint64_t);
	if (i < REG_COUNT)
		return reg_set(t, i, value);
	return is_debugreg(offset) && !value ? 0 : -EIO;
}

/* ---- sets ---- */

static int general_get(struct task *t, uaddr_t to, size_t n)
{
	uint64_t regs[REG_COUNT];
	for (size_t i = 0; i < REG_COUNT; i++)
		regs[i] = reg_get(t, i);
	return copy_out(to, regs, n);
}

static int general_set(struct task *t, uaddr_t from, size_t n)
{
	uint64_t regs[REG_COUNT];
	int err = copy_in(regs, from, n);
	for (size_t i = 0; !err && i < n / sizeof regs[0]; i++)
		err = reg_set(t, i, regs[i]);
	return err;
}

static int fpu_get(struct task *t, uaddr_t to, size_t n)
{
	const uint64_t mask = arch_xsave_mask();
	uint8_t *area = t->thread.arch.xsave;
	if (n > FXSAVE_SIZE)
		memcpy(area + XSAVE_SW_AT, &mask, sizeof mask);
	return copy_out(to, area, n);
}

/* What is written is looked at as a whole before any of it counts. */
static int fpu_set(struct task *t, uaddr_t from, size_t n)
{
	size_t size = arch_xsave_size();
	uint8_t *area = t->thread.arch.xsave, *copy = heap_alloc(size);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, area, size);
	int err = copy_in(copy, from, n);
	if (!err && n <= FXSAVE_SIZE && size > FXSAVE_SIZE)
		*(uint64_t *)(copy + FXSAVE_SIZE) |= XFEATURE_FP_SSE;
	if (!err)
		err = arch_fpu_sanitize(copy, size);
	if (!err)
		memcpy(area, copy, size);
	heap_free(copy);
	return err;
}

/* Its full size and the unit it comes in; 0: there is no such set. */
static size_t regset_size(uint32_t type, size_t *ret_unit)
{
	*ret_unit = sizeof(uint64_t);
	switch (type) {
	case NT_PRSTATUS:
		return sizeof(struct user_regs);
	case NT_PRFPREG:
		return FXSAVE_SIZE;
	case NT_X86_XSTATE:
		return arch_xsave_size() > FXSAVE_SIZE ? arch_xsave_size() : 0;
	default:
		return 0;
	}
}

static int regset_cut(uint32_t type, size_t *n)
{
	size_t unit, size = regset_size(type, &unit);
	if (!size)
		return -EINVAL;
	*n = MIN(*n, size);
	return *n % unit ? -EINVAL : 0;
}

int trace_regset_get(struct task *t, uint32_t type, uaddr_t to, size_t *n)
{
	int err = regset_cut(type, n);
	if (err)
		return err;
	return type == NT_PRSTATUS ? general_get(t, to, *n) : fpu_get(t, to, *n);
}

int trace_regset_set(struct task *t, uint32_t type, uaddr_t from, size_t *n)
{
	int err = regset_cut(type, n);
	if (err)
		return err;
	if (type == NT_PRSTATUS)
		return general_set(t, from, *n);
	if (type == NT_X86_XSTATE && *n != arch_xsave_size())
		return -EFAULT; /* as Linux: whole or not at all */
	return fpu_set(t, from, *n);
}
