/* Arguments about sockets. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "host/strace/args.h"

static void text_unix(struct text *t, const struct sockaddr_un *a, size_t size)
{
	size_t room = size - offsetof(struct sockaddr_un, sun_path), n;
	bool abstract = room && !a->sun_path[0];

	if (!room)
		return;
	n = abstract ? room - 1 : strnlen(a->sun_path, room);
	text_add(t, ", sun_path=%s", abstract ? "@" : "");
	text_quote(t, (const uint8_t *)a->sun_path + abstract, n, false);
}

static void print_sockaddr(struct call *c, uint64_t at, uint64_t size, bool late)
{
	union {
		struct sockaddr any;
		struct sockaddr_un un;
		struct sockaddr_in in;
	} a = { 0 };
	char name[INET_ADDRSTRLEN];

	if (size < sizeof(a.any.sa_family) || size > sizeof(a) ||
	    !memory_get(c, late, at, &a, size)) {
		text_pointer(c->out, at);
		return;
	}
	text_add(c->out, "{sa_family=");
	text_choice(c->out, &set_domain, a.any.sa_family);
	if (a.any.sa_family == AF_UNIX) {
		text_unix(c->out, &a.un, size);
	} else if (a.any.sa_family == AF_INET && size >= sizeof(a.in)) {
		inet_ntop(AF_INET, &a.in.sin_addr, name, sizeof(name));
		text_add(c->out, ", sin_port=htons(%u), sin_addr=inet_addr(\"%s\")",
			 ntohs(a.in.sin_port), name);
	}
	text_add(c->out, "}");
}

void arg_sockaddr(struct call *c, unsigned i, const struct names *set)
{
	print_sockaddr(c, c->enter.args[i], (uint32_t)c->enter.args[i + 1], false);
}

void arg_sockaddr_out(struct call *c, unsigned i, const struct names *set)
{
	uint32_t had, has;

	if (!c->failed && memory_before(c, c->enter.args[i + 1], &had, sizeof(had)) &&
	    memory_after(c, c->enter.args[i + 1], &has, sizeof(has)))
		print_sockaddr(c, c->enter.args[i], MIN(had, has), true);
	else
		text_pointer(c->out, c->enter.args[i]);
}

void arg_socklen(struct call *c, unsigned i, const struct names *set)
{
	uint32_t had, has;

	if (!memory_before(c, c->enter.args[i], &had, sizeof(had)) ||
	    !memory_after(c, c->enter.args[i], &has, sizeof(has)))
		text_pointer(c->out, c->enter.args[i]);
	else if (had == has)
		text_add(c->out, "[%u]", had);
	else
		text_add(c->out, "[%u => %u]", had, has);
}

void arg_socket_type(struct call *c, unsigned i, const struct names *set)
{
	uint64_t type = (uint32_t)c->enter.args[i], flags = SOCK_CLOEXEC | SOCK_NONBLOCK;

	text_choice(c->out, &set_socket_type, type & ~flags);
	if (type & flags) {
		text_add(c->out, "|");
		text_flags(c->out, &set_socket_flags, type & flags);
	}
}

void arg_socket_option(struct call *c, unsigned i, const struct names *set)
{
	if ((int)c->enter.args[i - 1] == SOL_SOCKET)
		text_choice(c->out, &set_socket_option, (uint32_t)c->enter.args[i]);
	else
		text_add(c->out, "%#x", (uint32_t)c->enter.args[i]);
}

/* ---- messages ---- */

static void print_rights(struct call *c, uint64_t at, size_t count, bool late)
{
	int fd;

	text_add(c->out, "[");
	for (size_t k = 0; k < count; k++, at += sizeof(fd)) {
		text_add(c->out, k ? ", " : "");
		if (!memory_get(c, late, at, &fd, sizeof(fd))) {
			text_add(c->out, "...");
			break;
		}
		text_add(c->out, "%d", fd);
	}
	text_add(c->out, "]");
}

static void print_control_data(struct call *c, const struct cmsghdr *h, uint64_t at,
			       bool late)
{
	size_t size = h->cmsg_len - sizeof(*h);
	struct ucred who;

	if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_RIGHTS)
		print_rights(c, at, size / sizeof(int), late);
	else if (h->cmsg_level == SOL_SOCKET && h->cmsg_type == SCM_CREDENTIALS &&
		 size == sizeof(who) && memory_get(c, late, at, &who, sizeof(who)))
		text_add(c->out, "{pid=%d, uid=%d, gid=%d}", who.pid, (int)who.uid,
			 (int)who.gid);
	else
		print_data(c, late, at, size, true);
}

static void print_control(struct call *c, const struct msghdr *m, bool late)
{
	uint64_t at = (uint64_t)m->msg_control, left = m->msg_controllen;
	const char *between = "";
	struct cmsghdr h;

	text_add(c->out, ", msg_control=");
	if (left < sizeof(h) || !memory_get(c, late, at, &h, sizeof(h))) {
		text_pointer(c->out, at);
		return;
	}
	text_add(c->out, "[");
	while (left >= sizeof(h) && memory_get(c, late, at, &h, sizeof(h))) {
		if (h.cmsg_len < sizeof(h) || h.cmsg_len > left)
			break;
		text_add(c->out, "%s{cmsg_len=%zu, cmsg_level=", between, h.cmsg_len);
		text_choice(c->out, &set_socket_level, (uint32_t)h.cmsg_level);
		text_add(c->out, ", cmsg_type=");
		if (h.cmsg_level == SOL_SOCKET)
			text_choice(c->out, &set_control, (uint32_t)h.cmsg_type);
		else
			text_add(c->out, "%#x", (unsigned)h.cmsg_type);
		text_add(c->out, ", cmsg_data=");
		print_control_data(c, &h, at + sizeof(h), late);
		text_add(c->out, "}");
		between = ", ";
		if (left - h.cmsg_len < sizeof(long))
			break;
		left -= ALIGN_UP(h.cmsg_len, sizeof(long));
		at += ALIGN_UP(h.cmsg_len, sizeof(long));
	}
	text_add(c->out, "]");
}

/* `had`: the room for a name that there was, which a sender gives the size of. */
static void print_message(struct call *c, const struct msghdr *m, uint32_t had, bool late)
{
	text_add(c->out, "{msg_name=");
	print_sockaddr(c, (uint64_t)m->msg_name, MIN(had, m->msg_namelen), late);
	text_add(c->out, ", msg_namelen=");
	if (had != m->msg_namelen)
		text_add(c->out, "%u => ", had);
	text_add(c->out, "%u, msg_iov=", m->msg_namelen);
	print_iovecs(c, (uint64_t)m->msg_iov, m->msg_iovlen, late);
	text_add(c->out, ", msg_iovlen=%zu", m->msg_iovlen);
	if (m->msg_controllen)
		print_control(c, m, late);
	text_add(c->out, ", msg_controllen=%zu, msg_flags=", m->msg_controllen);
	text_flags(c->out, &set_msg, (uint32_t)m->msg_flags);
	text_add(c->out, "}");
}

void arg_message(struct call *c, unsigned i, const struct names *set)
{
	struct msghdr m;

	if (struct_in(c, i, &m, sizeof(m)))
		print_message(c, &m, m.msg_namelen, false);
}

void arg_message_out(struct call *c, unsigned i, const struct names *set)
{
	struct msghdr before, after;

	if (!memory_before(c, c->enter.args[i], &before, sizeof(before)))
		text_pointer(c->out, c->enter.args[i]);
	else if (c->failed)
		text_add(c->out, "{msg_namelen=%u}", before.msg_namelen);
	else if (struct_out(c, i, &after, sizeof(after)))
		print_message(c, &after, before.msg_namelen, true);
}
