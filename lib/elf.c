/* ELF64 headers into a plan; see elf.h for what holds of one. */
#include <asm/errno.h>
#include <linux/elf.h>

#include "lib/elf.h"
#include "lib/string.h"

#define PAGE 4096ull

_Static_assert(sizeof(Elf64_Ehdr) == ELF_HEADER_SIZE, "ELF header");
_Static_assert(sizeof(Elf64_Phdr) == ELF_PHDR_SIZE, "program header");
_Static_assert(sizeof(Elf64_Rela) == sizeof(struct elf_rela), "relocation");

static int refuse(const char **why, const char *reason)
{
	*why = reason;
	return -ENOEXEC;
}

static bool add_overflows(uint64_t a, uint64_t b, uint64_t *ret)
{
	return __builtin_add_overflow(a, b, ret);
}

/* [offset, offset + size) lies in a file of `file_size` bytes. */
static bool in_file(uint64_t offset, uint64_t size, uint64_t file_size)
{
	return size <= file_size && offset <= file_size - size;
}

int elf_header_read(const void *buf, uint64_t n, struct elf_header *ret, const char **why)
{
	Elf64_Ehdr e;

	if (n < sizeof(e))
		return refuse(why, "shorter than an ELF header");
	memcpy(&e, buf, sizeof(e));
	if (memcmp(e.e_ident, ELFMAG, SELFMAG) != 0)
		return refuse(why, "not an ELF file");
	if (e.e_ident[EI_CLASS] != ELFCLASS64 || e.e_ident[EI_DATA] != ELFDATA2LSB)
		return refuse(why, "not 64-bit little endian");
	if (e.e_ident[EI_VERSION] != EV_CURRENT || e.e_version != EV_CURRENT)
		return refuse(why, "unknown ELF version");
	if (e.e_machine != EM_X86_64)
		return refuse(why, "made for another architecture");
	if (e.e_type != ET_EXEC && e.e_type != ET_DYN)
		return refuse(why, "not an executable");
	if (e.e_phentsize != sizeof(Elf64_Phdr))
		return refuse(why, "program headers of unknown size");
	if (e.e_phnum == 0)
		return refuse(why, "no program headers");
	if (e.e_phnum > ELF_PHDRS_MAX)
		return refuse(why, "too many program headers");

	*ret = (struct elf_header){ e.e_entry, e.e_phoff, e.e_phnum, e.e_type == ET_DYN };
	return 0;
}

/* E2 to E5 for one PT_LOAD. */
static int segment_check(const Elf64_Phdr *p, uint64_t file_size, uint64_t limit,
			 const char **why)
{
	uint64_t end;

	if (p->p_filesz > p->p_memsz)
		return refuse(why, "a segment has more bytes in the file than in memory");
	if (!in_file(p->p_offset, p->p_filesz, file_size))
		return refuse(why, "a segment reaches past the end of the file");
	if (add_overflows(p->p_vaddr, p->p_memsz, &end) || end > limit ||
	    ALIGN_UP(end, PAGE) > limit)
		return refuse(why, "a segment lies outside the address range");
	if (p->p_align & (p->p_align - 1))
		return refuse(why, "a segment's alignment is not a power of two");
	if ((p->p_vaddr - p->p_offset) & (PAGE - 1))
		return refuse(why, "a segment's address and offset disagree");
	if (p->p_flags & ~(uint32_t)(PF_R | PF_W | PF_X))
		return refuse(why, "a segment has unknown flags");
	return 0;
}

/* Appends a PT_LOAD to the plan. */
static int segment_add(struct elf_plan *plan, const Elf64_Phdr *p, uint64_t file_size,
		       uint64_t limit, const char **why)
{
	int err = segment_check(p, file_size, limit, why);
	if (err)
		return err;
	if (p->p_memsz == 0)
		return 0;
	if (plan->count == ELF_SEGMENTS_MAX)
		return refuse(why, "too many segments");
	if (plan->count && ALIGN_DOWN(p->p_vaddr, PAGE) < plan->hi)
		return refuse(why, "segments overlap, share a page or are out of order");

	plan->seg[plan->count++] = (struct elf_segment){
		p->p_vaddr, p->p_memsz, p->p_offset, p->p_filesz, p->p_flags,
	};
	if (plan->count == 1)
		plan->lo = ALIGN_DOWN(p->p_vaddr, PAGE);
	plan->hi = ALIGN_UP(p->p_vaddr + p->p_memsz, PAGE);
	plan->align = MAX(plan->align, p->p_align);
	return 0;
}

/* A header that names a range of the file, at most once. */
static int range_set(struct elf_range *r, const Elf64_Phdr *p, uint64_t file_size,
		     const char **why)
{
	if (r->size)
		return refuse(why, "a program header is given twice");
	if (!in_file(p->p_offset, p->p_filesz, file_size))
		return refuse(why, "a program header reaches past the end of the file");
	*r = (struct elf_range){ p->p_vaddr, p->p_offset, p->p_filesz };
	return 0;
}

static int tls_set(struct elf_plan *plan, const Elf64_Phdr *p, uint64_t file_size,
		   const char **why)
{
	if (p->p_filesz > p->p_memsz || (p->p_align & (p->p_align - 1)))
		return refuse(why, "the TLS header is malformed");
	plan->tls_memsz = p->p_memsz;
	plan->tls_align = p->p_align;
	return range_set(&plan->tls, p, file_size, why);
}

static int interp_set(struct elf_plan *plan, const Elf64_Phdr *p, uint64_t file_size,
		      const char **why)
{
	if (p->p_filesz < 2 || p->p_filesz > ELF_INTERP_MAX)
		return refuse(why, "the interpreter's name is empty or too long");
	return range_set(&plan->interp, p, file_size, why);
}

static int phdr_add(struct elf_plan *plan, const Elf64_Phdr *p, uint64_t file_size,
		    uint64_t limit, const char **why)
{
	switch (p->p_type) {
	case PT_LOAD:
		return segment_add(plan, p, file_size, limit, why);
	case PT_INTERP:
		return interp_set(plan, p, file_size, why);
	case PT_DYNAMIC:
		return range_set(&plan->dynamic, p, file_size, why);
	case PT_TLS:
		return tls_set(plan, p, file_size, why);
	case PT_GNU_STACK:
		plan->has_stack = true;
		plan->stack_flags = p->p_flags & (PF_R | PF_W | PF_X);
		return 0;
	default:
		return 0;
	}
}

/* Where the program headers are in memory: in the segment that loads their file bytes. */
static uint64_t phdr_address(const struct elf_plan *plan, uint64_t phoff)
{
	uint64_t size = (uint64_t)plan->phnum * ELF_PHDR_SIZE;

	for (uint32_t i = 0; i < plan->count; i++) {
		const struct elf_segment *s = &plan->seg[i];
		if (phoff >= s->offset && in_file(phoff - s->offset, size, s->filesz))
			return s->vaddr + (phoff - s->offset);
	}
	return 0;
}

int elf_plan_read(const struct elf_header *h, const void *phdrs, uint64_t file_size,
		  uint64_t limit, struct elf_plan *ret, const char **why)
{
	struct elf_plan plan = {
		.dyn = h->dyn,
		.entry = h->entry,
		.phnum = h->phnum,
		.align = PAGE,
	};

	if (!in_file(h->phoff, (uint64_t)h->phnum * ELF_PHDR_SIZE, file_size))
		return refuse(why, "program headers reach past the end of the file");
	for (uint32_t i = 0; i < h->phnum; i++) {
		Elf64_Phdr p;
		memcpy(&p, (const uint8_t *)phdrs + i * sizeof(p), sizeof(p));
		int err = phdr_add(&plan, &p, file_size, limit, why);
		if (err)
			return err;
	}
	if (!plan.count)
		return refuse(why, "nothing to load");
	if (plan.entry >= limit)
		return refuse(why, "the entry point lies outside the address range");
	plan.phdr_va = phdr_address(&plan, h->phoff);
	*ret = plan;
	return 0;
}

int elf_image_read(const void *file, uint64_t size, uint64_t limit, struct elf_plan *ret,
		   const char **why)
{
	struct elf_header h;

	int err = elf_header_read(file, size, &h, why);
	if (err)
		return err;
	if (!in_file(h.phoff, (uint64_t)h.phnum * ELF_PHDR_SIZE, size))
		return refuse(why, "program headers reach past the end of the file");
	return elf_plan_read(&h, (const uint8_t *)file + h.phoff, size, limit, ret, why);
}

/* File offset of [va, va + size) if one segment loads all of it from the file. */
static bool file_offset(const struct elf_plan *plan, uint64_t va, uint64_t size,
			uint64_t *ret)
{
	for (uint32_t i = 0; i < plan->count; i++) {
		const struct elf_segment *s = &plan->seg[i];
		if (va >= s->vaddr && in_file(va - s->vaddr, size, s->filesz)) {
			*ret = s->offset + (va - s->vaddr);
			return true;
		}
	}
	return false;
}

int elf_relocs_read(const void *file, uint64_t size, const struct elf_plan *plan,
		    const struct elf_rela **ret_table, uint64_t *ret_count,
		    const char **why)
{
	uint64_t rela = 0, bytes = 0, entry = sizeof(struct elf_rela), at;

	if (plan->dynamic.size &&
	    !in_file(plan->dynamic.offset, plan->dynamic.size, size))
		return refuse(why, "the dynamic section lies outside the file");
	for (uint64_t i = 0; i + sizeof(Elf64_Dyn) <= plan->dynamic.size;
	     i += sizeof(Elf64_Dyn)) {
		Elf64_Dyn d;
		memcpy(&d, (const uint8_t *)file + plan->dynamic.offset + i, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_RELA)
			rela = d.d_un.d_val;
		else if (d.d_tag == DT_RELASZ)
			bytes = d.d_un.d_val;
		else if (d.d_tag == DT_RELAENT)
			entry = d.d_un.d_val;
		else if (d.d_tag == DT_JMPREL || d.d_tag == DT_REL)
			return refuse(why, "relocations of an unknown form");
	}
	if (entry != sizeof(struct elf_rela) || bytes % sizeof(struct elf_rela))
		return refuse(why, "the relocation table is malformed");
	if (bytes && (!file_offset(plan, rela, bytes, &at) || at % 8))
		return refuse(why, "the relocation table lies outside the file");

	*ret_table = bytes ? (const void *)((const uint8_t *)file + at) : NULL;
	*ret_count = bytes / sizeof(struct elf_rela);
	return 0;
}
