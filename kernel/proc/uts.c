/* The names of the system. Locks: uts_lock. */
#include "proc/uts.h"

#include <asm/errno.h>
#include <linux/personality.h>

#include "core/spinlock.h"
#include "lib/fmt.h"
#include "lib/string.h"

static struct spinlock uts_lock = SPINLOCK_INIT(RANK_OBJECT);

/* [uts_lock] The release says whose ABI this is: programs compare it with Linux's. */
static struct new_utsname uts = {
	.sysname = "Linux",
	.nodename = "mayfly",
	.release = "6.1.0-mayfly",
	.version = "#1 SMP Mayfly",
	.machine = "x86_64",
	.domainname = "(none)",
};

void uts_get(struct new_utsname *ret)
{
	spin_lock(&uts_lock);
	*ret = uts;
	spin_unlock(&uts_lock);
}

/* "6.1.0-x" as a 2.6 release: 2.6.(60 + 1), and what follows the third number. */
static void release_as_26(char *release)
{
	char old[__NEW_UTS_LEN + 1], *at = old;
	uint64_t minor = 0;
	int dots = 0;
	str_copy(old, release, sizeof old);
	for (; *at && ((*at >= '0' && *at <= '9') || (*at == '.' && ++dots < 3)); at++)
		if (dots == 1 && *at != '.')
			minor = minor * 10 + (uint64_t)(*at - '0');
	fmt_to(release, __NEW_UTS_LEN + 1, "2.6.%lu%s", (unsigned long)(60 + minor), at);
}

void uts_disguise(struct new_utsname *u, uint32_t persona)
{
	if (persona & UNAME26)
		release_as_26(u->release);
	if ((persona & PER_MASK) == (PER_LINUX32 & PER_MASK))
		str_copy(u->machine, "i686", sizeof u->machine);
}

static int set(char *field, const char *s, size_t n)
{
	if (n > __NEW_UTS_LEN)
		return -EINVAL;
	spin_lock(&uts_lock);
	memset(field, 0, __NEW_UTS_LEN + 1);
	memcpy(field, s, n);
	spin_unlock(&uts_lock);
	return 0;
}

int uts_set_nodename(const char *s, size_t n)
{
	return set(uts.nodename, s, n);
}

int uts_set_domainname(const char *s, size_t n)
{
	return set(uts.domainname, s, n);
}
