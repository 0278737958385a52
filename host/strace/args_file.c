/* Arguments about files: what they are, what they are ready for, how they are steered. */
#include <fcntl.h>
#include <sys/stat.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/select.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <asm/termbits.h>

#include "host/strace/args.h"

/* ---- what they are ---- */

/* x86-64's struct stat, up to the size. */
struct stat_head {
	uint64_t dev, ino, nlink;
	uint32_t mode, uid, gid, pad;
	uint64_t rdev;
	int64_t size;
};

static bool is_device(uint32_t mode)
{
	return S_ISCHR(mode) || S_ISBLK(mode);
}

void arg_stat(struct call *c, unsigned i, const struct names *set)
{
	struct stat_head st;

	if (!struct_out(c, i, &st, sizeof(st)))
		return;
	text_add(c->out, "{st_mode=");
	text_mode(c->out, st.mode);
	if (is_device(st.mode))
		text_add(c->out, ", st_rdev=makedev(%#x, %#x), ...}", major(st.rdev),
			 minor(st.rdev));
	else
		text_add(c->out, ", st_size=%ld, ...}", st.size);
}

void arg_statx(struct call *c, unsigned i, const struct names *set)
{
	struct statx st;

	if (!struct_out(c, i, &st, sizeof(st)))
		return;
	text_add(c->out, "{stx_mask=");
	text_flags(c->out, &set_statx, st.stx_mask);
	text_add(c->out, ", stx_attributes=%#llx, stx_mode=",
		 (unsigned long long)st.stx_attributes);
	text_mode(c->out, st.stx_mode);
	text_add(c->out, ", stx_size=%llu, ...}", (unsigned long long)st.stx_size);
}

void arg_statfs(struct call *c, unsigned i, const struct names *set)
{
	struct statfs st;
	unsigned id[2];

	if (!struct_out(c, i, &st, sizeof(st)))
		return;
	memcpy(id, &st.f_fsid, sizeof(id));
	text_add(c->out, "{f_type=");
	text_choice(c->out, &set_statfs_type, (uint64_t)st.f_type);
	text_add(c->out, ", f_bsize=%ld, f_blocks=%lu, f_bfree=%lu, f_bavail=%lu",
		 st.f_bsize, st.f_blocks, st.f_bfree, st.f_bavail);
	text_add(c->out, ", f_files=%lu, f_ffree=%lu, f_fsid={val=[%#x, %#x]}",
		 st.f_files, st.f_ffree, id[0], id[1]);
	text_add(c->out, ", f_namelen=%ld, f_frsize=%ld, f_flags=", st.f_namelen,
		 st.f_frsize);
	text_flags(c->out, &set_statfs_flags, (uint64_t)st.f_flags);
	text_add(c->out, "}");
}

void arg_fd_pair(struct call *c, unsigned i, const struct names *set)
{
	int fds[2];

	if (struct_out(c, i, fds, sizeof(fds)))
		text_add(c->out, "[%d, %d]", fds[0], fds[1]);
}

/* ---- what they are ready for ---- */

void arg_pollfds(struct call *c, unsigned i, const struct names *set)
{
	uint64_t at = c->enter.args[i], count = (uint32_t)c->enter.args[i + 1];
	struct pollfd p;

	if (count && !memory_before(c, at, &p, sizeof(p))) {
		text_pointer(c->out, at);
		return;
	}
	text_add(c->out, "[");
	for (uint64_t k = 0; k < count; k++, at += sizeof(p)) {
		text_add(c->out, k ? ", " : "");
		if (k == STRING_SHOWN || !memory_before(c, at, &p, sizeof(p))) {
			text_add(c->out, "...");
			break;
		}
		text_add(c->out, "{fd=%d", p.fd);
		if (p.fd >= 0) {
			text_add(c->out, ", events=");
			text_flags(c->out, &set_poll, (uint16_t)p.events);
		}
		text_add(c->out, "}");
	}
	text_add(c->out, "]");
}

static void print_left(struct call *c)
{
	struct timespec left;

	if (!memory_after(c, c->enter.args[2], &left, sizeof(left)))
		return;
	text_add(c->out, ", left ");
	text_timespec(c->out, &left);
}

void result_poll(struct call *c)
{
	uint64_t at = c->enter.args[0], count = (uint32_t)c->enter.args[1];
	const struct syscall_row *row = syscall_row(c->enter.nr);
	const char *between = "";
	struct pollfd p;

	text_add(c->out, "%ld", c->result);
	if (!c->result) {
		text_add(c->out, " (Timeout)");
		return;
	}
	text_add(c->out, " ([");
	for (uint64_t k = 0; k < count; k++, at += sizeof(p)) {
		if (!memory_after(c, at, &p, sizeof(p)))
			break;
		if (!p.revents)
			continue;
		text_add(c->out, "%s{fd=%d, revents=", between, p.fd);
		text_flags(c->out, &set_poll, (uint16_t)p.revents);
		text_add(c->out, "}");
		between = ", ";
	}
	text_add(c->out, "]");
	if (row->kinds[2] == KIND_inout)
		print_left(c);
	text_add(c->out, ")");
}

/* The numbers that are in a set, at most `most`: how many those were; -1: not known. */
static int64_t print_fds(struct call *c, unsigned i, bool late, int64_t most)
{
	fd_set fds;
	size_t limit = MIN((size_t)(uint32_t)c->enter.args[0], (size_t)FD_SETSIZE);
	size_t size = ALIGN_UP((limit + 7) / 8, 8);
	int64_t n = 0;

	memset(&fds, 0, sizeof(fds));
	if (size && !memory_get(c, late, c->enter.args[i], &fds, size))
		return -1;
	text_add(c->out, "[");
	for (size_t fd = 0; fd < limit && n < most; fd++)
		if (FD_ISSET(fd, &fds))
			text_add(c->out, "%s%zu", n++ ? " " : "", fd);
	text_add(c->out, "]");
	return n;
}

void arg_fd_set(struct call *c, unsigned i, const struct names *set)
{
	if (!c->enter.args[i] || print_fds(c, i, false, FD_SETSIZE) < 0)
		text_pointer(c->out, c->enter.args[i]);
}

/* "in [7], out [8]": as many as there were, since sets may lie at one address. */
static void print_ready(struct call *c, const char **between)
{
	static const char *const names[] = { "in", "out", "except" };
	int64_t left = c->result;

	for (unsigned i = 1; i <= 3 && left > 0; i++) {
		size_t before = c->out->size;
		int64_t n = 0;

		if (!c->enter.args[i])
			continue;
		text_add(c->out, "%s%s ", *between, names[i - 1]);
		n = print_fds(c, i, true, left);
		if (n > 0) {
			*between = ", ";
			left -= n;
		} else {
			c->out->size = before;
		}
	}
}

void result_select(struct call *c)
{
	bool micro = syscall_row(c->enter.nr)->kinds[5] == KIND_none;
	const char *between = " (";
	struct timespec left;

	text_add(c->out, "%ld", c->result);
	if (!c->result) {
		text_add(c->out, " (Timeout)");
		return;
	}
	print_ready(c, &between);
	if (c->enter.args[4] && memory_after(c, c->enter.args[4], &left, sizeof(left))) {
		text_add(c->out, "%sleft ", between);
		between = ", ";
		(micro ? text_timeval : text_timespec)(c->out, &left);
	}
	if (*between == ',')
		text_add(c->out, ")");
}

static void text_epoll_event(struct text *t, const struct epoll_event *ev)
{
	text_add(t, "{events=");
	text_flags(t, &set_epoll, ev->events);
	text_add(t, ", data={u32=%u, u64=%lu}}", ev->data.u32, ev->data.u64);
}

void arg_epoll_event(struct call *c, unsigned i, const struct names *set)
{
	struct epoll_event ev;

	if (struct_in(c, i, &ev, sizeof(ev)))
		text_epoll_event(c->out, &ev);
}

void arg_epoll_events(struct call *c, unsigned i, const struct names *set)
{
	uint64_t at = c->enter.args[i];
	struct epoll_event ev;

	if (c->failed) {
		text_pointer(c->out, at);
		return;
	}
	text_add(c->out, "[");
	for (int64_t k = 0; k < c->result; k++, at += sizeof(ev)) {
		text_add(c->out, k ? ", " : "");
		if (!memory_after(c, at, &ev, sizeof(ev))) {
			text_add(c->out, "...");
			break;
		}
		text_epoll_event(c->out, &ev);
	}
	text_add(c->out, "]");
}

/* ---- how they are steered ---- */

static bool is_lock(uint64_t cmd)
{
	return cmd == 5 || cmd == 6 || cmd == 7 || cmd == F_OFD_GETLK ||
	       cmd == F_OFD_SETLK || cmd == F_OFD_SETLKW;
}

static void print_lock(struct call *c, unsigned i, bool asked)
{
	struct flock lock;

	if (!(asked ? struct_out(c, i, &lock, sizeof(lock))
		    : struct_in(c, i, &lock, sizeof(lock))))
		return;
	text_add(c->out, "{l_type=");
	text_choice(c->out, &set_lock_type, (uint16_t)lock.l_type);
	text_add(c->out, ", l_whence=");
	text_choice(c->out, &set_whence, (uint16_t)lock.l_whence);
	text_add(c->out, ", l_start=%ld, l_len=%ld", lock.l_start, lock.l_len);
	if (asked)
		text_add(c->out, ", l_pid=%d", lock.l_pid);
	text_add(c->out, "}");
}

void arg_fcntl(struct call *c, unsigned i, const struct names *set)
{
	uint64_t cmd = (uint32_t)c->enter.args[1], arg = c->enter.args[i];
	bool asked = cmd == 5 || cmd == F_OFD_GETLK;

	switch (cmd) {
	case F_GETFD:
	case F_GETFL:
	case F_GETOWN:
	case F_GETSIG:
	case F_GETLEASE:
	case F_GETPIPE_SZ:
	case F_GET_SEALS:
		return;
	case F_SETFD:
		text_flags(c->out, &set_fd, arg);
		return;
	case F_SETFL:
		text_open_flags(c->out, (uint32_t)arg);
		return;
	case F_ADD_SEALS:
		text_flags(c->out, &set_seals, arg);
		return;
	case F_DUPFD:
	case F_DUPFD_CLOEXEC:
	case F_SETOWN:
	case F_SETPIPE_SZ:
		text_add(c->out, "%d", (int32_t)arg);
		return;
	case F_SETSIG:
		text_signal(c->out, arg);
		return;
	default:
		break;
	}
	if (asked && !c->after)
		c->later = true;
	else if (is_lock(cmd))
		print_lock(c, i, asked);
	else
		text_add(c->out, "%#lx", arg);
}

void result_fcntl(struct call *c)
{
	uint64_t cmd = (uint32_t)c->enter.args[1];

	if (cmd == F_GETFL || (cmd == F_GETFD && c->result) || cmd == F_GET_SEALS) {
		text_add(c->out, "%#lx (%s ", (uint64_t)c->result,
			 cmd == F_GET_SEALS ? "seals" : "flags");
		if (cmd == F_GETFL)
			text_open_flags(c->out, (uint64_t)c->result);
		else
			text_flags(c->out, cmd == F_GETFD ? &set_fd : &set_seals,
				   (uint64_t)c->result);
		text_add(c->out, ")");
	} else {
		text_add(c->out, "%ld", c->result);
	}
}

void arg_ioctl(struct call *c, unsigned i, const struct names *set)
{
	static const char *const ways[] = { "_IOC_NONE", "_IOC_WRITE", "_IOC_READ",
					    "_IOC_READ|_IOC_WRITE" };
	uint32_t cmd = (uint32_t)c->enter.args[i];
	const char *name = names_find(&set_ioctl, cmd);

	if (name)
		text_add(c->out, "%s", name);
	else
		text_add(c->out, "_IOC(%s, %#x, %#x, %#x)", ways[_IOC_DIR(cmd)],
			 _IOC_TYPE(cmd), _IOC_NR(cmd), _IOC_SIZE(cmd));
}

static void text_termios(struct text *t, const struct termios *m)
{
	static const char *const speeds[] = { "B0",    "B50",	"B75",	  "B110",
					      "B134",  "B150",	"B200",	  "B300",
					      "B600",  "B1200", "B1800",  "B2400",
					      "B4800", "B9600", "B19200", "B38400" };
	unsigned speed = m->c_cflag & CBAUD;

	text_add(t, "{%s %sopost %sisig %sicanon %secho ...}",
		 speed < ARRAY_LEN(speeds) ? speeds[speed] : "B?",
		 m->c_oflag & OPOST ? "" : "-", m->c_lflag & ISIG ? "" : "-",
		 m->c_lflag & ICANON ? "" : "-", m->c_lflag & ECHO ? "" : "-");
}

static bool ioctl_asks(uint32_t cmd)
{
	return cmd == TCGETS || cmd == TIOCGWINSZ || cmd == TIOCGPGRP ||
	       cmd == FIONREAD || cmd == TIOCOUTQ || cmd == TIOCGSID || cmd == TIOCGPTN;
}

void arg_ioctl_arg(struct call *c, unsigned i, const struct names *set)
{
	uint32_t cmd = (uint32_t)c->enter.args[1];
	bool asks = ioctl_asks(cmd);
	bool (*get)(struct call *, unsigned, void *, size_t) =
		asks ? struct_out : struct_in;
	struct termios mode;
	struct winsize size;
	int number;

	if (asks && !c->after) {
		c->later = true;
		return;
	}
	switch (cmd) {
	case TCGETS:
	case TCSETS:
	case TCSETSW:
	case TCSETSF:
		if (get(c, i, &mode, sizeof(mode)))
			text_termios(c->out, &mode);
		break;
	case TIOCGWINSZ:
	case TIOCSWINSZ:
		if (get(c, i, &size, sizeof(size)))
			text_add(c->out,
				 "{ws_row=%u, ws_col=%u, ws_xpixel=%u, "
				 "ws_ypixel=%u}",
				 size.ws_row, size.ws_col, size.ws_xpixel,
				 size.ws_ypixel);
		break;
	case TIOCGPGRP:
	case TIOCSPGRP:
	case FIONREAD:
	case TIOCOUTQ:
	case TIOCGSID:
	case TIOCGPTN:
	case TIOCSPTLCK:
	case FIONBIO:
	case FIOASYNC:
		if (get(c, i, &number, sizeof(number)))
			text_add(c->out, "[%d]", number);
		break;
	case TIOCNOTTY:
	case FIOCLEX:
	case FIONCLEX:
		break;
	default:
		text_add(c->out, "%#lx", c->enter.args[i]);
	}
}

void arg_int_in(struct call *c, unsigned i, const struct names *set)
{
	int number;

	if (struct_in(c, i, &number, sizeof(number)))
		text_add(c->out, "[%d]", number);
}

void arg_int_out(struct call *c, unsigned i, const struct names *set)
{
	int number;

	if (struct_out(c, i, &number, sizeof(number)))
		text_add(c->out, "[%d]", number);
}
