/* The texts of a policy. */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/profiles.h"
#include "policy/sources.h"

#define READ_AT_ONCE KIB(64)

void sources_free(struct sources *s)
{
	arena_free(&s->arena);
	*s = (struct sources){ 0 };
}

uint32_t source_text(struct sources *s, const char *name, const char *text, size_t size)
{
	struct source *source = vec_push(&s->arena, &s->files);

	*source = (struct source){ .name = name, .text = text, .size = size };
	return s->files.n - 1;
}

/* ---- files ---- */

/* Heap; NULL: -errno in *ret_size. */
static char *fd_read(int fd, ssize_t *ret_size)
{
	size_t size = 0, room = 0;
	char *text = NULL, *more;
	ssize_t n = 0;

	do {
		size += (size_t)n;
		if (size + READ_AT_ONCE > room) {
			room = room ? room * 2 : 2 * READ_AT_ONCE;
			more = realloc(text, room);
			if (!more) {
				free(text);
				*ret_size = -ENOMEM;
				return NULL;
			}
			text = more;
		}
		n = read(fd, text + size, READ_AT_ONCE);
	} while ((n > 0 && size <= SOURCE_SIZE_MAX) ||
		 (n < 0 && errno == EINTR && !(n = 0)));
	if (n < 0 || size > SOURCE_SIZE_MAX) {
		*ret_size = n < 0 ? -errno : -EFBIG;
		free(text);
		return NULL;
	}
	*ret_size = (ssize_t)size;
	return text;
}

static int known_find(const struct sources *s, const struct stat *st)
{
	for (uint32_t i = 0; S_ISREG(st->st_mode) && i < s->files.n; i++)
		if (s->files.at[i].device == st->st_dev &&
		    s->files.at[i].inode == st->st_ino)
			return (int)i;
	return -1;
}

static int fd_take(struct sources *s, int fd, const char *path)
{
	struct stat st;
	ssize_t size;
	char *text;
	int known;

	if (fstat(fd, &st) < 0)
		return -errno;
	known = known_find(s, &st);
	if (known >= 0)
		return known;
	text = fd_read(fd, &size);
	if (!text)
		return (int)size;
	known = (int)source_text(s, arena_copy(&s->arena, path, strlen(path)),
				 arena_copy(&s->arena, text, (size_t)size), (size_t)size);
	free(text);
	if (S_ISREG(st.st_mode)) {
		s->files.at[known].device = st.st_dev;
		s->files.at[known].inode = st.st_ino;
	}
	return known;
}

int source_file(struct sources *s, const char *path)
{
	bool is_stdin = !strcmp(path, "-");
	int fd, result;

	if (s->no_files)
		return -EACCES;
	fd = is_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0)
		return -errno;
	result = fd_take(s, fd, path);
	if (!is_stdin)
		close(fd);
	return result;
}

int source_profile(struct sources *s, const char *name)
{
	const struct profile *profile = profile_find(name, strlen(name));
	uint32_t at;

	if (!profile)
		return -ENOENT;
	for (at = 0; at < s->files.n; at++)
		if (s->files.at[at].text == profile->text)
			return (int)at;
	at = source_text(s, arena_format(&s->arena, "%s.policy", profile->name),
			 profile->text, profile_size(profile));
	s->files.at[at].is_profile = true;
	return (int)at;
}

/* ---- what is wrong ---- */

void source_fault(struct sources *s, struct spot at, const char *hint, const char *format,
		  ...)
{
	struct message *message;
	va_list list;
	char *text;

	if (s->message_count++ >= SOURCE_MESSAGES_MAX)
		return;
	va_start(list, format);
	if (vasprintf(&text, format, list) < 0)
		text = NULL;
	va_end(list);
	message = vec_push(&s->arena, &s->messages);
	message->at = at;
	message->text = arena_copy(&s->arena, text ? text : "", text ? strlen(text) : 0);
	message->hint = hint ? arena_copy(&s->arena, hint, strlen(hint)) : NULL;
	free(text);
}

static void lines_find(struct sources *s, struct source *source)
{
	const char *at = source->text, *end = at + source->size;

	while (at) {
		*vec_push(&s->arena, &source->lines) = (uint32_t)(at - source->text);
		at = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
		at = at ? at + 1 : NULL;
	}
}

const char *source_line(struct sources *s, struct spot at, size_t *ret_size)
{
	struct source *source = &s->files.at[at.file];
	const char *line, *end;
	size_t left;

	if (!source->lines.n)
		lines_find(s, source);
	line = source->text + source->lines.at[MIN(at.line, source->lines.n) - 1];
	left = source->size - (size_t)(line - source->text);
	end = left ? memchr(line, '\n', left) : NULL;
	*ret_size = end ? (size_t)(end - line) : left;
	return line;
}

static bool is_shown(unsigned char c)
{
	return c >= ' ' && c != 0x7f;
}

void print_masked(FILE *out, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];

		putc(c == '\t' ? ' ' : is_shown(c) ? c : '?', out);
	}
}

#define WINDOW 100 /* bytes of a line that are shown */

/* A byte that begins a character takes a column. */
static unsigned columns(const char *bytes, size_t size)
{
	unsigned n = 0;

	for (size_t i = 0; i < size; i++)
		n += ((unsigned char)bytes[i] & 0xc0) != 0x80;
	return n;
}

static void excerpt_print(struct sources *s, struct spot at, FILE *out)
{
	size_t size, from = 0, column, marked;
	const char *line = source_line(s, at, &size);

	column = MIN(at.column - 1, size);
	if (column > WINDOW * 3 / 4)
		from = column - WINDOW / 2;
	marked = MIN(MAX(at.length, 1u), MAX(size - column, 1u));
	marked = MIN(marked, from + WINDOW - column);
	fprintf(out, "  | %s", from ? "..." : "");
	print_masked(out, line + from, MIN(size - from, WINDOW));
	fprintf(out, "%s\n  | %s%*s^", size - from > WINDOW ? "..." : "",
		from ? "   " : "", (int)columns(line + from, column - from), "");
	for (size_t i = 1; i < columns(line + column, MIN(marked, size - column)); i++)
		putc('~', out);
	putc('\n', out);
}

static void message_print(struct sources *s, const struct message *m, FILE *out)
{
	if (m->at.line)
		fprintf(out, "%s:%u:%u: ", s->files.at[m->at.file].name, m->at.line,
			m->at.column);
	print_masked(out, m->text, strlen(m->text));
	if (m->hint) {
		fputs("; ", out);
		print_masked(out, m->hint, strlen(m->hint));
	}
	putc('\n', out);
	if (m->at.line)
		excerpt_print(s, m->at, out);
}

/* Those in no text first. */
static int message_compare(const void *a, const void *b)
{
	const struct spot *x = &((const struct message *)a)->at;
	const struct spot *y = &((const struct message *)b)->at;
	bool placed = x->line && y->line;

	if (!x->line != !y->line)
		return !x->line ? -1 : 1;
	if (placed && x->file != y->file)
		return x->file < y->file ? -1 : 1;
	if (x->line != y->line)
		return x->line < y->line ? -1 : 1;
	return (x->column > y->column) - (x->column < y->column);
}

void sources_print(struct sources *s, FILE *out)
{
	if (s->messages.n)
		qsort(s->messages.at, s->messages.n, sizeof(*s->messages.at),
		      message_compare);
	for (uint32_t i = 0; i < s->messages.n; i++)
		message_print(s, &s->messages.at[i], out);
	if (s->message_count > s->messages.n)
		fprintf(out, "and %u more\n", s->message_count - s->messages.n);
}
