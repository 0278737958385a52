/* A log as a tree. */
#include <inttypes.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>

#include "host/audit/family.h"
#include "host/audit/words.h"

#define DEPTH_DRAWN 40 /* what is deeper stands no further to the right */

enum mark { PLAIN, GAINED, REFUSED, LOST };

/* What a process did, or a child of it. */
struct item {
	struct process *owner, *child; /* child: NULL for a record */
	struct item *before, *next;
	char *words;
	enum mark mark;
	uint64_t ns, times;
};

struct process {
	int32_t pid; /* must stay first: the key */
	int32_t ppid, session;
	bool known; /* there is a record of it */
	struct audit_record first;
	struct process *parent;	  /* NULL: the kernel */
	struct item *in_parent;	  /* it, among what the parent did */
	struct item *items, *end; /* end: the last */
	size_t depth, indent;	  /* when drawn: bytes of the prefix */
	struct process *all;	  /* the one that was made before */
};

struct family {
	const struct audit_names *names;
	bool utf8;
	struct process *kernel, *all;
	void *by_pid; /* of the latest with that number */
	uint64_t marked[LOST + 1];
	/* drawing */
	struct item *at; /* what is drawn next */
	bool begun;
	struct text prefix;
};

/* ---- processes ---- */

static int compare(const void *a, const void *b)
{
	int32_t left = *(const int32_t *)a, right = *(const int32_t *)b;

	return (left > right) - (left < right);
}

static struct process *process_find(struct family *f, int32_t pid)
{
	void *node = tfind(&pid, &f->by_pid, compare);

	return node ? *(struct process **)node : NULL;
}

static void item_add(struct process *p, struct item *item)
{
	item->owner = p;
	item->next = NULL;
	item->before = p->end;
	*(p->end ? &p->end->next : &p->items) = item;
	p->end = item;
}

static void item_remove(struct item *item)
{
	struct process *p = item->owner;

	*(item->before ? &item->before->next : &p->items) = item->next;
	*(item->next ? &item->next->before : &p->end) = item->before;
}

static struct process *process_new(struct family *f, int32_t pid, struct process *parent)
{
	struct process *p = must_alloc(sizeof(*p));

	p->pid = pid;
	p->all = f->all;
	f->all = p;
	p->parent = parent;
	if (!parent)
		return p;
	p->in_parent = must_alloc(sizeof(*p->in_parent));
	p->in_parent->child = p;
	item_add(parent, p->in_parent);
	/* The old one with its number is gone. */
	tdelete(p, &f->by_pid, compare);
	must_search(p, &f->by_pid, compare);
	return p;
}

static bool is_below(const struct process *p, const struct process *above)
{
	while (p && p != above)
		p = p->parent;
	return p;
}

static bool has_ancestor(const struct process *p, int32_t pid)
{
	while ((p = p->parent))
		if (p->pid == pid)
			return true;
	return false;
}

/* P1 */
static bool may_be_of(const struct process *p, const struct audit_record *r)
{
	if (!p->known)
		return true;
	if (r->session != p->session && r->session != r->pid)
		return false;
	return r->ppid == p->ppid || r->ppid <= 1 || has_ancestor(p, r->ppid);
}

static struct process *parent_of(struct family *f, const struct audit_record *r)
{
	struct process *parent;

	if (r->ppid <= 0)
		return f->kernel;
	parent = process_find(f, r->ppid);
	return parent ? parent : process_new(f, r->ppid, f->kernel);
}

/* Its first record says where a process belongs that only connected others. */
static void process_place(struct family *f, struct process *p,
			  const struct audit_record *r)
{
	struct process *parent = r->ppid == r->pid ? f->kernel : parent_of(f, r);

	/* Only who has children can be above somebody. */
	if (parent == p->parent || (p->items && is_below(parent, p)))
		return;
	item_remove(p->in_parent);
	p->parent = parent;
	item_add(parent, p->in_parent);
}

static struct process *process_of(struct family *f, const struct audit_record *r)
{
	struct process *p = r->pid > 0 ? process_find(f, r->pid) : f->kernel;

	if (p && p != f->kernel && !may_be_of(p, r))
		p = NULL;
	if (!p)
		p = process_new(f, r->pid, parent_of(f, r));
	if (!p->known && p != f->kernel)
		process_place(f, p, r);
	if (!p->known)
		p->first = *r;
	p->known = true;
	p->ppid = r->ppid;
	p->session = r->session;
	return p;
}

/* ---- records ---- */

struct family *family_new(const struct audit_names *names, bool utf8)
{
	struct family *f = must_alloc(sizeof(*f));

	f->names = names;
	f->utf8 = utf8;
	f->kernel = process_new(f, 0, NULL);
	return f;
}

static void nothing_free(void *node)
{
}

void family_free(struct family *f)
{
	tdestroy(f->by_pid, nothing_free);
	while (f->all) {
		struct process *p = f->all;

		f->all = p->all;
		while (p->items) {
			struct item *item = p->items;

			p->items = item->next;
			free(item->words);
			free(item);
		}
		free(p);
	}
	free(f->prefix.at);
	free(f);
}

static enum mark mark_of(const struct audit_record *r)
{
	if (r->event == AUDIT_EVENT_DROPPED)
		return LOST;
	if (is_refusal(r))
		return REFUSED;
	return r->after.effective & ~r->before.effective ? GAINED : PLAIN;
}

static char *words_of(const struct family *f, const struct audit_record *r)
{
	struct text text = { 0 };
	const struct words w = { &text, f->names, f->utf8 };

	if (r->tid != r->pid)
		text_add(&text, "thread %" PRId32 ": ", r->tid);
	words_record(&w, r);
	text_put(&text, "", 1);
	return must_grow(text.at, text.size);
}

void family_take(struct family *f, const struct audit_record *r)
{
	struct process *p = process_of(f, r);
	enum mark mark = mark_of(r);
	struct item *item;
	char *words;

	if (r->event == AUDIT_EVENT_BOOT || r->event == AUDIT_EVENT_END)
		return;
	words = words_of(f, r);
	f->marked[mark]++;
	if (p->end && p->end->words && !strcmp(p->end->words, words)) {
		p->end->times++;
		free(words);
		return;
	}
	item = must_alloc(sizeof(*item));
	*item = (struct item){
		.words = words, .mark = mark, .ns = r->mono_ns, .times = 1
	};
	item_add(p, item);
}

/* ---- drawing ---- */

struct strokes {
	const char *branch, *last, *through, *blank;
	const char *marks[LOST + 1];
};

static const struct strokes lines = {
	"\u251c\u2500 ",
	"\u2514\u2500 ",
	"\u2502  ",
	"   ",
	{ "\u00b7", "\u25b2", "\u2717", "?" },
};

static const struct strokes letters = {
	"|- ", "`- ", "|  ", "   ", { ".", "^", "x", "?" }
};

static const char *const colors[] = {
	[PLAIN] = "", [GAINED] = "\033[33m", [REFUSED] = "\033[31m", [LOST] = "\033[35m"
};

static void put(struct text *to, const char *text)
{
	text_put(to, text, strlen(text));
}

/* "5 /bin/su, uid 1000" */
static void draw_process(const struct family *f, const struct process *p,
			 struct text *out)
{
	const struct words w = { out, f->names, f->utf8 };

	text_add(out, "%" PRId32, p->pid);
	if (!p->known)
		return;
	put(out, " ");
	if (words_program(&w, &p->first))
		put(out, ", ");
	words_who(&w, &p->first.before);
}

static void draw_record(const struct item *i, const struct strokes *s, struct output *o)
{
	struct text *out = &o->text;
	bool colored = o->color && *colors[i->mark];

	put(out, colored ? colors[i->mark] : "");
	text_add(out, "%s %" PRIu64 ".%06" PRIu64 " ", s->marks[i->mark],
		 (uint64_t)(i->ns / NSEC_PER_SEC),
		 (uint64_t)(i->ns % NSEC_PER_SEC / NSEC_PER_USEC));
	put(out, i->words);
	if (i->times > 1)
		text_add(out, " (%" PRIu64 " times)", i->times);
	put(out, colored ? "\033[0m" : "");
}

static void draw_item(struct family *f, struct item *i, struct output *o)
{
	const struct strokes *s = f->utf8 ? &lines : &letters;

	text_put(&o->text, f->prefix.at, i->owner->indent);
	put(&o->text, i->next ? s->branch : s->last);
	if (i->child)
		draw_process(f, i->child, &o->text);
	else
		draw_record(i, s, o);
	put(&o->text, "\n");
}

/* Into the child: what stands before all that it did. */
static struct item *descend(struct family *f, const struct item *i)
{
	const struct strokes *s = f->utf8 ? &lines : &letters;
	struct process *p = i->child;

	p->depth = i->owner->depth + 1;
	f->prefix.size = i->owner->indent;
	if (p->depth < DEPTH_DRAWN)
		put(&f->prefix, i->next ? s->through : s->blank);
	p->indent = f->prefix.size;
	return p->items;
}

/* What is drawn after it; NULL: nothing. */
static struct item *follow(struct family *f, struct item *i)
{
	if (i->child && i->child->items)
		return descend(f, i);
	while (i && !i->next)
		i = i->owner->in_parent;
	return i ? i->next : NULL;
}

static void draw_summary(const struct family *f, struct output *o)
{
	const struct strokes *s = f->utf8 ? &lines : &letters;

	text_add(&o->text,
		 "%s gained capabilities: %" PRIu64 "; %s refused: %" PRIu64
		 "; other changes: %" PRIu64 "\n",
		 s->marks[GAINED], f->marked[GAINED], s->marks[REFUSED],
		 f->marked[REFUSED], f->marked[PLAIN]);
}

bool family_draw(struct family *f, struct output *o)
{
	const struct words w = { &o->text, f->names, f->utf8 };

	if (!f->begun) {
		f->begun = true;
		f->at = f->kernel->items;
		words_record(&w, &f->kernel->first);
		put(&o->text, "\n");
		return true;
	}
	if (f->at) {
		draw_item(f, f->at, o);
		f->at = follow(f, f->at);
		return true;
	}
	draw_summary(f, o);
	return false;
}
