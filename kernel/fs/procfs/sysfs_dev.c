/* sysfs: devices. Each is a folder below devices/, to which class/, block/ and dev/ have
 * links. */
#include "dev/blk.h"
#include "fs/procfs/sysfs.h"
#include "lib/fmt.h"
#include "lib/string.h"

/* A text that stays; NULL: no memory. */
static printf_like(1, 2) char *text_new(const char *fmt, ...)
{
	char text[128];
	va_list ap;
	size_t n;

	va_start(ap, fmt);
	n = fmt_va(text, sizeof text, fmt, ap);
	va_end(ap);
	return heap_strdup(text, MIN(n, sizeof text - 1));
}

/* dev, uevent, and the links: what every device with a number has. */
struct device {
	const char *folder; /* below devices/ */
	const char *class, *name;
	uint32_t major, minor;
	bool block;
	const char *more; /* of uevent */
};

static void add_device(const struct device *d)
{
	char *number = text_new("%u:%u", d->major, d->minor);
	char *event = text_new("MAJOR=%u\nMINOR=%u\nDEVNAME=%s%s", d->major, d->minor,
			       d->name, d->more);

	if (!number || !event)
		return;
	sysfs_text(number, "devices/%s/%s/dev", d->folder, d->name);
	sysfs_text(event, "devices/%s/%s/uevent", d->folder, d->name);
	sysfs_link(text_new("../../devices/%s/%s", d->folder, d->name), "class/%s/%s",
		   d->class, d->name);
	sysfs_link(text_new("../../devices/%s/%s", d->folder, d->name), "dev/%s/%s",
		   d->block ? "block" : "char", number);
}

/* ---- disks ---- */

static int show_size(struct proc_text *t, void *arg)
{
	proc_printf(t, "%lu\n", (unsigned long)((const struct blk_device *)arg)->sectors);
	return 0;
}

static int show_stat(struct proc_text *t, void *arg)
{
	proc_print_blk_stats(t, arg);
	return 0;
}

static int show_in_flight(struct proc_text *t, void *arg)
{
	proc_printf(t, "%8u %8u\n", (unsigned)((struct blk_device *)arg)->in_flight, 0u);
	return 0;
}

static void fill_queue(const char *folder, const char *name)
{
	static const struct {
		const char *name, *text;
	} rows[] = {
		{ "add_random", "0" },
		{ "discard_granularity", "0" },
		{ "discard_max_bytes", "0" },
		{ "discard_max_hw_bytes", "0" },
		{ "discard_zeroes_data", "0" },
		{ "hw_sector_size", "512" },
		{ "logical_block_size", "512" },
		{ "max_hw_sectors_kb", "512" },
		{ "max_sectors_kb", "512" },
		{ "minimum_io_size", "512" },
		{ "nr_requests", "4" },
		{ "optimal_io_size", "0" },
		{ "physical_block_size", "512" },
		{ "read_ahead_kb", "128" },
		{ "rotational", "0" },
		{ "scheduler", "[none]" },
		{ "write_cache", "write through" },
		{ "write_same_max_bytes", "0" },
		{ "zoned", "none" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		sysfs_text(rows[i].text, "devices/%s/%s/queue/%s", folder, name,
			   rows[i].name);
}

static void fill_disk(const struct blk_device *d, size_t i)
{
	const char *folder = text_new("platform/virtio-mmio.%zu/block", i);
	const struct {
		const char *name;
		uint64_t n;
	} numbers[] = {
		{ "alignment_offset", 0 },
		{ "capability", 0 },
		{ "discard_alignment", 0 },
		{ "ext_range", 256 },
		{ "hidden", 0 },
		{ "range", BLK_MINORS },
		{ "removable", 0 },
		{ "ro", d->read_only },
	};

	if (!folder)
		return;
	for (size_t k = 0; k < ARRAY_LEN(numbers); k++)
		sysfs_number(numbers[k].n, "devices/%s/%s/%s", folder, d->name,
			     numbers[k].name);
	sysfs_file(show_size, d, "devices/%s/%s/size", folder, d->name);
	sysfs_file(show_stat, d, "devices/%s/%s/stat", folder, d->name);
	sysfs_file(show_in_flight, d, "devices/%s/%s/inflight", folder, d->name);
	sysfs_link("../../../../../class/block", "devices/%s/%s/subsystem", folder,
		   d->name);
	fill_queue(folder, d->name);
	add_device(&(struct device){ .folder = folder,
				     .class = "block",
				     .name = d->name,
				     .major = BLK_MAJOR,
				     .minor = (uint32_t)i * BLK_MINORS,
				     .block = true,
				     .more = "\nDEVTYPE=disk" });
	sysfs_link(text_new("../devices/%s/%s", folder, d->name), "block/%s", d->name);
}

/* ---- terminals and memory devices ---- */

static void fill_characters(void)
{
	static const struct device devices[] = {
		{ "virtual/tty", "tty", "tty", 5, 0, false, "\nDEVMODE=0666" },
		{ "virtual/tty", "tty", "console", 5, 1, false, "" },
		{ "virtual/tty", "tty", "ptmx", 5, 2, false, "\nDEVMODE=0666" },
		{ "platform/serial8250/tty", "tty", "ttyS0", 4, 64, false, "" },
		{ "virtual/mem", "mem", "null", 1, 3, false, "\nDEVMODE=0666" },
		{ "virtual/mem", "mem", "zero", 1, 5, false, "\nDEVMODE=0666" },
		{ "virtual/mem", "mem", "full", 1, 7, false, "\nDEVMODE=0666" },
		{ "virtual/mem", "mem", "random", 1, 8, false, "\nDEVMODE=0666" },
		{ "virtual/mem", "mem", "urandom", 1, 9, false, "\nDEVMODE=0666" },
		{ "virtual/mem", "mem", "kmsg", 1, 11, false, "\nDEVMODE=0644" },
	};

	for (size_t i = 0; i < ARRAY_LEN(devices); i++) {
		const struct device *d = &devices[i];
		bool deep = !strncmp(d->folder, "platform", 8);

		add_device(d);
		sysfs_link(text_new("%s../class/%s", deep ? "../../../../" : "../../../",
				    d->class),
			   "devices/%s/%s/subsystem", d->folder, d->name);
	}
	sysfs_text("ttyS0", "devices/virtual/tty/console/active");
}

void sysfs_fill_devices(void)
{
	const struct blk_device *d;

	for (size_t i = 0; (d = blk_nth(i)); i++)
		fill_disk(d, i);
	fill_characters();
}
