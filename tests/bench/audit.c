/*
 * Changes of credentials, for run.py and tests/host/audit_stream.py. As process 1 of a
 * machine it powers it off at the end.
 *
 *	audit change KHZ	"setresuid N ns": the best of many rounds, by a TSC
 *				of that frequency: early in a machine's life
 *				Linux's clock has coarse steps
 *	audit flood THREADS N	each thread changes its ids N times: "changes N"
 *	audit denied N		N opens that are refused; "denied N"
 *	audit wake N		from a record to its reader: "wake N ns", median
 */
#include <err.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS 20
#define CALLS 400
#define PAUSE_NS 30000000 /* for whoever writes the records away */
#define RECORD 512
#define AT_MONO 8 /* of a record: when it was written */

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The effective id there and back; the real one stays root's, so it may. */
static void change(unsigned turn)
{
	if (syscall(SYS_setresuid, -1, turn % 2 ? 0 : 1, -1) < 0)
		err(1, "setresuid");
}

static void bench_change(uint64_t khz)
{
	uint64_t best = UINT64_MAX;

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t began, each;

		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
		began = __builtin_ia32_rdtsc();
		for (unsigned i = 0; i < CALLS; i++)
			change(i);
		each = (__builtin_ia32_rdtsc() - began) * 1000000 / khz / CALLS;
		if (each < best)
			best = each;
	}
	printf("setresuid %llu ns\n", (unsigned long long)best);
}

static void *flood(void *count)
{
	for (unsigned i = 0; i < (uintptr_t)count; i++)
		change(i);
	return NULL;
}

static void bench_flood(unsigned threads, unsigned count)
{
	pthread_t thread[64];

	if (threads > 64)
		errx(2, "at most 64 threads");
	for (unsigned i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, flood, (void *)(uintptr_t)count))
			errx(1, "pthread_create");
	for (unsigned i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	printf("changes %llu\n", (unsigned long long)threads * count);
}

static void bench_denied(unsigned count)
{
	if (syscall(SYS_setresuid, 1, 1, 1) < 0)
		err(1, "setresuid");
	for (unsigned i = 0; i < count; i++)
		if (open("/root/secret", O_RDONLY) >= 0)
			errx(1, "root's folder is open to all");
	printf("denied %u\n", count);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static void *write_now_and_then(void *count)
{
	for (unsigned i = 0; i < (uintptr_t)count; i++) {
		nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
		change(i);
	}
	return NULL;
}

static void bench_wake(unsigned count)
{
	int fd = open("/proc/audit/data", O_RDONLY | O_NONBLOCK);
	uint64_t *late = calloc(count, sizeof(*late)), written;
	unsigned char record[RECORD];
	pthread_t writer;

	if (fd < 0)
		err(1, "/proc/audit/data");
	while (read(fd, record, sizeof(record)) > 0)
		;
	fcntl(fd, F_SETFL, O_RDONLY);
	if (!late ||
	    pthread_create(&writer, NULL, write_now_and_then, (void *)(uintptr_t)count))
		errx(1, "pthread_create");
	for (unsigned i = 0; i < count; i++) {
		if (read(fd, record, sizeof(record)) != sizeof(record))
			err(1, "read");
		memcpy(&written, record + AT_MONO, sizeof(written));
		late[i] = now() - written;
	}
	pthread_join(writer, NULL);
	qsort(late, count, sizeof(*late), compare);
	printf("wake %llu ns\n", (unsigned long long)late[count / 2]);
	free(late);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	unsigned a = argc > 2 ? (unsigned)atoi(argv[2]) : 0;
	unsigned b = argc > 3 ? (unsigned)atoi(argv[3]) : 0;

	if (!strcmp(what, "change") && a)
		bench_change(a);
	else if (!strcmp(what, "flood") && b)
		bench_flood(a, b);
	else if (!strcmp(what, "denied") && a)
		bench_denied(a);
	else if (!strcmp(what, "wake") && a)
		bench_wake(a);
	else
		errx(2, "audit change KHZ | flood THREADS N | denied N | wake N");
	fflush(stdout);
	if (getpid() == 1)
		reboot(RB_AUTOBOOT);
	return 0;
}
