/* Names of users and programs. */
#include <errno.h>
#include <pwd.h>
#include <search.h>
#include <sodium/crypto_generichash_blake2b.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/audit/names.h"

struct user {
	uint32_t uid; /* must stay first: the key */
	char *name;
};

struct program {
	uint8_t digest[AUDIT_DIGEST_SIZE]; /* must stay first: the key */
	char path[];
};

static int compare_uids(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, AUDIT_DIGEST_SIZE);
}

static void *found(void *node)
{
	return node ? *(void **)node : NULL;
}

/* The first line with a number is the one that counts. */
static void user_add(struct audit_names *n, const struct passwd *line)
{
	struct user *u = must_alloc(sizeof(*u));

	u->uid = line->pw_uid;
	u->name = must_format("%s", line->pw_name);
	if (must_search(u, &n->users, compare_uids) == u)
		return;
	free(u->name);
	free(u);
}

int names_read(struct audit_names *n, const char *path)
{
	FILE *file = fopen(path, "re");
	const struct passwd *line;

	if (!file) {
		say("cannot open '%s': %s", path, strerror(errno));
		return MAYFLY_FAILED;
	}
	while ((line = fgetpwent(file)))
		user_add(n, line);
	fclose(file);
	return 0;
}

void names_learn(struct audit_names *n, const struct audit_record *r)
{
	size_t size = strnlen(r->text, sizeof(r->text));
	struct program *p;

	if (r->text[0] != '/' || n->program_count >= PROGRAMS_MAX)
		return;
	p = must_alloc(sizeof(*p) + size + 1);
	memcpy(p->path, r->text, size);
	crypto_generichash_blake2b(p->digest, sizeof(p->digest), (uint8_t *)p->path, size,
				   NULL, 0);
	if (must_search(p, &n->programs, compare_digests) == p)
		n->program_count++;
	else
		free(p);
}

static void user_free(void *user)
{
	free(((struct user *)user)->name);
	free(user);
}

void names_free(struct audit_names *n)
{
	tdestroy(n->users, user_free);
	tdestroy(n->programs, free);
	*n = (struct audit_names){ 0 };
}

const char *names_user(const struct audit_names *n, uint32_t uid)
{
	const struct user *u = found(tfind(&uid, &n->users, compare_uids));

	if (u)
		return u->name;
	return uid ? NULL : "root";
}

const char *names_program(const struct audit_names *n, const uint8_t digest[32])
{
	const struct program *p = found(tfind(digest, &n->programs, compare_digests));

	return p ? p->path : NULL;
}

/* ---- the number of a name ---- */

struct wanted {
	const char *name;
	const struct user *user;
};

static void user_match(const void *node, VISIT visit, void *closure)
{
	const struct user *u = *(const struct user *const *)node;
	struct wanted *wanted = closure;

	if ((visit == postorder || visit == leaf) && !strcmp(u->name, wanted->name))
		wanted->user = u;
}

int names_uid(const struct audit_names *n, const char *user, uint32_t *ret_uid)
{
	struct wanted wanted = { .name = user };
	char *end;
	unsigned long uid = strtoul(user, &end, 10);

	if (user[0] >= '0' && user[0] <= '9' && !*end && uid <= UINT32_MAX) {
		*ret_uid = (uint32_t)uid;
		return 0;
	}
	twalk_r(n->users, user_match, &wanted);
	if (!wanted.user && strcmp(user, "root") != 0)
		return -ENOENT;
	*ret_uid = wanted.user ? wanted.user->uid : 0;
	return 0;
}
