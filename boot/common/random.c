/* RDRAND where the CPU has it, always mixed with the time stamp counter. */
#include "boot/common/random.h"

#define CPUID_RDRAND BIT(30) /* leaf 1, ECX */
#define RDRAND_TRIES 10	     /* Intel SDM 1, 7.3.17.1 */
#define JITTER_ROUNDS 16

static uint64_t tsc(void)
{
	uint32_t lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (uint64_t)hi << 32 | lo;
}

/* A bijection that spreads every input bit over the word (splitmix64's finaliser). */
static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}

bool random_is_hardware(void)
{
	uint32_t a = 1, b, c = 0, d;
	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c & CPUID_RDRAND;
}

static bool rdrand(uint64_t *ret)
{
	bool ok;

	for (int i = 0; i < RDRAND_TRIES; i++) {
		__asm__ volatile("rdrand %0" : "=r"(*ret), "=@ccc"(ok));
		if (ok)
			return true;
	}
	return false;
}

/* How long a port access takes varies with the host's state. */
static uint64_t jitter(void)
{
	uint64_t pool = 0;

	for (int i = 0; i < JITTER_ROUNDS; i++) {
		uint8_t lsr;
		__asm__ volatile("inb %w1, %0" : "=a"(lsr) : "d"(0x3fd));
		pool = mix(pool ^ tsc() ^ lsr);
	}
	return pool;
}

uint64_t random_u64(void)
{
	static uint64_t state;
	static uint32_t hardware; /* 0: not asked yet, 1: yes, 2: no */
	uint64_t bits = 0;

	if (!hardware)
		hardware = random_is_hardware() ? 1 : 2;
	if (hardware != 1 || !rdrand(&bits))
		bits = jitter();
	state = mix(state + 0x9e3779b97f4a7c15ull) ^ bits;
	return mix(state ^ tsc());
}
