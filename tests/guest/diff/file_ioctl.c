/* ioctl(2) on files as such: ioctl_ficlone(2), ioctl_fideduperange(2), FIBMAP. */
#include "diff.h"

#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef FIOQSIZE
#define FIOQSIZE 0x5460
#endif

static int file, folder, pipes[2], null_fd;

static void prepare(void)
{
	make_file("f", "0123456789");
	file = open("f", O_RDWR);
	folder = open(".", O_RDONLY);
	null_fd = open("/dev/null", O_RDWR);
	NEED(file >= 0 && folder >= 0 && null_fd >= 0 && !pipe(pipes));
}

DIFF_CASE(ioctl_fibmap)
{
	int block = 0;
	prepare();
	TRY(ioctl(file, FIBMAP, &block));
	TRY(ioctl(file, FIBMAP, 8));
	TRY(ioctl(folder, FIBMAP, &block));
	TRY(ioctl(pipes[0], FIBMAP, &block));
	TRY(ioctl(open("/proc/self/stat", O_RDONLY), FIBMAP, &block));
	TRY(ioctl(open("f", O_PATH), FIBMAP, &block));
	become_nobody();
	TRY(ioctl(file, FIBMAP, &block));
}

DIFF_CASE(ioctl_fiemap)
{
	struct fiemap map = { .fm_length = ~0ull };
	prepare();
	TRY(ioctl(file, FS_IOC_FIEMAP, &map));
	TRY(ioctl(file, FS_IOC_FIEMAP, 8));
	TRY(ioctl(folder, FS_IOC_FIEMAP, &map));
	TRY(ioctl(pipes[0], FS_IOC_FIEMAP, &map));
	TRY(ioctl(null_fd, FS_IOC_FIEMAP, &map));
}

DIFF_CASE(ioctl_fioqsize)
{
	long long size = -1;
	prepare();
	TRY(ioctl(file, FIOQSIZE, &size));
	SHOW(size);
	TRY(ioctl(file, FIOQSIZE, 8));
	TRY(ioctl(folder, FIOQSIZE, &size));
	TRY(ioctl(pipes[0], FIOQSIZE, &size));
	TRY(ioctl(null_fd, FIOQSIZE, &size));
	TRY(ioctl(open("/proc", O_RDONLY), FIOQSIZE, &size));
	SHOW(size);
}

DIFF_CASE(ioctl_clones)
{
	make_file("g", "");
	prepare();
	int g = open("g", O_RDWR), append = open("g", O_WRONLY | O_APPEND),
	    reads = open("g", O_RDONLY), writes = open("f", O_WRONLY);
	struct file_clone_range range = { .src_fd = file, .src_length = 4 };
	TRY(ioctl(g, FICLONE, file));
	TRY(ioctl(g, FICLONE, 99));
	TRY(ioctl(g, FICLONE, open("f", O_PATH)));
	TRY(ioctl(g, FICLONE, folder));
	TRY(ioctl(g, FICLONE, null_fd));
	TRY(ioctl(g, FICLONE, writes));
	TRY(ioctl(append, FICLONE, file));
	TRY(ioctl(reads, FICLONE, file));
	TRY(ioctl(folder, FICLONE, file));
	TRY(ioctl(pipes[1], FICLONE, pipes[0]));
	TRY(ioctl(g, FICLONERANGE, &range));
	TRY(ioctl(g, FICLONERANGE, 8));
	range.src_fd = -1;
	TRY(ioctl(g, FICLONERANGE, &range));
}

DIFF_CASE(ioctl_dedupe)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info[1];
	} d = { .range = { .src_length = 4, .dest_count = 1 } };
	prepare();
	d.info[0].dest_fd = file;
	TRY(ioctl(file, FIDEDUPERANGE, &d));
	TRY(ioctl(file, FIDEDUPERANGE, 8));
	TRY(ioctl(folder, FIDEDUPERANGE, &d));
	TRY(ioctl(pipes[0], FIDEDUPERANGE, &d));
	TRY(ioctl(open("f", O_WRONLY), FIDEDUPERANGE, &d));
	d.range.reserved1 = 1;
	TRY(ioctl(file, FIDEDUPERANGE, &d));
	d.range.dest_count = 1000;
	TRY(ioctl(file, FIDEDUPERANGE, &d));
}

DIFF_CASE(ioctl_freezes)
{
	prepare();
	TRY(ioctl(file, FITHAW, 0));
	TRY(ioctl(null_fd, FITHAW, 0));
	become_nobody();
	TRY(ioctl(file, FITHAW, 0));
	TRY(ioctl(file, FIFREEZE, 0));
}

DIFF_CASE(write_life_hints)
{
	unsigned long long hint = 9;
	prepare();
	TRY(fcntl(file, F_GET_RW_HINT, &hint));
	SHOW(hint);
	for (unsigned long long n = 0; n < 8; n++) {
		TRY(fcntl(file, F_SET_RW_HINT, &n));
		fcntl(file, F_GET_RW_HINT, &hint);
		SHOW(hint);
	}
	hint = 1ull << 40;
	TRY(fcntl(file, F_SET_RW_HINT, &hint));
	TRY(fcntl(file, F_SET_RW_HINT, 8));
	TRY(fcntl(file, F_GET_RW_HINT, 8));
	TRY(fcntl(open("f", O_RDONLY), F_GET_RW_HINT, &hint));
	SHOW(hint);
	TRY(fcntl(file, F_GET_FILE_RW_HINT, &hint));
	TRY(fcntl(open("f", O_PATH), F_GET_RW_HINT, &hint));
}
