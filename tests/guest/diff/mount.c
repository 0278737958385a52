/* mount(2), umount2(2), chroot(2), pivot_root(2), in a private place. */
#include "diff.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

static void dir(const char *path)
{
	NEED(!mkdir(path, 0755));
}

static long tmpfs(const char *at, unsigned long flags, const char *options)
{
	return mount("none", at, "tmpfs", flags, options);
}

DIFF_CASE(mount_errors)
{
	dir("d");
	make_file("f", "");
	TRY(mount("none", "missing", "tmpfs", 0, NULL));
	TRY(mount("none", "f", "tmpfs", 0, NULL));
	TRY(mount("none", "d", "nosuchfs", 0, NULL));
	TRY(mount("none", "d", NULL, 0, NULL));
	TRY(mount("none", "d", "tmpfs", 0, "nosuchoption"));
	TRY(mount("none", "d", "tmpfs", 0, "size=banana"));
	TRY(mount("missing", "d", NULL, MS_BIND, NULL));
	TRY(mount("f", "d", NULL, MS_BIND, NULL));
	TRY(mount("d", "f", NULL, MS_BIND, NULL));
	TRY(mount(NULL, "d", NULL, MS_REMOUNT, NULL));
	TRY(mount("d", "d", NULL, MS_MOVE, NULL));
	TRY(mount("none", (char *)8, "tmpfs", 0, NULL));
	TRY(umount("d"));
	TRY(umount("missing"));
	TRY(umount2("d", 0x100));
	become_nobody();
	TRY(mount("none", "d", "tmpfs", 0, NULL));
	TRY(umount("/tmp"));
	TRY(umount("missing"));
}

DIFF_CASE(mount_tmpfs)
{
	struct stat st, under;
	dir("d");
	make_file("d/hidden", "");
	stat("d", &under);
	TRY(tmpfs("d", 0, "mode=1700,uid=5,gid=6"));
	stat("d", &st);
	say("0%o %d:%d other device %d", st.st_mode, (int)st.st_uid, (int)st.st_gid,
	    st.st_dev != under.st_dev);
	TRY(access("d/hidden", F_OK));
	make_file("d/f", "x");
	TRY(rename("d/f", "f"));
	TRY(link("d/f", "f"));
	TRY(rmdir("d"));
	TRY(rename("d", "e"));
	TRY(umount("d"));
	TRY(access("d/hidden", F_OK));
	TRY(access("d/f", F_OK));
}

DIFF_CASE(mount_stacked)
{
	dir("d");
	NEED(!tmpfs("d", 0, NULL));
	make_file("d/one", "");
	NEED(!tmpfs("d", 0, NULL));
	make_file("d/two", "");
	TRY(access("d/one", F_OK));
	TRY(umount("d"));
	TRY(access("d/one", F_OK));
	TRY(access("d/two", F_OK));
	TRY(umount("d"));
	TRY(umount("d"));
}

DIFF_CASE(mount_busy)
{
	dir("d");
	NEED(!tmpfs("d", 0, NULL));
	make_file("d/f", "x");
	int fd = open("d/f", O_RDONLY);
	TRY(umount("d"));
	close(fd);
	dir("d/sub");
	NEED(!tmpfs("d/sub", 0, NULL));
	TRY(umount("d"));
	TRY(umount("d/sub"));
	NEED(!chdir("d"));
	TRY(umount("../d"));
	TRY(umount2("../d", MNT_DETACH));
	TRY(access("f", F_OK));
	TRY(access("../d/f", F_OK));
	TRY(chdir(".."));
}

DIFF_CASE(mount_size_limit)
{
	static char b[65536];
	struct statvfs s;
	dir("d");
	NEED(!tmpfs("d", 0, "size=64k,nr_inodes=10"));
	int fd = open("d/f", O_RDWR | O_CREAT, 0644);
	TRY(write(fd, b, sizeof b));
	TRY(write(fd, b, 1));
	TRY(statvfs("d", &s));
	say("%ld of %ld blocks free", (long)s.f_bfree, (long)s.f_blocks);
	say("%ld inodes", (long)s.f_files);
	TRY(ftruncate(fd, 4096));
	TRY(pwrite(fd, b, 8192, 4096));
	char name[16];
	int n = 0;
	do
		snprintf(name, sizeof name, "d/n%d", n++);
	while (!mknod(name, S_IFREG | 0644, 0));
	say("%d more files, then %s", n - 1, err_name(errno));
	TRY(mount(NULL, "d", NULL, MS_REMOUNT, "size=128k"));
	TRY(pwrite(fd, b, sizeof b, 4096));
	TRY(mount(NULL, "d", NULL, MS_REMOUNT, "size=4k"));
}

DIFF_CASE(mount_read_only)
{
	dir("d");
	NEED(!tmpfs("d", 0, NULL));
	make_file("d/f", "x");
	int w = open("d/f", O_WRONLY);
	TRY(mount(NULL, "d", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	close(w);
	TRY(mount(NULL, "d", NULL, MS_REMOUNT | MS_RDONLY, NULL));
	TRY(open("d/f", O_WRONLY));
	TRY(open("d/new", O_CREAT | O_RDWR, 0644));
	MAY(open("d/f", O_CREAT | O_RDONLY, 0644));
	TRY(mkdir("d/x", 0755));
	TRY(mkdir("d/f", 0755));
	TRY(unlink("d/f"));
	TRY(unlink("d/missing"));
	TRY(chmod("d/f", 0600));
	TRY(utimensat(AT_FDCWD, "d/f", NULL, 0));
	TRY(truncate("d/f", 0));
	TRY(access("d/f", W_OK));
	TRY(rename("d/f", "d/g"));
	TRY(rename("d/missing", "d/g"));
	TRY(rmdir("d/missing"));
	TRY(symlink("x", "d/l"));
	TRY(link("d/f", "d/g"));
	MAY(open("d/f", O_RDONLY));
	struct statvfs s;
	statvfs("d", &s);
	SHOW(s.f_flag & ST_RDONLY);
	TRY(mount(NULL, "d", NULL, MS_REMOUNT, NULL));
	MAY(open("d/f", O_WRONLY));
}

DIFF_CASE(mount_bind)
{
	struct stat a, b;
	dir("d"), dir("e");
	make_file("d/f", "x");
	make_file("g", "y");
	TRY(mount("d", "e", NULL, MS_BIND, NULL));
	say_file("e/f");
	make_file("e/new", "z");
	say_file("d/new");
	stat("d", &a), stat("e", &b);
	SHOW(a.st_dev == b.st_dev && a.st_ino == b.st_ino);
	TRY(rename("d/f", "e/f2"));
	TRY(link("d/f", "e/f2"));
	TRY(mount("g", "d/f", NULL, MS_BIND, NULL));
	say_file("d/f");
	say_file("e/f");
	TRY(unlink("d/f"));
	TRY(umount("d/f"));
	TRY(mount(NULL, "e", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
	TRY(open("e/f", O_WRONLY));
	MAY(open("d/f", O_WRONLY));
	TRY(umount("e"));
}

DIFF_CASE(mount_bind_recursive)
{
	dir("a"), dir("a/s"), dir("b"), dir("c");
	NEED(!tmpfs("a/s", 0, NULL));
	make_file("a/s/f", "");
	TRY(mount("a", "b", NULL, MS_BIND, NULL));
	TRY(access("b/s/f", F_OK));
	TRY(mount("a", "c", NULL, MS_BIND | MS_REC, NULL));
	TRY(access("c/s/f", F_OK));
	TRY(umount("c"));
	TRY(umount2("c", MNT_DETACH));
	TRY(umount("b"));
	TRY(umount("a/s"));
}

DIFF_CASE(mount_move)
{
	dir("a"), dir("b"), dir("c");
	NEED(!tmpfs("a", 0, NULL));
	make_file("a/f", "");
	dir("a/in");
	TRY(mount("a", "b", NULL, MS_MOVE, NULL));
	TRY(access("a/f", F_OK));
	TRY(access("b/f", F_OK));
	TRY(mount("b", "b/in", NULL, MS_MOVE, NULL));
	TRY(mount("b/in", "c", NULL, MS_MOVE, NULL));
	TRY(umount("b"));
}

DIFF_CASE(mount_nodev_noexec_nosuid)
{
	dir("d");
	NEED(!tmpfs("d", MS_NODEV | MS_NOEXEC | MS_NOSUID, NULL));
	NEED(!mknod("d/null", S_IFCHR | 0666, makedev(1, 3)));
	TRY(open("d/null", O_RDWR));
	make_file("d/prog", "#!/bin/sh\n");
	NEED(!chmod("d/prog", 0755));
	TRY(execve("d/prog", (char *[]){ "x", NULL }, environ));
	TRY(access("d/prog", X_OK));
	struct statvfs s;
	statvfs("d", &s);
	SHOW(s.f_flag & (ST_NODEV | ST_NOEXEC | ST_NOSUID));
	TRY(mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND, NULL));
	MAY(open("d/null", O_RDWR));
	TRY(access("d/prog", X_OK));
	TRY(umount("d"));
}

DIFF_CASE(mount_umount_flags)
{
	dir("d");
	NEED(!symlink("d", "l") && !tmpfs("d", 0, NULL));
	TRY(umount2("l", UMOUNT_NOFOLLOW));
	TRY(umount2("d", MNT_EXPIRE | MNT_DETACH));
	TRY(umount2("l", 0));
}

DIFF_CASE(mount_expire)
{
	dir("d");
	NEED(!tmpfs("d", 0, NULL));
	TRY(umount2("d", MNT_EXPIRE));
	TRY(umount2("d", MNT_EXPIRE));
}

DIFF_CASE(mount_dotdot_and_cwd)
{
	char cwd[100];
	dir("d");
	NEED(!tmpfs("d", 0, NULL) && !chdir("d"));
	say("%s", getcwd(cwd, sizeof cwd) ? strrchr(cwd, '/') : "none");
	TRY(access("../d", F_OK));
	NEED(!tmpfs(".", 0, NULL));
	make_file("under", "");
	TRY(access("../d/under", F_OK));
	NEED(!chdir(".."));
	TRY(umount("d"));
	TRY(access("d/under", F_OK));
	TRY(umount("d"));
}

static int in_root(void)
{
	char b[100];
	TRY(chroot("d"));
	TRY(access("/etc", F_OK));
	say("outside: %.13s", getcwd(b, sizeof b) ? b : err_name(errno));
	TRY(chdir("/"));
	say("%s", getcwd(b, sizeof b));
	TRY(access("/f", F_OK));
	TRY(access("/../../f", F_OK));
	TRY(chdir(".."));
	TRY(access("f", F_OK));
	TRY(open("/abs", O_RDONLY) >= 0);
	TRY(access("/up", F_OK));
	return 0;
}

DIFF_CASE(chroot_corners)
{
	dir("d");
	make_file("d/f", "");
	make_file("outer", "");
	NEED(!symlink("/f", "d/abs") && !symlink("../../../f", "d/up"));
	TRY(chroot("missing"));
	TRY(chroot("outer"));
	TRY(chroot((char *)8));
	say_status("inside", reap(child_of(in_root)));
	become_nobody();
	TRY(chroot("d"));
	TRY(chroot("missing"));
}

static int breaks_out(void)
{
	dir("d/in");
	NEED(!chdir("d") && !chroot("in"));
	for (int i = 0; i < 10; i++)
		NEED(!chdir(".."));
	TRY(access("tmp", F_OK));
	return 0;
}

DIFF_CASE(chroot_old_trick)
{
	dir("d");
	say_status("a cwd outside the root walks out", reap(child_of(breaks_out)));
}

DIFF_CASE(pivot_root_errors)
{
	dir("d"), dir("d/old");
	make_file("f", "");
	TRY(syscall(SYS_pivot_root, "d", "d/old"));
	TRY(syscall(SYS_pivot_root, "missing", "d"));
	TRY(syscall(SYS_pivot_root, "f", "d"));
	TRY(syscall(SYS_pivot_root, "/", "/tmp"));
	NEED(!tmpfs("d", 0, NULL));
	dir("d/old");
	TRY(syscall(SYS_pivot_root, "d", "f"));
	TRY(syscall(SYS_pivot_root, "d", "."));
	TRY(umount("d"));
	become_nobody();
	TRY(syscall(SYS_pivot_root, "d", "d/old"));
}

DIFF_CASE(mount_propagation_flags)
{
	dir("d");
	NEED(!tmpfs("d", 0, NULL));
	TRY(mount(NULL, "d", NULL, MS_PRIVATE, NULL));
	TRY(mount(NULL, "d", NULL, MS_PRIVATE | MS_REC, NULL));
	TRY(mount(NULL, "d", NULL, MS_PRIVATE | MS_SHARED, NULL));
	TRY(mount(NULL, "d", NULL, MS_PRIVATE | MS_RDONLY, NULL));
	dir("d/e");
	TRY(mount(NULL, "d/e", NULL, MS_PRIVATE, NULL));
	TRY(umount("d"));
}
