/*
 * Sockets of AF_UNIX for the tests. A path that starts with '@' is an abstract name. What
 * cannot fail in a test that works fails the case.
 */
#ifndef GUEST_SOCK_H
#define GUEST_SOCK_H

#include <stdbool.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>

socklen_t sock_address(struct sockaddr_un *a, const char *path);
int sock_bind(int s, const char *path);
int sock_connect(int s, const char *path);
ssize_t sock_sendto(int s, const void *b, size_t len, int flags, const char *path);
int sock_listener(int type, const char *path, int backlog);
/* What poll says at once. */
int sock_events(int fd);
/* Options that are a number. */
int sock_option(int s, int name);
void sock_set_option(int s, int name, int v);
void sock_set_timeout(int s, int name, int ms);
void sock_nonblock(int fd);

/* ---- control messages; all without waiting ---- */

struct scm_creds {
	int pid;
	unsigned uid, gid;
};

/* What a message brought. */
struct scm_received {
	char data[64];
	ssize_t n;
	int flags, n_fds;
	int fd[300];
	bool has_creds, has_stamp;
	struct scm_creds creds;
	struct timeval stamp;
	size_t controllen;
};

#define SCM_FDS_MAX 253

/* A message with n bytes of data and a control message of any length. */
ssize_t scm_send(int s, const char *data, size_t n, int level, int type, const void *c,
		 size_t clen);
ssize_t scm_send_fds(int s, const char *data, const int *fds, int n);
/* With `room` bytes for control messages and `data` for bytes. */
struct scm_received scm_receive_into(int s, int flags, size_t room, size_t data);
struct scm_received scm_receive(int s, int flags);

#endif
