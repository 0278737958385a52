/* send(2)'s MSG_OOB on AF_UNIX streams, which have it since Linux 5.15. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int v[2];

static void pair(int kind)
{
	NEED(!socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, v));
}

static void get(const char *what, size_t room, int flags)
{
	char b[32];
	struct iovec io = { b, room };
	struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
	ssize_t n = recvmsg(v[1], &m, flags);
	if (n < 0)
		say("%s: %s", what, err_name(errno));
	else
		say("%s: %.*s, flags 0x%x", what, (int)n, b, m.msg_flags);
}

static void say_poll(void)
{
	struct pollfd p = { v[1], POLLIN | POLLPRI, 0 };
	int mark = -1;
	poll(&p, 1, 0);
	ioctl(v[1], SIOCATMARK, &mark);
	say("poll 0x%x at the mark %d", p.revents, mark);
}

DIFF_CASE(oob_is_apart)
{
	pair(SOCK_STREAM);
	say_poll();
	TRY(send(v[0], "ab", 2, 0));
	TRY(send(v[0], "X", 1, MSG_OOB));
	TRY(send(v[0], "cd", 2, 0));
	say_poll();
	get("normal", 32, 0);
	say_poll();
	get("urgent", 1, MSG_OOB);
	get("normal", 32, 0);
	get("urgent again", 1, MSG_OOB);
	say_poll();
}

DIFF_CASE(oob_first)
{
	pair(SOCK_STREAM);
	TRY(send(v[0], "ab", 2, 0));
	TRY(send(v[0], "X", 1, MSG_OOB));
	get("peek urgent", 1, MSG_OOB | MSG_PEEK);
	get("urgent", 1, MSG_OOB);
	get("urgent again", 1, MSG_OOB);
	get("normal", 32, 0);
	get("normal", 32, 0);
}

DIFF_CASE(oob_skipped)
{
	pair(SOCK_STREAM);
	TRY(send(v[0], "ab", 2, 0));
	TRY(send(v[0], "X", 1, MSG_OOB));
	TRY(send(v[0], "cd", 2, 0));
	get("normal", 32, 0);
	get("normal", 32, 0);
	get("normal", 32, 0);
	get("urgent", 1, MSG_OOB);
}

DIFF_CASE(oob_last_byte_of_many)
{
	pair(SOCK_STREAM);
	TRY(send(v[0], "abX", 3, MSG_OOB));
	get("normal", 32, 0);
	say_poll();
	get("urgent", 32, MSG_OOB);
	get("normal", 32, 0);
}

DIFF_CASE(oob_inline)
{
	int on = 1;
	pair(SOCK_STREAM);
	NEED(!setsockopt(v[1], SOL_SOCKET, SO_OOBINLINE, &on, sizeof on));
	TRY(send(v[0], "ab", 2, 0));
	TRY(send(v[0], "X", 1, MSG_OOB));
	TRY(send(v[0], "cd", 2, 0));
	get("urgent", 1, MSG_OOB);
	get("normal", 32, 0);
	say_poll();
	get("normal", 32, 0);
	get("normal", 32, 0);
	say_poll();
}

DIFF_CASE(oob_replaced)
{
	pair(SOCK_STREAM);
	TRY(send(v[0], "aX", 2, MSG_OOB));
	TRY(send(v[0], "bY", 2, MSG_OOB));
	get("normal", 32, 0);
	get("urgent", 1, MSG_OOB);
	get("normal", 32, 0);
	get("normal", 32, 0);
}

DIFF_CASE(oob_errors)
{
	pair(SOCK_STREAM);
	get("none", 1, MSG_OOB);
	TRY(send(v[0], "", 0, MSG_OOB));
	TRY(send(v[0], "X", 1, MSG_OOB));
	close(v[0]);
	get("from the dead", 1, MSG_OOB);
	get("from the dead", 1, MSG_OOB);
	get("normal", 1, 0);
	pair(SOCK_DGRAM);
	TRY(send(v[0], "X", 1, MSG_OOB));
	get("datagram", 1, MSG_OOB);
	pair(SOCK_SEQPACKET);
	TRY(send(v[0], "X", 1, MSG_OOB));
	get("packet", 1, MSG_OOB);
}

DIFF_CASE(oob_signal)
{
	catch (SIGURG, 0);
	pair(SOCK_STREAM);
	TRY(fcntl(v[1], F_SETOWN, getpid()));
	TRY(send(v[0], "X", 1, MSG_OOB));
	SHOW(caught[SIGURG]);
	TRY(send(v[0], "x", 1, 0));
	SHOW(caught[SIGURG]);
}

DIFF_CASE(oob_shut_down)
{
	pair(SOCK_STREAM);
	TRY(shutdown(v[1], SHUT_RD));
	block_signal(SIGPIPE);
	TRY(send(v[0], "X", 1, MSG_OOB));
	pair(SOCK_STREAM);
	TRY(send(v[0], "ab", 2, 0));
	TRY(send(v[0], "X", 1, MSG_OOB));
	TRY(shutdown(v[0], SHUT_WR));
	say_poll();
	get("normal", 32, 0);
	get("normal", 32, 0);
	get("urgent", 32, MSG_OOB);
	get("normal", 32, 0);
}
