/*
 * Address spaces: areas (what the user asked for) over page tables (what has been
 * touched).
 *
 * Always true:
 *  V1  areas do not overlap and are sorted; both ends are page-aligned within
 *      [USER_START, USER_END);
 *  V2  a present page-table entry lies inside an area and grants no more than the area;
 *  V3  a private writable page shared by more than one mapping is mapped read-only (COW);
 *  V4  areas change only under the exclusive lock; faults take it shared and change page
 *      tables under pt_lock.
 */
#ifndef MM_SPACE_H
#define MM_SPACE_H

#include "core/wait.h"
#include "lib/rbtree.h"
#include "mm/page.h"

struct mapping;
struct map_request;
struct area;

/* PROT_* of <asm/mman.h> in prot; MAP_SHARED and friends become these. */
enum area_flag {
	AREA_SHARED = 1,
	AREA_GROWSDOWN = 2,
	AREA_STACK = 4,
	AREA_HEAP = 8, /* brk */
	AREA_DONTFORK = 16,
	AREA_WIPEONFORK = 32,
	AREA_LOCKED = 64,
	AREA_NORESERVE = 128,
	AREA_SPECIAL = 256, /* vdso, vvar: cannot be split by file rules */
	AREA_DONTDUMP = 512,
	AREA_NOHUGE = 1024,
	AREA_MAY_WRITE = 2048, /* mprotect may add PROT_WRITE (file open mode) */
	AREA_MAY_EXEC = 4096,
	AREA_MAY_READ = 8192,
	AREA_SEQ_READ = 16384,
	AREA_RAND_READ = 32768,
	/* mbind(2)'s policy, see policy.c; 0: none of its own */
	AREA_POLICY_SHIFT = 16,
	AREA_POLICY_MASK = 0xff0000,
};

/* What an area maps, when it is not anonymous. `owner` is opaque here (fs: struct
 * file). */
struct area_ops {
	void (*get)(void *owner);
	void (*put)(void *owner);
	/* Page for a fault, with a reference; NULL in ops: use a->mapping. 0, -EIO
	 * (SIGBUS). */
	int (*fault)(struct area *a, uint64_t pgoff, struct page **ret);
	/* What /proc/pid/maps says: path text, device, inode number. */
	size_t (*name)(void *owner, char *buf, size_t n);
	void (*id)(void *owner, uint64_t *ret_dev, uint64_t *ret_ino);
	/* A shared writable page is about to be written (mtime). */
	void (*wrote)(void *owner);
	/* Takes bytes out for everybody (MADV_REMOVE); NULL: it cannot. No lock held. */
	int64_t (*punch)(void *owner, uint64_t off, uint64_t len);
	/* Whether it may be mapped once more, with r's pages and rights. 0, -errno; NULL:
	 * always. space.lock held. */
	int (*may_map)(void *owner, const struct map_request *r);
	/* Not NULL: get and put count areas, so two never become one, and these keep the
	 * owner besides. */
	void (*hold)(void *owner);
	void (*let_go)(void *owner);
};

struct area {
	struct rb_node node;	    /* [space.lock] by start */
	struct space *space;	    /* [I] */
	uint64_t start, end;	    /* [space.lock] bytes, page-aligned */
	uint64_t gap;		    /* bytes right before start that a mapping may take */
	uint64_t gap_max;	    /* largest gap in the subtree */
	uint32_t prot;		    /* [space.lock] PROT_* */
	uint32_t flags;		    /* [space.lock] enum area_flag */
	struct mapping *mapping;    /* NULL: anonymous (or ops->fault) */
	uint64_t pgoff;		    /* page of the mapping at start */
	const struct area_ops *ops; /* NULL: plain anonymous */
	void *owner;
	struct list rmap;  /* [mapping.lock] on mapping->areas */
	const char *label; /* "[vdso]"…; NULL: derived */
	/* [space.pt_lock] may hold private copies of file pages */
	bool cows;
	/* [space.pt_lock] Zero pages mapped by the last fault, and the address right
	 * after them: a fault there means that memory is touched in order. */
	uint32_t ahead;
	uint64_t ahead_end;
};

#define SPACE_AREAS_MAX 65530 /* Linux's vm.max_map_count */

struct space {
	struct ref users;	 /* threads */
	struct ref refs;	 /* + others that look (procfs, rmap) */
	struct rwlock lock;	 /* RANK_SPACE */
	struct rb_tree areas;	 /* [lock] */
	struct area *hint;	 /* [lock, shared suffices] the area found last */
	uint64_t n_areas;	 /* [lock] */
	struct spinlock pt_lock; /* RANK_PT: pt's contents and the counters */
	struct arch_pt pt;
	_Atomic uint64_t rss_anon, rss_file, rss_shmem; /* pages */
	uint64_t rss_peak;				/* [pt_lock] pages */
	/* [lock] */
	uint64_t total_pages, locked_pages, data_pages, stack_pages, exec_pages;
	uint64_t total_peak;	 /* [lock] pages */
	uint64_t mmap_top;	 /* [I after exec] top-down base */
	uint64_t brk_start, brk; /* [lock] */
	/* [I after exec] */
	uint64_t code_start, code_end, data_start, data_end, stack_start;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t vdso;	   /* address of the vDSO image, 0: none */
	uint64_t auxv[64]; /* as the program got it, for /proc/pid/auxv */
	/* [pt_lock] struct file of the program; fs owns the meaning */
	void *exe;
	void (*exe_put)(void *exe);
	/* [pt_lock to set, once] contexts of io_setup(2); fs owns the meaning. Not
	 * inherited by fork */
	void *_Atomic aio;
	void (*aio_free)(void *aio);
	bool dumpable;
	bool lock_future, lock_onfault; /* [lock] mlockall(MCL_FUTURE, MCL_ONFAULT) */
	/* membarrier(2): registered for private ones, of both kinds */
	_Atomic bool wants_barriers, wants_core_barriers;
	/* Code comes from files alone, and is not what was written: set, never cleared */
	_Atomic bool no_wx;
	_Atomic bool thp_disabled; /* PR_SET_THP_DISABLE: kept, not used */
	uint32_t limits_gen;
	/* rlimits that matter here; proc writes them: bytes */
	_Atomic uint64_t limit_as, limit_data, limit_stack, limit_memlock;
};

/* Empty space with one user. 0 or -ENOMEM. */
must_use int space_new(struct space **ret);
/* Copy-on-write copy. 0 or -ENOMEM. */
must_use int space_fork(struct space *old, struct space **ret);
static inline struct space *space_use(struct space *s)
{
	ref_get(&s->users);
	return s;
}
void space_unuse(struct space *s); /* last user: unmaps everything */
void space_get(struct space *s);
void space_put(struct space *s);
/* The program's file, after `get` has taken a reference on it; NULL: it has been given
 * up, or there never was one. */
void *space_exe_get(struct space *s, void (*get)(void *exe));
/* What io_setup(2) has made of the space; NULL: nothing so far. */
static inline void *space_aio(struct space *s)
{
	return s->aio;
}
/* Sets it, to be given to `free` after the last user; what stands, if another thread was
 * first. */
void *space_set_aio(struct space *s, void *aio, void (*free)(void *aio));
/* Makes it the current thread's (exec, kernel threads that borrow). NULL: none. */
void space_switch(struct space *s);

struct map_request {
	uint64_t addr, len;   /* addr: hint, or exact with fixed; len is rounded up */
	uint32_t prot, flags; /* PROT_*, enum area_flag */
	bool fixed, noreplace, low32, populate;
	struct mapping *mapping;
	uint64_t pgoff;
	const struct area_ops *ops;
	void *owner; /* borrowed: ops->get is called for the area */
	const char *label;
};
/* The address, or -EINVAL, -ENOMEM, -EEXIST (noreplace), -EPERM. */
must_use int64_t space_map(struct space *s, const struct map_request *r);
must_use int space_unmap(struct space *s, uint64_t addr, uint64_t len);
/* Unmaps what is left of a whole mapping of `ops` that was made at addr. 0, -EINVAL
 * (there is none), -ENOMEM. */
must_use int space_detach(struct space *s, uint64_t addr, const struct area_ops *ops);
must_use int space_protect(struct space *s, uint64_t addr, uint64_t len, uint64_t prot);
/* What can be said of such a call without looking at a space. 0, -EINVAL, -ENOMEM. */
must_use int protect_range_check(uint64_t addr, uint64_t len, uint64_t prot);
must_use int64_t space_remap(struct space *s, uint64_t old, uint64_t old_len,
			     uint64_t new_len, uint32_t flags, uint64_t new_addr);
/* remap_file_pages(2): the whole pages of [addr, addr + len), which areas alike map from
 * one file, shared, get the pages of that file from pgoff on. 0, -EINVAL, -EOVERFLOW,
 * -ENOMEM, -EAGAIN (RLIMIT_MEMLOCK), what may_map says. */
must_use int space_remap_pages(struct space *s, uint64_t addr, uint64_t len,
			       uint64_t pgoff, bool populate);
must_use int space_advise(struct space *s, uint64_t addr, uint64_t len, int advice);
/* NUMA policies: policy.c. 0, -EFAULT (a hole; with `any`, nothing but holes),
 * -ENOMEM. */
must_use int space_set_policy(struct space *s, uint64_t start, uint64_t end,
			      uint32_t policy, bool any);
/* The policy at va. 0 or -EFAULT. */
must_use int space_policy_at(struct space *s, uint64_t va, uint32_t *ret);
/* The first policy of [*at, end), *at after it. False: there is none. */
bool space_policy_next(struct space *s, uint64_t *at, uint64_t end, uint32_t *ret);
/* Whether va's page is there: 0, -ENOENT, -EFAULT (nothing is mapped). */
must_use int space_page_there(struct space *s, uint64_t va);
must_use int space_sync(struct space *s, uint64_t addr, uint64_t len, int flags);
must_use int space_lock_range(struct space *s, uint64_t addr, uint64_t len, bool on,
			      bool populate);
must_use int space_lock_all(struct space *s, uint32_t flags); /* MCL_*; 0: munlockall */
must_use int space_mincore(struct space *s, uint64_t addr, uint64_t len, uaddr_t vec);
uint64_t space_set_brk(struct space *s, uint64_t brk); /* the break after the call */

/* Resolves a fault of the current thread. 0, -EFAULT (SIGSEGV MAPERR), -EACCES
 * (SEGV_ACCERR),
 * -EIO (SIGBUS), -ENOMEM (the oom handler has run: the thread is being killed). */
must_use int space_fault(struct space *s, uint64_t va,
			 uint32_t access /* enum fault_access */, bool user);
/* Access to another space's memory (ptrace, /proc/pid/mem, cmdline, process_vm_*). Bytes
 * done, or
 * -EFAULT/-EIO when none. `force` ignores page protection the way ptrace does. */
must_use int64_t space_access(struct space *s, uint64_t va, void *buf, size_t n,
			      bool write, bool force);
/* The page behind a user address, pinned, for shared futexes: *ret_page has a
 * reference. */
must_use int space_pin(struct space *s, uint64_t va, bool write, struct page **ret_page);

/* Area that holds va, or the next one above; NULL: none. Caller holds the lock. */
struct area *space_find(struct space *s, uint64_t va);
struct area *area_next(struct area *a);
/* Resident/dirty/referenced pages of an area, for smaps; its share of them in bytes. Lock
 * held shared. */
struct area_usage {
	uint64_t resident, shared_clean, shared_dirty, private_clean, private_dirty,
		referenced, anonymous; /* pages */
	/* bytes: a page counts for each of its n users with an n-th */
	uint64_t pss_bytes, pss_dirty, pss_anon, pss_file, pss_shmem;
};
void area_usage_get(struct area *a, struct area_usage *ret);
/* Words of /proc/pid/pagemap (Linux: admin-guide/mm/pagemap) for n pages from va on. They
 * name no page frames: those are the machine's business. */
void space_pagemap(struct space *s, uint64_t va, uint64_t *ret, size_t n);
/* Forgets which pages have been used: all, or only private or only cached ones. */
enum refs_kind { REFS_ALL, REFS_ANON, REFS_FILE };
void space_clear_refs(struct space *s, enum refs_kind kind);
void space_reset_peak(struct space *s);
uint64_t space_table_pages(struct space *s); /* page tables that it has */
/* Takes [first, last] pages of a mapping out of every space that maps it. */
void mapping_unmap_all(struct mapping *m, uint64_t first, uint64_t last);
/* Debug builds: checks V1 and the gap data. */
void space_check(struct space *s);

/* The one place that decides whether memory like `a` may have these rights in s: with
 * s->no_wx nothing is writable and executable at once, and executable is only what maps a
 * file and is as the file is. */
bool area_code_allowed(const struct space *s, const struct area *a, uint32_t prot);
/* Shared anonymous memory of `len` bytes, for MAP_SHARED|MAP_ANONYMOUS: fills in the
 * request's mapping, ops and owner. /proc/pid/maps shows `name`, borrowed. The caller
 * drops its reference with (*ops->put)(owner) once space_map has returned. 0 or
 * -ENOMEM. */
must_use int space_shared_memory(uint64_t len, const char *name, struct map_request *r);

void space_init(void);

#endif
