/* Small things every part needs. */
#include <errno.h>
#include <fcntl.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/mayfly.h"

mode_t umask_now(void)
{
	mode_t mask = umask(0);

	umask(mask);
	return mask;
}

uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NSEC_PER_SEC + now.tv_nsec;
}

static void *or_die(void *at)
{
	if (!at) {
		say("out of memory on this machine");
		exit(MAYFLY_FAILED);
	}
	return at;
}

void *must_alloc(size_t size)
{
	return or_die(calloc(1, size + !size));
}

void *must_grow(void *at, size_t size)
{
	return or_die(realloc(at, size));
}

char *must_format(const char *format, ...)
{
	char *text;
	va_list ap;

	va_start(ap, format);
	if (vasprintf(&text, format, ap) < 0)
		text = NULL;
	va_end(ap);
	return or_die(text);
}

void *must_search(void *key, void **root, int (*compare)(const void *, const void *))
{
	return *(void **)or_die(tsearch(key, root, compare));
}

int write_all(int fd, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size) {
		ssize_t n = write(fd, at, size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		at += n;
		size -= n;
	}
	return 0;
}

int read_file(const char *path, size_t max, char **ret_text, size_t *ret_size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text = NULL;
	size_t size = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	do {
		text = must_grow(text, size + 4097);
		n = read(fd, text + size, 4096);
		if (n > 0)
			size += n;
	} while (n > 0 && size <= max);
	close(fd);
	if (n < 0 || size > max) {
		free(text);
		return n < 0 ? -EIO : -EFBIG;
	}
	text[size] = 0;
	*ret_text = text;
	*ret_size = size;
	return 0;
}

const char *cache_folder(void)
{
	static char *folder;
	const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	char *base;

	if (folder)
		return folder;
	if (xdg && *xdg == '/')
		base = must_format("%s", xdg);
	else if (home && *home == '/')
		base = must_format("%s/.cache", home);
	else
		return NULL;
	folder = must_format("%s/mayfly", base);
	mkdir(base, 0700);
	free(base);
	if (mkdir(folder, 0700) < 0 && errno != EEXIST) {
		free(folder);
		folder = NULL;
	}
	return folder;
}
