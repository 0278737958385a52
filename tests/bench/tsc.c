/*
 * Prints the frequency of the host's time stamp counter in kHz, measured against
 * CLOCK_MONOTONIC over 100 ms. QEMU without KVM passes the host's counter on.
 */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

static uint64_t tsc(void)
{
	uint32_t low, high;

	__asm__ volatile("lfence; rdtsc" : "=a"(low), "=d"(high));
	return (uint64_t)high << 32 | low;
}

static uint64_t mono(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 100000000 };
	uint64_t ns = mono(), ticks = tsc();

	nanosleep(&pause, NULL);
	ticks = tsc() - ticks;
	ns = mono() - ns;
	printf("%llu\n", (unsigned long long)(ticks * 1000000 / ns));
	return 0;
}
