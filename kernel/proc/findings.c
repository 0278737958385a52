/* Findings of policies. See findings.h. */
#include "proc/findings.h"

#include <linux/limits.h>

#include "core/panic.h"
#include "fs/procfs/procfs.h"
#include "lib/fmt.h"
#include "lib/string.h"
#include "lib/syscall_table.h"
#include "proc/proc.h"

/* A job cannot fill the memory with what it is refused; who learns wants all of it. */
#define REFUSED_MAX 1024
#define LEARNED_MAX 65536
#define BUCKETS 256

/* What makes two of a kind. */
struct key {
	uint64_t program, place; /* hashes of their paths; 0: none */
	uint64_t args[POLICY_ARGS];
	const struct policy_blob *policy;
	uint32_t number, action, line, access;
};

struct entry {
	struct entry *next; /* of its bucket, then of all */
	struct entry *later;
	struct key key; /* [I] */
	uint64_t count;
	uint64_t args[POLICY_ARGS]; /* [I] the first one's */
	char *program, *place;	    /* [I] NULL: none */
	char policy[32];	    /* [I] its name's first bytes */
};

static struct mutex lock = MUTEX_INIT(lock, RANK_FINDINGS);
/* guarded by lock */
static struct entry *buckets[BUCKETS], *first, **last = &first;
static uint32_t n_refused, n_learned;
static uint64_t n_lost;

static uint64_t hash(const void *bytes, size_t n)
{
	const uint8_t *b = bytes;
	uint64_t h = 0xcbf29ce484222325ull; /* FNV-1a */

	for (size_t i = 0; i < n; i++)
		h = (h ^ b[i]) * 0x100000001b3ull;
	return h;
}

/* Numbers that choose what the call does, not what with. */
static bool is_choice(enum syscall_kind kind)
{
	return kind == KIND_flags || kind == KIND_flags64 || kind == KIND_i32 ||
	       kind == KIND_u32;
}

static void key_args(struct key *k, const uint64_t args[POLICY_ARGS])
{
	const struct syscall_row *row = syscall_row(k->number);

	for (size_t i = 0; row && i < POLICY_ARGS; i++)
		if (is_choice(row->kinds[i]))
			k->args[i] = args[i];
}

/* The path that a call names which did not come so far that it was looked at; heap. */
static char *name_given(uint32_t number, const uint64_t args[POLICY_ARGS])
{
	const struct syscall_row *row = syscall_row(number);
	char name[128];

	for (size_t i = 0; row && i < POLICY_ARGS; i++) {
		if (row->kinds[i] != KIND_path)
			continue;
		int64_t n = copy_in_str(name, UADDR(args[i]), sizeof(name));
		return n > 0 ? heap_strdup(name, (size_t)n) : NULL;
	}
	return NULL;
}

static void exe_get(void *exe)
{
	file_get(exe);
}

/* The running program's path in buf; NULL: it has none. */
static const char *program_text(char *buf)
{
	struct space *s = thread_current()->space;
	struct file *exe = s ? space_exe_get(s, exe_get) : NULL;
	const char *text = exe ? path_text_global(&exe->path, buf, PATH_MAX) : NULL;

	if (exe)
		file_put(exe);
	return text;
}

/* The place in buf, one's own number in /proc as "self". */
static const char *place_text(const struct policy_place *at, char *buf, size_t n)
{
	size_t own = fmt_to(buf, n, "/proc/%d", at->self);

	if (own <= at->len && !memcmp(buf, at->path, own) &&
	    (own == at->len || at->path[own] == '/'))
		fmt_to(buf, n, "/proc/self%.*s", (int)(at->len - own), at->path + own);
	else
		fmt_to(buf, n, "%.*s", (int)at->len, at->path);
	return buf;
}

static struct entry *entry_new(const struct finding *f, const struct key *k,
			       const uint64_t args[POLICY_ARGS], const char *program,
			       const char *place)
{
	const struct policy *p = policy_blob_policy(f->by->blob);
	struct entry *e = heap_zalloc(sizeof(*e));

	if (!e)
		return NULL;
	e->key = *k;
	e->program = program ? heap_strdup(program, strlen(program)) : NULL;
	e->place =
		place ? heap_strdup(place, strlen(place)) : name_given(k->number, args);
	memcpy(e->args, args, sizeof(e->args));
	str_copy(e->policy, &p->text[p->programs[f->by->program].name],
		 sizeof(e->policy));
	return e;
}

static void entry_free(struct entry *e)
{
	if (!e)
		return;
	heap_free(e->program);
	heap_free(e->place);
	heap_free(e);
}

static bool learned(const struct key *k)
{
	return POLICY_ACTION_KIND(k->action) == POLICY_ASK;
}

/* lock held. */
static struct entry *find(const struct key *k, struct entry **bucket)
{
	for (struct entry *e = *bucket; e; e = e->next)
		if (!memcmp(&e->key, k, sizeof(*k)))
			return e;
	return NULL;
}

/* Counts it if it is known; else adds `fresh`, if there is one: true. */
static bool count(const struct key *k, struct entry *fresh)
{
	struct entry **bucket = &buckets[hash(k, sizeof(*k)) % BUCKETS];
	uint32_t *n = learned(k) ? &n_learned : &n_refused;

	mutex_lock(&lock);
	struct entry *e = find(k, bucket);
	bool room = *n < (learned(k) ? LEARNED_MAX : REFUSED_MAX);
	bool added = !e && fresh && room;
	if (e) {
		e->count++;
	} else if (added) {
		fresh->next = *bucket;
		*bucket = fresh;
		*last = fresh;
		last = &fresh->later;
		fresh->count = 1;
		++*n;
	} else if (fresh) {
		n_lost++;
	}
	mutex_unlock(&lock);
	return e || added;
}

static void add(const struct finding *f, char *program_buf, char *place_buf)
{
	const struct pt_regs *regs = task_user_regs(task_current());
	const uint64_t args[] = { regs->rdi, regs->rsi, regs->rdx,
				  regs->r10, regs->r8,	regs->r9 };
	const char *program = program_text(program_buf);
	const char *place = f->at ? place_text(f->at, place_buf, PATH_MAX) : NULL;
	struct key k;

	/* Compared as bytes: the holes too. */
	memset(&k, 0, sizeof(k));
	k.number = (uint32_t)regs->orig_rax;
	k.action = f->action;
	k.line = f->line;
	k.access = f->access;
	k.policy = f->by->blob;
	k.program = program ? hash(program, strlen(program)) : 0;
	k.place = place ? hash(place, strlen(place)) : 0;
	if (!place)
		key_args(&k, args);
	if (count(&k, NULL))
		return;
	struct entry *e = entry_new(f, &k, args, program, place);
	if (!count(&k, e))
		entry_free(e);
}

void finding_add(const struct finding *f)
{
	char *buf = heap_alloc(2 * PATH_MAX);

	if (buf)
		add(f, buf, buf + PATH_MAX);
	heap_free(buf);
}

uint32_t finding_count(void)
{
	mutex_lock(&lock);
	uint32_t n = n_refused + n_learned;
	mutex_unlock(&lock);
	return n;
}

/* ---- the file ---- */

/* Everything but plain characters as %xx, so that spaces and line ends separate. */
static void print_text(struct proc_text *t, const char *s)
{
	if (!s || !*s)
		s = "-";
	for (; *s; s++) {
		if (*s > ' ' && *s < 0x7f && *s != '%')
			proc_write(t, s, 1);
		else
			proc_printf(t, "%%%02x", (uint8_t)*s);
	}
}

static void print_entry(struct proc_text *t, const struct entry *e)
{
	const struct key *k = &e->key;

	proc_printf(t, "%s %lu %u %u %u %u", learned(k) ? "learned" : "refused",
		    (unsigned long)e->count, k->action, k->line, k->number, k->access);
	for (size_t i = 0; i < ARRAY_LEN(e->args); i++)
		proc_printf(t, " %lx", (unsigned long)e->args[i]);
	const char *texts[] = { e->policy, e->program, e->place };
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		proc_printf(t, " ");
		print_text(t, texts[i]);
	}
	proc_printf(t, "\n");
}

static int show(struct proc_text *t, void *arg)
{
	(void)arg;
	mutex_lock(&lock);
	for (const struct entry *e = first; e; e = e->later)
		print_entry(t, e);
	if (n_lost)
		proc_printf(t, "lost %lu\n", (unsigned long)n_lost);
	mutex_unlock(&lock);
	return 0;
}

static void fill(void)
{
	proc_made(proc_file("mayfly/policy", 0444, show, NULL, NULL));
}

void findings_init(void)
{
	static struct proc_filler filler = { .fill = fill };

	insist(!proc_fill_later("", &filler));
}
