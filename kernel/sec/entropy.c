#include <sodium/crypto_generichash_blake2b.h>
#include <sodium/utils.h>

#include "lib/string.h"
#include "sec/csprng.h"
#include "sec/entropy.h"

#define READY_BITS 256u
#define HW_MIX 16u /* bytes of RDRAND that go into each batch */

struct cpu_rng {
	struct csprng rng;
	uint64_t generation; /* of the pool when it was keyed; 0: never */
} aligned_to(64);

static struct cpu_rng cpu_rngs[CPU_MAX]; /* [own CPU, interrupts off] */

static struct spinlock pool_lock = SPINLOCK_INIT(RANK_LEAF);
static uint8_t pool[CSPRNG_KEY]; /* [pool_lock] */
static uint8_t input[128];	 /* [pool_lock] added, not yet hashed into the pool */
static uint32_t input_len;	 /* [pool_lock] */
static uint32_t pending_bits;	 /* [pool_lock] credited, not yet given to the CPUs */
static _Atomic uint64_t generation = 1;
static _Atomic bool ready;
struct waitq entropy_waitq = WAITQ_INIT(entropy_waitq);

/* ---- the pool ---- */

/* pool := BLAKE2b(bytes, keyed with pool). */
static void pool_hash(const void *buf, size_t n)
{
	uint8_t next[CSPRNG_KEY];

	crypto_generichash_blake2b(next, sizeof(next), buf, n, pool, sizeof(pool));
	memcpy(pool, next, sizeof(pool));
	sodium_memzero(next, sizeof(next));
}

static void pool_hash_input(void)
{
	if (!input_len)
		return;
	pool_hash(input, input_len);
	sodium_memzero(input, input_len);
	input_len = 0;
}

/* Small pieces wait for one another, or for a key to be taken. */
static void pool_absorb(const void *buf, size_t n)
{
	if (n > sizeof(input) - input_len)
		pool_hash_input();
	if (n > sizeof(input)) {
		pool_hash(buf, n);
		return;
	}
	memcpy(input + input_len, buf, n);
	input_len += (uint32_t)n;
}

/* A key for one CPU; the pool moves on, so that no two are related. */
static void pool_squeeze(uint8_t ret_key[CSPRNG_KEY])
{
	uint8_t both[2 * CSPRNG_KEY];

	pool_hash_input();
	csprng_expand(pool, both, sizeof(both));
	memcpy(pool, both, CSPRNG_KEY);
	memcpy(ret_key, both + CSPRNG_KEY, CSPRNG_KEY);
	sodium_memzero(both, sizeof(both));
}

void entropy_add(const void *buf, size_t n, uint32_t bits)
{
	uint64_t f = spin_lock_irq(&pool_lock);
	bool now_ready = false;

	pool_absorb(buf, n);
	pending_bits += MIN(bits, READY_BITS);
	if (pending_bits >= READY_BITS) {
		pending_bits = 0;
		generation++;
		now_ready = !ready;
		ready = true;
	}
	spin_unlock_irq(&pool_lock, f);
	if (now_ready)
		wake_all(&entropy_waitq);
}

void entropy_reseed(void)
{
	generation++;
}

/* ---- the generators ---- */

static cold void cpu_rekey(struct cpu_rng *r)
{
	uint8_t key[CSPRNG_KEY];

	spin_lock(&pool_lock);
	r->generation = generation;
	pool_squeeze(key);
	spin_unlock(&pool_lock);
	csprng_seed(&r->rng, key);
	sodium_memzero(key, sizeof(key));
}

static void cpu_get(void *buf, size_t n)
{
	uint64_t f = irq_save();
	struct cpu_rng *r = &cpu_rngs[cpu_id()];

	if (unlikely(r->generation != generation))
		cpu_rekey(r);
	if (csprng_is_dry(&r->rng, n)) {
		uint8_t hw[HW_MIX];

		csprng_mix(&r->rng, hw, arch_hw_random(hw, sizeof(hw)));
	}
	csprng_get(&r->rng, buf, n);
	irq_restore(f);
}

/* More than a batch: a key of its own, and the work is done with interrupts as they
 * were. */
void entropy_get(void *buf, size_t n)
{
	uint8_t key[CSPRNG_KEY];

	if (likely(n <= CSPRNG_BATCH)) {
		cpu_get(buf, n);
		return;
	}
	cpu_get(key, sizeof(key));
	csprng_expand(key, buf, n);
}

bool entropy_ready(void)
{
	return ready;
}

int entropy_wait(void)
{
	return wait_event_intr(&entropy_waitq, ready);
}

/* Two hardware seeds make a key by themselves, and each alone is enough: no hash needs to
 * run for it. Anything less goes through the hash. */
void entropy_init(void)
{
	uint8_t bytes[48], key[CSPRNG_KEY];
	bool hardware = arch_seed_take(bytes);
	size_t n = arch_hw_random(key, sizeof(key));

	if (hardware && n == sizeof(key)) {
		for (size_t i = 0; i < sizeof(key); i++)
			pool[i] = bytes[i] ^ key[i];
		ready = true;
	} else {
		entropy_add(bytes, sizeof(bytes), hardware ? READY_BITS : 0);
		entropy_add(key, n, 8 * (uint32_t)n);
	}
	sodium_memzero(bytes, sizeof(bytes));
	sodium_memzero(key, sizeof(key));
}
