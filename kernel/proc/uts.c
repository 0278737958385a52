/* The names of the system. Locks: uts_lock. */
#include "proc/uts.h"

#include <asm/errno.h>

#include "core/spinlock.h"
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
