/* Calls with every kind of address. */
#include "every.h"

#include <fcntl.h>
#include <mqueue.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/sendfile.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysinfo.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/times.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

static int null_fd(void)
{
	return open("/dev/null", O_RDWR);
}

static int zero_fd(void)
{
	return open("/dev/zero", O_RDWR);
}

/* -- files -------------------------------------------------------------------------- */

EVERY_PTR(read_file, read(every_file(), p, 8))
EVERY_PTR(read_zero, read(zero_fd(), p, 8))
EVERY_PTR(read_pipe, read(every_pipe(0), p, 8))
EVERY_PTR(read_socket, read(every_socket(), p, 8))
EVERY_PTR(write_file, write(every_file(), p, 8))
EVERY_PTR(write_null, write(null_fd(), p, 8))
EVERY_PTR(write_pipe, write(every_pipe(1), p, 8))
EVERY_PTR(write_socket, write(every_socket(), p, 8))
EVERY_PTR(readv, readv(every_file(), p, 1))
EVERY_PTR(writev, writev(every_file(), p, 1))
EVERY_PTR(readv_within, readv(every_file(), &(struct iovec){ p, 8 }, 1))
EVERY_PTR(pipe2, syscall(SYS_pipe2, p, 0))
EVERY_PTR(getcwd, syscall(SYS_getcwd, p, 100))
EVERY_PTR(getdents, syscall(SYS_getdents64, open("/", O_RDONLY), p, 4096))
EVERY_PTR(readlink, syscall(SYS_readlink, "/proc/self/cwd", p, 50))
EVERY_PTR(stat, syscall(SYS_stat, ".", p))
EVERY_PTR(fstat, syscall(SYS_fstat, 0, p))
EVERY_PTR(statx, syscall(SYS_statx, AT_FDCWD, ".", 0, 0x7ff, p))
EVERY_PTR(statfs, syscall(SYS_statfs, ".", p))

static dev_t this_device(void)
{
	struct stat st;
	NEED(!stat(".", &st));
	return st.st_dev;
}

EVERY_PTR(ustat, syscall(SYS_ustat, this_device(), p))
EVERY_PTR(utimensat, syscall(SYS_utimensat, AT_FDCWD, ".", p, 0))
EVERY_PTR(utimes, syscall(SYS_utimes, ".", p))
EVERY_PTR(utime, syscall(SYS_utime, ".", p))
EVERY_PTR(fcntl_getlk, fcntl(every_file(), F_GETLK, p))
EVERY_PTR(fcntl_setlk, fcntl(every_file(), F_SETLK, p))
EVERY_PTR(fcntl_getown_ex, fcntl(0, F_GETOWN_EX, p))
EVERY_PTR(fcntl_setown_ex, fcntl(0, F_SETOWN_EX, p))
EVERY_PTR(fionread, ioctl(every_pipe(0), FIONREAD, p))
EVERY_PTR(sendfile_offset, sendfile(null_fd(), every_file(), p, 4))
EVERY_PTR(copy_range_offset, copy_file_range(every_file(), p, every_file(), NULL, 4, 0))
EVERY_PTR(splice_offset, splice(every_file(), p, every_pipe(1), NULL, 4, 0))
EVERY_PTR(vmsplice_vectors, vmsplice(every_pipe(1), p, 1, SPLICE_F_NONBLOCK))
EVERY_PTR(setxattr_name, setxattr(".", p, "v", 1, 0))
EVERY_PTR(setxattr_value, setxattr(".", "user.v", p, 4, 0))
EVERY_PTR(getxattr_value,
	  (setxattr(".", "user.g", "value", 5, 0), getxattr(".", "user.g", p, 10)))
EVERY_PTR(listxattr, (setxattr(".", "user.g", "value", 5, 0), listxattr(".", p, 100)))
EVERY_PTR(openat2, syscall(SYS_openat2, AT_FDCWD, ".", p, 24))
EVERY_PTR(mount_type, syscall(SYS_mount, "none", ".", p, 0, NULL))
EVERY_PTR(mount_source, syscall(SYS_mount, p, ".", "nosuchfs", 0, NULL))
EVERY_PTR(mount_data, syscall(SYS_mount, "none", ".", "nosuchfs", 0, p))
EVERY_PTR(memfd_create, syscall(SYS_memfd_create, p, 0))

/* -- memory ------------------------------------------------------------------------- */

static void *page(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0);
}

EVERY_PTR(mincore_vector, syscall(SYS_mincore, page(), 4096, p))
EVERY_PTR(mincore, mincore(p, 4096, (unsigned char *)every_buf))
EVERY_PTR(msync, msync(p, 4096, MS_SYNC))
EVERY_PTR(mlock, mlock(p, 4096))
EVERY_PTR(mlock2, syscall(SYS_mlock2, p, 4096, 1))
EVERY_PTR(munlock, munlock(p, 4096))
EVERY_PTR(mprotect, mprotect(p, 4096, PROT_READ))
EVERY_PTR(madvise, madvise(p, 4096, MADV_DONTNEED))
EVERY_PTR(madvise_willneed, madvise(p, 4096, MADV_WILLNEED))
EVERY_PTR(munmap_nothing, munmap(p, 0))
EVERY_PTR(mremap, mremap(p, 4096, 4096, 0) == MAP_FAILED ? -1 : 0)
EVERY_PTR(mremap_grow, mremap(p, 4096, 8192, MREMAP_MAYMOVE) == MAP_FAILED ? -1 : 0)
EVERY_PTR(mmap_hint, mmap(p, 4096, 0, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
EVERY_PTR(vm_readv_vector, process_vm_readv(getpid(), p, 1, &every_vec, 1, 0))
EVERY_PTR(vm_readv_to,
	  process_vm_readv(getpid(), &(struct iovec){ p, 8 }, 1, &every_vec, 1, 0))
EVERY_PTR(vm_readv_from,
	  process_vm_readv(getpid(), &every_vec, 1, &(struct iovec){ p, 8 }, 1, 0))
EVERY_PTR(vm_writev_to,
	  process_vm_writev(getpid(), &every_vec, 1, &(struct iovec){ p, 8 }, 1, 0))

/* -- time --------------------------------------------------------------------------- */

EVERY_PTR(clock_gettime, syscall(SYS_clock_gettime, CLOCK_MONOTONIC, p))
EVERY_PTR(clock_getres, syscall(SYS_clock_getres, CLOCK_MONOTONIC, p))
EVERY_PTR(clock_settime, syscall(SYS_clock_settime, CLOCK_MONOTONIC, p))
EVERY_PTR(gettimeofday, syscall(SYS_gettimeofday, p, NULL))
EVERY_PTR(gettimeofday_zone, syscall(SYS_gettimeofday, NULL, p))
EVERY_PTR(time, syscall(SYS_time, p))
EVERY_PTR(times, syscall(SYS_times, p))
EVERY_PTR(nanosleep, syscall(SYS_nanosleep, p, NULL))
EVERY_PTR(clock_nanosleep, syscall(SYS_clock_nanosleep, CLOCK_MONOTONIC, 0, p, NULL))
EVERY_PTR(getitimer, syscall(SYS_getitimer, ITIMER_REAL, p))
EVERY_PTR(setitimer, syscall(SYS_setitimer, ITIMER_REAL, p, NULL))
EVERY_PTR(setitimer_old, syscall(SYS_setitimer, ITIMER_REAL, every_buf, p))
EVERY_PTR(timer_create_event, syscall(SYS_timer_create, CLOCK_MONOTONIC, p, every_buf))
EVERY_PTR(timer_create_id, syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, p))
EVERY_PTR(timerfd_settime,
	  syscall(SYS_timerfd_settime, timerfd_create(CLOCK_MONOTONIC, 0), 0, p, NULL))
EVERY_PTR(timerfd_gettime,
	  syscall(SYS_timerfd_gettime, timerfd_create(CLOCK_MONOTONIC, 0), p))
EVERY_PTR(adjtimex, syscall(SYS_adjtimex, p))

/* -- signals and processes ---------------------------------------------------------- */

EVERY_PTR(sigaction_new, syscall(SYS_rt_sigaction, SIGUSR1, p, NULL, 8))
EVERY_PTR(sigaction_old, syscall(SYS_rt_sigaction, SIGUSR1, NULL, p, 8))
EVERY_PTR(sigprocmask_new, syscall(SYS_rt_sigprocmask, SIG_SETMASK, p, NULL, 8))
EVERY_PTR(sigprocmask_old, syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, p, 8))
EVERY_PTR(sigpending, syscall(SYS_rt_sigpending, p, 8))

/* Whether zeros change anything depends on the flags of the one before, and Linux keeps
 * those through execve. */
static void some_altstack(void)
{
	static char altstack[65536];
	NEED(!sigaltstack(&(stack_t){ .ss_sp = altstack, .ss_size = sizeof altstack },
			  NULL));
}

EVERY_PTR(sigaltstack_new, (some_altstack(), syscall(SYS_sigaltstack, p, NULL)))
EVERY_PTR(sigaltstack_old, syscall(SYS_sigaltstack, NULL, p))
EVERY_PTR(sigtimedwait, syscall(SYS_rt_sigtimedwait, p, NULL, every_buf, 8))
EVERY_PTR(sigqueueinfo, syscall(SYS_rt_sigqueueinfo, getpid(), 0, p))
EVERY_PTR(signalfd, syscall(SYS_signalfd4, -1, p, 8, 0))
EVERY_PTR(wait4_usage, syscall(SYS_wait4, -1, NULL, WNOHANG, p))
EVERY_PTR(waitid_info, syscall(SYS_waitid, P_ALL, 0, p, WEXITED | WNOHANG, NULL))
EVERY_PTR(getrusage, syscall(SYS_getrusage, RUSAGE_SELF, p))
EVERY_PTR(getrlimit, syscall(SYS_getrlimit, RLIMIT_NOFILE, p))
EVERY_PTR(prlimit_old, syscall(SYS_prlimit64, 0, RLIMIT_NOFILE, NULL, p))
EVERY_PTR(sysinfo, syscall(SYS_sysinfo, p))
EVERY_PTR(uname, syscall(SYS_uname, p))
EVERY_PTR(sethostname, syscall(SYS_sethostname, p, 4))
EVERY_PTR(getgroups,
	  (syscall(SYS_setgroups, 1, (gid_t[]){ 5 }), syscall(SYS_getgroups, 4, p)))
EVERY_PTR(setgroups, syscall(SYS_setgroups, 1, p))
EVERY_PTR(getresuid, syscall(SYS_getresuid, p, p, p))
EVERY_PTR(capget, syscall(SYS_capget, p, NULL))
EVERY_PTR(capget_data, syscall(SYS_capget, (int[]){ 0x20080522, 0 }, p))
EVERY_PTR(capset, syscall(SYS_capset, p, every_buf))
EVERY_PTR(sched_getaffinity, syscall(SYS_sched_getaffinity, 0, 8, p))
EVERY_PTR(sched_getparam, syscall(SYS_sched_getparam, 0, p))
EVERY_PTR(sched_setscheduler, syscall(SYS_sched_setscheduler, 0, SCHED_BATCH, p))
EVERY_PTR(sched_getattr, syscall(SYS_sched_getattr, 0, p, 48, 0))
EVERY_PTR(sched_setattr, syscall(SYS_sched_setattr, 0, p, 0))
EVERY_PTR(sched_interval, syscall(SYS_sched_rr_get_interval, 0, p))
EVERY_PTR(getcpu, syscall(SYS_getcpu, p, NULL, NULL))
EVERY_PTR(getrandom, syscall(SYS_getrandom, p, 8, 0))

static long clone_and_end(void *args)
{
	long pid = syscall(SYS_clone3, args, 64);
	if (!pid)
		_exit(0);
	return pid;
}

EVERY_PTR(clone3, clone_and_end(p))
EVERY_PTR(set_robust_list, syscall(SYS_set_robust_list, p, 24))
EVERY_PTR(get_robust_list, syscall(SYS_get_robust_list, 0, p, every_buf))
EVERY_PTR(futex_wake, syscall(SYS_futex, p, 1, 1, NULL, NULL, 0))
EVERY_PTR(futex_wait, syscall(SYS_futex, p, 0, 7, NULL, NULL, 0))
EVERY_PTR(futex_timeout, syscall(SYS_futex, every_buf, 0, 7, p, NULL, 0))
EVERY_PTR(execve_path, syscall(SYS_execve, p, NULL, NULL))
EVERY_PTR(execve_arguments, syscall(SYS_execve, "/nowhere", p, NULL))
EVERY_PTR(prctl_get_name, syscall(SYS_prctl, 16, p))
EVERY_PTR(prctl_set_name, syscall(SYS_prctl, 15, p))
EVERY_PTR(prctl_get_pdeathsig, syscall(SYS_prctl, 2, p))

/* -- events ------------------------------------------------------------------------- */

EVERY_PTR(poll, syscall(SYS_poll, p, 1, 0))
EVERY_PTR(ppoll_time, syscall(SYS_ppoll, NULL, 0, p ? p : every_buf, NULL, 8))
EVERY_PTR(select_read, syscall(SYS_select, 8, p, NULL, NULL, (long[]){ 0, 0 }))
EVERY_PTR(select_time, syscall(SYS_select, 0, NULL, NULL, NULL, p ? p : every_buf))
EVERY_PTR(pselect_mask, syscall(SYS_pselect6, 0, NULL, NULL, NULL, (long[]){ 0, 0 }, p))
EVERY_PTR(epoll_ctl, syscall(SYS_epoll_ctl, epoll_create1(0), 1, every_pipe(0), p))
EVERY_PTR(epoll_wait, syscall(SYS_epoll_wait, epoll_create1(0), p, 1, 0))

/* -- IPC and sockets ---------------------------------------------------------------- */

static int msg_queue(void)
{
	int q = msgget(IPC_PRIVATE, 0600);
	NEED(q >= 0 && !msgsnd(q, &(long[]){ 1, 2 }, 8, 0));
	return q;
}

static int sem_set(void)
{
	return semget(IPC_PRIVATE, 2, 0600);
}

static int shm_segment(void)
{
	return shmget(IPC_PRIVATE, 4096, 0600);
}

EVERY_PTR(msgsnd, syscall(SYS_msgsnd, msg_queue(), p, 4, IPC_NOWAIT))
EVERY_PTR(msgrcv, syscall(SYS_msgrcv, msg_queue(), p, 8, 0, IPC_NOWAIT))
EVERY_PTR(msgctl_stat, syscall(SYS_msgctl, msg_queue(), IPC_STAT, p))
EVERY_PTR(msgctl_set, syscall(SYS_msgctl, msg_queue(), IPC_SET, p))
EVERY_PTR(msgctl_info, syscall(SYS_msgctl, 0, IPC_INFO, p))
EVERY_PTR(semop, syscall(SYS_semop, sem_set(), p, 1))
EVERY_PTR(semtimedop,
	  syscall(SYS_semtimedop, sem_set(), &(struct sembuf){ 0, -1, IPC_NOWAIT }, 1, p))
EVERY_PTR(semctl_stat, syscall(SYS_semctl, sem_set(), 0, IPC_STAT, p))
EVERY_PTR(semctl_getall, syscall(SYS_semctl, sem_set(), 0, GETALL, p))
EVERY_PTR(semctl_setall, syscall(SYS_semctl, sem_set(), 0, SETALL, p))
EVERY_PTR(shmctl_stat, syscall(SYS_shmctl, shm_segment(), IPC_STAT, p))
EVERY_PTR(shmctl_set, syscall(SYS_shmctl, shm_segment(), IPC_SET, p))
EVERY_PTR(shmdt, syscall(SYS_shmdt, p))
EVERY_PTR(mq_open_name, syscall(SYS_mq_open, p, O_CREAT | O_RDWR, 0600, NULL))
EVERY_PTR(mq_open_attributes, (syscall(SYS_mq_unlink, "every"),
			       syscall(SYS_mq_open, "every", O_CREAT, 0600, p)))

static int queue(void)
{
	int q = (int)syscall(SYS_mq_open, "every-queue", O_CREAT | O_RDWR | O_NONBLOCK,
			     0600, NULL);
	NEED(q >= 0 && !syscall(SYS_mq_timedsend, q, "xy", 2, 3, NULL));
	syscall(SYS_mq_unlink, "every-queue");
	return q;
}

EVERY_PTR(mq_send, syscall(SYS_mq_timedsend, queue(), p, 4, 0, NULL))
EVERY_PTR(mq_send_time, syscall(SYS_mq_timedsend, queue(), "x", 1, 0, p))
EVERY_PTR(mq_receive, syscall(SYS_mq_timedreceive, queue(), p, 8192, NULL, NULL))
EVERY_PTR(mq_receive_priority,
	  syscall(SYS_mq_timedreceive, queue(),
		  mmap(NULL, 8192, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), 8192,
		  p, NULL))
EVERY_PTR(mq_getattr, syscall(SYS_mq_getsetattr, queue(), NULL, p))
EVERY_PTR(mq_setattr, syscall(SYS_mq_getsetattr, queue(), p, NULL))
EVERY_PTR(mq_notify, syscall(SYS_mq_notify, queue(), p))
EVERY_PTR(socketpair, syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, p))
EVERY_PTR(bind, syscall(SYS_bind, socket(AF_UNIX, SOCK_STREAM, 0), p, 10))
EVERY_PTR(connect, syscall(SYS_connect, socket(AF_UNIX, SOCK_STREAM, 0), p, 10))
EVERY_PTR(getsockname, syscall(SYS_getsockname, every_socket(), p, &(int){ 10 }))
EVERY_PTR(getsockname_length, syscall(SYS_getsockname, every_socket(), every_buf, p))
EVERY_PTR(getpeername, syscall(SYS_getpeername, every_socket(), p, &(int){ 10 }))
EVERY_PTR(getsockopt,
	  syscall(SYS_getsockopt, every_socket(), SOL_SOCKET, SO_TYPE, p, &(int){ 4 }))
EVERY_PTR(getsockopt_length,
	  syscall(SYS_getsockopt, every_socket(), SOL_SOCKET, SO_TYPE, every_buf, p))
EVERY_PTR(setsockopt,
	  syscall(SYS_setsockopt, every_socket(), SOL_SOCKET, SO_SNDBUF, p, 4))
EVERY_PTR(sendmsg, syscall(SYS_sendmsg, every_socket(), p, 0))
EVERY_PTR(recvmsg, syscall(SYS_recvmsg, every_socket(), p, 0))
EVERY_PTR(sendmmsg, syscall(SYS_sendmmsg, every_socket(), p, 1, 0))
EVERY_PTR(recvmmsg, syscall(SYS_recvmmsg, every_socket(), p, 1, 0, NULL))
EVERY_PTR(sendto_address, syscall(SYS_sendto, every_socket(), "x", 1, 0, p, 10))
EVERY_PTR(recvfrom_address,
	  syscall(SYS_recvfrom, every_socket(), every_buf, 8, 0, p, &(int){ 10 }))
EVERY_PTR(recvfrom_length,
	  syscall(SYS_recvfrom, every_socket(), every_buf, 8, 0, every_buf, p))
EVERY_PTR(sendmsg_control, syscall(SYS_sendmsg, every_socket(),
				   &(struct msghdr){ .msg_iov = &every_vec,
						     .msg_iovlen = 1,
						     .msg_control = p,
						     .msg_controllen = 24 },
				   0))
