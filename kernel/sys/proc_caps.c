/* capget, capset (capabilities(7)). */
#include <linux/capability.h>

#include "proc/cred_change.h"
#include "proc/proc.h"
#include "sys/syscall.h"

/* Number of data words of the header's version; writes the preferred version back if
 * unknown. */
static int version_words(const struct __user_cap_header_struct *h, uaddr_t header,
			 int *ret)
{
	switch (h->version) {
	case _LINUX_CAPABILITY_VERSION_1:
		*ret = _LINUX_CAPABILITY_U32S_1;
		return 0;
	case _LINUX_CAPABILITY_VERSION_2:
	case _LINUX_CAPABILITY_VERSION_3:
		*ret = _LINUX_CAPABILITY_U32S_3;
		return 0;
	default:
		if (put_user(header, (uint32_t)_LINUX_CAPABILITY_VERSION_3))
			return -EFAULT;
		return -EINVAL;
	}
}

int64_t sys_capget(uaddr_t header, uaddr_t data)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3];
	int words;
	if (get_user(h, header))
		return -EFAULT;
	int err = version_words(&h, header, &words);
	if (err)
		return data.va || err != -EINVAL ? err : 0; /* a probe for the version */
	if (h.pid < 0)
		return -EINVAL;
	struct task *t = h.pid ? task_find(h.pid) : task_get(task_current());
	if (!t)
		return -ESRCH;
	struct cred *c = task_cred_get(t);
	task_put(t);
	for (int i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		d[i].effective = (uint32_t)(c->cap_effective >> (32 * i));
		d[i].permitted = (uint32_t)(c->cap_permitted >> (32 * i));
		d[i].inheritable = (uint32_t)(c->cap_inheritable >> (32 * i));
	}
	cred_put(c);
	if (!data.va)
		return 0;
	return copy_out(data, d, (size_t)words * sizeof d[0]);
}

/* "Programmatically adjusting capability sets". */
static bool may_become(const struct cred *o, uint64_t e, uint64_t p, uint64_t i)
{
	uint64_t inheritable_max = o->cap_inheritable | o->cap_bounding;
	if ((i & ~inheritable_max) || (p & ~o->cap_permitted) || (e & ~p))
		return false;
	return !(i & ~(o->cap_inheritable | o->cap_permitted)) ||
	       cred_has_cap(o, CAP_SETPCAP);
}

int64_t sys_capset(uaddr_t header, uaddr_t data)
{
	struct __user_cap_header_struct h;
	struct __user_cap_data_struct d[_LINUX_CAPABILITY_U32S_3] = { 0 };
	uint64_t e = 0, p = 0, inh = 0;
	int words;
	if (get_user(h, header))
		return -EFAULT;
	int err = version_words(&h, header, &words);
	if (err)
		return err;
	if (h.pid && h.pid != task_current()->tid)
		return -EPERM;
	if (copy_in(d, data, (size_t)words * sizeof d[0]))
		return -EFAULT;
	for (int i = 0; i < words; i++) {
		e |= (uint64_t)d[i].effective << (32 * i);
		p |= (uint64_t)d[i].permitted << (32 * i);
		inh |= (uint64_t)d[i].inheritable << (32 * i);
	}
	const uint64_t known = BIT(CAP_LAST_CAP + 1) - 1;
	e &= known;
	p &= known;
	inh &= known;
	const struct cred *old = thread_current()->cred;
	struct cred *c = cred_change_begin();
	if (!c)
		return -ENOMEM;
	c->cap_effective = e;
	c->cap_permitted = p;
	c->cap_inheritable = inh;
	c->cap_ambient &= p & inh;
	if (!may_become(old, e, p, inh))
		return cred_change_refuse(c, AUDIT_CAUSE_NOT_ALLOWED, -EPERM);
	return cred_change_commit(c);
}
