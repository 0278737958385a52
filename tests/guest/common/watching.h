/* What the tests of inotify share: one instance, and its events as text. */
#ifndef GUEST_WATCHING_H
#define GUEST_WATCHING_H

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "common/tap.h"

static int fd; /* the instance */

static inline int begin(void)
{
	tap_tmpdir();
	fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	CHECK(fd >= 0);
	return inotify_add_watch(fd, ".", IN_ALL_EVENTS);
}

static inline const char *name_of(uint32_t bit)
{
	static const char *const names[] = {
		"ACCESS",      "MODIFY",     "ATTRIB",	 "CLOSE_WRITE", "CLOSE_NOWRITE",
		"OPEN",	       "MOVED_FROM", "MOVED_TO", "CREATE",	"DELETE",
		"DELETE_SELF", "MOVE_SELF",  "?",	 "UNMOUNT",	"Q_OVERFLOW",
		"IGNORED",
	};

	return bit == 30 ? "DIR" : bit < 16 ? names[bit] : "?";
}

/* All events there are, as "wd:MASK+MASK:name wd:…"; cookies must go in pairs. */
static inline const char *events(void)
{
	static char text[8192];
	char buf[8192] __attribute__((aligned(8)));
	size_t at = 0;
	uint32_t cookie = 0;
	ssize_t n;

	text[0] = 0;
	while ((n = read(fd, buf, sizeof buf)) > 0) {
		for (char *p = buf; p < buf + n;) {
			struct inotify_event *e = (struct inotify_event *)p;
			at += (size_t)sprintf(text + at, "%s%d:", at ? " " : "", e->wd);
			for (uint32_t i = 0, k = 0; i < 32; i++)
				if (e->mask & (1u << i))
					at += (size_t)sprintf(text + at, "%s%s",
							      k++ ? "+" : "", name_of(i));
			if (e->len)
				at += (size_t)sprintf(text + at, ":%s", e->name);
			CHECK_EQ(e->len % sizeof *e, 0);
			CHECK_EQ(!e->cookie, !(e->mask & (IN_MOVED_FROM | IN_MOVED_TO)));
			if (e->mask & IN_MOVED_TO && cookie)
				CHECK_EQ(e->cookie, cookie);
			cookie = e->mask & IN_MOVED_FROM ? e->cookie : 0;
			p += sizeof *e + e->len;
		}
	}
	CHECK(n < 0 && errno == EAGAIN);
	return text;
}

#define EXPECT(want)                                                                     \
	do {                                                                             \
		const char *got_ = events();                                             \
		tap_checked();                                                           \
		if (strcmp(got_, (want)))                                                \
			tap_fail(__FILE__, __LINE__, "got \"%s\"", got_);                \
	} while (0)

static inline void make(const char *name)
{
	int f = open(name, O_CREAT | O_WRONLY, 0644);

	CHECK(f >= 0);
	CHECK_EQ(write(f, "content", 7), 7);
	close(f);
	events();
}

#endif
