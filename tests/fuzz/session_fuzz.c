/* What the host command does with the frames of a hostile guest: no crash, no write but
 * where `--out` said, no more memory than the windows. The input is what comes through
 * the port. */
/* link: host/session_frames.c host/channel.c host/drain.c host/download.c */
/* link: host/strace/strace.c host/strace/text.c policy/names.c host/strace/known.c */
/* link: host/strace/call.c */
/* link: host/strace/args_plain.c host/strace/args_file.c host/strace/args_process.c */
/* link: host/strace/args_socket.c host/strace/args_ipc.c */
/* link: host/outfile.c host/outcome.c host/textlog.c host/tty.c host/util.c */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/session_frames.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char folder[] = "/tmp/session-fuzz-XXXXXX";
static struct mapping outs[2];
static struct options options = {
	.outs = outs,
	.out_count = 2,
	.max_output = 100000,
	.mem_bytes = MIB(128),
};
static struct plan plan = { .options = &options };

/* In place of host/say.c: the guest can make the command say much. */
void say(const char *format, ...)
{
}

static void folder_remove(void)
{
	char *command = must_format("rm -rf '%s'", folder);

	if (system(command))
		abort();
	free(command);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	if (!mkdtemp(folder))
		abort();
	for (size_t i = 0; i < ARRAY_LEN(outs); i++)
		outs[i] = (struct mapping){ "/job/a", must_format("%s/out", folder) };
	atexit(folder_remove);
	return 0;
}

static struct session *session_make(int null)
{
	struct session *s = must_alloc(sizeof(*s));

	s->plan = &plan;
	channel_init(&s->channel, -1);
	download_init(&s->download, outs, 2, options.max_output);
	for (int i = 0; i < WIRE_STREAMS; i++)
		drain_init(&s->drains[i]);
	drain_open(&s->drains[WIRE_STDOUT], WIRE_STDOUT, null);
	drain_open(&s->drains[WIRE_STDERR], WIRE_STDERR, null);
	s->strace = strace_new(null, false, 100000);
	drain_open_taker(&s->drains[WIRE_TRACE], WIRE_TRACE, null, strace_take,
			 s->strace);
	s->stdin_credit = wire_sender_init(WIRE_STDIN);
	wire_sender_spend(&s->stdin_credit, s->stdin_credit.credit / 2);
	s->stdin_open = s->uploaded = true;
	return s;
}

static void session_drop(struct session *s)
{
	download_fini(&s->download);
	for (int i = 0; i < WIRE_STREAMS; i++)
		drain_close(&s->drains[i]);
	for (int i = 0; i < WIRE_TOPICS; i++)
		textlog_fini(&s->topics[i]);
	strace_free(s->strace);
	free(s);
}

/* As channel_receive(), from memory. */
static size_t receive(struct channel *c, const uint8_t *data, size_t size)
{
	size_t room;

	memmove(c->in, c->in + c->in_start, c->in_end - c->in_start);
	c->in_end -= c->in_start;
	c->in_start = 0;
	room = sizeof(c->in) - c->in_end;
	size = MIN(size, room);
	memcpy(c->in + c->in_end, data, size);
	c->in_end += size;
	return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static int null = -1;
	struct session *s;

	if (null < 0)
		null = open("/dev/null", O_WRONLY);
	s = session_make(null);
	while (size && !s->outcome.kind) {
		size_t taken = receive(&s->channel, data, size);

		/* A frame that fills the buffer is complete: there is always room for
		 * more. */
		if (!taken)
			abort();
		data += taken;
		size -= taken;
		session_frames(s);
		session_credits(s);
		s->channel.out_start = s->channel.out_end;
	}
	free(outcome_text(&s->outcome, 1, 1));
	if (outcome_status(&s->outcome) < 0 || outcome_status(&s->outcome) > 255)
		abort();
	session_drop(s);
	return 0;
}
