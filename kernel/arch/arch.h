/*
 * What every kernel layer may ask of the machine. The only header of arch/ that the
 * layers above include; arch/x86_64 implements it and calls up only through
 * arch/upcall.h.
 *
 * Always true:
 *  A1  interrupts are off in interrupt and exception entry code until the handler says
 *      so;
 *  A2  %gs points at the running CPU's struct cpu whenever kernel C code runs;
 *  A3  kernel C code never touches FPU or vector registers: the user's live in the CPU or
 *      in its thread's save area, never in another thread's.
 */
#ifndef ARCH_ARCH_H
#define ARCH_ARCH_H

#include <asm/ptrace.h> /* struct pt_regs: what the entry code saves */

#include "lib/base.h"

#define PAGE_SHIFT 12
#define PAGE_SIZE 4096ul
#define PAGE_MASK (~(PAGE_SIZE - 1))
#define CPU_MAX 16
#define KSTACK_SIZE (4 * PAGE_SIZE)

/* One past the last address user space may map (47 bits, less one guard page). */
#define USER_END 0x00007ffffffff000ul
/* The lowest address a mapping may have (vm.mmap_min_addr). */
#define USER_START 0x10000ul

typedef uint64_t paddr_t;
/* An address that came from user space. Opened only by mm/usercopy.h and the area
 * code. */
typedef struct {
	uint64_t va;
} uaddr_t;
#define UADDR(x) ((uaddr_t){ (uint64_t)(x) })
#define UADDR_NULL UADDR(0)

struct thread;
struct cpu;
typedef uint32_t cpumask_t; /* bit n: CPU n */

/* ---- the running CPU ---- */

/* Per-CPU block, at %gs:0. The first six words are known to assembly and the compiler. */
struct cpu {
	struct cpu *self;	/* [I] */
	struct thread *current; /* set by core at a switch */
	uint64_t kstack_top;	/* where syscall entry starts its stack: current's top */
	uint64_t user_rsp;	/* scratch of syscall entry */
	uint64_t scratch;
	uint64_t canary;    /* [I] %gs:40, -mstack-protector-guard-offset */
	uint32_t id;	    /* [I] 0..cpu_count-1 */
	uint32_t apic_id;   /* [I] */
	uint32_t irq_depth; /* interrupts nested on this CPU; 0: thread context */
};

static inline struct cpu *cpu_self(void)
{
	struct cpu *c;
	__asm__ volatile("mov %%gs:0, %0" : "=r"(c));
	return c;
}

/* The running thread. One instruction, so valid however the caller is migrated. */
static inline struct thread *thread_current(void)
{
	struct thread *t;
	__asm__ volatile("mov %%gs:8, %0" : "=r"(t));
	return t;
}

static inline uint32_t cpu_id(void)
{
	return cpu_self()->id;
}

uint32_t cpu_count(void);	 /* CPUs that are up, 1..CPU_MAX */
struct cpu *cpu_of(uint32_t id); /* borrows; id < cpu_count() */

/* ---- interrupts ---- */

static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}

static inline uint64_t irq_save(void)
{
	uint64_t f;
	__asm__ volatile("pushfq; pop %0; cli" : "=r"(f)::"memory");
	return f;
}

static inline void irq_restore(uint64_t f)
{
	__asm__ volatile("push %0; popfq" ::"r"(f) : "memory", "cc");
}

static inline bool irq_enabled(void)
{
	uint64_t f;
	__asm__ volatile("pushfq; pop %0" : "=r"(f)::"memory");
	return f & 0x200;
}

static inline void cpu_relax(void)
{
	__asm__ volatile("pause" ::: "memory");
}

/* Sleeps until an interrupt; entered with interrupts off, returns with them on. */
static inline void cpu_idle(void)
{
	__asm__ volatile("sti; hlt" ::: "memory");
}

/* Device interrupt lines (IOAPIC pins). The handler runs with interrupts off. 0 or
 * -errno. */
typedef void (*irq_handler_fn)(void *arg);
must_use int irq_request(uint32_t line, irq_handler_fn fn, void *arg);
uint64_t irq_count(uint32_t line, uint32_t cpu); /* for /proc/interrupts */
uint32_t irq_lines(void);			 /* how many there can be */
/* What CPUs send themselves and each other. */
enum irq_own {
	IRQ_OWN_TIMER,
	IRQ_OWN_RESCHED,
	IRQ_OWN_CALL,
	IRQ_OWN_SPURIOUS,
	IRQ_OWN_N
};
uint64_t irq_own_count(enum irq_own kind, uint32_t cpu);

/* ---- CPUs together ---- */

void arch_smp_start(void);	     /* starts all others; returns when they are up */
void arch_ipi_resched(uint32_t cpu); /* makes it look at its run queue */
/* Runs fn(arg) on every CPU of mask other than this one and waits for all. There fn runs
 * with interrupts off, in an interrupt or in a loop that spins for a lock: it may take
 * only locks that nobody holds while taking another. */
void arch_ipi_call(cpumask_t mask, void (*fn)(void *), void *arg);
/* Runs calls of other CPUs that wait for this one. For loops that spin with interrupts
 * off (spin_lock_slow): the lock's holder may be waiting for this CPU in
 * arch_ipi_call. */
void arch_ipi_poll(void);

/* ---- time ---- */

/* ns since boot, the same on all CPUs, monotonic */
uint64_t clock_mono(void);
void arch_timer_set(uint64_t mono_ns); /* one-shot on this CPU; UINT64_MAX disarms */
/* ns = base_ns + clock_scale_ns(tsc - base_tsc, mult). For the vDSO page too. */
struct clock_scale {
	uint64_t base_tsc, base_ns, mult;
};
struct clock_scale clock_scale_get(void);
/* Called once when the calibration is refined, with the new scale; mm-free context. */
void clock_scale_notify(void (*fn)(const struct clock_scale *));

void arch_tick_init(void);
/* While a thread runs, at each tick, interrupts off. QEMU's emulator grows its software
 * TLB only when it is flushed: a job that never switches would stay with 64 entries (ADR
 * 4). */
void arch_tick(void);

/* ---- threads ---- */

/* The selectors of user mode's data segments: the null selector, unless it loads another.
 * They mean nothing in 64-bit mode, but can be read, and loading %fs or %gs sets its
 * base. */
struct arch_segments {
	uint16_t ds, es, fs, gs;
};

/* What a switch keeps beside the kernel stack. */
struct arch_thread {
	uint64_t rsp;		   /* kernel stack pointer while switched out */
	uint64_t fs_base, gs_base; /* user's, while switched out or in kernel */
	void *xsave;		   /* XSAVE area, 64-byte aligned; NULL: kernel thread */
	bool fpu_live;		   /* registers hold this thread's state on fpu_cpu */
	bool fpu_taken;		   /* between arch_fpu_take and arch_fpu_reload */
	uint32_t fpu_cpu;
	bool no_tsc;		       /* user mode may not read the time-stamp counter */
	struct arch_segments segments; /* user's, while switched out */
};

/* Prepares a new stack so that the first switch to t calls fn(arg); fn does not
 * return. */
void arch_thread_init(struct arch_thread *t, void *kstack_top, void (*fn)(void *),
		      void *arg);
/* Saves prev (FPU too), loads next. Returns in prev's context when it next runs: the
 * thread that ran just before. Interrupts off. */
struct thread *arch_switch(struct thread *prev, struct arch_thread *from,
			   struct arch_thread *to, void *to_kstack_top);
/* The user registers at the top of a kernel stack. */
struct pt_regs *arch_user_regs(void *kstack_top);
/* First return of a new thread to user mode, with the registers at its stack's top. */
noreturn_fn void arch_return_to_user(void);

size_t arch_xsave_size(void);	/* bytes, a multiple of 64 */
uint64_t arch_xsave_mask(void); /* the components in it: XCR0 */
/* the state a fresh program starts with */
void arch_fpu_init(void *xsave);
void arch_fpu_sync(struct arch_thread *t); /* current: registers -> t->xsave */
/* current: the same, and until arch_fpu_reload t->xsave alone counts. So it may be
 * written in several steps, even sleeping between them, which arch_fpu_sync does not
 * allow. */
void arch_fpu_take(struct arch_thread *t);
/* current: t->xsave will be loaded. Also when a thread gets its first xsave while
 * running. */
void arch_fpu_reload(struct arch_thread *t);
/* Makes a user-supplied XSAVE image safe to load (header, MXCSR). 0 or -EINVAL. */
must_use int arch_fpu_sanitize(void *xsave, size_t len);
/* current's, now and later; the selector becomes null */
void arch_set_fs_base(struct arch_thread *t, uint64_t v);
void arch_set_gs_base(struct arch_thread *t, uint64_t v);
uint64_t arch_get_fs_base(struct arch_thread *t);
void arch_set_no_tsc(struct arch_thread *t, bool no_tsc); /* current's, now and later */
uint64_t arch_get_gs_base(struct arch_thread *t);
struct arch_segments arch_get_segments(void); /* current's */
/* current: as a fresh program has them, null selectors and bases 0 */
void arch_reset_segments(struct arch_thread *t);
/* Can user mode load this selector? Others must not come into a struct arch_segments. */
bool arch_selector_ok(uint64_t v);

/* ---- page tables of a user address space ---- */

enum pte_flags {
	PTE_R = 1, /* readable: present */
	PTE_W = 2,
	PTE_X = 4,
	PTE_USER = 8,
	PTE_UNCACHED = 16,
	PTE_DIRTY = 32,	   /* out only */
	PTE_ACCESSED = 64, /* out only */
};

struct arch_pt {
	paddr_t root;	  /* [I] top-level table; its upper half is the kernel's */
	cpumask_t active; /* [a] CPUs that may hold its translations */
};

/* Table pages come from these two (owned by mm; set before the first use). */
struct pt_page_ops {
	paddr_t (*alloc)(void);	  /* a zeroed page, or 0 */
	void (*free)(paddr_t pa); /* a page that is zero again */
};
void arch_pt_set_page_ops(const struct pt_page_ops *ops);

must_use int arch_pt_init(struct arch_pt *pt); /* 0 or -ENOMEM */
void arch_pt_fini(struct arch_pt *pt);	       /* frees the tables, not what they map */
/* Maps one 4 KiB page; replaces what was there (caller flushes then). 0 or -ENOMEM. */
must_use int arch_pt_map(struct arch_pt *pt, uint64_t va, paddr_t pa, uint32_t flags);
/* Takes one page out. True if one was there; its address and flags are then set. */
bool arch_pt_unmap(struct arch_pt *pt, uint64_t va, paddr_t *ret_pa, uint32_t *ret_flags);
bool arch_pt_lookup(struct arch_pt *pt, uint64_t va, paddr_t *ret_pa,
		    uint32_t *ret_flags);
/* Changes flags of a present page; false when none is there. */
bool arch_pt_protect(struct arch_pt *pt, uint64_t va, uint32_t flags);
/* Calls fn for each entry of [start, end) that is not zero (mm keeps pages that nothing
 * may touch in entries that are not present: bit 0 clear), skipping absent tables; fn may
 * unmap or change the entry through *pte with arch_pte_*; stops when fn returns
 * non-zero. */
typedef int (*pte_visit_fn)(uint64_t va, uint64_t *pte, void *arg);
int arch_pt_walk(struct arch_pt *pt, uint64_t start, uint64_t end, pte_visit_fn fn,
		 void *arg);
/* The leaf entry of va, to be read and written under the caller's lock; NULL: no table
 * there (`make`: none could be made). Entries of one 2 MiB region follow each other in
 * memory. */
uint64_t *arch_pt_slot(struct arch_pt *pt, uint64_t va, bool make);
/* The entry of the first address in [*va, end) that has a table; *va is then that
 * address. NULL: none has. */
uint64_t *arch_pt_next(struct arch_pt *pt, uint64_t *va, uint64_t end);
static inline paddr_t arch_pte_pa(uint64_t pte)
{
	return pte & 0x000ffffffffff000ul;
}
uint32_t arch_pte_flags(uint64_t pte);
/* Of a present entry: as if nothing had been read or written through it. The caller
 * flushes. */
void arch_pte_clear_accessed(uint64_t *pte);
/* Tables below the root that the user's half has. The tables must not change. */
uint64_t arch_pt_tables(const struct arch_pt *pt);
uint64_t arch_pte_make(paddr_t pa, uint32_t flags); /* the address is or-ed to the rest */
/* Frees the tables that serve only [start, end), where no page is mapped any more. So
 * pass the whole gap between the neighbouring areas, not just what was unmapped. Flushes
 * by itself. */
void arch_pt_prune(struct arch_pt *pt, uint64_t start, uint64_t end);
/* Drops translations of [start, end) on every CPU that may hold them. Sleepless; IF
 * on. */
void arch_tlb_flush(struct arch_pt *pt, uint64_t start, uint64_t end);
/* The same for n single pages. */
void arch_tlb_flush_pages(struct arch_pt *pt, const uint64_t *va, size_t n);
void arch_pt_activate(struct arch_pt *pt); /* NULL: the kernel's own; this CPU */

/* ---- the kernel's address space ---- */

extern uint64_t arch_direct_base; /* [I] */
/* Pointer through the direct map; device registers below 4 GiB too (uncached). */
static inline void *arch_direct_map(paddr_t pa)
{
	return (void *)(arch_direct_base + pa);
}
paddr_t arch_direct_pa(const void *va); /* of the direct map or of the kernel's image */
/* Kernel area of vmap: maps n pages with guard holes; the range lies in ARCH's vmap
 * window. */
void arch_vmap_window(uint64_t *ret_start, uint64_t *ret_end);
must_use int arch_kmap(uint64_t va, paddr_t pa, uint32_t flags); /* 0 or -ENOMEM */
/* 0: nothing there. Caller flushes with arch_ktlb_flush */
paddr_t arch_kunmap(uint64_t va);
void arch_ktlb_flush(uint64_t start, uint64_t end);

/* ---- user memory, raw: returns the number of bytes NOT copied ---- */

size_t arch_user_read(void *dst, uint64_t src, size_t n);
size_t arch_user_write(uint64_t dst, const void *src, size_t n);
size_t arch_user_zero(uint64_t dst, size_t n);
/* Copies up to and with the NUL. Bytes copied without the NUL, `max` when none was found
 * in max bytes, or -EFAULT. */
int64_t arch_user_strncpy(char *dst, uint64_t src, size_t max);
must_use int arch_user_load32(uint64_t src, uint32_t *ret); /* 0 or -EFAULT; atomic */
/* Atomic: *ret is the value found. 0 or -EFAULT. */
must_use int arch_user_cmpxchg32(uint64_t dst, uint32_t old, uint32_t new, uint32_t *ret);

/* ---- what the boot found ---- */

struct boot_info;
const struct boot_info *arch_boot_info(void);
const char *arch_cmdline(void);
/* The loader's random seed, once: wiped when taken. True: from a hardware generator. */
bool arch_seed_take(uint8_t ret[48]);
/* Hardware random bits for seeding. Number of bytes written, 0 when there is no
 * RDRAND. */
size_t arch_hw_random(void *buf, size_t n);
/* CPU identification text for /proc/cpuinfo. */
struct arch_cpu_info {
	char vendor[13], brand[49];
	uint32_t family, model, stepping, khz;
	const char *flags; /* space separated, Linux's names */
	uint32_t phys_bits, virt_bits, clflush, level; /* level: of CPUID */
	struct arch_cache {
		uint32_t level, size, line, ways, sets; /* sizes in bytes */
		const char *type; /* "Data", "Instruction", "Unified" */
	} caches[4];		  /* level 0: none */
};
const struct arch_cpu_info *arch_cpu_info(void);
uint32_t arch_hwcap(void);   /* AT_HWCAP: CPUID.1:EDX */
uint32_t arch_hwcap2(void);  /* AT_HWCAP2: bit 1 FSGSBASE */
bool arch_user_cpu_id(void); /* RDTSCP tells user mode the CPU's number */

/* Ends the VM with a code of lib/abi/exit.def. */
noreturn_fn void arch_vm_exit(uint32_t code);
/* Variables written only while booting; arch_seal makes them read-only. */
#define ro_after_init __attribute__((section(".ro_after_init")))
void arch_seal(void); /* before the first user code runs; on the boot CPU */
/* Stops all other CPUs where they are (panic). */
void arch_stop_others(void);
/* Symbolised call chain (file:line) to the serial port, from regs or (NULL) from here. */
void backtrace_print(const struct pt_regs *regs);
/* Byte to the debug serial port, polled; works from the first instruction to the last. */
void arch_serial_write(const char *s, size_t n);

#endif
