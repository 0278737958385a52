/*
 * Numbers and structs of socket(2), send(2), recv(2) and shutdown(2) that Linux's UAPI
 * headers leave to the C library.
 */
#ifndef NET_ABI_H
#define NET_ABI_H

#include <asm/socket.h>
#include <linux/fcntl.h>

#include "lib/base.h"

#define AF_UNSPEC 0
#define AF_UNIX 1
#define AF_LIMIT 46 /* families that Linux knows of */

#define SOCK_STREAM 1
#define SOCK_DGRAM 2
#define SOCK_RAW 3
#define SOCK_SEQPACKET 5
#define SOCK_TYPE_LIMIT 11
#define SOCK_TYPE_MASK 0xfu
#define SOCK_CLOEXEC ((uint32_t)O_CLOEXEC)
#define SOCK_NONBLOCK ((uint32_t)O_NONBLOCK)

#define MSG_OOB 0x1u
#define MSG_PEEK 0x2u
#define MSG_CTRUNC 0x8u
#define MSG_TRUNC 0x20u
#define MSG_DONTWAIT 0x40u
#define MSG_EOR 0x80u
#define MSG_WAITALL 0x100u
#define MSG_ERRQUEUE 0x2000u
#define MSG_NOSIGNAL 0x4000u
#define MSG_WAITFORONE 0x10000u
#define MSG_CMSG_CLOEXEC 0x40000000u
#define MSG_CMSG_COMPAT 0x80000000u

#define SCM_RIGHTS 1
#define SCM_CREDENTIALS 2
#define SCM_MAX_FD 253u /* descriptors in one message */

#define SHUT_RD 0
#define SHUT_WR 1
#define SHUT_RDWR 2

#define SOMAXCONN 4096

struct msghdr {
	uint64_t name;
	uint32_t namelen, pad0;
	uint64_t iov, iovlen;
	uint64_t control, controllen;
	uint32_t flags, pad1;
};
_Static_assert(sizeof(struct msghdr) == 56, "recvmsg(2) on x86-64");

struct mmsghdr {
	struct msghdr hdr;
	uint32_t len, pad;
};

/* The payload of SCM_CREDENTIALS and of SO_PEERCRED. */
struct ucred {
	int32_t pid;
	uint32_t uid, gid;
};

#endif
