/* Files, directories, the page cache, pipes, polling, terminals. */
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "stress.h"

#define PAGE 4096

static const char *numbered(char *buf, const char *stem, unsigned n)
{
	sprintf(buf, "%s%u", stem, n);
	return buf;
}

void stress_files(struct stress *s)
{
	char a[32], b[32];
	while (stress_on(s)) {
		for (unsigned i = 0; i < 50; i++) {
			int fd = open(numbered(a, "f", i), O_CREAT | O_EXCL | O_RDWR,
				      0600);
			NEED(s, fd >= 0 && write(fd, a, 32) == 32 && !close(fd));
			NEED(s, !link(a, numbered(b, "l", i)));
			NEED(s, !symlink(a, numbered(b, "s", i)));
		}
		for (unsigned i = 0; i < 50; i++) {
			struct stat st;
			NEED(s, !stat(numbered(b, "s", i), &st) && st.st_nlink == 2);
			NEED(s, !unlink(numbered(a, "f", i)) && !unlink(b));
			NEED(s, !unlink(numbered(b, "l", i)));
		}
	}
}

static void rename_loop(struct stress *s, unsigned seed)
{
	char a[32], b[32];
	while (stress_on(s)) {
		seed = seed * 1103515245 + 12345;
		numbered(a, "x", seed >> 16 & 7);
		numbered(b, "x", seed >> 20 & 7);
		if (seed >> 28 & 1)
			close(open(a, O_CREAT | O_WRONLY, 0600));
		else if (seed >> 29 & 1)
			unlink(a);
		else
			rename(a, b);
	}
}

/* Several processes rename, make and remove the same few names. */
void stress_rename(struct stress *s)
{
	char a[32];
	for (int i = 1; i <= 3; i++)
		if (!fork()) {
			rename_loop(s, (unsigned)i);
			_exit(0);
		}
	rename_loop(s, 77);
	while (wait(NULL) > 0)
		;
	for (unsigned i = 0; i < 8; i++)
		unlink(numbered(a, "x", i));
}

static int tree_make(int depth)
{
	if (!depth)
		return 0;
	for (char name[2] = "a"; name[0] < 'd'; name[0]++)
		if (mkdir(name, 0700) || chdir(name) || tree_make(depth - 1) ||
		    chdir(".."))
			return -1;
	return 0;
}

static int tree_remove(int depth)
{
	if (!depth)
		return 0;
	for (char name[2] = "a"; name[0] < 'd'; name[0]++)
		if (chdir(name) || tree_remove(depth - 1) || chdir("..") || rmdir(name))
			return -1;
	return 0;
}

void stress_directories(struct stress *s)
{
	while (stress_on(s)) {
		NEED(s, !tree_make(4));
		int n = 0;
		DIR *d = opendir(".");
		while (readdir(d))
			n++;
		closedir(d);
		NEED(s, n == 5);
		NEED(s, !tree_remove(4));
	}
}

void stress_read_write(struct stress *s)
{
	static unsigned char data[8 * PAGE], back[8 * PAGE];
	int fd = open("f", O_CREAT | O_RDWR, 0600);
	NEED(s, fd >= 0 && !unlink("f"));
	while (stress_on(s)) {
		size_t n = stress_random(s) % sizeof data + 1;
		off_t at = stress_random(s) % (1 << 20);
		memset(data, (int)stress_random(s), n);
		NEED(s, pwrite(fd, data, n, at) == (ssize_t)n);
		NEED(s, pread(fd, back, n, at) == (ssize_t)n && !memcmp(data, back, n));
	}
}

struct mapped {
	struct stress *s;
	int fd;
	volatile char *p;
};

static void *truncate_loop(void *arg)
{
	struct mapped *m = arg;
	while (stress_on(m->s)) {
		(void)!ftruncate(m->fd, 64 * PAGE);
		(void)!ftruncate(m->fd, PAGE);
	}
	return NULL;
}

static void *pread_loop(void *arg)
{
	char buf[2 * PAGE];
	struct mapped *m = arg;
	for (off_t at = 0; stress_on(m->s); at = (at + PAGE) % (64 * PAGE))
		(void)!pread(m->fd, buf, sizeof buf, at);
	return NULL;
}

static void *pwrite_loop(void *arg)
{
	static const char buf[2 * PAGE];
	struct mapped *m = arg;
	for (off_t at = 100; stress_on(m->s); at = (at + PAGE) % (64 * PAGE))
		(void)!pwrite(m->fd, buf, sizeof buf, at);
	return NULL;
}

static void *map_loop(void *arg)
{
	struct mapped *m = arg;
	while (stress_on(m->s)) {
		char *p = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, m->fd,
			       0);
		if (p == MAP_FAILED)
			continue;
		p[0] = 1; /* the first page always is there */
		munmap(p, 64 * PAGE);
	}
	return NULL;
}

/* Truncation against reads, writes and mappings of the same pages. */
void stress_truncate(struct stress *s)
{
	static void *(*const loops[])(void *) = { truncate_loop, pread_loop, pwrite_loop,
						  map_loop, truncate_loop };
	pthread_t t[5];
	struct mapped m = { .s = s, .fd = open("f", O_CREAT | O_RDWR, 0600) };
	NEED(s, m.fd >= 0 && !unlink("f") && !ftruncate(m.fd, PAGE));
	for (int i = 0; i < 5; i++)
		NEED(s, !pthread_create(&t[i], NULL, loops[i], &m));
	for (int i = 0; i < 5; i++)
		pthread_join(t[i], NULL);
	close(m.fd);
}

static uint64_t sum_of(const unsigned char *p, size_t n)
{
	uint64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum = sum * 31 + p[i];
	return sum;
}

/* Programs of the root disk read again and again while their pages are dropped. */
void stress_page_cache(struct stress *s)
{
	static unsigned char buf[128 * 1024];
	int fd = open("/bin/busybox", O_RDONLY);
	NEED(s, fd >= 0);
	ssize_t n = pread(fd, buf, sizeof buf, 0);
	uint64_t sum = sum_of(buf, (size_t)n);
	while (stress_on(s)) {
		memset(buf, 0, sizeof buf);
		NEED(s,
		     pread(fd, buf, sizeof buf, 0) == n && sum_of(buf, (size_t)n) == sum);
		unsigned char *p = mmap(NULL, (size_t)n, PROT_READ, MAP_PRIVATE, fd, 0);
		NEED(s, p != MAP_FAILED && sum_of(p, (size_t)n) == sum);
		munmap(p, (size_t)n);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	}
}

void stress_pipe(struct stress *s)
{
	int to[2], from[2];
	NEED(s, !pipe(to) && !pipe(from));
	pid_t pid = fork();
	if (!pid) {
		static char buf[70000];
		ssize_t n;
		close(to[1]);
		close(from[0]);
		while ((n = read(to[0], buf, sizeof buf)) > 0)
			for (ssize_t done = 0; done < n;)
				done += write(from[1], buf + done, (size_t)(n - done));
		_exit(0);
	}
	close(to[0]);
	close(from[1]);
	static unsigned char out[60000], in[60000];
	while (stress_on(s)) {
		size_t n = stress_random(s) % sizeof out + 1, got = 0;
		memset(out, (int)stress_random(s), n);
		NEED(s, write(to[1], out, n) == (ssize_t)n);
		while (got < n) {
			ssize_t m = read(from[0], in + got, n - got);
			NEED(s, m > 0);
			got += (size_t)m;
		}
		NEED(s, !memcmp(out, in, n));
	}
	close(to[1]);
	NEED(s, waitpid(pid, NULL, 0) == pid);
}

void stress_poll(struct stress *s)
{
	struct pollfd fds[20];
	int p[20][2];
	for (int i = 0; i < 20; i++) {
		NEED(s, !pipe2(p[i], O_NONBLOCK));
		fds[i] = (struct pollfd){ .fd = p[i][0], .events = POLLIN };
	}
	while (stress_on(s)) {
		char c = 0;
		int which = (int)(stress_random(s) % 20);
		NEED(s, poll(fds, 20, 0) == 0);
		NEED(s, write(p[which][1], &c, 1) == 1);
		NEED(s, poll(fds, 20, -1) == 1 && fds[which].revents == POLLIN);
		NEED(s, read(p[which][0], &c, 1) == 1);
		poll(fds, 20, which == 0);
	}
}

static void *event_loop(void *arg)
{
	int *fds = arg;
	uint64_t n;
	struct epoll_event ev;
	while (epoll_wait(fds[0], &ev, 1, -1) == 1 && ev.data.fd != -1)
		if (read(ev.data.fd, &n, sizeof n) == sizeof n)
			(void)!write(fds[1], &n, sizeof n);
	return NULL;
}

/* Threads wait on one epoll of many eventfds; what they read comes back summed. */
void stress_epoll(struct stress *s)
{
	int ep = epoll_create1(0), sum = eventfd(0, EFD_NONBLOCK), ends = eventfd(0, 0),
	    fds[16];
	int shared[2] = { ep, sum };
	pthread_t t[3];
	uint64_t sent = 0, got = 0, n = 1;
	for (int i = 0; i < 16; i++) {
		fds[i] = eventfd(0, EFD_NONBLOCK);
		struct epoll_event ev = { EPOLLIN | (i % 2 ? EPOLLET : 0u),
					  { .fd = fds[i] } };
		NEED(s, fds[i] >= 0 && !epoll_ctl(ep, EPOLL_CTL_ADD, fds[i], &ev));
	}
	for (int i = 0; i < 3; i++)
		NEED(s, !pthread_create(&t[i], NULL, event_loop, shared));
	while (stress_on(s)) {
		for (int i = 0; i < 200; i++, sent++)
			NEED(s,
			     write(fds[stress_random(s) % 16], &n, sizeof n) == sizeof n);
		uint64_t part;
		if (read(sum, &part, sizeof part) == sizeof part)
			got += part;
	}
	for (int ms = 0; got < sent && ms < 10000; ms++) {
		uint64_t part;
		if (read(sum, &part, sizeof part) == sizeof part)
			got += part;
		usleep(1000);
	}
	NEED(s, got == sent);
	struct epoll_event ev = { EPOLLIN, { .u64 = ~0ull } };
	NEED(s, write(ends, &n, sizeof n) == sizeof n);
	NEED(s, !epoll_ctl(ep, EPOLL_CTL_ADD, ends, &ev));
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
}

void stress_descriptors(struct stress *s)
{
	while (stress_on(s)) {
		int fds[200], p[2];
		NEED(s, !pipe(p));
		for (int i = 0; i < 200; i++)
			NEED(s, (fds[i] = fcntl(p[i % 2], F_DUPFD_CLOEXEC, 3)) >= 0);
		pid_t pid = fork();
		if (!pid)
			_exit(write(fds[1], "x", 1) != 1);
		char c;
		NEED(s, read(fds[0], &c, 1) == 1 && waitpid(pid, NULL, 0) == pid);
		for (int i = 0; i < 200; i++)
			NEED(s, !close(fds[i]));
		close(p[0]);
		close(p[1]);
	}
}

void stress_locks(struct stress *s)
{
	int fd = open("f", O_CREAT | O_RDWR, 0600), status;
	NEED(s, fd >= 0 && write(fd, "\0\0\0\0", 4) == 4);
	pid_t pid = fork();
	while (stress_on(s)) {
		struct flock l = { .l_type = F_WRLCK, .l_len = 4 };
		uint32_t n;
		NEED(s, !fcntl(fd, F_SETLKW, &l));
		NEED(s, pread(fd, &n, 4, 0) == 4);
		n++;
		NEED(s, pwrite(fd, &n, 4, 0) == 4 && pwrite(fd, &n, 4, 4) == 4);
		uint32_t both[2];
		NEED(s, pread(fd, both, 8, 0) == 8 && both[0] == n && both[1] == n);
		l.l_type = F_UNLCK;
		NEED(s, !fcntl(fd, F_SETLK, &l));
	}
	if (!pid)
		_exit(0);
	NEED(s, waitpid(pid, &status, 0) == pid && status == 0);
	close(fd);
	NEED(s, !unlink("f"));
}

void stress_splice(struct stress *s)
{
	static char data[4 * PAGE], back[4 * PAGE];
	int p[2], in = open("in", O_CREAT | O_RDWR, 0600),
		  out = open("out", O_CREAT | O_RDWR, 0600);
	NEED(s, !pipe(p) && in >= 0 && out >= 0 && !unlink("in") && !unlink("out"));
	while (stress_on(s)) {
		loff_t from = 0, to = 0;
		memset(data, (int)stress_random(s), sizeof data);
		NEED(s, pwrite(in, data, sizeof data, 0) == sizeof data);
		while (from < (loff_t)sizeof data) {
			ssize_t n = splice(in, &from, p[1], NULL, sizeof data, 0);
			NEED(s, n > 0);
			for (ssize_t m; n > 0; n -= m)
				NEED(s, (m = splice(p[0], NULL, out, &to, (size_t)n, 0)) >
						0);
		}
		NEED(s, pread(out, back, sizeof back, 0) == sizeof back);
		NEED(s, !memcmp(data, back, sizeof data));
	}
}

void stress_pty(struct stress *s)
{
	while (stress_on(s)) {
		struct termios t;
		char buf[64];
		int master = posix_openpt(O_RDWR | O_NOCTTY);
		NEED(s, master >= 0 && !unlockpt(master));
		int slave = open(ptsname(master), O_RDWR | O_NOCTTY);
		NEED(s, slave >= 0 && !tcgetattr(slave, &t));
		cfmakeraw(&t);
		NEED(s, !tcsetattr(slave, TCSANOW, &t));
		for (int i = 0; i < 20; i++) {
			NEED(s, write(master, "to the slave", 12) == 12);
			NEED(s, read(slave, buf, sizeof buf) == 12);
			NEED(s, write(slave, "to the master", 13) == 13);
			NEED(s, read(master, buf, sizeof buf) == 13);
		}
		close(slave);
		close(master);
	}
}

static void read_all(const char *path)
{
	char buf[1024];
	int fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	while (read(fd, buf, sizeof buf) > 0)
		;
	close(fd);
}

/* All of /proc read while processes come and go. */
void stress_proc(struct stress *s)
{
	static const char *const files[] = { "stat",	"status",  "maps",   "smaps",
					     "cmdline", "environ", "limits", "io" };
	pid_t pid = fork();
	if (!pid) {
		while (stress_on(s)) {
			pid_t child = fork();
			if (!child) {
				usleep(1000);
				_exit(0);
			}
			waitpid(child, NULL, 0);
		}
		_exit(0);
	}
	while (stress_on(s)) {
		DIR *d = opendir("/proc");
		NEED(s, d);
		for (struct dirent *e; (e = readdir(d));)
			for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
				char path[300];
				snprintf(path, sizeof path, "/proc/%s/%s", e->d_name,
					 files[i]);
				if (e->d_name[0] >= '1' && e->d_name[0] <= '9')
					read_all(path);
			}
		closedir(d);
		read_all("/proc/meminfo");
		read_all("/proc/stat");
		read_all("/proc/mounts");
	}
	NEED(s, waitpid(pid, NULL, 0) == pid);
}
