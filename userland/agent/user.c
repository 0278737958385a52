/* --user: names of the guest's /etc/passwd and /etc/group, or numbers. The C library's
 * look-up would be a third of the agent's code. */
#include <fcntl.h>

#include "agent.h"

/* A file of lines of fields between colons. A line over the buffer's size ends the
 * reading. */
struct table {
	int fd;
	size_t start, end;
	char text[4096];
};

/* The columns of a line; what is missing is "". */
enum { NAME, PASSWORD, NUMBER, FOURTH, COMMENT, HOME, COLUMNS };

static void table_open(struct table *t, const char *path)
{
	t->fd = open(path, O_RDONLY | O_CLOEXEC);
	t->start = t->end = 0;
}

static void table_close(struct table *t)
{
	if (t->fd >= 0)
		close(t->fd);
}

/* The next line, NUL for its newline; NULL at the end. */
static char *table_line(struct table *t)
{
	while (t->fd >= 0) {
		char *line = t->text + t->start;
		char *newline = memchr(line, '\n', t->end - t->start);
		ssize_t n;

		if (newline) {
			*newline = 0;
			t->start = newline + 1 - t->text;
			return line;
		}
		memmove(t->text, line, t->end - t->start);
		t->end -= t->start;
		t->start = 0;
		n = read(t->fd, t->text + t->end, sizeof(t->text) - t->end);
		if (n <= 0)
			return NULL;
		t->end += n;
	}
	return NULL;
}

/* Splits the next line. False at the end. */
static bool table_row(struct table *t, const char *row[COLUMNS])
{
	char *line = table_line(t);

	for (int i = 0; i < COLUMNS && line; i++) {
		char *colon = strchrnul(line, ':');
		bool more = *colon;

		row[i] = line;
		*colon = 0;
		line = more ? colon + 1 : colon;
	}
	return line;
}

/* A whole text that is a number below 2^32 - 1: 0, else -EINVAL. */
static int number_parse(const char *text, uint32_t *ret_number)
{
	uint64_t number = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return -EINVAL;
		number = number * 10 + (*text - '0');
		if (number >= UINT32_MAX)
			return -EINVAL;
	}
	*ret_number = number;
	return 0;
}

/* Whether `name` is in a list with commas. */
static bool list_has(const char *list, const char *name)
{
	size_t size = strlen(name);

	for (;;) {
		const char *comma = strchrnul(list, ',');

		if ((size_t)(comma - list) == size && !memcmp(list, name, size))
			return true;
		if (!*comma)
			return false;
		list = comma + 1;
	}
}

static int group_find(const char *name, gid_t *ret_gid)
{
	struct table t;
	const char *row[COLUMNS];
	int error = -ENOENT;

	if (number_parse(name, ret_gid) == 0)
		return 0;
	table_open(&t, "/etc/group");
	while (error && table_row(&t, row))
		if (!strcmp(row[NAME], name))
			error = number_parse(row[NUMBER], ret_gid);
	table_close(&t);
	return error;
}

int group_named(const char *name, gid_t *ret_gid)
{
	return number_parse(name, ret_gid) == 0 ? -ENOENT : group_find(name, ret_gid);
}

/* Adds the groups whose members list the user. */
static int groups_find(const char *user, struct identity *id)
{
	struct table t;
	const char *row[COLUMNS];
	int error = 0;

	table_open(&t, "/etc/group");
	while (!error && table_row(&t, row)) {
		gid_t gid;

		if (!list_has(row[FOURTH], user) || number_parse(row[NUMBER], &gid) < 0)
			continue;
		if (id->group_count == ARRAY_LEN(id->groups))
			error = -E2BIG;
		else
			id->groups[id->group_count++] = gid;
	}
	table_close(&t);
	return error;
}

/* "NAME=value"; "" if it is too long, or there is no value. */
static void variable_set(char *to, const char *name, const char *value)
{
	size_t name_size = strlen(name), size = strlen(value);

	if (!size || name_size + size >= sizeof(((struct identity *)NULL)->variables[0]))
		return;
	memcpy(to, name, name_size);
	memcpy(to + name_size, value, size + 1);
}

/* A number need not be in the guest's list, a name must. */
static int user_find(const char *name, struct identity *id)
{
	struct table t;
	const char *row[COLUMNS];
	uint32_t number = 0;
	bool by_number = number_parse(name, &number) == 0;
	int error = -ENOENT;

	table_open(&t, "/etc/passwd");
	while (error && table_row(&t, row)) {
		uint32_t uid, gid;

		if (number_parse(row[NUMBER], &uid) < 0 ||
		    number_parse(row[FOURTH], &gid) < 0)
			continue;
		if (by_number ? uid != number : strcmp(row[NAME], name) != 0)
			continue;
		id->uid = uid;
		id->gid = id->groups[0] = gid;
		id->group_count = 1;
		variable_set(id->variables[0], "HOME=", row[HOME]);
		variable_set(id->variables[1], "USER=", row[NAME]);
		variable_set(id->variables[2], "LOGNAME=", row[NAME]);
		error = groups_find(row[NAME], id);
		break;
	}
	table_close(&t);
	if (!error || !by_number)
		return error;
	id->uid = id->gid = id->groups[0] = number;
	id->group_count = 1;
	variable_set(id->variables[0], "HOME=", WIRE_JOB_FOLDER);
	return 0;
}

int identity_find(const struct job *job, struct identity *ret_identity)
{
	struct identity id = { .uid = job->spec.uid,
			       .gid = job->spec.gid,
			       .groups = { job->spec.gid },
			       .group_count = 1 };
	char name[sizeof(job->user)];
	char *colon;
	int error;

	strcpy(name, job->user);
	colon = strchr(name, ':');
	if (colon)
		*colon = 0;
	if (*name) {
		error = user_find(name, &id);
		if (error < 0)
			return error;
	}
	if (colon && colon[1]) {
		error = group_find(colon + 1, &id.gid);
		if (error < 0)
			return error;
		/* A group that was named is the only one. */
		id.groups[0] = id.gid;
		id.group_count = 1;
	}
	*ret_identity = id;
	return 0;
}

bool identity_is_own(const struct agent *a)
{
	const struct job *job = &a->job;

	return !a->machine || (!*job->user && !job->spec.uid && !job->spec.gid);
}

static bool is_set(char *const *envp, const char *variable)
{
	size_t size = strchrnul(variable, '=') + 1 - variable;

	for (; *envp; envp++)
		if (!strncmp(*envp, variable, size))
			return true;
	return false;
}

void identity_variables_add(struct job *job, struct identity *id)
{
	char **end = job->envp + job->spec.envc;

	for (int i = 0; i < IDENTITY_VARIABLES; i++)
		if (*id->variables[i] && !is_set(job->envp, id->variables[i]))
			*end++ = id->variables[i];
}
