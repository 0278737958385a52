/* Where the time went: every mark is a row, its bar reaching to the next mark. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/timeline.h"

/* A hostile kernel log could name any number of marks. */
#define MARKS_MAX 200

struct marks {
	struct mark *at;
	size_t count;
};

static void mark_add(struct marks *marks, const char *name, size_t size, uint64_t ns,
		     bool guest)
{
	struct mark *mark = &marks->at[marks->count];

	if (marks->count == MARKS_MAX)
		return;
	*mark = (struct mark){ .ns = ns, .guest = guest };
	snprintf(mark->name, sizeof(mark->name), "%.*s", (int)size, name);
	marks->count++;
}

/*
 * The guest's clock against ours: each of its messages arrived a little after it was
 * written, so the smallest difference is the nearest to the truth.
 */
static bool guest_offset(const struct session_times *t, int64_t *ret_offset)
{
	const uint64_t pairs[][2] = { { t->ready, t->guest_ready },
				      { t->started, t->guest_started },
				      { t->exited, t->guest_exited } };
	bool known = false;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		int64_t offset = (int64_t)(pairs[i][0] - pairs[i][1]);

		if (!pairs[i][0] || (known && offset >= *ret_offset))
			continue;
		*ret_offset = offset;
		known = true;
	}
	return known;
}

struct session_times timeline_times(const struct session_times *t)
{
	struct session_times times = *t;
	int64_t offset;

	if (!guest_offset(t, &offset))
		return times;
	times.ready = t->ready ? t->guest_ready + offset : 0;
	times.started = t->started ? t->guest_started + offset : 0;
	times.exited = t->exited ? t->guest_exited + offset : 0;
	return times;
}

/* The kernel's lines "name ns". Marks from before QEMU's start or after its end are
 * lies. */
static void marks_of_guest(struct marks *marks, const struct session *s, int64_t offset)
{
	const char *at = s->topics[WIRE_TOPIC_TIMELINE].text;

	while (at && *at) {
		const char *end = strchrnul(at, '\n'), *space = memchr(at, ' ', end - at);
		char *number_end;
		int64_t ns;

		if (space && space > at) {
			ns = (int64_t)(strtoull(space + 1, &number_end, 10) + offset -
				       s->times.spawn);
			if (number_end == end && ns >= 0 &&
			    ns <= (int64_t)(s->times.end - s->times.spawn))
				mark_add(marks, at, space - at, ns, true);
		}
		at = *end ? end + 1 : end;
	}
}

static int mark_order(const void *a, const void *b)
{
	const struct mark *x = a, *y = b;

	return (x->ns > y->ns) - (x->ns < y->ns);
}

struct mark *timeline_marks(const struct session *s, size_t *ret_count)
{
	const struct session_times t = timeline_times(&s->times);
	const struct {
		const char *name;
		uint64_t at;
		bool guest; /* by its clock */
	} own[] = {
		{ "qemu start", t.spawn, false },   { "agent ready", t.ready, true },
		{ "job started", t.started, true }, { "job exited", t.exited, true },
		{ "all received", t.done, false },  { "qemu gone", t.end, false },
	};
	struct marks marks = { must_alloc(MARKS_MAX * sizeof(struct mark)), 0 };
	int64_t offset = 0;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (own[i].at && own[i].at >= t.spawn)
			mark_add(&marks, own[i].name, strlen(own[i].name),
				 own[i].at - t.spawn, own[i].guest);
	if (guest_offset(&s->times, &offset))
		marks_of_guest(&marks, s, offset);
	qsort(marks.at, marks.count, sizeof(*marks.at), mark_order);
	*ret_count = marks.count;
	return marks.at;
}

/* -- drawing -- */

enum { ROW = 18, LEFT = 190, WIDTH = 640, RIGHT = 150, TOP = 50 };

/* Text from elsewhere, safe inside XML. */
static void text_print(FILE *out, const char *text)
{
	for (; *text; text++) {
		unsigned char c = *text;

		if (c < ' ' || c > '~' || strchr("<>&\"'", c))
			fprintf(out, "&#%d;", c < ' ' ? '?' : c);
		else
			fputc(c, out);
	}
}

/* Light lines at round times: about ten of them. */
static void grid_print(FILE *out, double total_ms, size_t rows)
{
	static const double steps[] = { 0.1, 0.2, 0.5, 1,   2,	  5,	10,   20,
					50,  100, 200, 500, 1000, 2000, 5000, 10000 };
	double step = total_ms / 10;

	for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
		if (steps[i] * 10 >= total_ms) {
			step = steps[i];
			break;
		}
	}
	for (int i = 0; i * step <= total_ms && i < 100; i++) {
		double x = LEFT + i * step / total_ms * WIDTH;

		fprintf(out,
			"<path d='M%.1f %d V%zu' stroke='#ddd'/><text x='%.1f' y='%d' "
			"text-anchor='middle' fill='#777'>%g</text>\n",
			x, TOP - 4, TOP + rows * ROW, x, TOP - 8, i * step);
	}
}

static void mark_print(FILE *out, const struct mark *mark, uint64_t until,
		       double total_ms, size_t row)
{
	double from_ms = (double)mark->ns / NSEC_PER_MSEC;
	double span_ms = (double)(until - mark->ns) / NSEC_PER_MSEC;
	double x = LEFT + from_ms / total_ms * WIDTH, width = span_ms / total_ms * WIDTH;
	size_t y = TOP + row * ROW;

	fprintf(out, "<text x='%d' y='%zu' text-anchor='end'>", LEFT - 8, y + 13);
	text_print(out, mark->name);
	fprintf(out, "</text><rect x='%.1f' y='%zu' width='%.1f' height='%d' fill='%s'/>",
		x, y + 3, MAX(width, 1), ROW - 6, mark->guest ? "#2a7ab8" : "#b8862a");
	fprintf(out, "<text x='%.1f' y='%zu' fill='#555'>%.2f ms at %.2f</text>\n",
		x + MAX(width, 1) + 5, y + 13, span_ms, from_ms);
}

char *timeline_svg(const struct mark *marks, size_t count, const char *title)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	uint64_t total = count ? MAX(marks[count - 1].ns, 1u) : 1;
	double total_ms = (double)total / NSEC_PER_MSEC;

	if (!out)
		return must_format("%s", "");
	fprintf(out,
		"<svg xmlns='http://www.w3.org/2000/svg' width='%d' height='%zu' "
		"font-family='sans-serif' font-size='11'>\n"
		"<rect width='100%%' height='100%%' fill='white'/>\n"
		"<text x='8' y='18' font-size='13'>",
		LEFT + WIDTH + RIGHT, TOP + count * ROW + 12);
	text_print(out, title);
	fprintf(out,
		"</text><text x='%d' y='18' text-anchor='end' fill='#777'>ms since "
		"QEMU's start; "
		"brown: the host's clock, blue: the guest's</text>\n",
		LEFT + WIDTH + RIGHT - 8);
	grid_print(out, total_ms, count);
	for (size_t i = 0; i < count; i++)
		mark_print(out, &marks[i], i + 1 < count ? marks[i + 1].ns : marks[i].ns,
			   total_ms, i);
	fprintf(out, "</svg>\n");
	fclose(out);
	return text;
}
