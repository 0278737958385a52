/* Filters of seccomp(2) for tests, from instructions or for one system call. */
#ifndef GUEST_FILTER_H
#define GUEST_FILTER_H

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define WORD(member) ((uint32_t)offsetof(struct seccomp_data, member))
#define RET(k) BPF_STMT(BPF_RET | BPF_K, (k))
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(member))
#define IF_EQ(k, then, otherwise)                                                        \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (k), then, otherwise)
#define ALLOW RET(SECCOMP_RET_ALLOW)

/* As seccomp(2) returns: -1 with errno. */
static inline int filter_install(uint32_t flags, const struct sock_filter *f, size_t n)
{
	struct sock_fprog p = { (unsigned short)n, (struct sock_filter *)f };

	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &p);
}

#define FILTER(flags, ...)                                                               \
	filter_install(flags, (const struct sock_filter[]){ __VA_ARGS__ },               \
		       sizeof((const struct sock_filter[]){ __VA_ARGS__ }) /             \
			       sizeof(struct sock_filter))

/* Calls of that number get `action`, all others are allowed. */
static inline int filter_call(uint32_t flags, long nr, uint32_t action)
{
	return FILTER(flags, LOAD(nr), IF_EQ((uint32_t)nr, 0, 1), RET(action), ALLOW);
}

static inline void no_new_privs(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* A field of /proc/<who>/status as a number; -1: there is none. */
static inline long status_field(const char *who, const char *name)
{
	char path[64], text[8192];
	size_t got = 0, len = strlen(name);

	strcpy(path, "/proc/");
	strcat(path, who);
	strcat(path, "/status");
	FILE *f = fopen(path, "r");
	if (!f)
		return -1;
	got = fread(text, 1, sizeof text - 1, f);
	fclose(f);
	text[got] = 0;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, name, len) && line[len] == ':')
			return strtol(line + len + 1, NULL, 10);
		if (!*line)
			break;
	}
	return -1;
}

#endif
