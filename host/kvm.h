/*
 * Whether this machine's /dev/kvm can run a guest. It may open and even run a few
 * instructions and still fail, so the answer comes from booting one to its end, and is
 * kept.
 */
#ifndef HOST_KVM_H
#define HOST_KVM_H

#include "host/install.h"

enum kvm_answer {
	KVM_ABSENT,    /* no /dev/kvm */
	KVM_FORBIDDEN, /* there, but not for this user */
	KVM_BROKEN,    /* a guest does not get to its end */
	KVM_WORKS,
};

/* The answer; probes if none is kept for this kernel, QEMU and loader. again: probe in
 * any case. *ret_probed: a probe was made now. */
enum kvm_answer kvm_ask(const struct install *install, bool again, bool *ret_probed);

#endif
