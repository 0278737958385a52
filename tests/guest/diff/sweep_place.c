/* The memory, descriptors and files that the sweep's values name: see sweep.h. */
#include "every.h"
#include "sweep.h"
#include "sweep_place.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

/* -- memory ------------------------------------------------------------------------- */

static void *at(uint64_t address)
{
	return (void *)(uintptr_t)address;
}

static void fill_message(void)
{
	struct iovec *v = at(VECTOR);
	for (int i = 0; i < 4; i++)
		v[i] = (struct iovec){ at(DATA + 64 * (unsigned)i), 8 };
	memset(at(MESSAGE), 0, 256);
	*(struct mmsghdr *)at(MESSAGE) = (struct mmsghdr){
		.msg_hdr = { .msg_iov = v, .msg_iovlen = 2 },
	};
}

static void fill_memory(void)
{
	memset(at(BUFFER), FILL, 4096);
	memset(at(ZEROS), 0, 512);
	memset(at(ONES), 0xff, 512);
	memset(at(HOLE(512)), 0, 512);
	for (uint64_t i = 0; i < 64; i++)
		((uint64_t *)at(COUNTING))[i] = i + 1;
	for (int i = 0; i < 512; i++)
		((char *)at(DATA))[i] = (char)('0' + i % 10);
	*(struct sockaddr_un *)at(ADDRESS) =
		(struct sockaddr_un){ .sun_family = AF_UNIX, .sun_path = "missing" };
	*(uint32_t *)at(LENGTH) = 16;
	memcpy(at(HOW), (uint64_t[]){ O_CREAT | O_RDWR, 0644, 0 }, 24);
	memcpy(at(TEXT + 4096 - 4), "file", 4);
	fill_message();
}

static void map_memory(void)
{
	for (uint64_t i = 0; i < PAGES; i++)
		NEED(mmap(at(PAGE(i)), 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at(PAGE(i)));
	fill_memory();
	NEED(!mprotect(at(READ_ONLY), 4096, PROT_READ));
	NEED(!mprotect(at(NO_ACCESS), 4096, PROT_NONE));
}

int sweep_written(void)
{
	const unsigned char *b = at(BUFFER);
	int n = 4096;
	while (n && b[n - 1] == FILL)
		n--;
	return (n + 7) / 8 * 8;
}

/* -- descriptors -------------------------------------------------------------------- */

void sweep_open_fds(void)
{
	const char *name;
	for (int kind = 0; kind < every_fd_kinds; kind++) {
		int fd = every_fd(kind, &name);
		if (kind)
			NEED(dup2(fd, FIRST_FD + kind) == FIRST_FD + kind);
		close(fd);
	}
	int queue = (int)syscall(SYS_mq_open, "sweep", O_CREAT | O_RDWR | O_NONBLOCK,
				 0600, NULL);
	NEED(queue >= 0 && dup2(queue, QUEUE) == QUEUE);
	close(queue);
	syscall(SYS_mq_unlink, "sweep");
}

/* -- names -------------------------------------------------------------------------- */

/* What has to be there, and what it is; 0: nothing. */
static const struct thing {
	const char *name;
	mode_t mode;
	const char *target;
} things[] = {
	{ "missing", 0, NULL },
	{ "nowhere", 0, NULL },
	{ "file", S_IFREG | 0644, NULL },
	{ "folder", S_IFDIR | 0755, NULL },
	{ "folder/inner", S_IFREG | 0644, NULL },
	{ "empty folder", S_IFDIR | 0755, NULL },
	{ "secret", S_IFDIR | 0700, NULL },
	{ "secret/x", S_IFREG | 0644, NULL },
	{ "locked", S_IFREG | 0600, NULL },
	{ "loop", S_IFLNK | 0777, "loop" },
	{ "dangling", S_IFLNK | 0777, "nowhere" },
	{ "link to a file", S_IFLNK | 0777, "file" },
	{ "link to a folder", S_IFLNK | 0777, "folder" },
	{ "socket", S_IFSOCK | 0644, NULL },
	{ "device", S_IFCHR | 0644, NULL },
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static bool is_as_it_was(const struct thing *t)
{
	struct stat st;
	if (lstat(t->name, &st))
		return !t->mode;
	return st.st_mode == t->mode && !st.st_uid && !st.st_gid &&
	       (S_ISDIR(st.st_mode) || st.st_nlink == 1) &&
	       (!S_ISREG(st.st_mode) || st.st_size == 10);
}

static void make_thing(const struct thing *t)
{
	if (S_ISREG(t->mode))
		make_file(t->name, "0123456789");
	else if (S_ISDIR(t->mode))
		NEED(!mkdir(t->name, t->mode & 07777));
	else if (S_ISLNK(t->mode))
		NEED(!symlink(t->target, t->name));
	else
		NEED(!mknod(t->name, t->mode, 0x103));
	if (!S_ISLNK(t->mode))
		NEED(!chmod(t->name, t->mode & 07777));
}

static char folder[4096];

void sweep_repair(bool with_names)
{
	fill_memory();
	if (!with_names)
		return;
	NEED(!chdir(folder));
	for (size_t i = 0; i < sizeof things / sizeof *things; i++) {
		if (is_as_it_was(&things[i]))
			continue;
		nftw(things[i].name, remove_one, 16, FTW_DEPTH | FTW_PHYS);
		if (things[i].mode)
			make_thing(&things[i]);
	}
}

void sweep_prepare(void)
{
	/* What is done to the folder above is not seen by other cases either. */
	NEED(!mkdir("in", 0777) && !chmod("in", 0777) && !chdir("in"));
	NEED(getcwd(folder, sizeof folder));
	sweep_prepare_values();
	map_memory();
	sweep_open_fds();
	umask(0);
	sweep_repair(true);
}
