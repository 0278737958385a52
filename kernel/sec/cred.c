/*
 * Credential objects: sharing, copying, and the two questions everybody asks of them.
 * Rules for changing them are in proc (set*id calls, exec).
 */
#include <sodium/crypto_generichash_blake2b.h>

#include "lib/string.h"
#include "mm/slab.h"
#include "sec/cred.h"

#define CAPS_ALL (BIT(CAP_LAST_CAP + 1) - 1)

static struct groups no_groups = { .refs = { REF_SATURATED } };

struct cred cred_root = {
	.refs = { REF_SATURATED },
	.groups = &no_groups,
	.cap_permitted = CAPS_ALL,
	.cap_effective = CAPS_ALL,
	.cap_bounding = CAPS_ALL,
};

struct groups *groups_new(uint32_t n)
{
	struct groups *g = heap_alloc(sizeof *g + n * sizeof g->gid[0]);
	if (!g)
		return NULL;
	ref_init(&g->refs, 1);
	g->n = n;
	memset(g->digest, 0, sizeof g->digest);
	return g;
}

static void sift_down(gid_t *v, uint32_t from, uint32_t n)
{
	for (uint32_t i = from, c; (c = 2 * i + 1) < n; i = c) {
		if (c + 1 < n && v[c + 1] > v[c])
			c++;
		if (v[i] >= v[c])
			return;
		gid_t t = v[i];
		v[i] = v[c];
		v[c] = t;
	}
}

static void sort(struct groups *g)
{
	for (uint32_t i = g->n / 2; i-- > 0;)
		sift_down(g->gid, i, g->n);
	for (uint32_t n = g->n; n > 1; n--) {
		gid_t t = g->gid[0];
		g->gid[0] = g->gid[n - 1];
		g->gid[n - 1] = t;
		sift_down(g->gid, 0, n - 1);
	}
}

void groups_publish(struct groups *g)
{
	sort(g);
	if (g->n)
		crypto_generichash_blake2b(g->digest, sizeof g->digest,
					   (const uint8_t *)g->gid,
					   g->n * sizeof g->gid[0], NULL, 0);
}

void groups_put(struct groups *g)
{
	if (g && ref_put(&g->refs))
		heap_free(g);
}

void cred_put(struct cred *c)
{
	if (!c || !ref_put(&c->refs))
		return;
	groups_put(c->groups);
	heap_free(c);
}

struct cred *cred_copy(const struct cred *from)
{
	struct cred *c = heap_alloc(sizeof *c);
	if (!c)
		return NULL;
	memcpy(c, from, sizeof *c);
	ref_init(&c->refs, 1);
	ref_get(&c->groups->refs);
	return c;
}

bool cred_has_cap(const struct cred *c, int cap)
{
	bool has = cred_holds_cap(c, cap);
	if (has)
		upcall_cap_used(c, cap);
	return has;
}

static bool groups_have(const struct groups *g, gid_t gid)
{
	uint32_t lo = 0, hi = g->n;
	while (lo < hi) {
		uint32_t mid = lo + (hi - lo) / 2;
		if (g->gid[mid] == gid)
			return true;
		if (g->gid[mid] < gid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return false;
}

bool cred_in_group(const struct cred *c, gid_t g)
{
	return c->fsgid == g || groups_have(c->groups, g);
}

/* ---- capabilities(7): what a change of user ids does ---- */

#define CAPS_FS                                                                          \
	(BIT(CAP_CHOWN) | BIT(CAP_DAC_OVERRIDE) | BIT(CAP_DAC_READ_SEARCH) |             \
	 BIT(CAP_FOWNER) | BIT(CAP_FSETID) | BIT(CAP_LINUX_IMMUTABLE) | BIT(CAP_MKNOD) | \
	 BIT(CAP_MAC_OVERRIDE))

/* "Effect of user ID changes on capabilities", 1 to 3. */
void cred_uids_changed(struct cred *c, const struct cred *old)
{
	bool had_root = !old->uid || !old->euid || !old->suid;
	bool has_root = !c->uid || !c->euid || !c->suid;
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (had_root && !has_root) {
		if (!(c->securebits & SECBIT_KEEP_CAPS))
			c->cap_permitted = c->cap_effective = 0;
		c->cap_ambient = 0;
	}
	if (!old->euid && c->euid)
		c->cap_effective = 0;
	if (old->euid && !c->euid)
		c->cap_effective = c->cap_permitted;
}

/* 4: the file system user id. */
void cred_fsuid_changed(struct cred *c, const struct cred *old)
{
	if (c->securebits & SECBIT_NO_SETUID_FIXUP)
		return;
	if (!old->fsuid && c->fsuid)
		c->cap_effective &= ~CAPS_FS;
	if (old->fsuid && !c->fsuid)
		c->cap_effective |= c->cap_permitted & CAPS_FS;
}
