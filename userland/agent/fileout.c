/* Files and texts that go back after the job. Nothing else runs any more, so what is
 * looked at stays as it is. */
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "agent.h"
#include "lib/policy.h"

/* A folder below this depth is left out: every level holds a descriptor. */
#define DEPTH_MAX 200

struct walk {
	struct agent *a;
	unsigned skipped;
	size_t size;		      /* of path */
	char path[WIRE_PATH_MAX + 1]; /* below the OUT; "" for that itself */
};

/* Sends a file's bytes up to its end, in frames of `type`, whose only field is the
 * tail. */
static int bytes_send(struct agent *a, int fd, struct wire_msg *msg,
		      struct wire_tail *tail, size_t head)
{
	const size_t want = WIRE_PAYLOAD_MAX - head;

	for (;;) {
		ssize_t n =
			read(fd, port_reserve(a, WIRE_HEADER_SIZE + head, want), want);

		if (n <= 0)
			return n < 0 ? errno : 0;
		*tail = (struct wire_tail){ NULL, n };
		port_send(a, msg);
	}
}

static void file_announce(struct walk *w, const struct stat *st, enum wire_file_kind kind,
			  const char *target)
{
	struct wire_msg msg = { .type = WIRE_FILE };

	msg.file.kind = kind;
	msg.file.mode = st->st_mode & 07777;
	if (st->st_mtim.tv_sec >= 0)
		msg.file.mtime_ns =
			st->st_mtim.tv_sec * NSEC_PER_SEC + st->st_mtim.tv_nsec;
	msg.file.path = wire_text_of(w->path);
	msg.file.target = wire_text_of(target);
	port_send(w->a, &msg);
}

static void file_finish(struct walk *w, int error)
{
	struct wire_msg msg = { .type = WIRE_FILE_END, .file_end = { error } };

	port_send(w->a, &msg);
}

static void regular_send(struct walk *w, int folder, const char *name,
			 const struct stat *st)
{
	struct wire_msg msg = { .type = WIRE_FILE_DATA };
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC), error = errno;

	file_announce(w, st, WIRE_FILE_REGULAR, "");
	if (fd >= 0) {
		error = bytes_send(w->a, fd, &msg, &msg.file_data.bytes, 0);
		close(fd);
	}
	file_finish(w, error);
}

static void link_send(struct walk *w, int folder, const char *name, const struct stat *st)
{
	char target[WIRE_PATH_MAX + 1];
	ssize_t n = readlinkat(folder, name, target, sizeof(target));

	if (n < 0 || n == sizeof(target)) {
		w->skipped++;
		return;
	}
	target[n] = 0;
	file_announce(w, st, WIRE_FILE_LINK, target);
	file_finish(w, 0);
}

static void entry_send(struct walk *w, int folder, const char *name,
		       const struct stat *st, unsigned depth);

/* Sends the entry `name` of an open folder, with its path. */
static void child_send(struct walk *w, int folder, const char *name, unsigned depth)
{
	size_t size = w->size, length = strlen(name);
	struct stat st;

	if (size + 1 + length > WIRE_PATH_MAX ||
	    fstatat(folder, name, &st, AT_SYMLINK_NOFOLLOW) < 0) {
		w->skipped++;
		return;
	}
	if (size)
		w->path[w->size++] = '/';
	memcpy(w->path + w->size, name, length + 1);
	w->size += length;
	entry_send(w, folder, name, &st, depth);
	w->size = size;
	w->path[size] = 0;
}

/* Sends the entries of an open folder. */
static void entries_send(struct walk *w, int fd, unsigned depth)
{
	union {
		struct dirent entry;
		char bytes[2048];
	} buf;
	int size;

	while ((size = getdents(fd, &buf.entry, sizeof(buf))) > 0) {
		for (int at = 0; at < size;) {
			struct dirent *entry = (struct dirent *)(buf.bytes + at);
			const char *name = entry->d_name;

			at += entry->d_reclen;
			if (strcmp(name, ".") && strcmp(name, ".."))
				child_send(w, fd, name, depth);
		}
	}
}

static void folder_send(struct walk *w, int parent, const char *name,
			const struct stat *st, unsigned depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC), error = errno;

	file_announce(w, st, WIRE_FILE_FOLDER, "");
	file_finish(w, fd < 0 ? error : 0);
	if (fd < 0)
		return;
	entries_send(w, fd, depth + 1);
	close(fd);
}

static void entry_send(struct walk *w, int folder, const char *name,
		       const struct stat *st, unsigned depth)
{
	if (S_ISREG(st->st_mode))
		regular_send(w, folder, name, st);
	else if (S_ISLNK(st->st_mode))
		link_send(w, folder, name, st);
	else if (S_ISDIR(st->st_mode) && depth < DEPTH_MAX)
		folder_send(w, folder, name, st, depth);
	else
		w->skipped++;
}

void out_send_all(struct agent *a)
{
	for (unsigned i = 0; i < a->out_count; i++) {
		struct wire_msg msg = { .type = WIRE_OUT_DONE };
		struct walk walk = { .a = a };
		struct stat st;

		/* A link that is asked for by name stands for what it points to. */
		if (stat(a->out_paths[i], &st) < 0)
			msg.out_done.error = errno;
		else
			entry_send(&walk, AT_FDCWD, a->out_paths[i], &st, 0);
		msg.out_done.skipped = walk.skipped;
		port_send(a, &msg);
	}
}

static bool is_wanted(const struct agent *a, int topic)
{
	if (a->report == 2)
		return topic == WIRE_TOPIC_POLICY && a->machine &&
		       syscall(POLICY_SYSCALL, POLICY_OP_FINDINGS) > 0;
	return a->report;
}

void report_send(struct agent *a)
{
	static const char *const paths[WIRE_TOPICS] = {
#define WIRE_TOPIC(name, number, path) [number] = path,
#include "lib/abi/wire.def"
	};

	for (int i = 0; i < WIRE_TOPICS; i++) {
		struct wire_msg msg = { .type = WIRE_REPORT, .report = { .topic = i } };
		int fd = is_wanted(a, i) ? open(paths[i], O_RDONLY | O_CLOEXEC) : -1;

		/* A kernel that does not keep the text says nothing about it. */
		if (fd < 0)
			continue;
		bytes_send(a, fd, &msg, &msg.report.bytes, 1);
		close(fd);
	}
}
