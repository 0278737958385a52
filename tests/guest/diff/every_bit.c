/* Calls with every single flag, known or not. */
#include "every.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static char *pages(size_t n, int prot)
{
	return mmap(NULL, n * 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

/* What a call without a need for the flags does in a child: they may take it apart. */
static long in_child(long (*fn)(uint64_t flag), uint64_t flag)
{
	pid_t pid = fork();
	NEED(pid >= 0);
	if (!pid) {
		errno = 0;
		_exit(fn(flag) == -1 ? errno : 0);
	}
	int status = reap(pid);
	errno = WEXITSTATUS(status);
	return WIFEXITED(status) && !errno ? 0 : -1;
}

/* -- making descriptors ------------------------------------------------------------- */

EVERY_BIT(open, 0, 31, every_closed(syscall(SYS_open, ".", flag | O_NONBLOCK, 0644)))
EVERY_BIT(openat2, 0, 63,
	  every_closed(syscall(SYS_openat2, AT_FDCWD, ".", (uint64_t[]){ flag, 0, 0 },
			       24)))
EVERY_BIT(openat2_mode, 0, 63,
	  every_closed(syscall(SYS_openat2, AT_FDCWD, "made",
			       (uint64_t[]){ O_CREAT | O_RDWR, flag, 0 }, 24)))
EVERY_BIT(openat2_resolve, 0, 63,
	  every_closed(syscall(SYS_openat2, AT_FDCWD, ".",
			       (uint64_t[]){ O_RDONLY, 0, flag }, 24)))
EVERY_BIT(pipe2, 8, 31, syscall(SYS_pipe2, every_buf, flag))
EVERY_BIT(dup3, 0, 31, dup3(0, 50, (int)flag))
EVERY_BIT(eventfd2, 0, 31, every_closed(syscall(SYS_eventfd2, 0, flag)))
EVERY_BIT(epoll_create1, 0, 31, every_closed(epoll_create1((int)flag)))
EVERY_BIT(timerfd_create, 0, 31, every_closed(timerfd_create(CLOCK_MONOTONIC, (int)flag)))
EVERY_BIT(timerfd_settime, 0, 31,
	  timerfd_settime(timerfd_create(CLOCK_REALTIME, 0), (int)flag,
			  &(struct itimerspec){ .it_value = { 5, 0 } }, NULL))
EVERY_BIT(signalfd4, 0, 31, every_closed(syscall(SYS_signalfd4, -1, every_buf, 8, flag)))
EVERY_BIT(inotify_init1, 0, 31, every_closed(inotify_init1((int)flag)))
EVERY_BIT(memfd_create, 0, 1, every_closed(syscall(SYS_memfd_create, "bits", flag)))
EVERY_BIT(memfd_create_unknown, 5, 25,
	  every_closed(syscall(SYS_memfd_create, "bits", flag)))
EVERY_BIT(pidfd_open, 0, 6, every_closed(syscall(SYS_pidfd_open, getpid(), flag)))
EVERY_BIT(pidfd_open_more, 8, 31, every_closed(syscall(SYS_pidfd_open, getpid(), flag)))
EVERY_BIT(socket_type, 4, 31, every_closed(socket(AF_UNIX, SOCK_STREAM | (int)flag, 0)))
EVERY_BIT(accept4, 0, 31, accept4(every_socket(), NULL, NULL, (int)flag))
EVERY_BIT(close_range, 0, 31, syscall(SYS_close_range, 60, 61, flag))
EVERY_BIT(setfl, 0, 31, fcntl(every_file(), F_SETFL, flag))
EVERY_BIT(setfd, 0, 31, fcntl(0, F_SETFD, flag))
EVERY_BIT(add_seals, 0, 4,
	  fcntl((int)syscall(SYS_memfd_create, "bits", MFD_ALLOW_SEALING), F_ADD_SEALS,
		flag))
EVERY_BIT(inotify_mask, 0, 31,
	  syscall(SYS_inotify_add_watch, inotify_init1(0), ".", flag))
EVERY_BIT(epoll_events, 0, 31,
	  epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, every_pipe(0),
		    &(struct epoll_event){ (uint32_t)flag, { 0 } }))

/* -- names -------------------------------------------------------------------------- */

EVERY_BIT(statx, 0, 31, syscall(SYS_statx, AT_FDCWD, ".", flag, 0x7ff, every_buf))
EVERY_BIT(statx_mask, 0, 31, syscall(SYS_statx, AT_FDCWD, ".", 0, flag, every_buf))
EVERY_BIT(newfstatat, 0, 31, syscall(SYS_newfstatat, AT_FDCWD, ".", every_buf, flag))
EVERY_BIT(faccessat2, 0, 31, syscall(SYS_faccessat2, AT_FDCWD, ".", 4, flag))
EVERY_BIT(access_mode, 0, 31, syscall(SYS_access, ".", flag))
EVERY_BIT(linkat, 0, 31,
	  (unlink("b"), make_file("a", ""),
	   syscall(SYS_linkat, AT_FDCWD, "a", AT_FDCWD, "b", flag)))
EVERY_BIT(unlinkat, 0, 31,
	  (make_file("a", ""), syscall(SYS_unlinkat, AT_FDCWD, "a", flag)))
EVERY_BIT(renameat2, 0, 31,
	  (unlink("a"), make_file("a", ""),
	   syscall(SYS_renameat2, AT_FDCWD, "a", AT_FDCWD, "b", flag)))
EVERY_BIT(fchownat, 0, 31, syscall(SYS_fchownat, AT_FDCWD, ".", 0, 0, flag))
EVERY_BIT(utimensat, 0, 31, syscall(SYS_utimensat, AT_FDCWD, ".", NULL, flag))
EVERY_BIT(execveat, 0, 15, syscall(SYS_execveat, AT_FDCWD, "missing", NULL, NULL, flag))
EVERY_BIT(mknod_mode, 0, 31, (unlink("n"), syscall(SYS_mknod, "n", flag, 0x103)))
EVERY_BIT(mkdir_mode, 0, 31, (rmdir("n"), syscall(SYS_mkdir, "n", flag)))
EVERY_BIT(chmod_mode, 0, 31, syscall(SYS_chmod, ".", flag | 0700))
EVERY_BIT(umask, 0, 31, syscall(SYS_umask, flag))
EVERY_BIT(setxattr, 0, 31, syscall(SYS_setxattr, ".", "user.f", "v", 1, flag))
EVERY_BIT(umount2, 0, 31, syscall(SYS_umount2, ".", flag))

static long mount_with(uint64_t flag)
{
	return mount("none", ".", "tmpfs", flag, NULL);
}

EVERY_BIT(mount, 0, 25, mount_with(flag) ? -1 : umount2("/tmp/bit_mount", MNT_DETACH))

static long remount_with(uint64_t flag)
{
	NEED(!mount("none", "/tmp/bit_remount", "tmpfs", 0, NULL));
	long r = mount("none", "/tmp/bit_remount", NULL, MS_REMOUNT | flag, NULL);
	int err = errno;
	umount2("/tmp/bit_remount", MNT_DETACH);
	errno = err;
	return r;
}

EVERY_BIT(remount, 0, 25, remount_with(flag))

/* -- data --------------------------------------------------------------------------- */

EVERY_BIT(preadv2, 0, 2, syscall(SYS_preadv2, every_file(), &every_vec, 1, 0, 0, flag))
EVERY_BIT(preadv2_unknown, 10, 31,
	  syscall(SYS_preadv2, every_file(), &every_vec, 1, 0, 0, flag))
EVERY_BIT(pwritev2, 0, 2, syscall(SYS_pwritev2, every_file(), &every_vec, 1, 0, 0, flag))
EVERY_BIT(pwritev2_append, 4, 4,
	  syscall(SYS_pwritev2, every_file(), &every_vec, 1, 0, 0, flag))
EVERY_BIT(fallocate, 5, 31, syscall(SYS_fallocate, every_file(), flag, 0, 4096))
EVERY_BIT(fallocate_keep_size, 5, 31,
	  syscall(SYS_fallocate, every_file(), flag | 1, 0, 4096))
EVERY_BIT(sync_file_range, 0, 31, syscall(SYS_sync_file_range, every_file(), 0, 8, flag))
EVERY_BIT(copy_file_range, 0, 31,
	  syscall(SYS_copy_file_range, every_file(), NULL, every_pipe(1), NULL, 1, flag))
EVERY_BIT(splice, 0, 31,
	  syscall(SYS_splice, every_pipe(0), NULL, every_file(), NULL, 4, flag))
EVERY_BIT(tee, 0, 31, syscall(SYS_tee, every_pipe(0), every_pipe(1), 4, flag))
EVERY_BIT(vmsplice, 0, 31, syscall(SYS_vmsplice, every_pipe(1), &every_vec, 1, flag))
EVERY_BIT(send, 1, 31, send(every_socket(), "x", 1, (int)flag))
EVERY_BIT(recv, 1, 31, recv(every_socket(), every_buf, 1, (int)flag))
EVERY_BIT(flock, 8, 31, syscall(SYS_flock, every_file(), flag | LOCK_NB))
EVERY_BIT(poll_events, 0, 15,
	  syscall(SYS_poll, (struct {
			  int fd;
			  short events, got;
		  }[]){ { 0, (short)flag, 0 } },
		  1, 0))

/* -- memory ------------------------------------------------------------------------- */

static long map_with(int prot, uint64_t flags)
{
	/* An address of its own, for MAP_FIXED. */
	char *at = pages(4, PROT_NONE);
	return mmap(at, 4096, prot, (int)flags, -1, 0) == MAP_FAILED ? -1 : 0;
}

EVERY_BIT(mmap_private, 2, 17,
	  flag == MAP_32BIT ? 0 : map_with(PROT_READ, flag | MAP_PRIVATE | MAP_ANONYMOUS))
EVERY_BIT(mmap_shared, 2, 17,
	  flag == MAP_32BIT ? 0 : map_with(PROT_READ, flag | MAP_SHARED | MAP_ANONYMOUS))
EVERY_BIT(mmap_protection, 0, 31, map_with((int)flag, MAP_PRIVATE | MAP_ANONYMOUS))
EVERY_BIT(mprotect, 0, 31, mprotect(pages(2, PROT_READ), 4096, (int)flag))
EVERY_BIT(mremap, 0, 31,
	  syscall(SYS_mremap, pages(2, PROT_READ), 4096, 4096, flag, pages(1, 0)))
EVERY_BIT(mremap_maymove, 0, 31,
	  syscall(SYS_mremap, pages(2, PROT_READ), 4096, 8192, flag | 1, pages(4, 0)))
EVERY_BIT(msync, 0, 31, msync(pages(1, PROT_READ), 4096, (int)flag))
EVERY_BIT(mlock2, 0, 31, syscall(SYS_mlock2, pages(1, PROT_READ), 4096, flag))
EVERY_BIT(mlockall, 0, 31, (munlockall(), syscall(SYS_mlockall, flag)))
EVERY_BIT(getrandom, 0, 31, syscall(SYS_getrandom, every_buf, 4, flag))
EVERY_BIT(membarrier_flags, 0, 31, syscall(SYS_membarrier, 0, flag, 0))

DIFF_CASE(value_madvise)
{
	for (int advice = -1; advice < 30; advice++) {
		char label[32] = "advice x";
		char *p = pages(1, PROT_READ | PROT_WRITE);
		label[7] = (char)('A' + advice + 1);
		every_say(label, (errno = 0, madvise(p, 4096, advice)));
	}
}

/* -- processes ---------------------------------------------------------------------- */

EVERY_BIT(wait4_options, 0, 31, syscall(SYS_wait4, -1, NULL, flag | WNOHANG, NULL))
EVERY_BIT(waitid_options, 0, 31,
	  syscall(SYS_waitid, P_ALL, 0, NULL, flag | WNOHANG, NULL))
EVERY_BIT(clock_nanosleep, 0, 31,
	  syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, flag, (long[]){ 0, 1 }, NULL))
EVERY_BIT(sigaltstack, 0, 31,
	  syscall(SYS_sigaltstack, &(stack_t){ every_buf, (int)flag, 4096 }, NULL))

static long clone_thread_flags(uint64_t flag)
{
	return syscall(SYS_clone3, (uint64_t[8]){ flag, 0, 0, 0, 0, 0, 0, 0 }, 64) > 0
		       ? 0
		       : -1;
}

/* CLONE_VM without a stack, and without CLONE_VFORK, would share this one's. */
EVERY_BIT(clone3_sharing, 9, 12, in_child(clone_thread_flags, flag))
EVERY_BIT(clone3_needs_others, 16, 16, in_child(clone_thread_flags, flag))
EVERY_BIT(clone3_unknown, 34, 63, in_child(clone_thread_flags, flag))

static long unshare_flags(uint64_t flag)
{
	return syscall(SYS_unshare, flag);
}

EVERY_BIT(unshare_unknown, 0, 6, in_child(unshare_flags, flag))
EVERY_BIT(unshare, 8, 16, in_child(unshare_flags, flag))

/* -- IPC ---------------------------------------------------------------------------- */

EVERY_BIT(shmget, 12, 31, syscall(SYS_shmget, IPC_PRIVATE, 4096, flag | 0600))
EVERY_BIT(shmat, 0, 31, syscall(SYS_shmat, shmget(IPC_PRIVATE, 4096, 0600), NULL, flag))
EVERY_BIT(semget, 0, 31, syscall(SYS_semget, IPC_PRIVATE, 1, flag))
EVERY_BIT(msgget, 0, 31, syscall(SYS_msgget, IPC_PRIVATE, flag))

static long receive(uint64_t flag)
{
	int q = msgget(IPC_PRIVATE, 0600);
	NEED(q >= 0 && !msgsnd(q, &(long[]){ 1, 2 }, 8, 0));
	long r = syscall(SYS_msgrcv, q, every_buf, 4, 0, flag | IPC_NOWAIT);
	int err = errno;
	msgctl(q, IPC_RMID, NULL);
	errno = err;
	return r;
}

EVERY_BIT(msgrcv, 0, 31, receive(flag))

static long open_queue(uint64_t flag)
{
	long q = syscall(SYS_mq_open, "bits", flag | O_CREAT, 0600, NULL);
	int err = errno;
	if (q >= 0)
		close((int)q);
	syscall(SYS_mq_unlink, "bits");
	errno = err;
	return q;
}

EVERY_BIT(mq_open, 0, 13, open_queue(flag))
