#include "slurp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tap.h"

char slurped[1 << 20];

size_t slurp_size(const char *path)
{
	int fd = open(path, O_RDONLY);
	size_t n = 0;
	ssize_t r;

	if (fd < 0)
		tap_fail(__FILE__, __LINE__, "%s: errno %d", path, errno);
	while ((r = read(fd, slurped + n, sizeof slurped - 1 - n)) > 0)
		n += (size_t)r;
	CHECK_EQ(r, 0);
	close(fd);
	slurped[n] = 0;
	return n;
}

char *slurp(const char *path)
{
	slurp_size(path);
	return slurped;
}

long slurp_field(const char *path, const char *key)
{
	size_t n = strlen(key);

	for (const char *s = slurp(path); s; s = strchr(s, '\n'), s = s ? s + 1 : NULL)
		if (!strncmp(s, key, n) && (s[n] == ':' || s[n] == ' '))
			return strtol(s + n + 1, NULL, 10);
	return -1;
}

long long slurp_stat(const char *path, int n)
{
	const char *s = strrchr(slurp(path), ')');

	CHECK(s);
	for (s += 2, n -= 3; n > 0; n--) {
		s = strchr(s, ' ');
		CHECK(s);
		s++;
	}
	return atoll(s);
}

int spit(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		err = errno;
	close(fd);
	return err;
}
