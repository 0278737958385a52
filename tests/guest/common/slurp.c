#include "slurp.h"

#include <errno.h>
#include <fcntl.h>
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
