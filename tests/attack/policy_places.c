/*
 * Ways round the places of a policy, for root: other names of a file, descriptors, and
 * what changes a file that is not open for writing. Each has the allowed twin beside it.
 */
#include <fcntl.h>
#include <linux/limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>

#include "common/places.h"

/* ---- other names ---- */

static void the_plain_name(void)
{
	make_places();
	CHECK_EQ(opens("secret/file"), 0);
	POLICY_INSTALL(places);
	CHECK_EQ(opens("allowed/file"), 0);
	CHECK_ERR(opens("secret/file"), EACCES);
	CHECK_ERR(opens("secret"), EACCES);
	CHECK_ERR(opens("out/denied/file"), EACCES);
	CHECK_ERR(open("allowed/file", O_WRONLY), EACCES);
	CHECK_ERR(open("allowed/file", O_RDONLY | O_TRUNC), EACCES);
	CHECK_ERR(open("secret/file", O_PATH), EACCES);
	CHECK_ERR(open("secret/new", O_WRONLY | O_CREAT, 0600), EACCES);
}

static void a_symbolic_link(void)
{
	make_places();
	CHECK_EQ(symlink("../secret/file", "allowed/link"), 0);
	CHECK_EQ(symlink("file", "allowed/twin"), 0);
	CHECK_EQ(symlink("../secret", "allowed/folder"), 0);
	CHECK_EQ(opens("allowed/link"), 0);
	POLICY_INSTALL(places);
	CHECK_ERR(opens("allowed/link"), EACCES);
	CHECK_ERR(opens("allowed/folder/file"), EACCES);
	CHECK_EQ(opens("allowed/twin"), 0);
	/* made under the policy */
	CHECK_EQ(symlink("../secret/file", "out/link"), 0);
	CHECK_ERR(opens("out/link"), EACCES);
	CHECK_ERR(open("out/link", O_WRONLY | O_CREAT, 0600), EACCES);
}

static void the_folder_above(void)
{
	make_places();
	POLICY_INSTALL(places);
	CHECK_ERR(opens("allowed/../secret/file"), EACCES);
	CHECK_ERR(opens("out/tree/../denied/file"), EACCES);
	CHECK_EQ(opens("out/../allowed/file"), 0);
}

static void proc_self_fd_of_a_mere_place(void)
{
	char name[64];

	make_places();
	int secret = open("secret/file", O_PATH), allowed = open("allowed/file", O_PATH);
	CHECK(secret >= 0 && allowed >= 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", secret);
	CHECK_EQ(opens(name), 0);
	POLICY_INSTALL(places);
	CHECK_ERR(opens(name), EACCES);
	CHECK_ERR(truncate(name, 0), EACCES);
	snprintf(name, sizeof name, "/proc/self/fd/%d", allowed);
	CHECK_EQ(opens(name), 0);
	CHECK_ERR(open(name, O_RDWR), EACCES);
}

static void proc_self_root_and_cwd(void)
{
	char name[PATH_MAX];

	const char *dir = make_places();
	CHECK_EQ(chdir("secret"), 0);
	POLICY_INSTALL(places);
	CHECK_ERR(opens("file"), EACCES);
	CHECK_ERR(opens("/proc/self/cwd/file"), EACCES);
	CHECK_ERR(opens("/proc/thread-self/cwd/file"), EACCES);
	snprintf(name, sizeof name, "/proc/self/root%s/secret/file", dir);
	CHECK_ERR(opens(name), EACCES);
	snprintf(name, sizeof name, "/proc/self/root%s/allowed/file", dir);
	CHECK_EQ(opens(name), 0);
	CHECK_EQ(chdir("../allowed"), 0);
	CHECK_EQ(opens("/proc/self/cwd/file"), 0);
	CHECK_ERR(chdir("../secret"), EACCES);
}

static void attributes_of_a_secret(void)
{
	struct stat st;
	char buf[64];

	make_places();
	CHECK_EQ(symlink("x", "secret/link"), 0);
	POLICY_INSTALL(places);
	CHECK_ERR(stat("secret/file", &st), EACCES);
	CHECK_ERR(lstat("out/denied/file", &st), EACCES);
	CHECK_ERR(access("secret/file", F_OK), EACCES);
	CHECK_ERR(readlink("secret/link", buf, sizeof buf), EACCES);
	CHECK_ERR(access("allowed/file", W_OK), EACCES);
	CHECK_EQ(access("allowed/file", R_OK), 0);
	CHECK_EQ(stat("allowed/file", &st), 0);
	CHECK_EQ(stat("out/file", &st), 0);
}

/* ---- descriptors ---- */

struct handle {
	struct file_handle h;
	char room[MAX_HANDLE_SZ];
};

static void a_file_handle(void)
{
	struct handle secret = { .h.handle_bytes = MAX_HANDLE_SZ }, allowed = secret;
	int id;

	make_places();
	CHECK_EQ(mount("none", "secret", "tmpfs", 0, NULL), 0);
	CHECK_EQ(mount("none", "allowed", "tmpfs", 0, NULL), 0);
	make_file("secret/file", "secret");
	make_file("allowed/file", "allowed");
	int mnt = open("secret", O_RDONLY | O_DIRECTORY);
	CHECK_EQ(name_to_handle_at(AT_FDCWD, "secret/file", &secret.h, &id, 0), 0);
	CHECK_EQ(name_to_handle_at(AT_FDCWD, "allowed/file", &allowed.h, &id, 0), 0);
	CHECK(open_by_handle_at(mnt, &secret.h, O_RDONLY) >= 0);
	int twin = open("allowed", O_RDONLY | O_DIRECTORY);
	POLICY_INSTALL(places);
	CHECK_REFUSED(open_by_handle_at(mnt, &secret.h, O_RDONLY));
	CHECK_REFUSED(open_by_handle_at(twin, &allowed.h, O_RDWR));
	CHECK(open_by_handle_at(twin, &allowed.h, O_RDONLY) >= 0);
}

static void a_folders_descriptor(void)
{
	struct stat st;

	make_places();
	int secret = open("secret", O_RDONLY | O_DIRECTORY);
	int allowed = open("allowed", O_RDONLY | O_DIRECTORY);
	CHECK(openat(secret, "file", O_RDONLY) >= 0);
	POLICY_INSTALL(places);
	CHECK_ERR(openat(secret, "file", O_RDONLY), EACCES);
	CHECK_ERR(openat(secret, ".", O_RDONLY), EACCES);
	CHECK_ERR(openat(secret, "new", O_WRONLY | O_CREAT, 0600), EACCES);
	CHECK_ERR(fstatat(secret, "file", &st, 0), EACCES);
	CHECK_ERR(unlinkat(secret, "file", 0), EACCES);
	CHECK_ERR(openat(allowed, "../secret/file", O_RDONLY), EACCES);
	CHECK(openat(allowed, "file", O_RDONLY) >= 0);
}

static void send_fd(int sock, int fd)
{
	char c = 'x', control[CMSG_SPACE(sizeof fd)] = "";
	struct iovec io = { &c, 1 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof control };
	struct cmsghdr *h = CMSG_FIRSTHDR(&m);

	h->cmsg_level = SOL_SOCKET;
	h->cmsg_type = SCM_RIGHTS;
	h->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(h), &fd, sizeof fd);
	CHECK_EQ(sendmsg(sock, &m, 0), 1);
}

static int get_fd(int sock)
{
	char c, control[CMSG_SPACE(sizeof(int))];
	struct iovec io = { &c, 1 };
	struct msghdr m = { .msg_iov = &io,
			    .msg_iovlen = 1,
			    .msg_control = control,
			    .msg_controllen = sizeof control };
	int fd;

	CHECK_EQ(recvmsg(sock, &m, 0), 1);
	CHECK(CMSG_FIRSTHDR(&m));
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof fd);
	return fd;
}

static void a_descriptor_that_is_passed(void)
{
	char buf[8] = "", name[64];
	int pair[2];

	make_places();
	CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	pid_t pid = fork();
	if (!pid) { /* under no policy */
		send_fd(pair[1], open("secret", O_RDONLY | O_DIRECTORY));
		send_fd(pair[1], open("secret/file", O_RDONLY));
		_exit(0);
	}
	POLICY_INSTALL(places);
	int folder = get_fd(pair[0]), file = get_fd(pair[0]);
	CHECK_ERR(openat(folder, "file", O_RDONLY), EACCES);
	/* a file that is handed over is allowed: it may be read, not opened again */
	CHECK_EQ(read(file, buf, 6), 6);
	snprintf(name, sizeof name, "/proc/self/fd/%d", file);
	CHECK_ERR(opens(name), EACCES);
	CHECK_EQ(tap_wait(pid), 0);
}

static void a_nameless_file(void)
{
	char name[64];

	make_places();
	POLICY_INSTALL(places);
	CHECK_ERR(open("secret", O_TMPFILE | O_RDWR, 0600), EACCES);
	CHECK_ERR(open("allowed", O_TMPFILE | O_RDWR, 0600), EACCES);
	int fd = open("out", O_TMPFILE | O_RDWR, 0600);
	CHECK(fd >= 0);
	snprintf(name, sizeof name, "/proc/self/fd/%d", fd);
	CHECK_REFUSED(linkat(AT_FDCWD, name, AT_FDCWD, "secret/new", AT_SYMLINK_FOLLOW));
	CHECK_REFUSED(linkat(AT_FDCWD, name, AT_FDCWD, "allowed/new", AT_SYMLINK_FOLLOW));
	CHECK_REFUSED(
		linkat(AT_FDCWD, name, AT_FDCWD, "programs/new", AT_SYMLINK_FOLLOW));
	CHECK_EQ(linkat(AT_FDCWD, name, AT_FDCWD, "out/new", AT_SYMLINK_FOLLOW), 0);
}

/* ---- changing without opening for writing ---- */

static void attributes_through_a_descriptor(void)
{
	make_places();
	POLICY_INSTALL(places);
	int fd = open("allowed/file", O_RDONLY), own = open("out/file", O_RDONLY);
	CHECK(fd >= 0 && own >= 0);
	CHECK_ERR(fchmod(fd, 0600), EACCES);
	CHECK_ERR(fchown(fd, 1, 1), EACCES);
	CHECK_ERR(futimens(fd, NULL), EACCES);
	CHECK_ERR(fsetxattr(fd, "user.x", "x", 1, 0), EACCES);
	CHECK_ERR(truncate("allowed/file", 0), EACCES);
	CHECK_ERR(chmod("allowed/file", 0600), EACCES);
	CHECK_ERR(lchown("secret/file", 1, 1), EACCES);
	CHECK_ERR(utimensat(AT_FDCWD, "secret/file", NULL, 0), EACCES);
	CHECK_ERR(lremovexattr("allowed/file", "user.x"), EACCES);
	CHECK_EQ(fchmod(own, 0600), 0);
	CHECK_EQ(fchown(own, 1, 1), 0);
	CHECK_EQ(futimens(own, NULL), 0);
	CHECK_EQ(fsetxattr(own, "trusted.x", "x", 1, 0), 0);
	CHECK_EQ(truncate("out/file", 0), 0);
}

static void taking_a_secret_away(void)
{
	make_places();
	CHECK_EQ(mkdir("secret/folder", 0755), 0);
	POLICY_INSTALL(places);
	CHECK_ERR(unlink("secret/file"), EACCES);
	CHECK_ERR(unlink("allowed/file"), EACCES);
	CHECK_ERR(rmdir("secret/folder"), EACCES);
	CHECK_ERR(mkdir("secret/more", 0755), EACCES);
	CHECK_ERR(mkfifo("allowed/fifo", 0600), EACCES);
	CHECK_ERR(symlink("x", "allowed/link"), EACCES);
	CHECK_REFUSED(rename("out/file", "allowed/file"));
	CHECK_EQ(unlink("out/file"), 0);
	CHECK_EQ(rmdir("out/tree"), 0);
}

static void code_from_a_file_that_may_be_read(void)
{
	make_places();
	POLICY_INSTALL(places);
	int fd = open("allowed/file", O_RDONLY);
	CHECK(fd >= 0);
	void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(at != MAP_FAILED);
	CHECK_ERR((long)mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0),
		  EACCES);
	CHECK_ERR(mprotect(at, 4096, PROT_READ | PROT_EXEC), EACCES);
	CHECK_ERR(execl("allowed/file", "x", NULL), EACCES);
	CHECK_ERR(fexecve(fd, (char *[]){ "x", NULL }, (char *[]){ NULL }), EACCES);
}

static void code_that_may_be_run(void)
{
	make_places();
	CHECK_EQ(chmod("programs/file", 0755), 0);
	int fd = open("programs/file", O_RDONLY);
	POLICY_INSTALL(places);
	CHECK(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0) != MAP_FAILED);
	CHECK_ERR(opens("programs/file"), EACCES); /* execute is not read */
	CHECK_ERR(execl("programs/file", "x", NULL), ENOEXEC);
}

/* A node is another name of its device, wherever it is. A pipe is nobody else's. */
static void another_name_of_a_device(void)
{
	make_places();
	POLICY_INSTALL(places);
	CHECK_ERR(mknod("out/memory", S_IFCHR | 0600, makedev(1, 3)), EPERM);
	CHECK_ERR(mknod("out/disk", S_IFBLK | 0600, makedev(254, 0)), EPERM);
	CHECK_EQ(mkfifo("out/fifo", 0600), 0);
}

static void a_device_without_a_policy(void)
{
	make_places();
	CHECK_EQ(mknod("out/memory", S_IFCHR | 0600, makedev(1, 3)), 0);
	CHECK_EQ(opens("out/memory"), 0);
}

TEST_MAIN(CASE(the_plain_name), CASE(a_symbolic_link), CASE(the_folder_above),
	  CASE(proc_self_fd_of_a_mere_place), CASE(proc_self_root_and_cwd),
	  CASE(attributes_of_a_secret), CASE(a_file_handle), CASE(a_folders_descriptor),
	  CASE(a_descriptor_that_is_passed), CASE(a_nameless_file),
	  CASE(attributes_through_a_descriptor), CASE(taking_a_secret_away),
	  CASE(code_from_a_file_that_may_be_read), CASE(code_that_may_be_run),
	  CASE(another_name_of_a_device), CASE(a_device_without_a_policy))
