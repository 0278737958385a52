/* What tests of the policy `places` share: a tree of what it allows and what not. */
#ifndef GUEST_PLACES_H
#define GUEST_PLACES_H

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy.h"
#include "tap.h"

POLICY_FORM(places)

/* Refused by a policy, and by nothing else that may be wrong with the call. */
#define CHECK_REFUSED(call)                                                              \
	do {                                                                             \
		errno = 0;                                                               \
		long long refused_ = (long long)(call);                                  \
		tap_checked();                                                           \
		if (refused_ != -1 ||                                                    \
		    (errno != EACCES && errno != EPERM && errno != EXDEV))               \
			tap_fail(__FILE__, __LINE__, "%s gave %lld, errno %d", #call,    \
				 refused_, errno);                                       \
	} while (0)

static inline void make_file(const char *name, const char *text)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	CHECK(fd >= 0);
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* A tree of what is allowed and what is not; nothing is in force yet. */
static inline const char *make_places(void)
{
	tap_needs_mayfly();
	tap_needs_root();
	const char *dir = tap_tmpdir();
	CHECK_EQ(mkdir("allowed", 0755), 0);
	CHECK_EQ(mkdir("programs", 0755), 0);
	CHECK_EQ(mkdir("out", 0755), 0);
	CHECK_EQ(mkdir("out/tree", 0755), 0);
	CHECK_EQ(mkdir("out/denied", 0755), 0);
	CHECK_EQ(mkdir("secret", 0755), 0);
	make_file("allowed/file", "allowed");
	make_file("programs/file", "program");
	make_file("out/file", "out");
	make_file("out/denied/file", "secret");
	make_file("secret/file", "secret");
	return dir;
}

static inline int opens(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd < 0 ? -1 : 0;
}

#endif
