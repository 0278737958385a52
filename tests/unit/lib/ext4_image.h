/* Images for the tests of lib/ext4: made of one tree by mke2fs, changed by debugfs. */
#ifndef TESTS_UNIT_LIB_EXT4_IMAGE_H
#define TESTS_UNIT_LIB_EXT4_IMAGE_H

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "ext4_reader.h"

#define UUID "6d617966-6c79-4001-8000-0000000000ab"
#define NAMES 3000
/* Letters past ASCII: hashes differ by whether char is signed. */
#define NAME "n\xc3\xa4me-"

static char top[] = "/tmp/ext4_test.XXXXXX";

static inline void run(const char *format, ...)
{
	char command[2048];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (system(command))
		fail_msg("failed: %s", command);
}

static inline void write_at(const char *name, off_t at, const void *bytes, size_t n)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "%s/tree/%s", top, name);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

/* Content that differs in every block and file. */
static inline void fill(uint8_t *buf, size_t n, uint32_t seed)
{
	for (size_t i = 0; i < n; i++) {
		seed = seed * 1103515245 + 12345;
		buf[i] = seed >> 16;
	}
}

#define SMALL 5000u
#define HOLEY_PIECES 900u
#define HOLEY_STEP 8192u

static inline void tree_make(void)
{
	uint8_t bytes[SMALL];

	run("mkdir -p %s/tree/dir/sub %s/tree/many", top, top);
	fill(bytes, sizeof(bytes), 1);
	write_at("empty", 0, bytes, 0);
	write_at("dir/sub/small", 0, bytes, SMALL);
	/* Data and holes in turn: more extents than an inode and a node of 1 KiB hold. */
	for (uint32_t k = 0; k < HOLEY_PIECES; k++) {
		fill(bytes, 4096, 100 + k);
		write_at("holey", (off_t)k * HOLEY_STEP, bytes, 4096);
	}
	run("ln -s target %s/tree/short; ln -s $(printf '%%0300d' 7) %s/tree/long", top,
	    top);
	run("printf '%%0900d' 9 > %s/big", top);
	run("mkfifo %s/tree/pipe; ln %s/tree/empty %s/tree/hard", top, top, top);
	run("cd %s/tree/many && seq -f '" NAME "%%05g' 1 %d | xargs touch", top, NAMES);
}

/* An image of the tree; `more`: further steps on $img, or "". */
static inline void image_make(const char *name, const char *options, const char *more)
{
	run("mke2fs -q -F -t ext4 -U " UUID " -E hash_seed=" UUID
	    ",lazy_itable_init=0,root_owner=0:0 %s -d %s/tree %s/%s 24M 2>&1",
	    options, top, top, name);
	run("img=%s/%s; %s", top, name, *more ? more : ":");
}

static inline uint8_t *image_load(const char *name, size_t *ret_size)
{
	char path[256];
	struct stat st;
	uint8_t *image;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0 && !fstat(fd, &st));
	image = malloc(st.st_size);
	assert_int_equal(read(fd, image, st.st_size), st.st_size);
	close(fd);
	*ret_size = st.st_size;
	return image;
}

static inline struct reader open_good(const char *name)
{
	const char *why = "";
	struct reader r;
	size_t size;
	uint8_t *image = image_load(name, &size);
	int err = reader_open(&r, image, size, &why);

	if (err)
		fail_msg("%s: %d: %s", name, err, why);
	return r;
}

static inline void close_image(struct reader *r)
{
	free((void *)r->image);
}

/* Hash trees for directories that are large enough. */
#define INDEXED "e2fsck -fyD $img >/dev/null; [ $? -le 1 ]"

static inline int setup(void **state)
{
	setenv("PATH", "/usr/sbin:/sbin:/usr/bin:/bin", 1);
	setenv("LC_ALL", "C", 1);
	if (!mkdtemp(top))
		return -1;
	tree_make();
	return 0;
}

static inline int teardown(void **state)
{
	run("rm -rf %s", top);
	return 0;
}

#endif
