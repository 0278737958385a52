/* What a fault on a file's page reads besides: mincore(2) tells. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/tap.h"

/* Of the root file system, and longer than what the test looks at. */
#define FILE_OF_ROOT "/bin/busybox"
enum { PAGE = 4096, PAGES = 96, FAULT = 63, BEFORE = 8 };

static volatile char *map_cold(int advice)
{
	int fd = open(FILE_OF_ROOT, O_RDONLY);
	CHECK(fd >= 0);
	char *p = mmap(NULL, PAGES * PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	CHECK(p != MAP_FAILED);
	close(fd);
	CHECK_EQ(madvise(p, PAGES * PAGE, advice), 0);
	int caches = open("/proc/sys/vm/drop_caches", O_WRONLY);
	CHECK(caches >= 0);
	CHECK_EQ(write(caches, "1", 1), 1);
	close(caches);
	return p;
}

static int resident(volatile char *p, int page)
{
	unsigned char there;
	CHECK_EQ(mincore((char *)p + page * PAGE, PAGE, &there), 0);
	return there & 1;
}

/* Programs are read from their end as often as from their beginning. */
static void pages_before_come_along(void)
{
	volatile char *p = map_cold(MADV_NORMAL);
	CHECK_EQ(resident(p, FAULT), 0);
	(void)p[FAULT * PAGE];
	for (int i = 0; i <= BEFORE; i++)
		CHECK_EQ(resident(p, FAULT - i), 1);
	CHECK_EQ(resident(p, 0), 0);
}

static void nothing_comes_along_at_random(void)
{
	volatile char *p = map_cold(MADV_RANDOM);
	(void)p[FAULT * PAGE];
	CHECK_EQ(resident(p, FAULT), 1);
	CHECK_EQ(resident(p, FAULT - 1), 0);
}

TEST_MAIN(CASE(pages_before_come_along), CASE(nothing_comes_along_at_random))
