/* mmap, munmap, mprotect, mremap, remap_file_pages, brk, and the memory protection keys
 * that there are not. */
#include <linux/mman.h>

#include "fs/file.h"
#include "proc/policy.h"
#include "sys/syscall.h"

#define MAP_TYPES (MAP_SHARED | MAP_PRIVATE | MAP_SHARED_VALIDATE)
/* What MAP_SHARED_VALIDATE may come with: everything else is EOPNOTSUPP there. */
#define MAP_VALIDATED                                                                    \
	(MAP_TYPES | MAP_FIXED | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_DENYWRITE |         \
	 MAP_EXECUTABLE | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK |     \
	 MAP_STACK | MAP_HUGETLB | MAP_FIXED_NOREPLACE | MAP_32BIT)

static int check_type(uint32_t flags)
{
	switch (flags & MAP_TYPE) {
	case MAP_SHARED:
	case MAP_PRIVATE:
		return 0;
	case MAP_SHARED_VALIDATE:
		if (flags & MAP_ANONYMOUS) /* nobody's to validate */
			return -EINVAL;
		return flags & ~(uint32_t)MAP_VALIDATED ? -EOPNOTSUPP : 0;
	default:
		return -EINVAL;
	}
}

static uint32_t area_flags_of(uint32_t flags)
{
	return ((flags & MAP_TYPE) != MAP_PRIVATE ? AREA_SHARED : 0u) |
	       (flags & MAP_GROWSDOWN ? AREA_GROWSDOWN : 0u) |
	       (flags & MAP_LOCKED ? AREA_LOCKED : 0u) |
	       (flags & MAP_NORESERVE ? AREA_NORESERVE : 0u);
}

static int64_t map_shared_memory(struct space *s, struct map_request *r)
{
	int64_t at = space_shared_memory(r->len, "/dev/zero (deleted)", r);
	if (at)
		return at;
	at = space_map(s, r);
	r->ops->put(r->owner);
	return at;
}

static int64_t map_file(struct space *s, struct map_request *r, int32_t fd)
{
	struct file *f = fd_get(fd);
	if (!f)
		return -EBADF;
	int64_t at = file_mmap(f, r);
	/* /dev/zero asks for memory of no file. */
	if (!at && !r->ops && (r->flags & AREA_SHARED))
		at = map_shared_memory(s, r);
	else if (!at)
		at = space_map(s, r);
	file_put(f);
	return at;
}

static bool is_open(int32_t fd)
{
	struct file *f = fd_get(fd);
	if (f)
		file_put(f);
	return f;
}

static int64_t map_any(uint64_t addr, uint64_t length, uint32_t prot, uint32_t flags,
		       int32_t fd, int64_t offset)
{
	struct space *s = thread_current()->space;
	struct map_request r = {
		.addr = addr,
		.len = length,
		.prot = prot & (PROT_READ | PROT_WRITE | PROT_EXEC),
		.flags = area_flags_of(flags),
		.fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE),
		.noreplace = flags & MAP_FIXED_NOREPLACE,
		.low32 = (flags & MAP_32BIT) && !(flags & MAP_FIXED),
		.populate = (flags & MAP_LOCKED) ||
			    (flags & (MAP_POPULATE | MAP_NONBLOCK)) == MAP_POPULATE,
		.pgoff = (uint64_t)offset >> PAGE_SHIFT,
	};
	if ((uint64_t)offset & ~PAGE_MASK)
		return -EINVAL;
	/* The descriptor comes first, whatever else is wrong. */
	if (!(flags & MAP_ANONYMOUS) && !is_open(fd))
		return -EBADF;
	int err = check_type(flags);
	if (err || !length)
		return err ? err : -EINVAL;
	if ((flags & MAP_GROWSDOWN) && (flags & MAP_TYPE) != MAP_PRIVATE)
		return -EINVAL;
	if (flags & MAP_HUGETLB)
		return -ENOMEM; /* as Linux without reserved huge pages */
	if (length > USER_END)
		return -ENOMEM;
	if (!(flags & MAP_ANONYMOUS))
		return (uint64_t)offset > INT64_MAX - length ? -EOVERFLOW
							     : map_file(s, &r, fd);
	r.pgoff = 0;
	if (r.flags & AREA_SHARED)
		return map_shared_memory(s, &r);
	return space_map(s, &r);
}

/* A policy's word on code, told of. */
static int64_t with_code(uint64_t prot, int64_t r)
{
	if (unlikely(r == -EACCES && (prot & PROT_EXEC) &&
		     thread_current()->space->no_wx))
		policy_refused_code();
	return r;
}

int64_t sys_mmap(uint64_t addr, uint64_t length, uint32_t prot, uint32_t flags,
		 int32_t fd, int64_t offset)
{
	int64_t at = map_any(addr, length, prot, flags, fd, offset);

	return flags & MAP_ANONYMOUS ? with_code(prot, at) : at;
}

int64_t sys_munmap(uint64_t addr, uint64_t length)
{
	return space_unmap(thread_current()->space, addr, length);
}

int64_t sys_mprotect(uint64_t addr, uint64_t length, uint64_t prot)
{
	return with_code(prot,
			 space_protect(thread_current()->space, addr, length, prot));
}

/* ---- pkeys(7): as on a CPU without them, there are none to be had ---- */

int64_t sys_pkey_alloc(uint32_t flags, uint32_t rights)
{
	if (flags || (rights & ~(uint32_t)PKEY_ACCESS_MASK))
		return -EINVAL;
	return -ENOSPC;
}

int64_t sys_pkey_free(int32_t pkey)
{
	return -EINVAL;
}

/* -1 is no key: mprotect(2). */
int64_t sys_pkey_mprotect(uint64_t addr, uint64_t length, uint64_t prot, int32_t pkey)
{
	if (pkey == -1)
		return sys_mprotect(addr, length, prot);
	int err = protect_range_check(addr, length, prot);
	return err || !length ? err : -EINVAL;
}

int64_t sys_mremap(uint64_t addr, uint64_t old_len, uint64_t new_len, uint64_t flags,
		   uint64_t new_addr)
{
	if (flags > UINT32_MAX)
		return -EINVAL;
	return space_remap(thread_current()->space, addr, old_len, new_len,
			   (uint32_t)flags, new_addr);
}

/* As since Linux 4.0: a mapping of its own for each piece. */
int64_t sys_remap_file_pages(uint64_t start, uint64_t length, uint32_t prot,
			     uint64_t pgoff, uint32_t flags)
{
	if (prot)
		return -EINVAL;
	return space_remap_pages(thread_current()->space, start, length, pgoff,
				 !(flags & MAP_NONBLOCK));
}

int64_t sys_brk(uint64_t brk)
{
	return (int64_t)space_set_brk(thread_current()->space, brk);
}
