/* socket(7), unix(7): every option, what send and recv say, out-of-band bytes. */
#include "diff.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

static int v[2];

static void pair(int kind)
{
	NEED(!socketpair(AF_UNIX, kind | SOCK_NONBLOCK, 0, v));
}

/* -- options ---------------------------------------------------------------------- */

#define LAST_OPTION 75

/* Of the machine, of network devices, of filters, or of a later Linux. */
static bool is_left_out(int name)
{
	static const int names[] = { SO_SNDBUF,	  SO_RCVBUF,	  SO_SNDBUFFORCE,
				     SO_PEERCRED, SO_RCVBUFFORCE, SO_PEERSEC,
				     SO_REUSEPORT };
	static const int devices_and_filters[] = { 26, 27, 37, 41, 43, 44, 46, 47,
						   48, 49, 50, 51, 52, 53, 55, 56,
						   57, 60, 61, 62, 63, 64, 65 };
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (names[k] == name)
			return true;
	for (size_t k = 0; k < sizeof devices_and_filters / sizeof(int); k++)
		if (devices_and_filters[k] == name)
			return true;
	return name > 67;
}

static void get_all(int fd)
{
	for (int name = 0; name <= LAST_OPTION; name++) {
		int value[64] = { 0 };
		socklen_t len = sizeof value;
		if (is_left_out(name))
			continue;
		errno = 0;
		if (getsockopt(fd, SOL_SOCKET, name, value, &len))
			say("option %d: %s", name, err_name(errno));
		else
			say("option %d = %d, %u bytes", name, value[0], (unsigned)len);
	}
}

DIFF_CASE(socket_every_option_of_stream)
{
	pair(SOCK_STREAM);
	get_all(v[0]);
}

DIFF_CASE(socket_every_option_of_datagram)
{
	pair(SOCK_DGRAM);
	get_all(v[0]);
}

DIFF_CASE(socket_every_option_of_listener)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	struct sockaddr_un a = { AF_UNIX, "s" };
	NEED(!bind(fd, (void *)&a, sizeof a) && !listen(fd, 3));
	get_all(fd);
}

static void set_all(int value, socklen_t len)
{
	for (int name = 0; name <= LAST_OPTION; name++) {
		pair(SOCK_STREAM);
		errno = 0;
		if (!is_left_out(name) && setsockopt(v[0], SOL_SOCKET, name, &value, len))
			say("option %d: %s", name, err_name(errno));
		else if (!is_left_out(name))
			say("option %d set", name);
		close(v[0]), close(v[1]);
	}
}

DIFF_CASE(socket_set_every_option_to_1)
{
	set_all(1, 4);
}

DIFF_CASE(socket_set_every_option_to_0)
{
	set_all(0, 4);
}

DIFF_CASE(socket_set_every_option_to_minus_1)
{
	set_all(-1, 4);
}

DIFF_CASE(socket_set_every_option_short)
{
	set_all(1, 3);
}

DIFF_CASE(socket_set_every_option_as_nobody)
{
	pid_t pid = fork();
	if (!pid) {
		become_nobody();
		set_all(1, 4);
		_exit(0);
	}
	say_status("nobody", reap(pid));
}

static void get_with_room(int name, socklen_t room)
{
	unsigned char b[16];
	memset(b, 0xee, sizeof b);
	errno = 0;
	if (getsockopt(v[0], SOL_SOCKET, name, b, &room))
		say("option %d: %s, length %d", name, err_name(errno), (int)room);
	else
		say("option %d: %02x %02x %02x %02x %02x, length %d", name, b[0], b[1],
		    b[2], b[3], b[4], (int)room);
}

DIFF_CASE(socket_options_with_little_room)
{
	const int names[] = { SO_TYPE,	   SO_LINGER, SO_RCVTIMEO,
			      SO_PEERCRED, SO_ERROR,  SO_PEERGROUPS };
	pair(SOCK_STREAM);
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		for (int room = -1; room < 6; room++)
			if (names[k] != SO_PEERCRED || room < 1)
				get_with_room(names[k], (socklen_t)room);
}

DIFF_CASE(socket_buffer_sizes)
{
	const int sizes[] = { 0, 1, 1000, 4096, 100000, 200000 };
	pair(SOCK_STREAM);
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
		int got = 0;
		socklen_t len = sizeof got;
		setsockopt(v[0], SOL_SOCKET, SO_SNDBUF, &sizes[k], 4);
		getsockopt(v[0], SOL_SOCKET, SO_SNDBUF, &got, &len);
		say("sndbuf %d: %d", sizes[k], got);
		setsockopt(v[0], SOL_SOCKET, SO_RCVBUF, &sizes[k], 4);
		getsockopt(v[0], SOL_SOCKET, SO_RCVBUF, &got, &len);
		say("rcvbuf %d: %d", sizes[k], got);
	}
}

DIFF_CASE(socket_timeout_values)
{
	const struct timeval times[] = { { 0, 0 },	 { 1, 0 },	 { 2, 500000 },
					 { 0, 1000000 }, { 0, -1 },	 { -1, 0 },
					 { -5, 10 },	 { 1l << 60, 0 } };
	pair(SOCK_STREAM);
	for (size_t k = 0; k < sizeof times / sizeof *times; k++) {
		struct timeval got = { 0 };
		socklen_t len = sizeof got;
		TRY(setsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &times[k],
			       sizeof times[k]));
		getsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &got, &len);
		say("%ld s and %ld us", (long)got.tv_sec, (long)got.tv_usec);
	}
	TRY(setsockopt(v[0], SOL_SOCKET, SO_RCVTIMEO, &times[1], 8));
}

DIFF_CASE(socket_linger_values)
{
	struct linger l = { 1, 5 }, got = { 0 };
	socklen_t len = sizeof got;
	pair(SOCK_STREAM);
	TRY(setsockopt(v[0], SOL_SOCKET, SO_LINGER, &l, sizeof l));
	TRY(getsockopt(v[0], SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d", got.l_onoff, got.l_linger);
	l = (struct linger){ 0, 9 };
	TRY(setsockopt(v[0], SOL_SOCKET, SO_LINGER, &l, sizeof l));
	TRY(getsockopt(v[0], SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d", got.l_onoff, got.l_linger);
	l = (struct linger){ 7, 8 };
	TRY(setsockopt(v[0], SOL_SOCKET, SO_LINGER, &l, sizeof l));
	TRY(getsockopt(v[0], SOL_SOCKET, SO_LINGER, &got, &len));
	say("%d %d", got.l_onoff, got.l_linger);
}

DIFF_CASE(socket_peek_offset)
{
	char b[16];
	int off = 2;
	pair(SOCK_STREAM);
	TRY(send(v[0], "0123456789", 10, 0));
	TRY(setsockopt(v[1], SOL_SOCKET, SO_PEEK_OFF, &off, 4));
	say_bytes("peek", b, recv(v[1], b, 3, MSG_PEEK));
	say_bytes("peek", b, recv(v[1], b, 3, MSG_PEEK));
	say_bytes("read", b, recv(v[1], b, 2, 0));
	say_bytes("peek", b, recv(v[1], b, 3, MSG_PEEK));
	off = -2;
	TRY(setsockopt(v[1], SOL_SOCKET, SO_PEEK_OFF, &off, 4));
	off = -1;
	TRY(setsockopt(v[1], SOL_SOCKET, SO_PEEK_OFF, &off, 4));
	say_bytes("peek", b, recv(v[1], b, 3, MSG_PEEK));
}

/* -- send and recv ---------------------------------------------------------------- */

DIFF_CASE(socket_send_flags)
{
	char b[16];
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int k = 0; k < 3; k++) {
		pair(kinds[k]);
		say("kind %d", kinds[k]);
		TRY(send(v[0], "", 0, 0));
		TRY(send(v[0], "eor", 3, MSG_EOR));
		TRY(send(v[0], "more", 4, MSG_MORE));
		TRY(send(v[0], "confirm", 7, MSG_CONFIRM));
		TRY(send(v[0], "dontroute", 9, MSG_DONTROUTE));
		for (int n = 0; n < 6; n++)
			say_bytes("got", b, recv(v[1], b, sizeof b, 0));
	}
}

DIFF_CASE(socket_recv_truncates)
{
	char b[16];
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int k = 0; k < 3; k++) {
		struct iovec io = { b, 3 };
		struct msghdr m = { .msg_iov = &io, .msg_iovlen = 1 };
		pair(kinds[k]);
		say("kind %d", kinds[k]);
		NEED(send(v[0], "0123456789", 10, 0) == 10);
		TRY(recv(v[1], b, 3, MSG_PEEK | MSG_TRUNC));
		TRY(recvmsg(v[1], &m, MSG_PEEK));
		say("flags 0x%x", m.msg_flags);
		TRY(recvmsg(v[1], &m, MSG_TRUNC));
		say("flags 0x%x", m.msg_flags);
		TRY(recv(v[1], b, 3, 0));
		TRY(recv(v[1], b, 3, MSG_ERRQUEUE));
		TRY(recv(v[1], b, 0, 0));
	}
}

DIFF_CASE(socket_recv_from_addresses)
{
	char b[8];
	struct sockaddr_un a = { AF_UNIX, "name" }, from;
	socklen_t len = sizeof from;
	int to = socket(AF_UNIX, SOCK_DGRAM, 0), with = socket(AF_UNIX, SOCK_DGRAM, 0),
	    without = socket(AF_UNIX, SOCK_DGRAM, 0);
	NEED(!bind(to, (void *)&a, sizeof a));
	struct sockaddr_un mine = { AF_UNIX, "mine" };
	NEED(!bind(with, (void *)&mine, 2 + 5));
	TRY(sendto(with, "x", 1, 0, (void *)&a, sizeof a));
	TRY(recvfrom(to, b, 8, 0, (void *)&from, &len));
	say("length %u family %d name %s", (unsigned)len, from.sun_family, from.sun_path);
	TRY(sendto(without, "y", 1, 0, (void *)&a, sizeof a));
	len = sizeof from;
	TRY(recvfrom(to, b, 8, 0, (void *)&from, &len));
	say("length %u", (unsigned)len);
	TRY(sendto(with, "z", 1, 0, (void *)&a, sizeof a));
	len = 4;
	memset(&from, 0, sizeof from);
	TRY(recvfrom(to, b, 8, 0, (void *)&from, &len));
	say("length %u name %s", (unsigned)len, from.sun_path);
	TRY(sendto(with, "z", 1, 0, (void *)&a, 1));
	TRY(sendto(with, "z", 1, 0, (void *)&a, 2));
	TRY(sendto(with, "z", 1, 0, (void *)&a, 200));
	a.sun_family = AF_INET;
	TRY(sendto(with, "z", 1, 0, (void *)&a, sizeof a));
	pair(SOCK_STREAM);
	a.sun_family = AF_UNIX;
	TRY(sendto(v[0], "z", 1, 0, (void *)&a, sizeof a));
	int alone = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(sendto(alone, "z", 1, 0, (void *)&a, sizeof a));
	TRY(send(alone, "z", 1, 0));
	TRY(recv(alone, b, 1, 0));
	int packet = socket(AF_UNIX, SOCK_SEQPACKET, 0);
	TRY(sendto(packet, "z", 1, 0, (void *)&a, sizeof a));
	TRY(recv(packet, b, 1, 0));
}

/* -- who may connect to whom ------------------------------------------------------ */

static socklen_t name_of(struct sockaddr_un *a, bool abstract, const char *text)
{
	memset(a, 0, sizeof *a);
	a->sun_family = AF_UNIX;
	strcpy(a->sun_path + abstract, text);
	return (socklen_t)(2 + abstract + strlen(text) + !abstract);
}

DIFF_CASE(socket_connect_across_kinds)
{
	static const int kinds[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	for (int abstract = 0; abstract < 2; abstract++)
		for (int k = 0; k < 3; k++) {
			struct sockaddr_un a;
			char name[16];
			snprintf(name, sizeof name, "kind-%d", k);
			socklen_t len = name_of(&a, abstract, name);
			int s = socket(AF_UNIX, kinds[k], 0);
			NEED(!bind(s, (void *)&a, len));
			for (int listens = 0; listens < 2; listens++) {
				say("abstract %d, kind %d, listens %d", abstract, k,
				    listens);
				for (int c = 0; c < 3; c++) {
					int fd = socket(AF_UNIX, kinds[c], 0);
					TRY(connect(fd, (void *)&a, len));
					TRY(sendto(fd, "x", 1, MSG_NOSIGNAL, (void *)&a,
						   len));
					close(fd);
				}
				TRY(listen(s, 5));
			}
		}
}

DIFF_CASE(socket_connect_to_what_is_no_socket)
{
	struct sockaddr_un a;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	make_file("file", "x");
	NEED(!mkdir("folder", 0755) && !symlink("nowhere", "link"));
	TRY(connect(fd, (void *)&a, name_of(&a, false, "file")));
	TRY(connect(fd, (void *)&a, name_of(&a, false, "folder")));
	TRY(connect(fd, (void *)&a, name_of(&a, false, "link")));
	TRY(connect(fd, (void *)&a, name_of(&a, false, "none")));
	TRY(connect(fd, (void *)&a, name_of(&a, false, "file/x")));
	TRY(connect(fd, (void *)&a, name_of(&a, true, "none")));
	TRY(bind(fd, (void *)&a, name_of(&a, false, "link")));
	TRY(bind(fd, (void *)&a, name_of(&a, false, "folder")));
	TRY(bind(fd, (void *)&a, name_of(&a, false, "none/x")));
	a.sun_family = AF_UNSPEC;
	TRY(connect(fd, (void *)&a, 2));
	TRY(connect(fd, (void *)&a, sizeof a));
	int s = socket(AF_UNIX, SOCK_STREAM, 0);
	NEED(!bind(s, (void *)&a, name_of(&a, false, "gone")) && !listen(s, 1));
	close(s);
	TRY(connect(fd, (void *)&a, name_of(&a, false, "gone")));
	int d = socket(AF_UNIX, SOCK_DGRAM, 0);
	TRY(connect(d, (void *)&a, name_of(&a, false, "gone")));
	TRY(sendto(d, "x", 1, 0, (void *)&a, name_of(&a, false, "gone")));
	TRY(sendto(d, "x", 1, 0, (void *)&a, name_of(&a, false, "file")));
}

static void connect_as_nobody(void)
{
	struct sockaddr_un a;
	become_nobody();
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	TRY(connect(fd, (void *)&a, name_of(&a, false, "shut")));
	TRY(connect(fd, (void *)&a, name_of(&a, false, "open")));
	TRY(connect(fd, (void *)&a, name_of(&a, false, "closed/s")));
	TRY(bind(fd, (void *)&a, name_of(&a, false, "closed/mine")));
}

DIFF_CASE(socket_permissions_of_names)
{
	struct sockaddr_un a;
	NEED(!mkdir("closed", 0700));
	const char *names[] = { "shut", "open", "closed/s" };
	for (int k = 0; k < 3; k++) {
		int s = socket(AF_UNIX, SOCK_STREAM, 0);
		NEED(!bind(s, (void *)&a, name_of(&a, false, names[k])) && !listen(s, 5));
		NEED(!chmod(names[k], k ? 0222 : 0555));
	}
	pid_t pid = fork();
	if (!pid) {
		connect_as_nobody();
		_exit(0);
	}
	say_status("nobody", reap(pid));
}

DIFF_CASE(socket_peer_name)
{
	struct sockaddr_un a;
	char b[128] = "";
	int s = socket(AF_UNIX, SOCK_STREAM, 0), c = socket(AF_UNIX, SOCK_STREAM, 0);
	socklen_t len = name_of(&a, false, "peer");
	NEED(!bind(s, (void *)&a, len) && !listen(s, 1));
	NEED(!connect(c, (void *)&a, len));
	for (socklen_t room = 0; room < 9; room++) {
		socklen_t got = room;
		TRY(getsockopt(c, SOL_SOCKET, SO_PEERNAME, b, &got));
		say_bytes("name", b + 2, (long)got - 2);
	}
	len = 4;
	TRY(getsockopt(s, SOL_SOCKET, SO_PEERNAME, b, &len));
	/* The same abstract name, once for each type. */
	for (int kind = SOCK_STREAM; kind <= SOCK_SEQPACKET; kind++) {
		if (kind != SOCK_STREAM && kind != SOCK_DGRAM && kind != SOCK_SEQPACKET)
			continue;
		TRY(bind(socket(AF_UNIX, kind, 0), (void *)&a, name_of(&a, true, "n")));
		TRY(bind(socket(AF_UNIX, kind, 0), (void *)&a, name_of(&a, true, "n")));
	}
}

DIFF_CASE(socket_autobind_names)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX }, got;
	socklen_t len = sizeof got;
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	TRY(bind(fd, (void *)&a, 2));
	TRY(getsockname(fd, (void *)&got, &len));
	say("length %u first byte %d", (unsigned)len, got.sun_path[0]);
	TRY(bind(fd, (void *)&a, 2));
	int passing = socket(AF_UNIX, SOCK_DGRAM, 0), one = 1;
	NEED(!setsockopt(passing, SOL_SOCKET, SO_PASSCRED, &one, 4));
	TRY(connect(passing, (void *)&got, len));
	len = sizeof got;
	TRY(getsockname(passing, (void *)&got, &len));
	say("length %u", (unsigned)len);
	len = sizeof got;
	TRY(getpeername(passing, (void *)&got, &len));
	say("length %u", (unsigned)len);
	int stream = socket(AF_UNIX, SOCK_STREAM, 0);
	len = sizeof got;
	TRY(getsockname(stream, (void *)&got, &len));
	say("length %u", (unsigned)len);
	TRY(getpeername(stream, (void *)&got, &len));
	TRY(listen(stream, 1));
	pair(SOCK_STREAM);
	TRY(listen(v[0], 1));
	TRY(listen(fd, 1));
}
