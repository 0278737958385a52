/* Calls with every kind of path. */
#include "every.h"

#include <fcntl.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

/* The path is taken as it is: the C library would look at it. */
static long opened(const char *path, int flags)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags | O_NONBLOCK, 0644);
	return fd < 0 ? -1 : close(fd);
}

EVERY_PATH(open_read, opened(p, O_RDONLY))
EVERY_PATH(open_write, opened(p, O_WRONLY))
EVERY_PATH(open_folder, opened(p, O_RDONLY | O_DIRECTORY))
EVERY_PATH(open_nofollow, opened(p, O_RDONLY | O_NOFOLLOW))
EVERY_PATH(open_path_nofollow, opened(p, O_PATH | O_NOFOLLOW))
EVERY_PATH(open_path, opened(p, O_PATH))
EVERY_PATH(open_truncate, opened(p, O_RDWR | O_TRUNC))
EVERY_PATH(open_create, opened(p, O_RDWR | O_CREAT))
EVERY_PATH(open_create_read, opened(p, O_RDONLY | O_CREAT))
EVERY_PATH(open_create_folder, opened(p, O_RDONLY | O_CREAT | O_DIRECTORY))
EVERY_PATH(open_exclusive, opened(p, O_RDWR | O_CREAT | O_EXCL))
EVERY_PATH(open_tmpfile, opened(p, O_RDWR | O_TMPFILE))
EVERY_PATH(open_beneath, syscall(SYS_openat2, AT_FDCWD, p, (long[]){ O_PATH, 0, 8 }, 24))
EVERY_PATH(open_in_root, syscall(SYS_openat2, AT_FDCWD, p, (long[]){ O_PATH, 0, 16 }, 24))
EVERY_PATH(open_no_links, syscall(SYS_openat2, AT_FDCWD, p, (long[]){ O_PATH, 0, 4 }, 24))
EVERY_PATH(open_no_mounts,
	   syscall(SYS_openat2, AT_FDCWD, p, (long[]){ O_PATH, 0, 1 }, 24))
EVERY_PATH(stat, syscall(SYS_stat, p, every_buf))
EVERY_PATH(lstat, syscall(SYS_lstat, p, every_buf))
EVERY_PATH(statx, syscall(SYS_statx, AT_FDCWD, p, 0, 0x7ff, every_buf))
EVERY_PATH(statx_empty, syscall(SYS_statx, AT_FDCWD, p, AT_EMPTY_PATH, 0x7ff, every_buf))
EVERY_PATH(statfs, syscall(SYS_statfs, p, every_buf))
EVERY_PATH(access_exists, syscall(SYS_access, p, F_OK))
EVERY_PATH(access_write, syscall(SYS_access, p, W_OK))
EVERY_PATH(access_execute, syscall(SYS_access, p, X_OK))
EVERY_PATH(faccessat2_link,
	   syscall(SYS_faccessat2, AT_FDCWD, p, R_OK, AT_SYMLINK_NOFOLLOW))
EVERY_PATH(readlink, syscall(SYS_readlink, p, every_buf, 100))
EVERY_PATH(chmod, syscall(SYS_chmod, p, 0755))
EVERY_PATH(chown, syscall(SYS_chown, p, 0, 0))
EVERY_PATH(lchown, syscall(SYS_lchown, p, 0, 0))
EVERY_PATH(utimensat, syscall(SYS_utimensat, AT_FDCWD, p, NULL, 0))
EVERY_PATH(utimensat_link, syscall(SYS_utimensat, AT_FDCWD, p, NULL, AT_SYMLINK_NOFOLLOW))
EVERY_PATH(truncate, syscall(SYS_truncate, p, 3))
EVERY_PATH(truncate_negative, syscall(SYS_truncate, p, -1L))
EVERY_PATH(mkdir, syscall(SYS_mkdir, p, 0755))
EVERY_PATH(mknod_fifo, syscall(SYS_mknod, p, S_IFIFO | 0644, 0))
EVERY_PATH(mknod_file, syscall(SYS_mknod, p, S_IFREG | 0644, 0))
EVERY_PATH(mknod_folder, syscall(SYS_mknod, p, S_IFDIR | 0644, 0))
EVERY_PATH(symlink_to, syscall(SYS_symlink, "target", p))
EVERY_PATH(symlink_of, (unlink("sym"), syscall(SYS_symlink, p, "sym")))
EVERY_PATH(link_from, (unlink("linked"), syscall(SYS_link, p, "linked")))
EVERY_PATH(link_to, syscall(SYS_link, "file", p))
EVERY_PATH(link_follow, (unlink("linked"), syscall(SYS_linkat, AT_FDCWD, p, AT_FDCWD,
						   "linked", AT_SYMLINK_FOLLOW)))
EVERY_PATH(rmdir, syscall(SYS_rmdir, p))
EVERY_PATH(unlink, syscall(SYS_unlink, p))
EVERY_PATH(unlinkat_folder, syscall(SYS_unlinkat, AT_FDCWD, p, AT_REMOVEDIR))
EVERY_PATH(rename_from, syscall(SYS_rename, p, "renamed"))
EVERY_PATH(rename_to,
	   (mknod("renamed", S_IFREG | 0644, 0), syscall(SYS_rename, "renamed", p)))
EVERY_PATH(rename_folder_to, (mkdir("another", 0755), syscall(SYS_rename, "another", p)))
EVERY_PATH(rename_noreplace,
	   (mknod("renamed", S_IFREG | 0644, 0),
	    syscall(SYS_renameat2, AT_FDCWD, "renamed", AT_FDCWD, p, 1)))
EVERY_PATH(rename_exchange, (mknod("renamed", S_IFREG | 0644, 0),
			     syscall(SYS_renameat2, AT_FDCWD, p, AT_FDCWD, "renamed", 2)))
EVERY_PATH(chdir, syscall(SYS_chdir, p) ? -1 : 0 * chdir("/tmp/path_chdir"))
EVERY_PATH(execve, syscall(SYS_execve, p, NULL, NULL))
EVERY_PATH(getxattr, syscall(SYS_getxattr, p, "user.none", every_buf, 10))
EVERY_PATH(setxattr, syscall(SYS_setxattr, p, "user.some", "v", 1, 0))
EVERY_PATH(setxattr_trusted, syscall(SYS_setxattr, p, "trusted.some", "v", 1, 0))
EVERY_PATH(lsetxattr_trusted, syscall(SYS_lsetxattr, p, "trusted.some", "v", 1, 0))
EVERY_PATH(listxattr, syscall(SYS_listxattr, p, every_buf, 1000))
EVERY_PATH(removexattr, syscall(SYS_removexattr, p, "user.none"))
EVERY_PATH(inotify_watch, syscall(SYS_inotify_add_watch, inotify_init1(0), p, IN_OPEN))
EVERY_PATH(inotify_watch_folder,
	   syscall(SYS_inotify_add_watch, inotify_init1(0), p, IN_OPEN | IN_ONLYDIR))
EVERY_PATH(umount, syscall(SYS_umount2, p, UMOUNT_NOFOLLOW))
EVERY_PATH(mount_on, syscall(SYS_mount, "none", p, "nosuchfs", 0, NULL))
EVERY_PATH(bind_from, syscall(SYS_mount, p, "/proc/version", NULL, MS_BIND, NULL)
			      ? -1
			      : umount2("/proc/version", MNT_DETACH))
EVERY_PATH(remount, syscall(SYS_mount, NULL, p, NULL, MS_REMOUNT | MS_BIND, NULL))

static long with_address(const char *path,
			 int (*call)(int, const struct sockaddr *, socklen_t))
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t n = 0;
	if ((uintptr_t)path < 4096)
		return -1;
	while (path[n] && n < sizeof a.sun_path) {
		a.sun_path[n] = path[n];
		n++;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	errno = 0;
	return call(fd, (struct sockaddr *)&a,
		    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

EVERY_PATH(bind_socket, with_address(p, bind))
EVERY_PATH(connect_socket, with_address(p, connect))
