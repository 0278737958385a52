/* From a verified bundle to a mapped kernel; see place.h. Physical memory below 4 GiB is
 * reached one to one. */
#include <asm/errno.h>

#include "boot/common/memmap.h"
#include "boot/common/paging.h"
#include "boot/common/place.h"
#include "boot/common/random.h"
#include "lib/string.h"

#define PAGE 4096ull
#define SLOT BIT(39) /* what one top-level entry spans */

/* Slots of the kernel half, apart by construction: the direct map (which may reach one
 * slot further), the vmap window, the image. */
#define DIRECT_SLOT 256
#define DIRECT_SLOTS 128
#define VMAP_SLOT 400
#define VMAP_SLOTS 40
#define IMAGE_SLOT 448
#define IMAGE_SLOTS 60

#define EARLY_PAGES 11 /* boot CPU: stacks 8, tables above them 3 */
#define TRAMPOLINE_PAGES 2

static uint64_t slot_address(uint64_t slot)
{
	return 0xffff000000000000ull | slot * SLOT;
}

/* A random address of the given alignment in one of the slots, `size` below its end. */
static uint64_t random_address(uint64_t slot, uint64_t slots, uint64_t align,
			       uint64_t size)
{
	uint64_t places = (SLOT - size) / align + 1;

	return slot_address(slot + random_u64() % slots) + random_u64() % places * align;
}

static uint64_t ram_end(const struct boot_info *info)
{
	uint64_t end = 0;

	for (uint32_t i = 0; i < info->map_count; i++)
		if (info->map[i].type != BOOT_MEM_RESERVED)
			end = info->map[i].end;
	return end;
}

static void choose_addresses(struct boot_info *info, const struct verified *v)
{
	info->kernel_size = v->kernel.hi;
	info->kernel_virt = random_address(IMAGE_SLOT, IMAGE_SLOTS, PAGE, v->kernel.hi);
	info->direct_base = random_address(DIRECT_SLOT, DIRECT_SLOTS, GIB(1), GIB(1));
	info->direct_size = MAX(ram_end(info), BOOT_DEVICE_END);
	info->vmap_size = SLOT / 2;
	info->vmap_base = random_address(VMAP_SLOT, VMAP_SLOTS, MIB(2), info->vmap_size);
}

static int take_memory(struct boot_info *info)
{
	info->kernel_phys =
		memmap_take(info, MIB(1), info->kernel_size / PAGE, BOOT_MEM_KERNEL);
	info->early = memmap_take(info, MIB(1), EARLY_PAGES, BOOT_MEM_EARLY);
	info->root_table = paging_table(info);
	if (!info->kernel_phys || !info->early || !info->root_table)
		return -ENOMEM;
	info->early_end = info->early + EARLY_PAGES * PAGE;
	memset((void *)info->early, 0, EARLY_PAGES * PAGE);

	uint64_t low = memmap_take(info, PAGE, TRAMPOLINE_PAGES, BOOT_MEM_TRAMPOLINE);
	info->trampoline = low + TRAMPOLINE_PAGES * PAGE <= MIB(1) ? low : 0;
	return 0;
}

static void copy_image(const struct boot_info *info, const struct verified *v)
{
	const uint8_t *file = v->bundle.part[BUNDLE_KERNEL].data;
	uint8_t *image = (uint8_t *)info->kernel_phys;
	uint64_t done = 0;

	for (uint32_t i = 0; i < v->kernel.count; i++) {
		const struct elf_segment *s = &v->kernel.seg[i];
		memset(image + done, 0, s->vaddr - done);
		memcpy(image + s->vaddr, file + s->offset, s->filesz);
		done = s->vaddr + s->filesz;
	}
	memset(image + done, 0, info->kernel_size - done);

	for (uint64_t i = 0; i < v->reloc_count; i++)
		*(uint64_t *)(image + v->relocs[i].offset) =
			info->kernel_virt + (uint64_t)v->relocs[i].addend;
}

static bool map_image(struct boot_info *info, const struct verified *v)
{
	for (uint32_t i = 0; i < v->kernel.count; i++) {
		const struct elf_segment *s = &v->kernel.seg[i];
		uint32_t flags =
			(s->flags & ELF_W ? MAP_W : 0) | (s->flags & ELF_X ? MAP_X : 0);
		if (!paging_map(info, info->kernel_virt + s->vaddr,
				info->kernel_phys + s->vaddr, ALIGN_UP(s->memsz, PAGE),
				flags))
			return false;
	}
	return true;
}

static bool map_direct(struct boot_info *info, uint64_t start, uint64_t end,
		       uint32_t flags)
{
	return start >= end || paging_map(info, info->direct_base + start, start,
					  end - start, flags | MAP_W | MAP_LARGE);
}

/* End of the image's pages that must not be written: its first segments. */
static uint64_t read_only_end(const struct verified *v)
{
	uint32_t i = 0;

	while (i < v->kernel.count && !(v->kernel.seg[i].flags & ELF_W))
		i++;
	return i < v->kernel.count ? v->kernel.seg[i].vaddr : v->kernel.hi;
}

/* All RAM in runs as long as possible, so that most of it gets 2 MiB pages. Building the
 * tables changes the map, but takes only free pages: runs stay what they are. */
static bool map_ram(struct boot_info *info, const struct verified *v)
{
	uint64_t hole = info->kernel_phys, hole_end = hole + read_only_end(v);
	uint64_t at = 0;

	for (;;) {
		uint64_t start = 0, end = 0;
		for (uint32_t i = 0; i < info->map_count; i++) {
			const struct boot_mem *m = &info->map[i];
			if (m->type == BOOT_MEM_RESERVED || m->start < at)
				continue;
			if (end && m->start != end)
				break;
			if (!end)
				start = m->start;
			end = m->end;
		}
		if (!end)
			return true;
		if (!map_direct(info, start, MIN(end, MAX(hole, start)), 0) ||
		    !map_direct(info, MAX(start, MIN(hole_end, end)), end, 0))
			return false;
		at = end;
	}
}

int place_kernel(struct boot_info *info, const struct verified *v, uint64_t identity,
		 uint64_t *ret_entry)
{
	const struct bundle_part *symbols = &v->bundle.part[BUNDLE_SYMBOLS];

	choose_addresses(info, v);
	if (take_memory(info))
		return -ENOMEM;
	copy_image(info, v);
	if (!map_image(info, v) || !map_ram(info, v) ||
	    !map_direct(info, BOOT_DEVICE_START, BOOT_DEVICE_END, MAP_UNCACHED))
		return -ENOMEM;
	*(uint64_t *)info->root_table = identity | 3; /* present, writable */

	if (symbols->size) {
		info->symbols = (uint64_t)symbols->data;
		info->symbols_size = symbols->size;
		if (!memmap_set(info, info->symbols, info->symbols + info->symbols_size,
				BOOT_MEM_SYMBOLS))
			return -ENOMEM;
	}
	memmap_retype(info, MEM_LOADER, BOOT_MEM_FREE);
	*ret_entry = info->kernel_virt + v->kernel.entry;
	return 0;
}

bool cmdline_prepend(struct boot_info *info, const struct bundle_part *defaults)
{
	uint64_t n = defaults->size;

	if (!n)
		return true;
	if (n >= BOOT_CMDLINE_MAX || n + 1 + info->cmdline_len >= BOOT_CMDLINE_MAX)
		return false;
	memmove(info->cmdline + n + 1, info->cmdline, info->cmdline_len);
	memcpy(info->cmdline, defaults->data, n);
	info->cmdline[n] = ' ';
	info->cmdline_len += (uint32_t)n + 1;
	return true;
}
