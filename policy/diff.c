/* What a policy allows that another does not. */
#include <stdlib.h>
#include <string.h>

#include "policy/ask.h"
#include "policy/describe.h"
#include "policy/diff.h"
#include "policy/words.h"

void diff_add(struct two *t, enum diff_kind kind, const char *what)
{
	*vec_push(&t->diff->arena, &t->diff->found) = (struct difference){
		.kind = kind,
		.program = t->a ? t->before->text + t->before->programs[t->a].name : "",
		.what = what,
	};
	t->diff->count[kind]++;
}

static void add(struct two *t, bool widened, const char *what)
{
	diff_add(t, widened ? DIFF_WIDENED : DIFF_NARROWED, what);
}

static const struct policy_program *before(const struct two *t)
{
	return &t->before->programs[t->a];
}

static const struct policy_program *after(const struct two *t)
{
	return &t->after->programs[t->b];
}

static void diff_defaults(struct two *t)
{
	char was[48], is[48];

	if (before(t)->default_action == after(t)->default_action)
		return;
	diff_add(t, DIFF_CHANGED,
		 arena_format(&t->diff->arena, "what is not named: %s, now %s",
			      action_text(before(t)->default_action, was),
			      action_text(after(t)->default_action, is)));
}

static void diff_flags(struct two *t)
{
	static const struct {
		uint32_t flag;
		const char *was, *is;
	} flags[] = {
		{ POLICY_FLAG_EXEC_WRITE,
		  "memory may no longer be writable and executable",
		  "memory may be writable and executable" },
		{ POLICY_FLAG_GAIN_KILL,
		  "programs that would gain privilege are now refused",
		  "programs that would gain privilege are run, and errors become kills" },
		{ POLICY_FLAG_LEARN, "what is not allowed is no longer carried out",
		  "what is not allowed is carried out, and noted" },
	};

	for (size_t i = 0; i < ARRAY_LEN(flags); i++) {
		bool is = after(t)->flags & flags[i].flag;

		if (is != !!(before(t)->flags & flags[i].flag))
			add(t, is, is ? flags[i].is : flags[i].was);
	}
}

static void diff_limits(struct two *t)
{
	for (int kind = 0; kind < POLICY_LIMITS; kind++) {
		uint64_t was = policy_limit_of(t->before, t->a, kind);
		uint64_t is = policy_limit_of(t->after, t->b, kind);
		char amounts[2][32];

		if (was == is)
			continue;
		amount_text(kind, was, amounts[0]);
		amount_text(kind, is, amounts[1]);
		add(t, is > was,
		    arena_format(&t->diff->arena, "limit %s: %s, now %s",
				 limit_name(kind),
				 was == UINT64_MAX ? "none" : amounts[0],
				 is == UINT64_MAX ? "none" : amounts[1]));
	}
}

/* ---- paths ---- */

/* A place that the pattern fits. */
static const char *sample(struct arena *a, const char *text)
{
	char *to = arena_new(a, strlen(text) + 1), *at = to;

	for (; *text; text++) {
		if (!strncmp(text, "$self", 5)) {
			*at++ = '1';
			text += 4;
		} else {
			*at++ = *text == '*' ? '0' : *text;
		}
	}
	return to;
}

struct change {
	uint32_t gained, lost;
};

static struct change change_at(struct two *t, const char *path)
{
	uint32_t was = ask_rights(t->before, t->a, path);
	uint32_t is = ask_rights(t->after, t->b, path);

	return (struct change){ is & ~was, was & ~is };
}

/* What is the same beside it is told of the folder. */
static bool is_of_folder(struct two *t, const char *path, struct change change)
{
	const char *slash = strrchr(path, '/');
	const char *beside =
		arena_format(&t->diff->arena, "%.*s/ ", (int)(slash - path), path);
	struct change other = change_at(t, beside);

	return path[1] && other.gained == change.gained && other.lost == change.lost;
}

static void change_add(struct two *t, const char *text, const char *tail, uint32_t access,
		       bool widened)
{
	char words[48];

	/* To look is part of all the others. */
	if (access & ~POLICY_LOOK)
		access &= ~POLICY_LOOK;
	if (access)
		add(t, widened,
		    arena_format(&t->diff->arena, "%s%s: %s %s", text, tail,
				 widened ? "may now" : "may no longer",
				 access_text(access, words)));
}

static void diff_place(struct two *t, const char *text)
{
	const char *path = sample(&t->diff->arena, text);
	const char *below = arena_format(&t->diff->arena, "%s/ ", path[1] ? path : "");
	struct change at = change_at(t, path), under = change_at(t, below);

	/* What is beside a place may fit a pattern as well. */
	if (strpbrk(text, "*$") || !is_of_folder(t, path, at)) {
		change_add(t, text, "", at.gained, true);
		change_add(t, text, "", at.lost, false);
	}
	if (under.gained != at.gained || under.lost != at.lost) {
		change_add(t, text, text[1] ? "/..." : "...", under.gained, true);
		change_add(t, text, text[1] ? "/..." : "...", under.lost, false);
	}
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void diff_paths(struct two *t)
{
	uint32_t n = before(t)->n_paths, m = after(t)->n_paths, all = 0;
	const char **texts = arena_new(&t->diff->arena, (n + m + 1) * sizeof(*texts));

	for (uint32_t i = 0; i < n; i++)
		texts[all++] = t->before->text +
			       t->before->paths[before(t)->first_path + i].text;
	for (uint32_t i = 0; i < m; i++)
		texts[all++] =
			t->after->text + t->after->paths[after(t)->first_path + i].text;
	texts[all++] = "/";
	qsort(texts, all, sizeof(*texts), compare_texts);
	for (uint32_t i = 0; i < all; i++)
		if (!i || strcmp(texts[i - 1], texts[i]))
			diff_place(t, texts[i]);
}

/* ---- programs ---- */

static void diff_programs(struct two *t);

static bool is_compared(struct two *t, uint32_t a, uint32_t b)
{
	uint32_t pair = a << 16 | b;

	for (uint32_t i = 0; i < t->diff->compared.n; i++)
		if (t->diff->compared.at[i] == pair)
			return true;
	*vec_push(&t->diff->arena, &t->diff->compared) = pair;
	return false;
}

/* What running that program leads to, before and after. */
static void diff_exec(struct two *t, const char *text)
{
	const char *path = sample(&t->diff->arena, text);
	struct policy_place at = { path, strlen(path), 1 };
	int32_t was = policy_exec_find(t->before, t->a, &at);
	int32_t is = policy_exec_find(t->after, t->b, &at);
	struct two inner = { t->diff, t->before, t->after, (uint32_t)was, (uint32_t)is };

	if (was >= 0 && is >= 0) {
		if (!is_compared(t, inner.a, inner.b))
			diff_programs(&inner);
	} else if (was != is) {
		add(t, is < 0,
		    arena_format(&t->diff->arena, "%s: %s a policy of its own", text,
				 is < 0 ? "has no longer" : "now has"));
	}
}

static void diff_execs(struct two *t)
{
	const struct policy_program *a = before(t), *b = after(t);

	for (uint32_t i = 0; i < a->n_execs; i++)
		diff_exec(t, t->before->text + t->before->execs[a->first_exec + i].text);
	for (uint32_t i = 0; i < b->n_execs; i++) {
		const char *text =
			t->after->text + t->after->execs[b->first_exec + i].text;
		struct policy_place at = { text, strlen(text), 1 };

		if (policy_exec_find(t->before, t->a, &at) < 0)
			diff_exec(t, text);
	}
}

static void diff_programs(struct two *t)
{
	diff_defaults(t);
	diff_calls(t);
	diff_paths(t);
	diff_limits(t);
	diff_flags(t);
	diff_execs(t);
}

void diff_policies(struct diff *diff, const struct policy *before,
		   const struct policy *after)
{
	struct two t = { diff, before, after, 0, 0 };

	diff_programs(&t);
}

void diff_free(struct diff *diff)
{
	arena_free(&diff->arena);
	*diff = (struct diff){ 0 };
}
