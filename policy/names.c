/* names.def as data. */
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/openat2.h>
#include <linux/seccomp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/ipc.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "policy/names.h"

/* clang-format off */
#define SET(set) static const struct name set##_names[] = {
#define N(value) { (uint64_t)(value), #value },
#define V(value, text) { (uint64_t)(value), text },
#define SET_END };
#include "policy/names.def"
#undef SET
#undef N
#undef V
#undef SET_END
/* clang-format on */

#define SET(set) const struct names set_##set = { set##_names, ARRAY_LEN(set##_names) };
#define N(value)
#define V(value, text)
#define SET_END
#include "policy/names.def"
#undef SET
#undef N
#undef V
#undef SET_END

const struct names *const names_all[] = {
#define SET(set) &set_##set,
#define N(value)
#define V(value, text)
#define SET_END
#include "policy/names.def"
};
const size_t names_all_count = ARRAY_LEN(names_all);

const char *names_find(const struct names *set, uint64_t value)
{
	for (size_t i = 0; i < set->count; i++)
		if (set->at[i].value == value)
			return set->at[i].name;
	return NULL;
}
