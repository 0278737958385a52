/* What `mayfly audit` prints. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/audit/audit.h"

#define WRITE_AT KIB(64)

void output_begin(struct output *o)
{
	const char *no_color = getenv("NO_COLOR");

	signal(SIGPIPE, SIG_DFL);
	setlocale(LC_CTYPE, "");
	*o = (struct output){
		.utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8"),
		.color = isatty(STDOUT_FILENO) && (!no_color || !*no_color),
	};
}

static int output_write(struct output *o)
{
	int error = write_all(STDOUT_FILENO, o->text.at, o->text.size);

	o->text.size = 0;
	if (error < 0)
		say("cannot write: %s", strerror(-error));
	return error < 0 ? MAYFLY_FAILED : 0;
}

int output_some(struct output *o)
{
	return o->text.size < WRITE_AT ? 0 : output_write(o);
}

int output_end(struct output *o)
{
	int status = output_write(o);

	free(o->text.at);
	o->text = (struct text){ 0 };
	return status;
}
