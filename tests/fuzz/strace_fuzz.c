/* host/strace on records of a hostile guest: no crash, only printable text, no more of it
 * than asked for. The first byte cuts the input into pieces. */
/* link: host/strace/strace.c host/strace/text.c policy/names.c host/strace/known.c */
/* link: host/strace/call.c */
/* link: host/strace/args_plain.c host/strace/args_file.c host/strace/args_process.c */
/* link: host/strace/args_socket.c host/strace/args_ipc.c */
/* link: host/util.c */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "host/strace/strace.h"
#include "lib/calltrace.h"

#define TEXT_MAX 1000000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* In place of host/say.c. */
void say(const char *format, ...)
{
}

static void must(bool holds)
{
	if (!holds)
		abort();
}

/* What the file holds is text. */
static void text_check(int fd)
{
	static uint8_t text[TEXT_MAX + 1];
	ssize_t n = pread(fd, text, sizeof(text), 0);

	must(n >= 0 && n <= (ssize_t)TEXT_MAX);
	for (ssize_t i = 0; i < n; i++)
		must(text[i] == '\n' || (text[i] >= ' ' && text[i] <= '~'));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t piece = size ? data[0] + 1u : 1;
	struct strace *s;
	int fd, error = 0;

	fd = memfd_create("trace", 0);
	s = strace_new(fd, size && (data[0] & 1), TEXT_MAX);
	for (size_t at = 1; at < size && !error; at += piece)
		error = strace_take(s, data + at, MIN(piece, size - at));
	error = strace_end(s);
	must(error == 0 || error == -EOVERFLOW);
	text_check(fd);
	strace_free(s);
	close(fd);
	return 0;
}
