/* names.def as data. */
#include <asm/prctl.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/futex.h>
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
#include <sys/msg.h>
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
#include <time.h>
#include <unistd.h>

#include "host/strace/text.h"

/* clang-format off */
#define SET(set) static const struct name set##_names[] = {
#define N(value) { (uint64_t)(value), #value },
#define V(value, text) { (uint64_t)(value), text },
#define SET_END };
#include "host/strace/names.def"
#undef SET
#undef N
#undef V
#undef SET_END
/* clang-format on */

#define SET(set) const struct names set_##set = { set##_names, ARRAY_LEN(set##_names) };
#define N(value)
#define V(value, text)
#define SET_END
#include "host/strace/names.def"
