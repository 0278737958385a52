/* The loader's memory map; see memmap.h. */
#include "boot/common/memmap.h"
#include "lib/string.h"

#define PAGE 4096ull

static bool insert_at(struct boot_info *info, uint32_t i, struct boot_mem m)
{
	if (info->map_count == BOOT_MEM_MAX)
		return false;
	memmove(&info->map[i + 1], &info->map[i],
		(info->map_count - i) * sizeof(info->map[0]));
	info->map[i] = m;
	info->map_count++;
	return true;
}

static void remove_at(struct boot_info *info, uint32_t i)
{
	info->map_count--;
	memmove(&info->map[i], &info->map[i + 1],
		(info->map_count - i) * sizeof(info->map[0]));
}

/* Cuts [start, end) out of the map; returns where it would go, or BOOT_MEM_MAX + 1. */
static uint32_t cut(struct boot_info *info, uint64_t start, uint64_t end)
{
	uint32_t i = 0;

	while (i < info->map_count && info->map[i].end <= start)
		i++;
	if (i < info->map_count && info->map[i].start < start) {
		struct boot_mem rest = info->map[i];
		info->map[i++].end = start;
		rest.start = start;
		if (!insert_at(info, i, rest))
			return BOOT_MEM_MAX + 1;
	}
	while (i < info->map_count && info->map[i].end <= end)
		remove_at(info, i);
	if (i < info->map_count && info->map[i].start < end)
		info->map[i].start = end;
	return i;
}

/* Joins entry i with its right neighbour if they touch and agree. */
static void join(struct boot_info *info, uint32_t i)
{
	if (i + 1 >= info->map_count || info->map[i].end != info->map[i + 1].start ||
	    info->map[i].type != info->map[i + 1].type)
		return;
	info->map[i].end = info->map[i + 1].end;
	remove_at(info, i + 1);
}

bool memmap_set(struct boot_info *info, uint64_t start, uint64_t end, uint32_t type)
{
	if (type == BOOT_MEM_FREE) {
		start = ALIGN_UP(start, PAGE);
		end = ALIGN_DOWN(end, PAGE);
	} else {
		start = ALIGN_DOWN(start, PAGE);
		end = ALIGN_UP(end, PAGE);
	}
	if (start >= end)
		return true;

	uint32_t i = cut(info, start, end);
	if (i > BOOT_MEM_MAX ||
	    !insert_at(info, i, (struct boot_mem){ start, end, type, 0 }))
		return false;
	join(info, i);
	if (i > 0)
		join(info, i - 1);
	return true;
}

uint64_t memmap_take(struct boot_info *info, uint64_t from, uint64_t pages, uint32_t type)
{
	for (uint32_t i = 0; i < info->map_count; i++) {
		const struct boot_mem *m = &info->map[i];
		uint64_t at = MAX(m->start, from), end = MIN(m->end, GIB(4));
		if (m->type != BOOT_MEM_FREE || at >= end || (end - at) / PAGE < pages)
			continue;
		return memmap_set(info, at, at + pages * PAGE, type) ? at : 0;
	}
	return 0;
}

void memmap_retype(struct boot_info *info, uint32_t from, uint32_t to)
{
	for (uint32_t i = info->map_count; i-- > 0;) {
		if (info->map[i].type == from)
			info->map[i].type = to;
		join(info, i);
	}
}
