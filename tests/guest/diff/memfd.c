/* memfd_create(2) and its seals. */
#include "diff.h"

#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/memfd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096ul

DIFF_CASE(memfd_create_corners)
{
	static char name[300];
	char link[64] = "", path[32];
	memset(name, 'n', 299);
	TRY(memfd_create("a", 0));
	TRY(memfd_create("", MFD_CLOEXEC));
	TRY(fcntl(4, F_GETFD));
	TRY(memfd_create("a", 0x100));
	TRY(memfd_create(NULL, 0));
	name[249] = 0;
	MAY(memfd_create(name, 0));
	name[249] = 'n', name[250] = 0;
	TRY(memfd_create(name, 0));
	sprintf(path, "/proc/self/fd/%d", 3);
	TRY(readlink(path, link, sizeof link - 1));
	say("%s", link);
	TRY(ftruncate(3, 100));
	TRY(write(3, "data", 4));
	TRY(fcntl(3, F_GETFL) & O_ACCMODE);
	TRY(open(path, O_RDONLY) >= 0);
}

DIFF_CASE(memfd_seals_need_asking)
{
	int fd = memfd_create("a", 0), p[2];
	TRY(fcntl(fd, F_GET_SEALS));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	fd = memfd_create("b", MFD_ALLOW_SEALING);
	TRY(fcntl(fd, F_GET_SEALS));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	TRY(fcntl(fd, F_GET_SEALS));
	TRY(fcntl(fd, F_ADD_SEALS, 0x1000));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	NEED(!pipe(p));
	TRY(fcntl(p[0], F_GET_SEALS));
	TRY(fcntl(open("/dev/null", O_RDWR), F_ADD_SEALS, 0));
	make_file("f", "");
	TRY(fcntl(open("f", O_RDWR), F_GET_SEALS));
}

DIFF_CASE(memfd_seal_sizes)
{
	int fd = memfd_create("a", MFD_ALLOW_SEALING);
	NEED(!ftruncate(fd, 100) && !fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK));
	TRY(ftruncate(fd, 50));
	TRY(ftruncate(fd, 100));
	TRY(ftruncate(fd, 200));
	NEED(!fcntl(fd, F_ADD_SEALS, F_SEAL_GROW));
	TRY(ftruncate(fd, 300));
	TRY(pwrite(fd, "xyz", 3, 198));
	TRY(pwrite(fd, "xyz", 3, 200));
	TRY(pwrite(fd, "x", 1, 4090));
	TRY(fallocate(fd, 0, 0, 300));
	TRY(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 300));
	struct stat st;
	fstat(fd, &st);
	SHOW(st.st_size);
}

DIFF_CASE(memfd_seal_write)
{
	int fd = memfd_create("a", MFD_ALLOW_SEALING);
	NEED(!ftruncate(fd, PAGE));
	char *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	munmap(s, PAGE);
	s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
	munmap(s, PAGE);
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_GROW));
	TRY(fcntl(fd, F_GET_SEALS));
	TRY(write(fd, "x", 1));
	TRY(write(fd, "", 0));
	TRY(ftruncate(fd, 10));
	TRY(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 1));
	TRY(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED
		    ? -1
		    : 0);
	TRY(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0) == MAP_FAILED
		    ? -1
		    : 0);
}

DIFF_CASE(memfd_seal_future_write)
{
	int fd = memfd_create("a", MFD_ALLOW_SEALING);
	NEED(!ftruncate(fd, PAGE));
	char *s = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	TRY(fcntl(fd, F_ADD_SEALS, 0x10 /* F_SEAL_FUTURE_WRITE */));
	s[0] = 'w';
	say("the old mapping still writes: %c", s[0]);
	TRY(write(fd, "x", 1));
	TRY(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED
		    ? -1
		    : 0);
	s = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	TRY(s == MAP_FAILED ? -1 : 0);
	TRY(mprotect(s, PAGE, PROT_READ | PROT_WRITE));
	TRY(ftruncate(fd, 10));
}

DIFF_CASE(memfd_seal_needs_writing)
{
	char path[32];
	int fd = memfd_create("a", MFD_ALLOW_SEALING);
	sprintf(path, "/proc/self/fd/%d", fd);
	int r = open(path, O_RDONLY);
	TRY(fcntl(r, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(fcntl(r, F_GET_SEALS));
	TRY(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE));
	TRY(fcntl(r, F_GET_SEALS));
	TRY(open(path, O_RDWR) >= 0);
}
