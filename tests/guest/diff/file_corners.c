/* Corners of calls on files: sizes, positions, copies, advice; ustat, sysfs, umount2. */
#include "diff.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <unistd.h>

static char every_buf[4096];

DIFF_CASE(ustat_by_device)
{
	struct stat st;
	char b[64];
	stat(".", &st);
	TRY(syscall(SYS_ustat, st.st_dev, b));
	memset(b, 1, 64);
	TRY(syscall(SYS_ustat, st.st_dev, b));
	stat("/proc", &st);
	TRY(syscall(SYS_ustat, st.st_dev, b));
	say_bytes("proc", b, 32);
	TRY(syscall(SYS_ustat, st.st_dev, 8));
	TRY(syscall(SYS_ustat, 0x7777, b));
	TRY(syscall(SYS_ustat, 0, b));
}

DIFF_CASE(sysfs_types)
{
	char b[64];
	TRY(syscall(SYS_sysfs, 1, "tmpfs") >= 0);
	TRY(syscall(SYS_sysfs, 1, "none"));
	TRY(syscall(SYS_sysfs, 2, 9999, b));
	TRY(syscall(SYS_sysfs, 3) > 0);
	TRY(syscall(SYS_sysfs, 4));
	TRY(syscall(SYS_sysfs, 2, syscall(SYS_sysfs, 1, "tmpfs"), b));
	say_bytes("name", b, 6);
}

DIFF_CASE(sync_and_advice)
{
	make_file("f", "abc");
	int fd = open("f", O_RDWR), p[2];
	NEED(!pipe(p));
	for (int bit = 0; bit < 6; bit++)
		TRY(sync_file_range(fd, 0, 0, 1u << bit));
	TRY(sync_file_range(fd, -1, 0, 2));
	TRY(sync_file_range(fd, 0, -1, 2));
	TRY(sync_file_range(fd, 0x7fffffffffffffff, 2, 2));
	TRY(sync_file_range(p[0], 0, 0, 2));
	TRY(sync_file_range(p[0], -1, 0, 2));
	TRY(syscall(SYS_readahead, fd, -1, 4));
	TRY(syscall(SYS_readahead, fd, 0, -1));
	TRY(syscall(SYS_readahead, open("f", O_WRONLY), 0, 4));
	TRY(syscall(SYS_readahead, open(".", O_RDONLY), 0, 4));
	TRY(syscall(SYS_readahead, p[0], 0, 4));
	for (int advice = -1; advice < 9; advice++)
		TRY(syscall(SYS_fadvise64, fd, 0, 10, advice));
	TRY(syscall(SYS_fadvise64, fd, 0, -1, 0));
	TRY(syscall(SYS_fadvise64, fd, -1, 4, 0));
	TRY(syscall(SYS_fadvise64, fd, -1, 4, 3));
	TRY(syscall(SYS_fadvise64, p[0], 0, -1, 77));
	TRY(syscall(SYS_fadvise64, open(".", O_RDONLY), 0, 0, 3));
	TRY(syscall(SYS_fadvise64, open("f", O_PATH), 0, 0, 3));
}

DIFF_CASE(copy_range_corners)
{
	make_file("a", "0123456789");
	make_file("b", "abcdefghij");
	int a = open("a", O_RDWR), b = open("b", O_RDWR), ro = open("a", O_RDONLY),
	    wo = open("b", O_WRONLY), ap = open("b", O_RDWR | O_APPEND),
	    d = open(".", O_RDONLY), p[2];
	loff_t x = 2, y = 5, z = -1, big = 0x7fffffffffffffff;
	NEED(!pipe(p));
	TRY(copy_file_range(a, &x, a, &y, 4, 0));
	x = 2;
	y = 6;
	TRY(copy_file_range(a, &x, a, &y, 4, 0));
	say_file("a");
	x = 2;
	TRY(copy_file_range(a, &x, b, NULL, 3, 0));
	SHOW(x);
	SHOW(lseek(b, 0, SEEK_CUR));
	TRY(copy_file_range(a, NULL, b, NULL, 100, 0));
	TRY(copy_file_range(a, NULL, b, NULL, 100, 0));
	TRY(copy_file_range(a, &z, b, NULL, 3, 0));
	TRY(copy_file_range(a, NULL, b, &z, 3, 0));
	TRY(copy_file_range(a, &big, b, NULL, 3, 0));
	TRY(copy_file_range(a, NULL, b, &big, 3, 0));
	TRY(copy_file_range(a, NULL, b, NULL, -1, 0));
	x = 0;
	TRY(copy_file_range(a, &x, b, NULL, -1, 0));
	TRY(copy_file_range(ro, NULL, ro, NULL, 3, 0));
	TRY(copy_file_range(wo, NULL, b, NULL, 3, 0));
	TRY(copy_file_range(a, NULL, ap, NULL, 3, 0));
	TRY(copy_file_range(d, NULL, b, NULL, 3, 0));
	TRY(copy_file_range(a, NULL, d, NULL, 3, 0));
	TRY(copy_file_range(p[0], NULL, b, NULL, 3, 0));
	TRY(copy_file_range(a, NULL, p[1], NULL, 3, 0));
	TRY(copy_file_range(a, NULL, b, NULL, 3, 1));
	TRY(copy_file_range(99, NULL, b, NULL, 3, 1));
	TRY(copy_file_range(a, (void *)8, b, NULL, 3, 0));
	TRY(copy_file_range(a, NULL, b, NULL, 0, 0));
	TRY(copy_file_range(ro, NULL, ro, NULL, 0, 0));
	TRY(copy_file_range(open("a", O_PATH), NULL, b, NULL, 3, 0));
	signal(SIGXFSZ, SIG_IGN);
	NEED(!setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 12, 100 }));
	x = 0;
	y = 10;
	TRY(copy_file_range(a, &x, b, &y, 8, 0));
	x = 0;
	y = 12;
	TRY(copy_file_range(a, &x, b, &y, 8, 0));
}

DIFF_CASE(limit_of_file_size)
{
	catch (SIGXFSZ, 0);
	make_file("f", "0123456789");
	int fd = open("f", O_RDWR);
	NEED(!setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 20, 100 }));
	TRY(pwrite(fd, "0123456789", 10, 15));
	SHOW(caught[SIGXFSZ]);
	TRY(pwrite(fd, "x", 1, 20));
	SHOW(caught[SIGXFSZ]);
	TRY(pwrite(fd, "x", 0, 20));
	TRY(ftruncate(fd, 21));
	SHOW(caught[SIGXFSZ]);
	TRY(ftruncate(fd, 20));
	TRY(truncate("f", 21));
	SHOW(caught[SIGXFSZ]);
	TRY(fallocate(fd, 0, 0, 30));
	SHOW(caught[SIGXFSZ]);
	TRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 30));
	SHOW(caught[SIGXFSZ]);
	TRY(fallocate(fd, 0, 0x7fffffffffffffff, 1));
	TRY(fallocate(fd, 0, -1, 1));
	int s = open("/proc/self/exe", O_RDONLY);
	lseek(fd, 18, SEEK_SET);
	TRY(syscall(SYS_sendfile, fd, s, NULL, 10));
	TRY(syscall(SYS_sendfile, fd, s, NULL, 10));
	SHOW(caught[SIGXFSZ]);
	int p[2];
	NEED(!pipe(p) && write(p[1], "abcdefgh", 8) == 8);
	loff_t o = 20;
	TRY(splice(p[0], NULL, fd, &o, 8, 0));
	SHOW(caught[SIGXFSZ]);
}

DIFF_CASE(offsets_at_the_end)
{
	make_file("f", "x");
	int fd = open("f", O_RDWR);
	TRY(pwrite(fd, "ab", 2, 0x7ffffffffffffffe));
	TRY(pwrite(fd, "a", 1, 0x7fffffffffffffff));
	TRY(pwrite(fd, "a", 1, -1));
	TRY(pread(fd, every_buf, 1, 0x7fffffffffffffff));
	TRY(pread(fd, every_buf, 2, 0x7fffffffffffffff));
	TRY(lseek(fd, 0x7fffffffffffffff, SEEK_SET) > 0);
	TRY(write(fd, "a", 1));
	TRY(read(fd, every_buf, 1));
	TRY(lseek(fd, 1, SEEK_CUR));
	TRY(ftruncate(fd, 0x7fffffffffffffff));
	TRY(truncate("f", 0x7fffffffffffffff));
	SHOW(lseek(fd, 0, SEEK_END) > 0);
	TRY(lseek(fd, 1, SEEK_END));
}

DIFF_CASE(umount_expires)
{
	NEED(!mkdir("m", 0755));
	TRY(umount2("m", MNT_EXPIRE));
	NEED(!mount("none", "m", "tmpfs", 0, NULL));
	TRY(umount2("m", MNT_EXPIRE | MNT_DETACH));
	TRY(umount2("m", MNT_EXPIRE | MNT_FORCE));
	TRY(umount2("m", MNT_EXPIRE));
	int fd = open("m", O_RDONLY);
	TRY(umount2("m", MNT_EXPIRE));
	close(fd);
	TRY(umount2("m", MNT_EXPIRE));
	TRY(access("m/x", F_OK));
	TRY(umount2("m", MNT_EXPIRE));
	TRY(umount2("m", MNT_EXPIRE));
	TRY(umount2("m", MNT_EXPIRE));
	NEED(!mount("none", "m", "tmpfs", 0, NULL));
	TRY(umount2("m", MNT_EXPIRE));
	struct stat st;
	TRY(stat("m", &st));
	TRY(umount2("m", MNT_EXPIRE));
	TRY(umount2("m", MNT_EXPIRE));
	TRY(umount2("m", 0));
	TRY(umount2("m", 0x100));
	TRY(umount2("/", MNT_EXPIRE));
	NEED(!mount("none", "m", "tmpfs", 0, NULL));
	become_nobody();
	TRY(umount2("m", MNT_EXPIRE));
}

/* A name of a file counts as a file: it takes memory as one does. */
DIFF_CASE(tmpfs_counts_names)
{
	struct statfs s;
	NEED(!mkdir("m", 0755));
	NEED(!mount("none", "m", "tmpfs", 0, "nr_inodes=4"));
	TRY(mkdir("m/a", 0755));
	make_file("m/f", "x");
	TRY(link("m/f", "m/g"));
	TRY(link("m/f", "m/h"));
	NEED(!statfs("m", &s));
	SHOW(s.f_ffree);
	TRY(unlink("m/f"));
	TRY(link("m/g", "m/h"));
	TRY(rename("m/g", "m/h"));
	TRY(rename("m/g", "m/a/i"));
	TRY(unlink("m/h"));
	TRY(unlink("m/a/i"));
	NEED(!statfs("m", &s));
	SHOW(s.f_ffree);
	int fd = open("m", O_TMPFILE | O_RDWR, 0600);
	char path[40];
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	TRY(linkat(AT_FDCWD, path, AT_FDCWD, "m/named", AT_SYMLINK_FOLLOW));
	NEED(!statfs("m", &s));
	SHOW(s.f_ffree);
	TRY(unlink("m/named"));
	close(fd);
	NEED(!statfs("m", &s));
	SHOW(s.f_ffree);
	make_file("m/a/1", "");
	make_file("m/2", "");
	TRY(rename("m/a/1", "m/2"));
	NEED(!statfs("m", &s));
	SHOW(s.f_ffree);
}

DIFF_CASE(tmpfs_size_of_folders)
{
	struct stat st;
	NEED(!mkdir("d", 0755) && !stat("d", &st));
	SHOW(st.st_size);
	NEED(!mkdir("d/a", 0755));
	make_file("d/f", "");
	NEED(!stat("d", &st));
	SHOW(st.st_size);
	NEED(!rmdir("d/a") && !rename("d/f", "f") && !stat("d", &st));
	SHOW(st.st_size);
}
