/* ubench.c - small syscall/OS micro-benchmark for any x86-64 Linux-ABI kernel.
 * Build: musl-gcc -O2 -static -o ubench ubench.c        (or gcc -O2 -static)
 * Run:   as /init (PID 1: mounts proc/dev/tmp if it can, reboots at the end) or as a
 *        program.
 * Args:  exit0            exit at once (what fork_exec runs)
 *        ms=N             time window per repetition (default 20 ms), reps=N (default 5)
 *        tsc=MHZ          time with rdtsc at MHZ instead of CLOCK_MONOTONIC
 *        exe=PATH         binary for fork_exec/vfork_exec (default argv[0])
 *        -NAME            skip tests whose name starts with NAME;  NAME: run only those
 * Output: lines "name value unit" (value = best of reps; lower is better for ns/us,
 * higher for MB/s) or "name skip errno". Integer arithmetic and write(2) only.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>

typedef uint64_t u64;
static u64 tsc_mhz, win_ns = 20000000;
static int reps = 5, nsel, nskip;
static char *sel[32], *skp[32];
static const char *exe = "/init";
static char buf[65536], big[1 << 20];

static inline long sc0(long n)
{
	long r;
	__asm__ volatile("syscall" : "=a"(r) : "0"(n) : "rcx", "r11", "memory");
	return r;
}
static u64 now(void)
{
	if (tsc_mhz) {
		unsigned a, d;
		__asm__ volatile("lfence; rdtsc" : "=a"(a), "=d"(d));
		u64 t = (u64)d << 32 | a;
		return t / tsc_mhz * 1000 + t % tsc_mhz * 1000 / tsc_mhz;
	}
	struct timespec ts;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (u64)ts.tv_sec * 1000000000u + ts.tv_nsec;
}
static void out(const char *s)
{
	size_t n = strlen(s);
	while (n) {
		ssize_t w = write(1, s, n);
		if (w <= 0)
			return;
		s += w;
		n -= w;
	}
}
static char *num(char *p, u64 v)
{
	char t[24];
	int i = 0;
	do
		t[i++] = '0' + v % 10;
	while (v /= 10);
	while (i)
		*p++ = t[--i];
	return p;
}
/* v is in thousandths */
static void line(const char *name, u64 v, const char *unit)
{
	char b[160], *p = b;
	p = stpcpy(p, name);
	*p++ = ' ';
	p = num(p, v / 1000);
	*p++ = '.';
	*p++ = '0' + v / 100 % 10;
	*p++ = '0' + v / 10 % 10;
	*p++ = ' ';
	p = stpcpy(p, unit);
	*p++ = '\n';
	*p = 0;
	out(b);
}
static void skip(const char *name, int e)
{
	char b[100], *p = stpcpy(b, name);
	p = stpcpy(p, " skip ");
	p = num(p, e);
	*p++ = '\n';
	*p = 0;
	out(b);
}
static int want(const char *name)
{
	for (int i = 0; i < nskip; i++)
		if (!strncmp(name, skp[i], strlen(skp[i])))
			return 0;
	if (!nsel)
		return 1;
	for (int i = 0; i < nsel; i++)
		if (!strncmp(name, sel[i], strlen(sel[i])))
			return 1;
	return 0;
}
static int fail; /* a test sets it to an errno */
#define CHK(x)                                                                           \
	do {                                                                             \
		if ((long)(x) < 0) {                                                     \
			fail = errno ? errno : 1;                                        \
			return;                                                          \
		}                                                                        \
	} while (0)
typedef void (*fn)(u64 n);
/* best time per iteration, in picoseconds; 0 on failure */
static u64 run(fn f)
{
	u64 n = 1, t = 0, best = ~0ull;
	fail = 0;
	for (;;) {
		u64 a = now();
		f(n);
		t = now() - a;
		if (fail)
			return 0;
		if (t >= win_ns || n >= 1ull << 32)
			break;
		if (t < win_ns / 16)
			n *= 8;
		else
			n = n * win_ns / t * 11 / 10 + 1;
	}
	for (int r = 0; r < reps; r++) {
		u64 a = now();
		f(n);
		t = now() - a;
		if (fail)
			return 0;
		u64 ps = t * 1000 / n;
		if (ps < best)
			best = ps;
	}
	return best;
}
static u64 t_ns(const char *name, fn f)
{
	if (!want(name))
		return 0;
	u64 p = run(f);
	if (fail)
		skip(name, fail);
	else
		line(name, p, "ns");
	return p;
}
static u64 t_us(const char *name, fn f)
{
	if (!want(name))
		return 0;
	u64 p = run(f);
	if (fail)
		skip(name, fail);
	else
		line(name, p / 1000, "us");
	return p;
}
/* bytes moved per iteration -> MB/s */
static void t_bw(const char *name, fn f, u64 bytes)
{
	if (!want(name))
		return;
	u64 p = run(f);
	if (fail)
		skip(name, fail);
	else
		line(name, p ? bytes * 1000000000ull / p : 0, "MB/s");
}

/* --- yardsticks (kernel-independent; use to normalise host noise) --- */
static void f_alu(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		u64 c = 1000;
		__asm__ volatile("1: dec %0; jnz 1b" : "+r"(c));
	}
}
static void f_memcpy(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		memcpy(big, big + sizeof big / 2, sizeof big / 2);
		__asm__ volatile("" ::: "memory");
	}
}
/* --- syscalls --- */
static void f_null(u64 n)
{
	for (u64 i = 0; i < n; i++)
		sc0(SYS_getppid);
}
static void f_clock(u64 n)
{
	struct timespec ts;
	for (u64 i = 0; i < n; i++)
		clock_gettime(CLOCK_MONOTONIC, &ts);
}
static void f_clocksys(u64 n)
{
	struct timespec ts;
	for (u64 i = 0; i < n; i++)
		CHK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &ts));
}
static int zfd = -1, nfd = -1;
static void f_rdzero(u64 n)
{
	for (u64 i = 0; i < n; i++)
		if (read(zfd, buf, 1) != 1) {
			fail = errno;
			return;
		}
}
static void f_wrnull(u64 n)
{
	for (u64 i = 0; i < n; i++)
		if (write(nfd, buf, 1) != 1) {
			fail = errno;
			return;
		}
}
static void f_openclose(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		int fd = open("/tmp/ub/d/f", O_RDONLY);
		CHK(fd);
		close(fd);
	}
}
static void f_stat(u64 n)
{
	struct stat st;
	for (u64 i = 0; i < n; i++)
		CHK(stat("/tmp/ub/d/f", &st));
}
static void f_fstat(u64 n)
{
	struct stat st;
	for (u64 i = 0; i < n; i++)
		CHK(fstat(nfd, &st));
}
static void f_creat(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		int fd = open("/tmp/ub/c", O_CREAT | O_RDWR, 0600);
		CHK(fd);
		close(fd);
		CHK(unlink("/tmp/ub/c"));
	}
}
static void f_getrandom(u64 n)
{
	for (u64 i = 0; i < n; i++)
		CHK(syscall(SYS_getrandom, buf, 32, 0));
}
static int bfd = -1;
static void f_fread(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		CHK(lseek(bfd, 0, SEEK_SET));
		for (int k = 0; k < 64; k++)
			if (read(bfd, buf, 65536) != 65536) {
				fail = errno ? errno : 1;
				return;
			}
	}
}
static void f_fread4k(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		CHK(lseek(bfd, 0, SEEK_SET));
		for (int k = 0; k < 1024; k++)
			if (read(bfd, buf, 4096) != 4096) {
				fail = errno ? errno : 1;
				return;
			}
	}
}
static void f_fwrite(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		CHK(lseek(bfd, 0, SEEK_SET));
		for (int k = 0; k < 64; k++)
			if (write(bfd, buf, 65536) != 65536) {
				fail = errno ? errno : 1;
				return;
			}
	}
}
/* --- memory --- */
#define NP 1024
static void touch(int flags, int fd, int nohuge, u64 n)
{
	for (u64 i = 0; i < n; i++) {
		char *p = mmap(0, NP * 4096ul, PROT_READ | PROT_WRITE, flags, fd, 0);
		if (p == MAP_FAILED) {
			fail = errno;
			return;
		}
		if (nohuge)
			madvise(p, NP * 4096ul, MADV_NOHUGEPAGE);
		if (fd < 0)
			for (int k = 0; k < NP; k++)
				((volatile char *)p)[k * 4096] = 1;
		else
			for (int k = 0; k < NP; k++)
				(void)((volatile char *)p)[k * 4096];
		munmap(p, NP * 4096ul);
	}
}
static void f_fault(u64 n)
{
	touch(MAP_PRIVATE | MAP_ANONYMOUS, -1, 1, n);
}
static void f_faultdef(u64 n)
{
	touch(MAP_PRIVATE | MAP_ANONYMOUS, -1, 0, n);
}
static void f_faultfile(u64 n)
{
	touch(MAP_PRIVATE, bfd, 0, n);
}
static void f_mmap(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		void *p = mmap(0, 4096, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (p == MAP_FAILED) {
			fail = errno;
			return;
		}
		munmap(p, 4096);
	}
}
static char *mpp;
static void f_mprot(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		CHK(mprotect(mpp, 4096, PROT_READ));
		CHK(mprotect(mpp, 4096, PROT_READ | PROT_WRITE));
		*(volatile char *)mpp = 1;
	}
}
/* --- processes --- */
static void f_fork(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		pid_t p = fork();
		CHK(p);
		if (!p)
			_exit(0);
		CHK(waitpid(p, 0, 0));
	}
}
static void f_forkexec(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		int st;
		pid_t p = fork();
		CHK(p);
		if (!p) {
			char *a[] = { (char *)exe, "exit0", 0 }, *e[] = { 0 };
			execve(exe, a, e);
			_exit(99);
		}
		CHK(waitpid(p, &st, 0));
		if (st) {
			fail = 99;
			return;
		}
	}
}
static void f_vforkexec(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		static int st;
		static pid_t p;
		static char *a[] = { 0, "exit0", 0 }, *e[] = { 0 };
		a[0] = (char *)exe;
		p = vfork();
		CHK(p);
		if (!p) {
			execve(exe, a, e);
			_exit(99);
		}
		CHK(waitpid(p, &st, 0));
		if (st) {
			fail = 99;
			return;
		}
	}
}
static void *thr(void *a)
{
	return a;
}
static void f_thread(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		pthread_t t;
		int e = pthread_create(&t, 0, thr, 0);
		if (e) {
			fail = e;
			return;
		}
		pthread_join(t, 0);
	}
}
/* --- IPC: the peer echoes 1 byte per byte received --- */
static int ra, wa;
static void f_pp(u64 n)
{
	char c = 0;
	for (u64 i = 0; i < n; i++)
		if (write(wa, &c, 1) != 1 || read(ra, &c, 1) != 1) {
			fail = errno ? errno : 1;
			return;
		}
}
static void echo(int r, int w)
{
	char c;
	while (read(r, &c, 1) == 1)
		if (write(w, &c, 1) != 1)
			break;
	_exit(0);
}
static void pin(int on)
{
	unsigned long m[16];
	memset(m, on ? 0 : 0xff, sizeof m);
	if (on)
		m[0] = 1;
	syscall(SYS_sched_setaffinity, 0, sizeof m, m);
}
static u64 pingpong(const char *name, int kind, int pinned)
{
	int a[2], b[2];
	pid_t p;
	u64 t = 0;
	if (!want(name))
		return 0;
	errno = 0;
	if (kind == 0) {
		if (pipe(a) || pipe(b)) {
			skip(name, errno);
			return 0;
		}
	} else if (kind == 1) {
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, a)) {
			skip(name, errno);
			return 0;
		}
		b[0] = a[0];
		b[1] = a[1];
	} else {
		struct sockaddr_in s = { .sin_family = AF_INET,
					 .sin_port = htons(7777),
					 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		struct ifreq ifr;
		int one = 1, l = socket(AF_INET, SOCK_STREAM, 0), c;
		if (l < 0) {
			skip(name, errno);
			return 0;
		}
		memset(&ifr, 0, sizeof ifr);
		strcpy(ifr.ifr_name, "lo");
		ifr.ifr_flags = IFF_UP | IFF_RUNNING;
		ioctl(l, SIOCSIFFLAGS, &ifr);
		setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
		c = socket(AF_INET, SOCK_STREAM, 0);
		if (bind(l, (void *)&s, sizeof s) || listen(l, 1) ||
		    connect(c, (void *)&s, sizeof s)) {
			skip(name, errno);
			close(l);
			close(c);
			return 0;
		}
		int d = accept(l, 0, 0);
		if (d < 0) {
			skip(name, errno);
			return 0;
		}
		close(l);
		setsockopt(c, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		setsockopt(d, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		a[0] = b[0] = c;
		a[1] = b[1] = d;
	}
	/* pipes: parent writes a[1], child reads a[0], writes b[1], parent reads b[0] */
	if (pinned)
		pin(1);
	p = fork();
	if (p < 0) {
		skip(name, errno);
		goto done;
	}
	if (!p) {
		if (kind == 0) {
			close(a[1]);
			close(b[0]);
			echo(a[0], b[1]);
		} else {
			close(a[0]);
			echo(a[1], a[1]);
		}
	}
	if (kind == 0) {
		close(a[0]);
		close(b[1]);
		wa = a[1];
		ra = b[0];
	} else {
		close(a[1]);
		wa = ra = a[0];
	}
	t = t_us(name, f_pp);
	close(wa);
	if (ra != wa)
		close(ra);
	waitpid(p, 0, 0);
done:
	if (pinned)
		pin(0);
	return t;
}
static int sp[2];
static void f_pself(u64 n)
{
	char c = 0;
	for (u64 i = 0; i < n; i++)
		if (write(sp[1], &c, 1) != 1 || read(sp[0], &c, 1) != 1) {
			fail = errno;
			return;
		}
}
static int dw, cw, ar;
static void f_pbw(u64 n)
{
	char c;
	u64 t = n * sizeof buf;
	CHK(write(cw, &t, sizeof t));
	for (u64 i = 0; i < n; i++)
		for (size_t o = 0; o < sizeof buf;) {
			ssize_t w = write(dw, buf + o, sizeof buf - o);
			CHK(w);
			o += w;
		}
	if (read(ar, &c, 1) != 1)
		fail = 1;
}
static void pipebw(const char *name)
{
	int d[2], c[2], a[2];
	pid_t p;
	if (!want(name))
		return;
	if (pipe(d) || pipe(c) || pipe(a) || (p = fork()) < 0) {
		skip(name, errno);
		return;
	}
	if (!p) {
		u64 t;
		close(d[1]);
		close(c[1]);
		close(a[0]);
		while (read(c[0], &t, sizeof t) == sizeof t) {
			while (t) {
				ssize_t r =
					read(d[0], buf, t < sizeof buf ? t : sizeof buf);
				if (r <= 0)
					_exit(1);
				t -= r;
			}
			if (write(a[1], "", 1) != 1)
				break;
		}
		_exit(0);
	}
	close(d[0]);
	close(c[0]);
	close(a[1]);
	dw = d[1];
	cw = c[1];
	ar = a[0];
	t_bw(name, f_pbw, sizeof buf);
	close(dw);
	close(cw);
	close(ar);
	waitpid(p, 0, 0);
}
static volatile int *fw;
static long fut(volatile int *a, int op, int v)
{
	return syscall(SYS_futex, a, op, v, 0, 0, 0);
}
static void f_futex(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		__atomic_store_n(fw, 1, __ATOMIC_SEQ_CST);
		CHK(fut(fw, FUTEX_WAKE, 1));
		while (__atomic_load_n(fw, __ATOMIC_SEQ_CST) == 1)
			fut(fw, FUTEX_WAIT, 1);
	}
}
static void *fpeer(void *x)
{
	for (;;) {
		int v;
		while ((v = __atomic_load_n(fw, __ATOMIC_SEQ_CST)) == 0)
			fut(fw, FUTEX_WAIT, 0);
		if (v == 2)
			return x;
		__atomic_store_n(fw, 0, __ATOMIC_SEQ_CST);
		fut(fw, FUTEX_WAKE, 1);
	}
}
static void futexpp(const char *name, int threads)
{
	pid_t p = 0;
	pthread_t t;
	int e = 0;
	if (!want(name))
		return;
	fw = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fw == MAP_FAILED) {
		skip(name, errno);
		return;
	}
	*fw = 0;
	if (threads)
		e = pthread_create(&t, 0, fpeer, 0);
	else if ((p = fork()) < 0)
		e = errno;
	if (e) {
		skip(name, e);
		return;
	}
	if (!threads && !p) {
		fpeer(0);
		_exit(0);
	}
	t_us(name, f_futex);
	__atomic_store_n(fw, 2, __ATOMIC_SEQ_CST);
	fut(fw, FUTEX_WAKE, 1);
	if (threads)
		pthread_join(t, 0);
	else
		waitpid(p, 0, 0);
}
static volatile int nsig;
static void onsig(int s)
{
	nsig += s;
}
static void f_sig(u64 n)
{
	pid_t me = getpid();
	for (u64 i = 0; i < n; i++)
		CHK(kill(me, SIGUSR1));
}
static void f_sigact(u64 n)
{
	struct sigaction sa;
	memset(&sa, 0, sizeof sa);
	sa.sa_handler = onsig;
	for (u64 i = 0; i < n; i++)
		CHK(sigaction(SIGUSR1, &sa, 0));
}
static void f_sigsegv_h(int s, siginfo_t *i, void *u)
{
	(void)s;
	(void)i;
	(void)u;
	mprotect(mpp, 4096, PROT_READ | PROT_WRITE);
}
static void f_segv(u64 n)
{
	for (u64 i = 0; i < n; i++) {
		CHK(mprotect(mpp, 4096, PROT_READ));
		*(volatile char *)mpp = 1;
	}
}
static int efd, epf;
static void f_epoll(u64 n)
{
	u64 v = 1;
	struct epoll_event ev;
	for (u64 i = 0; i < n; i++) {
		CHK(write(efd, &v, 8));
		if (epoll_wait(epf, &ev, 1, -1) != 1) {
			fail = 1;
			return;
		}
		CHK(read(efd, &v, 8));
	}
}
/* --- seccomp: an allowlist of n entries, libseccomp-like linear JEQ chain --- */
static const short allow[19] = { 0,  1,	 3,  5,	 8,  9,	  10,  11,  12, 13,
				 14, 15, 35, 60, 61, 231, 228, 202, 257 };
static long filt(int n, int pos, int argcheck)
{
	struct sock_filter f[96];
	int k = 0, list[64], j = 0;
	/* beyond those that are needed: numbers that nobody calls */
	for (int i = 0; i < n; i++)
		list[i] = i == pos ? SYS_getppid : j < 19 ? allow[j++] : 300 + i;
	f[k++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, arch));
	f[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0xc000003eu, 1,
					      0);
	f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	f[k++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					      offsetof(struct seccomp_data, nr));
	f[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0x40000000u, 0,
					      1);
	f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	for (int i = 0; i < n; i++)
		f[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, list[i],
						      n - i, 0);
	f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | 1);
	/* A result that depends on an argument defeats Linux 5.11's per-number bitmap. */
	if (argcheck) {
		f[k++] = (struct sock_filter)BPF_STMT(
			BPF_LD | BPF_W | BPF_ABS,
			offsetof(struct seccomp_data, args[5]) + 4);
		f[k++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
						      0xdeadbeefu, 0, 1);
		f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						      SECCOMP_RET_ERRNO | 2);
	}
	f[k++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog pr = { k, f };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &pr);
}
static void secc(const char *name, int n, int pos, int argcheck)
{
	struct {
		u64 base, with;
		int err;
	} * s;
	char b[64];
	if (!want(name))
		return;
	s = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED) {
		skip(name, errno);
		return;
	}
	s->err = 77;
	pid_t p = fork();
	if (p < 0) {
		skip(name, errno);
		return;
	}
	if (!p) {
		s->base = run(f_null);
		if (filt(n, pos, argcheck)) {
			s->err = errno ? errno : 1;
			_exit(1);
		}
		s->with = run(f_null);
		s->err = 0;
		_exit(0);
	}
	waitpid(p, 0, 0);
	if (s->err) {
		skip(name, s->err);
		return;
	}
	line(name, s->with, "ns");
	stpcpy(stpcpy(b, name), "_extra");
	line(b, s->with > s->base ? s->with - s->base : 0, "ns");
}
int main(int argc, char **argv)
{
	if (argc > 1 && !strcmp(argv[1], "exit0"))
		_exit(0);
	int init = getpid() == 1, fd;
	u64 a, b;
	if (argc > 0 && strchr(argv[0], '/'))
		exe = argv[0];
	for (int i = 1; i < argc; i++) {
		if (!strncmp(argv[i], "ms=", 3))
			win_ns = strtoull(argv[i] + 3, 0, 10) * 1000000;
		else if (!strncmp(argv[i], "reps=", 5))
			reps = strtol(argv[i] + 5, 0, 10);
		else if (!strncmp(argv[i], "tsc=", 4))
			tsc_mhz = strtoull(argv[i] + 4, 0, 10);
		else if (!strncmp(argv[i], "exe=", 4))
			exe = argv[i] + 4;
		else if (argv[i][0] == '-' && argv[i][1] && nskip < 32)
			skp[nskip++] = argv[i] + 1;
		else if (nsel < 32)
			sel[nsel++] = argv[i];
	}
	if (init) {
		mkdir("/proc", 0755);
		mkdir("/dev", 0755);
		mkdir("/tmp", 0777);
		mount("proc", "/proc", "proc", 0, 0);
		mount("dev", "/dev", "devtmpfs", 0, 0);
		mount("tmp", "/tmp", "tmpfs", 0, 0);
	}
	out("ubench-begin 1 v\n");
	mkdir("/tmp", 0777);
	mkdir("/tmp/ub", 0755);
	mkdir("/tmp/ub/d", 0755);
	fd = open("/tmp/ub/d/f", O_CREAT | O_RDWR, 0644);
	if (fd >= 0)
		close(fd);
	bfd = open("/tmp/ub/big", O_CREAT | O_RDWR, 0644);
	zfd = open("/dev/zero", O_RDWR);
	nfd = open("/dev/null", O_RDWR);
	mpp = mmap(0, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	memset(big, 1, sizeof big);

	t_ns("alu_1000_iter", f_alu);
	t_bw("memcpy_512k", f_memcpy, sizeof big / 2);
	t_ns("null_getppid", f_null);
	t_ns("clock_gettime", f_clock);
	t_ns("clock_gettime_sys", f_clocksys);
	t_ns("read1_devzero", f_rdzero);
	t_ns("write1_devnull", f_wrnull);
	t_ns("getrandom32", f_getrandom);
	t_ns("fstat", f_fstat);
	t_ns("stat_path4", f_stat);
	t_ns("open_close_path4", f_openclose);
	t_ns("creat_close_unlink", f_creat);
	t_bw("tmpfs_write_64k", f_fwrite, 4 << 20);
	t_bw("tmpfs_read_64k", f_fread, 4 << 20);
	t_bw("tmpfs_read_4k", f_fread4k, 4 << 20);
	if (want("fault_anon4k")) {
		a = run(f_fault);
		if (fail)
			skip("fault_anon4k", fail);
		else
			line("fault_anon4k", a / NP, "ns/page");
	}
	if (want("fault_anon_default")) {
		a = run(f_faultdef);
		if (fail)
			skip("fault_anon_default", fail);
		else
			line("fault_anon_default", a / NP, "ns/page");
	}
	if (want("fault_file_read")) {
		a = run(f_faultfile);
		if (fail)
			skip("fault_file_read", fail);
		else
			line("fault_file_read", a / NP, "ns/page");
	}
	t_ns("mmap_munmap_1p", f_mmap);
	t_ns("mprotect_ro_rw_touch", f_mprot);
	signal(SIGUSR1, onsig);
	t_ns("sigaction", f_sigact);
	t_us("signal_self", f_sig);
	{
		struct sigaction sa;
		memset(&sa, 0, sizeof sa);
		sa.sa_sigaction = f_sigsegv_h;
		sa.sa_flags = SA_SIGINFO;
		if (!sigaction(SIGSEGV, &sa, 0)) {
			t_us("sigsegv_fixup", f_segv);
			signal(SIGSEGV, SIG_DFL);
		}
	}
	if (want("epoll_eventfd")) {
		struct epoll_event ev = { .events = EPOLLIN };
		efd = eventfd(0, 0);
		epf = epoll_create1(0);
		if (efd < 0 || epf < 0 || epoll_ctl(epf, EPOLL_CTL_ADD, efd, &ev))
			skip("epoll_eventfd", errno);
		else
			t_ns("epoll_eventfd", f_epoll);
	}
	a = 0;
	if (want("pipe_self")) {
		if (pipe(sp))
			skip("pipe_self", errno);
		else {
			a = t_ns("pipe_self", f_pself);
			close(sp[0]);
			close(sp[1]);
		}
	}
	t_us("thread_create_join", f_thread);
	futexpp("futex_rt_threads", 1);
	t_us("fork_exit_wait", f_fork);
	t_us("fork_exec_wait", f_forkexec);
	t_us("vfork_exec_wait", f_vforkexec);
	pingpong("pipe_rt", 0, 0);
	b = pingpong("pipe_rt_1cpu", 0, 1);
	if (a && b && b / 2 > a)
		line("ctxsw_derived", (b / 2 - a) / 1000, "us");
	pipebw("pipe_bw_64k");
	pingpong("unix_rt", 1, 0);
	pingpong("tcp_lo_rt", 2, 0);
	futexpp("futex_rt_procs", 0);
	secc("seccomp20_first", 20, 0, 0);
	secc("seccomp20_last", 20, 19, 0);
	secc("seccomp20_last_arg", 20, 19, 1);
	secc("seccomp60_last", 60, 59, 0);
	out("ubench-end 1 v\n");
	if (init) {
		sync();
		reboot(RB_AUTOBOOT);
		for (;;)
			pause();
	}
	return 0;
}
