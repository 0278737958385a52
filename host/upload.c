/* What comes before START, frame by frame. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "host/upload.h"

void upload_init(struct upload *u, const struct plan *plan)
{
	*u = (struct upload){ .plan = plan, .fd = -1, .failed = "the job" };
}

void upload_fini(struct upload *u)
{
	if (u->fd >= 0)
		close(u->fd);
	if (u->walk)
		fts_close(u->walk);
	u->fd = -1;
	u->walk = NULL;
}

/* -- each step queues one frame at most: 1 to be called again, 0 when it is done
 * ---------- */

static int send_hello(struct upload *u, struct channel *c)
{
	struct wire_msg msg = { .type = WIRE_HELLO };
	uint8_t seed[WIRE_SEED_SIZE];
	struct timespec wall;

	if (getrandom(seed, sizeof(seed), 0) != sizeof(seed))
		return -EIO;
	clock_gettime(CLOCK_REALTIME, &wall);
	msg.hello.version = WIRE_VERSION;
	msg.hello.wall_ns = (uint64_t)wall.tv_sec * NSEC_PER_SEC + wall.tv_nsec;
	msg.hello.seed = (struct wire_tail){ seed, sizeof(seed) };
	return channel_send(c, &msg);
}

static int send_job(struct upload *u, struct channel *c)
{
	struct wire_msg msg = { .type = WIRE_JOB, .job = u->plan->job };

	return channel_send(c, &msg);
}

static int send_strings(struct upload *u, struct channel *c)
{
	size_t left = u->plan->strings_size - u->at;
	struct wire_msg msg = { .type = WIRE_STRINGS };
	int error;

	if (!left)
		return 0;
	msg.strings.bytes.at = u->plan->strings + u->at;
	msg.strings.bytes.size = MIN(left, (size_t)WIRE_PAYLOAD_MAX);
	error = channel_send(c, &msg);
	u->at += msg.strings.bytes.size;
	return error < 0 ? error : 1;
}

static int send_policy(struct upload *u, struct channel *c)
{
	size_t left = u->plan->job.policy - u->at;
	struct wire_msg msg = { .type = WIRE_POLICY };
	int error;

	if (!left)
		return 0;
	msg.policy.bytes.at = (const uint8_t *)u->plan->policy + u->at;
	msg.policy.bytes.size = MIN(left, (size_t)WIRE_PAYLOAD_MAX);
	error = channel_send(c, &msg);
	u->at += msg.policy.bytes.size;
	return error < 0 ? error : 1;
}

/* No job is without limits. Memory's is the VM; time and output are watched from here. */
static int send_limit(struct upload *u, struct channel *c)
{
	static const struct wire_limit limits[] = {
		{ RLIMIT_CORE, 0, 0 },
		{ RLIMIT_NPROC, 4096, 4096 },
	};
	struct wire_msg msg = { .type = WIRE_LIMIT };
	int error;

	if (u->at == ARRAY_LEN(limits))
		return 0;
	msg.limit = limits[u->at++];
	error = channel_send(c, &msg);
	return error < 0 ? error : 1;
}

static int send_file_end(struct upload *u, struct channel *c)
{
	struct wire_msg msg = { .type = WIRE_FILE_END };

	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
	return channel_send(c, &msg);
}

/* A piece of the open file, or its end. */
static int send_content(struct upload *u, struct channel *c)
{
	struct wire_msg msg = { .type = WIRE_FILE_DATA };
	ssize_t n = read(u->fd, channel_tail(c, 0), WIRE_PAYLOAD_MAX);

	if (n < 0)
		return -errno;
	if (n == 0)
		return send_file_end(u, c);
	msg.file_data.bytes.size = n;
	return channel_send(c, &msg);
}

/* The guest's path of an entry of the walk: below the mapping's `to`. */
static char *entry_place(const struct mapping *file, const FTSENT *entry)
{
	const char *below = entry->fts_path + strlen(file->from);

	while (*below == '/')
		below++;
	return must_format("%s%s%s", file->to, *below ? "/" : "", below);
}

/* Announces an entry; a regular file is left open in u->fd. */
static int entry_open(struct upload *u, const FTSENT *entry, struct wire_file *file,
		      char target[WIRE_PATH_MAX + 1])
{
	ssize_t n;

	file->mode = entry->fts_statp->st_mode & 0777;
	if (entry->fts_info == FTS_F) {
		/* The kind may have changed since: a pipe must not hang us. */
		u->fd = open(entry->fts_accpath, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
		file->kind = WIRE_FILE_REGULAR;
		return u->fd < 0 ? -errno : 0;
	}
	if (entry->fts_info == FTS_D) {
		file->kind = WIRE_FILE_FOLDER;
		return 0;
	}
	n = readlink(entry->fts_accpath, target, WIRE_PATH_MAX + 1);
	if (n < 0 || n > WIRE_PATH_MAX)
		return n < 0 ? -errno : -ENAMETOOLONG;
	target[n] = 0;
	file->kind = WIRE_FILE_LINK;
	file->target = (struct wire_text){ target, n };
	return 0;
}

static int send_entry(struct upload *u, struct channel *c, const struct mapping *mapping,
		      const FTSENT *entry)
{
	struct wire_msg msg = { .type = WIRE_FILE };
	bool program = mapping->from == u->plan->program_here;
	char target[WIRE_PATH_MAX + 1];
	char *place = entry_place(mapping, entry);
	int error = entry_open(u, entry, &msg.file, target);

	if (error == 0) {
		const struct timespec *at = &entry->fts_statp->st_mtim;

		/* Nobody asks for the date of a program; to set it is a call in the
		 * guest. */
		if (!program && at->tv_sec > 0)
			msg.file.mtime_ns =
				(uint64_t)at->tv_sec * NSEC_PER_SEC + at->tv_nsec;
		msg.file.path = wire_text_of(place);
		error = channel_send(c, &msg);
	}
	free(place);
	if (error < 0)
		return error == -EINVAL ? -ENAMETOOLONG : error;
	return u->fd < 0 ? send_file_end(u, c) : 0;
}

static int walk_open(struct upload *u, const struct mapping *mapping)
{
	char *paths[] = { mapping->from, NULL };

	u->failed = mapping->from;
	u->walk = fts_open(paths, FTS_PHYSICAL | FTS_COMFOLLOW | FTS_NOCHDIR, NULL);
	return u->walk ? 0 : -errno;
}

/* The next entry of the walk that is worth a frame; NULL at the end. */
static int walk_next(struct upload *u, FTSENT **ret_entry)
{
	FTSENT *entry;

	while ((entry = fts_read(u->walk))) {
		u->failed = entry->fts_path;
		switch (entry->fts_info) {
		case FTS_DP:
			continue;
		case FTS_DNR:
		case FTS_ERR:
		case FTS_NS:
			return -entry->fts_errno;
		case FTS_DC:
			return -ELOOP;
		case FTS_DEFAULT:
			/* A device, socket or pipe means something on this machine
			 * only. */
			return -ENODEV;
		}
		break;
	}
	*ret_entry = entry;
	return 0;
}

static int send_files(struct upload *u, struct channel *c)
{
	const struct mapping *mapping = &u->plan->files[u->at];
	FTSENT *entry;
	int error;

	if (u->at == u->plan->file_count)
		return 0;
	if (u->fd >= 0) {
		error = send_content(u, c);
		return error < 0 ? error : 1;
	}
	if (!u->walk) {
		error = walk_open(u, mapping);
		if (error < 0)
			return error;
	}
	error = walk_next(u, &entry);
	if (error < 0)
		return error;
	if (entry) {
		error = send_entry(u, c, mapping, entry);
		return error < 0 ? error : 1;
	}
	fts_close(u->walk);
	u->walk = NULL;
	u->at++;
	return 1;
}

static int send_outs(struct upload *u, struct channel *c)
{
	const struct options *options = u->plan->options;
	struct wire_msg msg = { .type = WIRE_OUT };
	int error;

	if (u->at == options->out_count)
		return 0;
	u->failed = options->outs[u->at].from;
	msg.out.path = wire_text_of(u->failed);
	error = channel_send(c, &msg);
	u->at++;
	return error < 0 ? -ENAMETOOLONG : 1;
}

static int send_start(struct upload *u, struct channel *c)
{
	const struct options *options = u->plan->options;
	struct wire_msg msg = { .type = WIRE_START };

	bool all = options->report || options->timeline || options->verbose;

	msg.start.report = all ? 1 : options->quiet ? 0 : 2;
	return channel_send(c, &msg);
}

int upload_next(struct upload *u, struct channel *c)
{
	static int (*const steps[])(struct upload *, struct channel *) = {
		send_hello, send_job,	send_strings, send_policy,
		send_limit, send_files, send_outs,    send_start,
	};
	int result;

	if (u->step == ARRAY_LEN(steps))
		return 0;
	result = steps[u->step](u, c);
	if (result < 0)
		return result;
	if (result == 0) {
		u->step++;
		u->at = 0;
	}
	return 1;
}
