/* Who somebody is, and what a record changed of that, in words. */
#include <ctype.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <string.h>

#include "host/audit/words.h"

#define ALL_CAPABILITIES (BIT(CAP_LAST_CAP + 1) - 1)
#define MANY_CAPABILITIES 20 /* more are told by those that are not there */

/* ---- names of capabilities ---- */

/* CAP_SETUID as cap_setuid, as libcap has it. */
static void add_capability(struct text *out, uint64_t number)
{
	const char *name = names_find(&set_capability, number);

	if (!name)
		text_add(out, "cap_%" PRIu64, number);
	for (; name && *name; name++)
		text_add(out, "%c", tolower((unsigned char)*name));
}

void words_capabilities(struct text *out, uint64_t set)
{
	const char *between = "";

	if (!set || set == ALL_CAPABILITIES) {
		text_add(out, set ? "all" : "none");
		return;
	}
	if (!(set & ~ALL_CAPABILITIES) && __builtin_popcountll(set) > MANY_CAPABILITIES) {
		text_add(out, "all but ");
		set = ALL_CAPABILITIES & ~set;
	}
	for (uint64_t i = 0; i < 64; i++) {
		if (!(set & BIT(i)))
			continue;
		text_add(out, "%s", between);
		add_capability(out, i);
		between = ",";
	}
}

/* ---- who ---- */

static void add_user(const struct words *w, uint32_t uid)
{
	const char *name = names_user(w->names, uid);

	if (name)
		text_escape(w->out, name, strlen(name));
	else
		text_add(w->out, "uid %" PRIu32, uid);
}

void words_who(const struct words *w, const struct audit_cred *c)
{
	add_user(w, c->uid);
	if (c->euid == c->uid)
		return;
	text_add(w->out, " as ");
	add_user(w, c->euid);
}

static void add_group(struct text *out, const struct audit_cred *c)
{
	text_add(out, "%" PRIu32, c->gid);
	if (c->egid != c->gid)
		text_add(out, " as %" PRIu32, c->egid);
}

static const char *arrow(const struct words *w)
{
	return w->utf8 ? " \u2192 " : " -> ";
}

static void add_ids(const struct words *w, const struct audit_cred *a,
		    const struct audit_cred *b)
{
	struct text *out = w->out;

	words_who(w, a);
	if (a->uid != b->uid || a->euid != b->euid) {
		text_add(out, "%s", arrow(w));
		words_who(w, b);
	}
	if (a->suid != b->suid && b->suid != b->euid) {
		text_add(out, ", saved ");
		add_user(w, b->suid);
	}
	if (a->fsuid != b->fsuid && b->fsuid != b->euid) {
		text_add(out, ", for files ");
		add_user(w, b->fsuid);
	}
	if (a->gid != b->gid || a->egid != b->egid) {
		text_add(out, ", gid ");
		add_group(out, a);
		text_add(out, "%s", arrow(w));
		add_group(out, b);
	}
	if (a->sgid != b->sgid && b->sgid != b->egid)
		text_add(out, ", saved gid %" PRIu32, b->sgid);
	if (a->fsgid != b->fsgid && b->fsgid != b->egid)
		text_add(out, ", gid for files %" PRIu32, b->fsgid);
}

/* ---- capabilities ---- */

/* Root has all that it may, others have none: that goes without saying. */
static bool has_what_is_usual(const struct audit_cred *c)
{
	return c->permitted == (c->euid ? 0 : c->bounding) &&
	       c->effective == c->permitted;
}

static void add_delta(struct text *out, const char *of, uint64_t a, uint64_t b)
{
	if (a == b)
		return;
	text_add(out, ", %s capabilities", of);
	if (b & ~a) {
		text_add(out, " +");
		words_capabilities(out, b & ~a);
	}
	if (a & ~b) {
		text_add(out, " -");
		words_capabilities(out, a & ~b);
	}
}

static void add_capabilities(struct text *out, const struct audit_cred *a,
			     const struct audit_cred *b)
{
	bool usual = !a->euid != !b->euid && has_what_is_usual(a) && has_what_is_usual(b);

	if (!usual && a->effective == a->permitted && b->effective == b->permitted) {
		add_delta(out, "its", a->effective, b->effective);
	} else if (!usual) {
		add_delta(out, "effective", a->effective, b->effective);
		add_delta(out, "permitted", a->permitted, b->permitted);
	}
	add_delta(out, "inheritable", a->inheritable, b->inheritable);
	add_delta(out, "ambient", a->ambient, b->ambient);
	add_delta(out, "bounding", a->bounding, b->bounding);
}

void words_change(const struct words *w, const struct audit_record *r)
{
	const struct audit_cred *a = &r->before, *b = &r->after;

	add_ids(w, a, b);
	if (memcmp(r->groups_before, r->groups_after, sizeof(r->groups_after)) != 0)
		text_add(w->out, ", other groups");
	add_capabilities(w->out, a, b);
	if (a->securebits != b->securebits)
		text_add(w->out, ", securebits %#" PRIx32, b->securebits);
	if (!a->no_new_privs && b->no_new_privs)
		text_add(w->out, ", no new privileges from now on");
}
