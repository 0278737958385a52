/* ELF files into an address space. lib/elf.h plans (and distrusts), this maps. */
#include <asm/errno.h>
#include <asm/mman.h>

#include "core/log.h"
#include "lib/string.h"
#include "proc/exec.h"

static int read_exactly(struct file *f, void *buf, size_t n, uint64_t pos)
{
	int64_t got = file_read_kernel(f, buf, n, pos);
	if (got < 0)
		return (int)got;
	return (size_t)got == n ? 0 : -ENOEXEC;
}

int exec_image_read(struct exec_image *im, const char *head, size_t n)
{
	struct elf_header h;
	const char *why = "";
	int err = elf_header_read(head, n, &h, &why);
	if (err)
		return err;
	size_t size = (size_t)h.phnum * ELF_PHDR_SIZE;
	const void *phdrs = head + h.phoff;
	void *buf = NULL;
	if (h.phoff > n || size > n - h.phoff) {
		phdrs = buf = heap_alloc(size);
		if (!buf)
			return -ENOMEM;
		err = read_exactly(im->file, buf, size, h.phoff);
	}
	if (!err)
		err = elf_plan_read(&h, phdrs, im->file->inode->size, USER_END, &im->plan,
				    &why);
	if (err)
		log_info("exec: refused an ELF file: %s", why);
	heap_free(buf);
	return err;
}

void exec_image_put(struct exec_image *im)
{
	if (im->file)
		file_put(im->file);
	im->file = NULL;
}

static uint32_t prot_of(uint32_t elf_flags)
{
	return (elf_flags & ELF_R ? PROT_READ : 0u) |
	       (elf_flags & ELF_W ? PROT_WRITE : 0u) |
	       (elf_flags & ELF_X ? PROT_EXEC : 0u);
}

static int map_file_part(struct exec_image *im, struct space *s,
			 const struct elf_segment *g)
{
	uint64_t skew = g->vaddr & ~PAGE_MASK;
	struct map_request r = {
		.addr = im->bias + g->vaddr - skew,
		.len = g->filesz + skew,
		.prot = prot_of(g->flags),
		.fixed = true,
		.pgoff = (g->offset - skew) >> PAGE_SHIFT,
	};
	int err = file_mmap(im->file, &r);
	if (err)
		return err;
	int64_t at = space_map(s, &r);
	return at < 0 ? (int)at : 0;
}

/* Whole pages past the file's data. */
static int map_zero_part(struct exec_image *im, struct space *s,
			 const struct elf_segment *g)
{
	uint64_t start = ALIGN_UP(im->bias + g->vaddr + g->filesz, PAGE_SIZE);
	uint64_t end = ALIGN_UP(im->bias + g->vaddr + g->memsz, PAGE_SIZE);
	if (!g->filesz)
		start = ALIGN_DOWN(im->bias + g->vaddr, PAGE_SIZE);
	if (start >= end)
		return 0;
	struct map_request r = {
		.addr = start,
		.len = end - start,
		.prot = prot_of(g->flags),
		.flags = AREA_MAY_READ | AREA_MAY_WRITE | AREA_MAY_EXEC,
		.fixed = true,
	};
	int64_t at = space_map(s, &r);
	return at < 0 ? (int)at : 0;
}

int exec_image_map(struct exec_image *im, struct space *s)
{
	int err = 0;
	for (uint32_t i = 0; !err && i < im->plan.count; i++) {
		const struct elf_segment *g = &im->plan.seg[i];
		if (g->filesz)
			err = map_file_part(im, s, g);
		if (!err)
			err = map_zero_part(im, s, g);
	}
	return err;
}

int exec_image_clear(const struct exec_image *im)
{
	for (uint32_t i = 0; i < im->plan.count; i++) {
		const struct elf_segment *g = &im->plan.seg[i];
		uint64_t from = im->bias + g->vaddr + g->filesz;
		/* the whole rest: a heap may follow */
		uint64_t to = ALIGN_UP(from, PAGE_SIZE);
		if (!(g->flags & ELF_W) || g->filesz == g->memsz || !g->filesz ||
		    from >= to)
			continue;
		int err = user_zero(UADDR(from), to - from);
		if (err)
			return err;
	}
	return 0;
}
