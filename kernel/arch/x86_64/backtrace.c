/*
 * The call chain at a panic: frames are linked through %rbp (the kernel is built with
 * frame pointers), exceptions through a marked link (N5 of entry.S). Memory is read by
 * probing, so a smashed stack ends the list and nothing else.
 */
#include "arch/x86_64/cpu.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/symtab.h"

#define FRAMES_MAX 48

bool probe_word(uint64_t va, uint64_t *ret);

static void text_print(const char *fmt, ...) printf_like(1, 2);

static void text_print(const char *fmt, ...)
{
	char line[256];
	va_list ap;

	va_start(ap, fmt);
	size_t n = fmt_va(line, sizeof(line), fmt, ap);
	va_end(ap);
	arch_serial_write(line, MIN(n, sizeof(line) - 1));
}

/* `back`: a return address, so the call is the instruction before it. */
static void address_print(const struct symtab *t, uint64_t address, bool back)
{
	uint64_t at = address - boot_info->kernel_virt;
	struct symbol s;

	if (at >= boot_info->kernel_size || !t || !symtab_find(t, at - back, &s))
		text_print("  [%#lx]\n", address);
	else if (s.file)
		text_print("  %s+%#lx (%s:%u)\n", s.function, s.offset + back, s.file,
			   s.line);
	else
		text_print("  %s+%#lx\n", s.function, s.offset + back);
}

static const struct symtab *symbols_open(struct symtab *t)
{
	return boot_info->symbols && symtab_open(arch_direct_map(boot_info->symbols),
						 boot_info->symbols_size, t) == 0
		       ? t
		       : NULL;
}

/* One frame; the next link, or 0. Links go up the stack only, except into an exception's
 * frame, which may be on another stack. */
static uint64_t frame_print(const struct symtab *t, uint64_t link)
{
	uint64_t next, address;

	if (link & 1) {
		uint64_t regs = link - 1;
		if (!probe_word(regs + REGS_RIP, &address) ||
		    !probe_word(regs + REGS_RBP, &next))
			return 0;
		uint64_t cs = 3;
		(void)probe_word(regs + REGS_CS, &cs);
		text_print("  -- exception or interrupt --\n");
		if (cs & 3)
			return 0;
		address_print(t, address, false);
		return next;
	}
	if (!probe_word(link + 8, &address) || !probe_word(link, &next) || !address)
		return 0;
	address_print(t, address, true);
	return next > link ? next : 0;
}

void backtrace_print(const struct pt_regs *regs)
{
	struct symtab table;
	const struct symtab *t = symbols_open(&table);
	uint64_t link = regs ? regs->rbp : (uint64_t)__builtin_frame_address(0);

	text_print("call chain, innermost first (kernel at %#lx):\n",
		   boot_info->kernel_virt);
	if (regs)
		address_print(t, regs->rip, false);
	for (int i = 0; link && i < FRAMES_MAX; i++)
		link = frame_print(t, link);
}
