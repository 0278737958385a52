/* Which records are wanted. */
#define _XOPEN_SOURCE 700
#include <errno.h>
#include <sodium/utils.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "host/audit/filter.h"
#include "host/audit/words.h"

/* ".25" and what follows it: nanoseconds, and the text is moved behind it. */
static int fraction_parse(const char **text, uint64_t *ret_ns)
{
	uint64_t ns = 0, unit = NSEC_PER_SEC;
	const char *at = *text + 1;

	if (*at < '0' || *at > '9')
		return -EINVAL;
	for (; *at >= '0' && *at <= '9'; at++) {
		unit /= 10;
		ns += (uint64_t)(*at - '0') * unit;
	}
	*text = at;
	*ret_ns = ns;
	return 0;
}

/* RFC 3339, 5.6; the zone must be there. */
static int moment_parse(const char *text, uint64_t *ret_ns)
{
	struct tm tm = { 0 }, zone = { 0 };
	const char *at = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	uint64_t ns = 0;
	time_t seconds;

	if (!at || (*at == '.' && fraction_parse(&at, &ns) < 0))
		return -EINVAL;
	at = strptime(at, "%z", &zone);
	if (!at || *at)
		return -EINVAL;
	seconds = timegm(&tm) - zone.tm_gmtoff;
	if (seconds < 0 || (uint64_t)seconds > UINT64_MAX / NSEC_PER_SEC - 1)
		return -ERANGE;
	*ret_ns = (uint64_t)seconds * NSEC_PER_SEC + ns;
	return 0;
}

int since_parse(const char *text, struct since *ret_since)
{
	struct since since = { .is_wall = strchr(text, '-') };
	int error = since.is_wall ? moment_parse(text, &since.ns)
				  : duration_parse(text, &since.ns);

	if (!error)
		*ret_since = since;
	return error;
}

int head_parse(const char *text, uint8_t ret_head[AUDIT_DIGEST_SIZE])
{
	uint8_t head[AUDIT_DIGEST_SIZE];
	size_t size;

	if (sodium_hex2bin(head, sizeof(head), text, strlen(text), NULL, &size, NULL) ||
	    size != sizeof(head))
		return -EINVAL;
	memcpy(ret_head, head, sizeof(head));
	return 0;
}

static int event_find(const char *name, uint32_t *ret_event)
{
	char *list = must_format("%s", "");

	for (uint32_t event = 1; event < AUDIT_EVENTS; event++) {
		char *before = list;

		if (!strcmp(audit_event_name(event), name)) {
			*ret_event = event;
			free(list);
			return 0;
		}
		list = must_format("%s%s%s", before, *before ? ", " : "",
				   audit_event_name(event));
		free(before);
	}
	say("audit: no such event: '%s'; there are: %s", name, list);
	free(list);
	return MAYFLY_FAILED;
}

int filter_make(struct filter *f, const struct audit_options *o,
		const struct audit_names *names)
{
	*f = (struct filter){ .failed = o->failed,
			      .has_user = o->user,
			      .since = o->since };
	if (o->user && names_uid(names, o->user, &f->uid) < 0) {
		say("audit: no such user: '%s'%s", o->user,
		    o->passwd ? "" : "; --passwd FILE says names");
		return MAYFLY_FAILED;
	}
	return o->event ? event_find(o->event, &f->event) : 0;
}

static bool is_of(const struct audit_cred *c, uint32_t uid)
{
	return c->uid == uid || c->euid == uid || c->suid == uid || c->fsuid == uid;
}

bool filter_lets(const struct filter *f, const struct audit_record *r, uint64_t wall_ns)
{
	if (f->event && r->event != f->event)
		return false;
	if (f->failed && !is_refusal(r))
		return false;
	if ((f->since.is_wall ? wall_ns : r->mono_ns) < f->since.ns)
		return false;
	/* What no process did is nobody's. */
	return !f->has_user ||
	       (r->pid && (is_of(&r->before, f->uid) || is_of(&r->after, f->uid)));
}
