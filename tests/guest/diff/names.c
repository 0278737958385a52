/* Names: link, unlink, rename, mkdir, rmdir, symlink, readlink, mknod, getcwd, dents. */
#include "diff.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define NOREPLACE 1
#define EXCHANGE 2
#define WHITEOUT 4

static long rename2(const char *a, const char *b, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, a, AT_FDCWD, b, flags);
}

static long links_of(const char *path)
{
	struct stat st;
	return lstat(path, &st) ? -1 : (long)st.st_nlink;
}

DIFF_CASE(mkdir_corners)
{
	struct stat st;
	make_file("f", "");
	NEED(!symlink("nowhere", "dangling"));
	TRY(mkdir("d", 0777));
	TRY(mkdir("d", 0777));
	TRY(mkdir("d/", 0777));
	TRY(mkdir("new/", 0777));
	TRY(mkdir("f", 0777));
	TRY(mkdir("f/x", 0777));
	TRY(mkdir("no/x", 0777));
	TRY(mkdir("", 0777));
	TRY(mkdir("/", 0777));
	TRY(mkdir(".", 0777));
	TRY(mkdir("d/..", 0777));
	TRY(mkdir("dangling", 0777));
	TRY(mkdir("sticky", 07777));
	stat("sticky", &st);
	SHOW_OCTAL(st.st_mode);
	TRY(links_of("."));
	chmod("d", 0555);
	become_nobody();
	TRY(mkdir("d/x", 0777));
}

DIFF_CASE(rmdir_corners)
{
	NEED(!mkdir("d", 0755) && !mkdir("d/e", 0755) && !symlink("d", "l"));
	make_file("f", "");
	TRY(rmdir("d"));
	TRY(rmdir("d/e/"));
	TRY(rmdir("d/."));
	TRY(rmdir("d/.."));
	TRY(rmdir("."));
	TRY(rmdir("/"));
	TRY(rmdir("f"));
	TRY(rmdir("l"));
	TRY(rmdir("l/"));
	TRY(rmdir("missing"));
	TRY(rmdir(""));
	TRY(rmdir("d"));
	TRY(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
}

DIFF_CASE(unlink_corners)
{
	NEED(!mkdir("d", 0755) && !symlink("f", "l"));
	make_file("f", "");
	TRY(unlink("d"));
	TRY(unlink("f/"));
	TRY(unlink("l"));
	TRY(access("f", F_OK));
	TRY(unlink("f"));
	TRY(unlink("f"));
	TRY(unlink(""));
	TRY(unlink("."));
	TRY(unlinkat(AT_FDCWD, "d", 0));
	TRY(unlinkat(AT_FDCWD, "d", 1));
	TRY(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR));
	TRY(unlink(NULL));
}

DIFF_CASE(unlink_sticky_folder)
{
	NEED(!mkdir("s", 0755) && !chmod("s", 01777) && !mkdir("open", 0755));
	NEED(!chmod("open", 0777));
	make_file("s/root", "");
	make_file("s/mine", "");
	make_file("open/root", "");
	NEED(!chown("s/mine", 1234, 1234));
	become_nobody();
	TRY(unlink("s/root"));
	TRY(rename("s/root", "s/x"));
	TRY(rename("s/mine", "s/root"));
	TRY(unlink("s/mine"));
	TRY(unlink("open/root"));
}

DIFF_CASE(link_corners)
{
	NEED(!mkdir("d", 0755) && !symlink("f", "l"));
	make_file("f", "x");
	TRY(link("f", "g"));
	TRY(links_of("g"));
	TRY(link("f", "g"));
	TRY(link("d", "e"));
	TRY(link("missing", "e"));
	TRY(link("f", "no/e"));
	TRY(link("f", "e/"));
	TRY(link("l", "l2"));
	TRY(links_of("l"));
	TRY(linkat(AT_FDCWD, "l", AT_FDCWD, "g2", AT_SYMLINK_FOLLOW));
	TRY(links_of("f"));
	TRY(linkat(AT_FDCWD, "f", AT_FDCWD, "g3", 1));
	TRY(link("f", "/proc/x"));
	TRY(link("/proc/version", "v"));
	TRY(link("f", "f"));
	TRY(link("", "e"));
}

DIFF_CASE(symlink_corners)
{
	static char target[5000];
	TRY(symlink("anything", "l"));
	TRY(symlink("anything", "l"));
	TRY(symlink("", "e"));
	TRY(symlink("x", ""));
	TRY(symlink("x", "no/l"));
	TRY(symlink("x", "new/"));
	memset(target, 'a', 4999);
	target[4095] = 0;
	TRY(symlink(target, "long"));
	struct stat st;
	lstat("long", &st);
	SHOW(st.st_size);
	SHOW_OCTAL(st.st_mode);
	target[4095] = 'a';
	TRY(symlink(target, "longer"));
	TRY(symlink(NULL, "n"));
}

DIFF_CASE(readlink_corners)
{
	char b[16] = "zzzzzzzzzzzzzzz";
	NEED(!symlink("target", "l") && !mkdir("d", 0755));
	make_file("f", "");
	TRY(readlink("l", b, 3));
	say_bytes("b", b, 5);
	TRY(readlink("l", b, 16));
	say_bytes("b", b, 8);
	TRY(syscall(SYS_readlink, "l", b, 0));
	TRY(syscall(SYS_readlink, "l", b, -1));
	TRY(readlink("f", b, 16));
	TRY(readlink("d", b, 16));
	TRY(readlink("missing", b, 16));
	TRY(readlink("l/", b, 16));
	TRY(readlink("", b, 16));
	TRY(readlink("l", (char *)8, 16));
}

DIFF_CASE(rename_files)
{
	make_file("a", "A");
	make_file("b", "B");
	TRY(rename("a", "b"));
	say_file("b");
	TRY(access("a", F_OK));
	NEED(!link("b", "c"));
	TRY(rename("b", "c"));
	TRY(access("b", F_OK));
	TRY(rename("b", "b"));
	TRY(rename("missing", "x"));
	TRY(rename("missing", "missing"));
	TRY(rename("b", "no/x"));
	TRY(rename("b", "x/"));
	TRY(rename("b/", "x"));
	TRY(rename("", "x"));
	TRY(rename("b", ""));
}

DIFF_CASE(rename_folders)
{
	NEED(!mkdir("d", 0755) && !mkdir("d/e", 0755) && !mkdir("empty", 0755));
	NEED(!mkdir("full", 0755));
	make_file("full/x", "");
	make_file("f", "");
	TRY(rename("d", "f"));
	TRY(rename("f", "d"));
	TRY(rename("d", "full"));
	TRY(rename("d", "d/e/x"));
	TRY(rename("d", "d/e"));
	TRY(rename("d/e", "d"));
	TRY(rename("d", "empty"));
	TRY(access("empty/e", F_OK));
	TRY(rename("empty", "new/"));
	TRY(links_of("."));
	TRY(rename("new/.", "x"));
	TRY(rename("new", "."));
	TRY(rename("new/..", "x"));
	TRY(rename("/", "x"));
	TRY(rename("new", "/"));
	TRY(rename("f", "/proc/x"));
}

DIFF_CASE(rename_moves_folder_links)
{
	NEED(!mkdir("a", 0755) && !mkdir("b", 0755) && !mkdir("a/x", 0755));
	TRY(links_of("a"));
	TRY(rename("a/x", "b/x"));
	TRY(links_of("a"));
	TRY(links_of("b"));
	make_file("b/x/f", "");
	TRY(rename("b/x/f", "a/f"));
	TRY(links_of("b/x"));
	char cwd[PATH_MAX];
	NEED(!chdir("b/x") && !rename("../../b", "../../c"));
	say("%s", getcwd(cwd, sizeof cwd) ? strrchr(cwd, 'c') : "none");
}

DIFF_CASE(rename_noreplace)
{
	make_file("a", "A");
	make_file("b", "B");
	TRY(rename2("a", "b", NOREPLACE));
	TRY(rename2("a", "new", NOREPLACE));
	TRY(rename2("missing", "b", NOREPLACE));
	TRY(rename2("b", "b", NOREPLACE));
	TRY(rename2("b", ".", NOREPLACE));
	TRY(rename2("b", "x", NOREPLACE | EXCHANGE));
	TRY(rename2("b", "x", WHITEOUT | EXCHANGE));
	TRY(rename2("b", "x", 8));
}

DIFF_CASE(rename_exchange)
{
	make_file("a", "A");
	NEED(!mkdir("d", 0755) && !mkdir("d/e", 0755) && !mkdir("o", 0755));
	TRY(rename2("a", "d/e", EXCHANGE));
	say_file("d/e");
	TRY(access("a/.", F_OK));
	TRY(links_of("d"));
	TRY(links_of("."));
	TRY(rename2("a", "missing", EXCHANGE));
	TRY(rename2("d", "d/e", EXCHANGE));
	TRY(rename2("d/e", "d", EXCHANGE));
	TRY(rename2("d", "o", EXCHANGE));
	TRY(access("o/e", F_OK));
	TRY(rename2("a", "a", EXCHANGE));
}

DIFF_CASE(rename_whiteout)
{
	struct stat st;
	make_file("a", "A");
	TRY(rename2("a", "b", WHITEOUT));
	TRY(lstat("a", &st));
	SHOW(S_ISCHR(st.st_mode) && !st.st_rdev);
	say_file("b");
	become_nobody();
	TRY(rename2("b", "c", WHITEOUT));
}

DIFF_CASE(rename_permissions)
{
	NEED(!mkdir("ro", 0755) && !mkdir("rw", 0755) && !chmod("rw", 0777));
	NEED(!mkdir("rw/d", 0755) && !mkdir("rw/sub", 0777) && !chmod("rw/sub", 0777));
	make_file("ro/f", "");
	make_file("rw/f", "");
	become_nobody();
	TRY(rename("ro/f", "rw/g"));
	TRY(rename("rw/f", "ro/g"));
	TRY(rename("rw/f", "rw/g"));
	TRY(rename("rw/d", "rw/e"));
	TRY(rename("rw/e", "rw/sub/e"));
}

DIFF_CASE(mknod_kinds)
{
	struct stat st;
	static const mode_t kinds[] = { S_IFREG, S_IFIFO, S_IFSOCK, S_IFCHR, S_IFBLK,
					0,	 S_IFDIR, S_IFLNK,  0170000 };
	for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		say("mknod 0%o: %s", kinds[i],
		    mknod("n", kinds[i] | 0640, makedev(1, 3)) ? err_name(errno) : "ok");
		if (!lstat("n", &st))
			say("mode 0%o rdev %u:%u", st.st_mode, major(st.st_rdev),
			    minor(st.st_rdev));
		unlink("n");
	}
	make_file("f", "");
	TRY(mknod("f", S_IFREG, 0));
	TRY(mknod("no/f", S_IFREG, 0));
	NEED(!mknod("null", S_IFCHR | 0666, makedev(1, 3)));
	TRY(write(open("null", O_WRONLY), "x", 1));
	NEED(!mknod("none", S_IFCHR | 0666, makedev(250, 77)));
	TRY(open("none", O_RDWR));
	NEED(!mknod("sock", S_IFSOCK | 0666, 0));
	TRY(open("sock", O_RDWR));
	chmod(".", 0777);
	become_nobody();
	TRY(mknod("c", S_IFCHR, makedev(1, 3)));
	TRY(mknod("p", S_IFIFO | 0600, 0));
}

DIFF_CASE(getcwd_corners)
{
	char b[300], *where = getcwd(b, sizeof b);
	say("%s", where ? where : "none");
	TRY(syscall(SYS_getcwd, b, 300));
	TRY(syscall(SYS_getcwd, b, 5));
	TRY(syscall(SYS_getcwd, b, 0));
	TRY(syscall(SYS_getcwd, 8, 300));
	NEED(!mkdir("d", 0755) && !chdir("d") && !rmdir("../d"));
	TRY(syscall(SYS_getcwd, b, 300));
	TRY(open("x", O_CREAT | O_RDWR, 0644));
	TRY(mkdir("x", 0755));
	TRY(chdir(".."));
	TRY(chdir("d"));
}

DIFF_CASE(chdir_corners)
{
	make_file("f", "");
	NEED(!mkdir("d", 0755) && !mkdir("shut", 0700) && !symlink("d", "l"));
	TRY(chdir("f"));
	TRY(chdir("missing"));
	TRY(chdir(""));
	TRY(chdir("l"));
	TRY(chdir(".."));
	TRY(fchdir(open("f", O_RDONLY)));
	TRY(fchdir(open("d", O_RDONLY)));
	TRY(fchdir(99));
	TRY(chdir(".."));
	TRY(fchdir(open("d", O_PATH)));
	TRY(chdir(".."));
	int shut = open("shut", O_RDONLY);
	become_nobody();
	TRY(chdir("shut"));
	TRY(fchdir(shut));
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

DIFF_CASE(getdents_lists_all)
{
	char *names[16];
	int n = 0;
	NEED(!mkdir("d", 0755) && !symlink("d", "l") && !mkfifo("p", 0600));
	make_file("f", "");
	DIR *dir = opendir(".");
	for (struct dirent *e; (e = readdir(dir)) && n < 16;) {
		names[n] = malloc(300);
		sprintf(names[n++], "%s type %d reclen %d", e->d_name, e->d_type,
			e->d_reclen);
	}
	qsort(names, (size_t)n, sizeof *names, by_name);
	for (int i = 0; i < n; i++)
		say("%s", names[i]);
}

DIFF_CASE(getdents_errors)
{
	char b[512];
	make_file("f", "");
	int d = open(".", O_RDONLY);
	TRY(syscall(SYS_getdents64, open("f", O_RDONLY), b, 512));
	TRY(syscall(SYS_getdents64, 99, b, 512));
	TRY(syscall(SYS_getdents64, d, b, 8));
	TRY(syscall(SYS_getdents64, d, b, 0));
	TRY(syscall(SYS_getdents64, d, 8, 512));
	MAY(syscall(SYS_getdents64, d, b, 512));
	TRY(syscall(SYS_getdents64, d, b, 512));
	TRY(lseek(d, 0, SEEK_SET));
	MAY(syscall(SYS_getdents64, d, b, 512));
	NEED(!mkdir("gone", 0755));
	d = open("gone", O_RDONLY);
	rmdir("gone");
	TRY(syscall(SYS_getdents64, d, b, 512));
}

DIFF_CASE(getdents_while_removing)
{
	char name[16];
	int seen = 0, left = 0;
	NEED(!mkdir("d", 0755) && !chdir("d"));
	for (int i = 0; i < 300; i++) {
		sprintf(name, "file%d", i);
		make_file(name, "");
	}
	DIR *dir = opendir(".");
	for (struct dirent *e; (e = readdir(dir));)
		if (e->d_name[0] == 'f') {
			seen++;
			unlink(e->d_name);
		}
	rewinddir(dir);
	while (readdir(dir))
		left++;
	say("saw %d, left %d", seen, left);
	TRY(rmdir("../d"));
}
