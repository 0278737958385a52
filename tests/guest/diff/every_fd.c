/* Calls on every kind of descriptor. */
#include "every.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <termios.h>
#include <unistd.h>

static socklen_t length;
static loff_t off;

static int other_file(void)
{
	return open("another-file", O_RDWR | O_CREAT, 0644);
}

/* -- reading, writing, seeking ------------------------------------------------------ */

EVERY_FD(read, read(fd, every_buf, 8))
EVERY_FD(read_nothing, read(fd, every_buf, 0))
EVERY_FD(read_one, read(fd, every_buf, 1))
EVERY_FD(read_bad_address, read(fd, (void *)1, 8))
EVERY_FD(readv, readv(fd, &every_vec, 1))
EVERY_FD(readv_no_vectors, readv(fd, &every_vec, 0))
EVERY_FD(readv_negative, readv(fd, &every_vec, -1))
EVERY_FD(pread, pread(fd, every_buf, 8, 0))
EVERY_FD(pread_negative, pread(fd, every_buf, 8, -1))
EVERY_FD(preadv2_current, syscall(SYS_preadv2, fd, &every_vec, 1, -1, -1, 0))
EVERY_FD(write, write(fd, "12345678", 8))
EVERY_FD(write_nothing, write(fd, every_buf, 0))
EVERY_FD(write_one, write(fd, "1", 1))
EVERY_FD(write_bad_address, write(fd, (void *)1, 8))
EVERY_FD(writev, writev(fd, &every_vec, 1))
EVERY_FD(pwrite, pwrite(fd, "1", 1, 3))
EVERY_FD(pwrite_negative, pwrite(fd, "1", 1, -1))
EVERY_FD(lseek_set, lseek(fd, 3, SEEK_SET))
EVERY_FD(lseek_cur, lseek(fd, 0, SEEK_CUR))
EVERY_FD(lseek_end, lseek(fd, 0, SEEK_END))
EVERY_FD(lseek_hole, lseek(fd, 0, SEEK_HOLE))
EVERY_FD(lseek_negative, lseek(fd, -1, SEEK_SET))
EVERY_FD(lseek_bad_whence, lseek(fd, 0, 9))

/* -- attributes --------------------------------------------------------------------- */

EVERY_FD(fstat, fstat(fd, &(struct stat){ 0 }))
EVERY_FD(fstatfs, fstatfs(fd, &(struct statfs){ 0 }))
EVERY_FD(statx_of_descriptor, syscall(SYS_statx, fd, "", AT_EMPTY_PATH, 0x7ff, every_buf))
EVERY_FD(statx_below, syscall(SYS_statx, fd, "x", 0, 0x7ff, every_buf))
EVERY_FD(fchmod, fchmod(fd, 0640))
EVERY_FD(fchown, fchown(fd, 1, 1))
EVERY_FD(fchownat_empty, fchownat(fd, "", 1, 1, AT_EMPTY_PATH))
EVERY_FD(futimens, futimens(fd, NULL))
EVERY_FD(ftruncate, ftruncate(fd, 5))
EVERY_FD(ftruncate_negative, ftruncate(fd, -1))
EVERY_FD(fallocate, fallocate(fd, 0, 0, 100))
EVERY_FD(fallocate_nothing, fallocate(fd, 0, 0, 0))
EVERY_FD(fallocate_punch, fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4))
EVERY_FD(fsync, fsync(fd))
EVERY_FD(fdatasync, fdatasync(fd))
EVERY_FD(syncfs, syncfs(fd))
EVERY_FD(sync_file_range, sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE))
EVERY_FD(readahead, readahead(fd, 0, 4096))
EVERY_FD(fadvise, posix_fadvise(fd, 0, 0, POSIX_FADV_NORMAL) ? -1 : 0)
EVERY_FD(fadvise_raw, syscall(SYS_fadvise64, fd, 0, 0, 0))
EVERY_FD(fadvise_unknown, syscall(SYS_fadvise64, fd, 0, 0, 77))
EVERY_FD(fgetxattr, fgetxattr(fd, "user.none", every_buf, 10))
EVERY_FD(fsetxattr, fsetxattr(fd, "user.some", "v", 1, 0))
EVERY_FD(fsetxattr_trusted, fsetxattr(fd, "trusted.some", "v", 1, 0))
EVERY_FD(fremovexattr, fremovexattr(fd, "user.none"))

/* -- the descriptor ----------------------------------------------------------------- */

EVERY_FD(dup, every_closed(dup(fd)))
EVERY_FD(dup2_itself, dup2(fd, fd))
EVERY_FD(dup3_itself, dup3(fd, fd, 0))
EVERY_FD(getfl, fcntl(fd, F_GETFL))
EVERY_FD(getfd, fcntl(fd, F_GETFD))
EVERY_FD(setfl, fcntl(fd, F_SETFL, O_NONBLOCK | O_APPEND))
EVERY_FD(setfl_direct, fcntl(fd, F_SETFL, O_DIRECT))
EVERY_FD(setfl_async, fcntl(fd, F_SETFL, O_ASYNC | O_NONBLOCK))
EVERY_FD(getown, fcntl(fd, F_GETOWN))
EVERY_FD(setown, fcntl(fd, F_SETOWN, getpid()))
EVERY_FD(getsig, fcntl(fd, F_GETSIG))
EVERY_FD(fcntl_unknown, fcntl(fd, 7777))
EVERY_FD(pipe_size, fcntl(fd, F_GETPIPE_SZ))
EVERY_FD(set_pipe_size, fcntl(fd, F_SETPIPE_SZ, 4096))
EVERY_FD(get_seals, fcntl(fd, F_GET_SEALS))
EVERY_FD(add_seals, fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK))
EVERY_FD(getlease, fcntl(fd, F_GETLEASE))
EVERY_FD(read_hint, fcntl(fd, F_GET_RW_HINT, every_buf))
EVERY_FD(flock_shared, flock(fd, LOCK_SH | LOCK_NB))
EVERY_FD(flock_exclusive, flock(fd, LOCK_EX | LOCK_NB))
EVERY_FD(flock_unlock, flock(fd, LOCK_UN))
EVERY_FD(flock_nothing, flock(fd, LOCK_NB))
EVERY_FD(read_lock, fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_RDLCK }))
EVERY_FD(write_lock, fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_WRLCK }))
EVERY_FD(unlock, fcntl(fd, F_SETLK, &(struct flock){ .l_type = F_UNLCK }))
EVERY_FD(get_lock, fcntl(fd, F_GETLK, &(struct flock){ .l_type = F_WRLCK }))
EVERY_FD(ofd_lock, fcntl(fd, F_OFD_SETLK, &(struct flock){ .l_type = F_RDLCK }))
EVERY_FD(close_range, syscall(SYS_close_range, fd, fd, 0))
EVERY_FD(fionread, ioctl(fd, FIONREAD, every_buf))
EVERY_FD(fionbio, ioctl(fd, FIONBIO, every_buf))
EVERY_FD(fioasync, ioctl(fd, FIOASYNC, every_buf))
EVERY_FD(fioclex, ioctl(fd, FIOCLEX))
EVERY_FD(tcgets, ioctl(fd, TCGETS, every_buf))
EVERY_FD(winsize, ioctl(fd, TIOCGWINSZ, every_buf))
EVERY_FD(figetbsz, ioctl(fd, FIGETBSZ, every_buf))
EVERY_FD(blkgetsize, ioctl(fd, BLKGETSIZE64, every_buf))
EVERY_FD(ioctl_unknown, ioctl(fd, 0x7777, every_buf))

/* -- folders ------------------------------------------------------------------------ */

EVERY_FD(getdents, syscall(SYS_getdents64, fd, every_buf, sizeof every_buf))
EVERY_FD(openat, every_closed(openat(fd, "x", O_RDONLY)))
EVERY_FD(openat_create, every_closed(openat(fd, "made", O_WRONLY | O_CREAT, 0644)))
EVERY_FD(openat_absolute, every_closed(openat(fd, "/dev/null", O_RDONLY)))
EVERY_FD(mkdirat, mkdirat(fd, "made", 0755))
EVERY_FD(mknodat, mknodat(fd, "made", S_IFIFO | 0644, 0))
EVERY_FD(unlinkat, unlinkat(fd, "missing", 0))
EVERY_FD(linkat_empty, linkat(fd, "", AT_FDCWD, "linked", AT_EMPTY_PATH))
EVERY_FD(symlinkat, symlinkat("x", fd, "made"))
EVERY_FD(readlinkat, readlinkat(fd, "", every_buf, 10))
EVERY_FD(renameat, syscall(SYS_renameat, fd, "missing", AT_FDCWD, "new"))
EVERY_FD(faccessat, faccessat(fd, "missing", F_OK, 0))
EVERY_FD(faccessat2_empty, syscall(SYS_faccessat2, fd, "", R_OK, AT_EMPTY_PATH))
EVERY_FD(utimensat_null_path, syscall(SYS_utimensat, fd, NULL, NULL, 0))
EVERY_FD(execveat_missing, syscall(SYS_execveat, fd, "missing", NULL, NULL, 0))
EVERY_FD(execveat_empty, syscall(SYS_execveat, fd, "", NULL, NULL, AT_EMPTY_PATH))
EVERY_FD(fchdir, fchdir(fd) ? -1 : fchdir(AT_FDCWD) * 0)

/* -- memory ------------------------------------------------------------------------- */

static long map(int fd, int prot, int flags)
{
	void *p = mmap(NULL, 4096, prot, flags, fd, 0);
	return p == MAP_FAILED ? -1 : munmap(p, 4096);
}

EVERY_FD(mmap_shared, map(fd, PROT_READ, MAP_SHARED))
EVERY_FD(mmap_shared_writable, map(fd, PROT_READ | PROT_WRITE, MAP_SHARED))
EVERY_FD(mmap_private, map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE))
EVERY_FD(mmap_validated, map(fd, PROT_READ, MAP_SHARED_VALIDATE))
EVERY_FD(mmap_no_kind, map(fd, PROT_READ, 0))

/* -- moving data -------------------------------------------------------------------- */

EVERY_FD(sendfile_from, sendfile(other_file(), fd, NULL, 8))
EVERY_FD(sendfile_from_offset, sendfile(other_file(), fd, (off = 0, &off), 8))
EVERY_FD(sendfile_to, sendfile(fd, open("/proc/self/exe", O_RDONLY), NULL, 8))
EVERY_FD(copy_from, copy_file_range(fd, NULL, other_file(), NULL, 8, 0))
EVERY_FD(copy_to, copy_file_range(open("/proc/self/exe", O_RDONLY), NULL, fd, NULL, 8, 0))

static int full_pipe(int end)
{
	static int p[2];
	NEED(!pipe2(p, O_NONBLOCK));
	NEED(write(p[1], "12345678", 8) == 8);
	return p[end];
}

EVERY_FD(splice_from, splice(fd, NULL, full_pipe(1), NULL, 4, SPLICE_F_NONBLOCK))
EVERY_FD(splice_from_offset,
	 splice(fd, (off = 0, &off), full_pipe(1), NULL, 4, SPLICE_F_NONBLOCK))
EVERY_FD(splice_to, splice(full_pipe(0), NULL, fd, NULL, 4, SPLICE_F_NONBLOCK))
EVERY_FD(splice_to_offset,
	 splice(full_pipe(0), NULL, fd, (off = 0, &off), 4, SPLICE_F_NONBLOCK))
EVERY_FD(tee_from, tee(fd, full_pipe(1), 4, SPLICE_F_NONBLOCK))
EVERY_FD(tee_to, tee(full_pipe(0), fd, 4, SPLICE_F_NONBLOCK))
EVERY_FD(vmsplice, vmsplice(fd, &every_vec, 1, SPLICE_F_NONBLOCK))

/* -- sockets ------------------------------------------------------------------------ */

static const struct sockaddr_un nowhere = { AF_UNIX, "nowhere" };

EVERY_FD(bind, bind(fd, (const struct sockaddr *)&nowhere, 2))
EVERY_FD(connect, connect(fd, (const struct sockaddr *)&nowhere, sizeof nowhere))
EVERY_FD(listen, listen(fd, 1))
EVERY_FD(accept, accept(fd, NULL, NULL))
EVERY_FD(getsockname,
	 (length = 100, getsockname(fd, (struct sockaddr *)every_buf, &length)))
EVERY_FD(getpeername,
	 (length = 100, getpeername(fd, (struct sockaddr *)every_buf, &length)))
EVERY_FD(shutdown, shutdown(fd, SHUT_RDWR))
EVERY_FD(shutdown_bad_how, shutdown(fd, 3))
EVERY_FD(send, send(fd, "x", 1, MSG_NOSIGNAL))
EVERY_FD(sendto, sendto(fd, "x", 1, MSG_NOSIGNAL, (const void *)&nowhere, sizeof nowhere))
EVERY_FD(recv, recv(fd, every_buf, 8, 0))
EVERY_FD(sendmsg, sendmsg(fd, &(struct msghdr){ .msg_iov = &every_vec, .msg_iovlen = 1 },
			  MSG_NOSIGNAL))
EVERY_FD(recvmsg,
	 recvmsg(fd, &(struct msghdr){ .msg_iov = &every_vec, .msg_iovlen = 1 }, 0))
EVERY_FD(recv_from_error_queue, recv(fd, every_buf, 8, MSG_ERRQUEUE))
EVERY_FD(getsockopt_type,
	 (length = 4, getsockopt(fd, SOL_SOCKET, SO_TYPE, every_buf, &length)))
EVERY_FD(setsockopt, setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &(int){ 9999 }, 4))
EVERY_FD(setsockopt_unknown, setsockopt(fd, SOL_SOCKET, 7777, &(int){ 1 }, 4))
EVERY_FD(setsockopt_unknown_level, setsockopt(fd, 7777, 1, &(int){ 1 }, 4))

/* -- events ------------------------------------------------------------------------- */

EVERY_FD(poll_once, poll(&(struct pollfd){ fd, POLLIN | POLLOUT, 0 }, 1, 0))
EVERY_FD(epoll_add, epoll_ctl(epoll_create1(0), EPOLL_CTL_ADD, fd,
			      &(struct epoll_event){ EPOLLIN, { 0 } }))
EVERY_FD(epoll_add_to, epoll_ctl(fd, EPOLL_CTL_ADD, full_pipe(0),
				 &(struct epoll_event){ EPOLLIN, { 0 } }))
EVERY_FD(epoll_delete, epoll_ctl(fd, EPOLL_CTL_DEL, full_pipe(0), NULL))
EVERY_FD(epoll_wait, epoll_wait(fd, (struct epoll_event *)every_buf, 1, 0))
EVERY_FD(inotify_add, inotify_add_watch(fd, ".", IN_CREATE))
EVERY_FD(inotify_remove, inotify_rm_watch(fd, 77))
EVERY_FD(timerfd_gettime, timerfd_gettime(fd, (struct itimerspec *)every_buf))
EVERY_FD(timerfd_settime, timerfd_settime(fd, 0, &(struct itimerspec){ 0 }, NULL))
EVERY_FD(signalfd_change, syscall(SYS_signalfd4, fd, every_buf, 8, 0))

/* -- processes ---------------------------------------------------------------------- */

EVERY_FD(pidfd_send_signal, syscall(SYS_pidfd_send_signal, fd, 0, NULL, 0))
EVERY_FD(pidfd_getfd, every_closed(syscall(SYS_pidfd_getfd, fd, 0, 0)))
EVERY_FD(waitid_pidfd, waitid(P_PIDFD, (id_t)fd, NULL, WEXITED | WNOHANG))
EVERY_FD(setns, setns(fd, CLONE_NEWUTS))

EVERY_FD(async_on, fcntl(fd, F_SETFL, O_ASYNC) ?: fcntl(fd, F_GETFL) & O_ASYNC)
EVERY_FD(setlease, fcntl(fd, F_SETLEASE, F_RDLCK))
EVERY_FD(setsig, fcntl(fd, F_SETSIG, 64))
EVERY_FD(preadv2_nowait, syscall(SYS_preadv2, fd, &every_vec, 1, -1L, -1L, 8))
EVERY_FD(pwritev2_nowait, syscall(SYS_pwritev2, fd, &every_vec, 1, -1L, -1L, 8))
EVERY_FD(set_hint, fcntl(fd, F_SET_RW_HINT, (long[]){ 2 }))
