/* What the user is told. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "host/outfile.h"
#include "host/tell.h"

#define LINE_MAX 400 /* of a log that a hostile guest may have written */
#define PANIC_LINES 40
#define PANIC_START "mayfly: kernel panic: "
#define PANIC_END "mayfly: end of panic"

/* Keeps the kernel's text for whoever looks into it. The path, or NULL; heap. */
static char *kernel_log_keep(const struct session *s)
{
	const char *folder = cache_folder();
	struct outfile file;
	char *path;

	if (!folder || !s->kernel_log.text)
		return NULL;
	path = must_format("%s/last-failure.log", folder);
	if (outfile_open(AT_FDCWD, path, 0600, &file) == 0) {
		if (write_all(file.fd, s->kernel_log.text, s->kernel_log.size) == 0 &&
		    outfile_commit(&file) == 0)
			return path;
		outfile_drop(&file);
	}
	free(path);
	return NULL;
}

/* The next line of a text, without its end and, if it has one, its time; heap. NULL at
 * the end. */
static char *line_next(const char **at)
{
	const char *line = *at;
	size_t size;

	if (!line)
		return NULL;
	line += strspn(line, "\r\n");
	size = strcspn(line, "\r\n");
	*at = line + size;
	if (!size)
		return NULL;
	if (*line == '[' && memchr(line, ']', size)) {
		const char *after = strchr(line, ']') + 1;

		after += strspn(after, " ");
		if (after < line + size) {
			size -= after - line;
			line = after;
		}
	}
	return must_format("%.*s", (int)MIN(size, (size_t)LINE_MAX), line);
}

/* The last line that holds `word`, or of all if that is NULL; heap. NULL without one. */
static char *line_find(const struct textlog *log, const char *word)
{
	const char *at = log->text;
	char *line, *best = NULL;

	while ((line = line_next(&at))) {
		if (word && !strstr(line, word)) {
			free(line);
			continue;
		}
		free(best);
		best = line;
	}
	return best;
}

/* The kernel says "error 117" where a user wants words; "" if it did not. */
static const char *error_words(const char *line)
{
	const char *at = line ? strstr(line, "error ") : NULL;
	char *end;
	long number = at ? strtol(at + strlen("error "), &end, 10) : 0;

	return number > 0 && !*end ? strerror((int)number) : "";
}

/* What happened, and the last thing that kernel or loader said. */
static void machine_tell(const struct session *s, const char *text)
{
	char *line = line_find(&s->kernel_log, NULL);
	const char *words = error_words(line);

	say("%s%s%s%s%s%s", text, line ? ": " : "", line ? line : "", *words ? " (" : "",
	    words, *words ? ")" : "");
	free(line);
}

/* The reason in the first line; the registers and the backtrace below it. */
static void panic_tell(const struct session *s, const char *text)
{
	const char *at =
		s->kernel_log.text ? strstr(s->kernel_log.text, PANIC_START) : NULL;
	char *line = line_next(&at);

	say("%s%s%s", text, line ? ": " : "", line ? line + strlen(PANIC_START) : "");
	for (int i = 0; line && i < PANIC_LINES; i++) {
		free(line);
		line = line_next(&at);
		if (!line || !strcmp(line, PANIC_END))
			break;
		say_more("%s", line);
	}
	free(line);
}

/* Where the whole of the kernel's log is. */
static void log_tell(const struct session *s)
{
	char *path = kernel_log_keep(s);

	if (path)
		say_more("the kernel's whole log is in '%s'", path);
	free(path);
}

/* QEMU's first words name the trouble; the rest is often advice for others. */
static void qemu_tell(const struct session *s, const char *text)
{
	char *line = line_find(&s->qemu_log, "qemu");

	if (!line)
		line = line_find(&s->qemu_log, NULL);
	say("%s%s%s", text, line ? ": " : "", line ? line : "");
	free(line);
}

static void not_started_tell(const struct session *s, const char *text)
{
	const char *here = s->plan->program_here;
	bool exec = s->outcome.stage == WIRE_STAGE_EXEC &&
		    (s->outcome.error == ENOENT || s->outcome.error == ENOEXEC);
	char *why = exec && here ? program_explain(here) : NULL;

	if (why)
		say("cannot execute '%s': %s", here, why);
	else
		say("%s", text);
	free(why);
}

void outcome_tell(const struct session *s)
{
	const struct options *options = s->plan->options;
	char *text = outcome_text(&s->outcome, options->timeout_ns, options->max_output);

	if (!text)
		return;
	switch (s->outcome.kind) {
	case OUTCOME_QEMU:
		qemu_tell(s, text);
		break;
	case OUTCOME_NOT_STARTED:
		not_started_tell(s, text);
		break;
	case OUTCOME_ROOT:
		free(text);
		text = must_format("--root '%s' is unusable", options->root);
		machine_tell(s, text);
		break;
	case OUTCOME_REFUSED:
	case OUTCOME_NOMEM:
		machine_tell(s, text);
		break;
	case OUTCOME_PANIC:
		panic_tell(s, text);
		log_tell(s);
		break;
	case OUTCOME_TRIPLE_FAULT:
	case OUTCOME_AGENT:
	case OUTCOME_NO_BOOT:
		machine_tell(s, text);
		log_tell(s);
		break;
	default:
		say("%s", text);
	}
	free(text);
}
