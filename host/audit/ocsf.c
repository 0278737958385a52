/*
 * OCSF 1.3.0. What a process does to itself or to others is Process Activity, whose
 * Set User ID is made for setuid(2) and its kin; mounts are File System Activity, the
 * machine's start and end Application Lifecycle. All else is a Base Event. The whole
 * record stands in `unmapped`.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/audit/export.h"
#include "host/audit/json.h"
#include "host/audit/words.h"
#include "host/json.h"

#define OCSF_VERSION "1.3.0"

enum { OTHER_ACTIVITY = 99, VIRTUAL_DEVICE = 6, REGULAR_FILE = 1, FOLDER = 2 };

enum severity { INFORMATIONAL = 1, MEDIUM = 3, HIGH = 4 };

enum class {
	BASE_EVENT = 0,
	FILE_SYSTEM_ACTIVITY = 1001,
	PROCESS_ACTIVITY = 1007,
	APPLICATION_LIFECYCLE = 6002,
};

struct kind {
	enum class class;
	int activity;
	const char *activity_name;
};

static const struct kind kinds[AUDIT_EVENTS] = {
	[AUDIT_EVENT_BOOT] = { APPLICATION_LIFECYCLE, 3, "Start" },
	[AUDIT_EVENT_CRED] = { PROCESS_ACTIVITY, OTHER_ACTIVITY, "Change Credentials" },
	[AUDIT_EVENT_EXEC] = { PROCESS_ACTIVITY, 1, "Launch" },
	[AUDIT_EVENT_CAPABILITY] = { PROCESS_ACTIVITY, OTHER_ACTIVITY, "Use Capability" },
	[AUDIT_EVENT_REFUSED] = { PROCESS_ACTIVITY, OTHER_ACTIVITY, "System Call" },
	[AUDIT_EVENT_LOGGED] = { PROCESS_ACTIVITY, OTHER_ACTIVITY, "System Call" },
	[AUDIT_EVENT_DENIED] = { PROCESS_ACTIVITY, OTHER_ACTIVITY, "System Call" },
	[AUDIT_EVENT_MOUNT] = { FILE_SYSTEM_ACTIVITY, 12, "Mount" },
	[AUDIT_EVENT_ROOT] = { PROCESS_ACTIVITY, OTHER_ACTIVITY, "Change Root" },
	[AUDIT_EVENT_TRACE] = { PROCESS_ACTIVITY, 3, "Open" },
	[AUDIT_EVENT_POLICY] = { PROCESS_ACTIVITY, OTHER_ACTIVITY, "Change Policy" },
	[AUDIT_EVENT_END] = { APPLICATION_LIFECYCLE, 4, "Stop" },
};

static bool changes_user(const struct audit_record *r)
{
	const struct audit_cred *a = &r->before, *b = &r->after;

	return a->uid != b->uid || a->euid != b->euid || a->suid != b->suid ||
	       a->fsuid != b->fsuid;
}

static struct kind kind_of(const struct audit_record *r)
{
	static const struct kind set_user = { PROCESS_ACTIVITY, 5, "Set User ID" };
	static const struct kind unmount = { FILE_SYSTEM_ACTIVITY, 13, "Unmount" };
	static const struct kind other = { BASE_EVENT, OTHER_ACTIVITY, "Other" };

	if (r->event == AUDIT_EVENT_CRED && changes_user(r))
		return set_user;
	if (r->event == AUDIT_EVENT_MOUNT && r->syscall == SYS_umount2)
		return unmount;
	if (r->event >= AUDIT_EVENTS || !kinds[r->event].class)
		return other;
	return kinds[r->event];
}

/* ---- objects ---- */

static json_t *user_json(const struct audit_cred *c, const struct audit_names *names)
{
	const char *name = names_user(names, c->euid);
	json_t *user = json_pack("{s:o}", "uid", json_sprintf("%" PRIu32, c->euid));

	if (name)
		json_object_set_new(user, "name", text_json(name, strlen(name)));
	return user;
}

static json_t *file_json(const char *path, int type)
{
	const char *name = strrchr(path, '/');

	if (!name || !name[1])
		name = path;
	else
		name++;
	return json_pack("{s:o, s:o, s:i}", "name", text_json(name, strlen(name)), "path",
			 text_json(path, strlen(path)), "type_id", type);
}

static json_t *process_json(const struct audit_record *r, const struct audit_cred *c,
			    const char *path, const struct audit_names *names)
{
	json_t *process = json_pack("{s:i, s:i, s:{s:i}, s:o}", "pid", (int)r->pid, "tid",
				    (int)r->tid, "parent_process", "pid", (int)r->ppid,
				    "user", user_json(c, names));

	if (path)
		json_object_set_new(process, "file", file_json(path, REGULAR_FILE));
	return process;
}

/* Whom it was done to: another process, or the one that did it, as it is after that. */
static json_t *target_json(const struct audit_record *r, const char *program,
			   const struct audit_names *names)
{
	char path[sizeof(r->text) + 1] = "";

	if (r->event == AUDIT_EVENT_TRACE)
		return json_pack("{s:i}", "pid", (int)r->object);
	if (r->event == AUDIT_EVENT_EXEC) {
		memcpy(path, r->text, strnlen(r->text, sizeof(r->text)));
		program = path;
	}
	return process_json(r, r->result < 0 ? &r->before : &r->after, program, names);
}

static json_t *product_json(void)
{
	return json_pack("{s:s, s:s, s:s}", "name", "Mayfly", "vendor_name", "Mayfly",
			 "version", MAYFLY_VERSION);
}

static json_t *metadata_json(const struct audit_record *r)
{
	json_t *id = boot_id_json(r->boot_id);
	json_t *metadata = json_pack(
		"{s:s, s:[s], s:o, s:s, s:s, s:o, s:o, s:o}", "version", OCSF_VERSION,
		"profiles", "host", "product", product_json(), "log_name", "audit",
		"event_code", audit_event_name(r->event), "sequence",
		number_json(r->sequence), "original_time", moment_json(r->wall_ns), "uid",
		json_sprintf("%s:%" PRIu64, json_string_value(id), r->sequence));

	json_decref(id);
	return metadata;
}

static json_t *message_json(const struct audit_record *r, const struct audit_names *names)
{
	struct text t = { 0 };
	const struct words w = { &t, names, false };
	json_t *json;

	words_record(&w, r);
	json = text_json(t.at, t.size);
	free(t.at);
	return json;
}

/* ---- the event ---- */

static void add_outcome(json_t *event, const struct audit_record *r)
{
	bool refused = is_refusal(r);
	struct text error = { 0 };

	json_object_set_new(event, "severity_id",
			    json_integer(r->event == AUDIT_EVENT_DROPPED ? HIGH
					 : refused			 ? MEDIUM
						   : INFORMATIONAL));
	json_object_set_new(event, "status_id", json_integer(refused ? 2 : 1));
	if (r->cause)
		json_object_set_new(event, "status_detail",
				    json_string(audit_cause_text(r->cause)));
	if (r->result >= 0)
		return;
	words_error(&error, r->result);
	json_object_set_new(event, "status_code", text_json(error.at, error.size));
	free(error.at);
}

/* What the class wants besides. */
static void add_parts(json_t *event, const struct audit_record *r, enum class class,
		      const struct audit_names *names)
{
	char *program = words_program_path(names, r);

	if (class == APPLICATION_LIFECYCLE)
		json_object_set_new(event, "app", product_json());
	if (r->pid)
		json_object_set_new(event, "actor",
				    json_pack("{s:o, s:o}", "process",
					      process_json(r, &r->before, program, names),
					      "user", user_json(&r->before, names)));
	if (class == PROCESS_ACTIVITY)
		json_object_set_new(event, "process", target_json(r, program, names));
	if (class == FILE_SYSTEM_ACTIVITY) {
		char path[sizeof(r->text) + 1] = "";

		memcpy(path, r->text, strnlen(r->text, sizeof(r->text)));
		json_object_set_new(event, "file", file_json(path, FOLDER));
	}
	free(program);
}

void export_ocsf(struct text *out, const struct audit_record *r, uint64_t wall_ns,
		 const struct audit_names *names)
{
	struct kind kind = kind_of(r);
	json_t *event;

	/* A class tells of a process: what none did is none of it. */
	if (!r->pid && kind.class != APPLICATION_LIFECYCLE)
		kind = (struct kind){ BASE_EVENT, OTHER_ACTIVITY, "Other" };
	event = json_pack(
		"{s:i, s:i, s:i, s:I, s:s, s:o, s:o, s:o, s:{s:i, s:s, s:o}, s:o}",
		"class_uid", (int)kind.class, "category_uid", (int)kind.class / 1000,
		"activity_id", kind.activity, "type_uid",
		(json_int_t)kind.class * 100 + kind.activity, "activity_name",
		kind.activity_name, "time", number_json(wall_ns / NSEC_PER_MSEC),
		"metadata", metadata_json(r), "message", message_json(r, names), "device",
		"type_id", VIRTUAL_DEVICE, "type", "Virtual", "uid",
		boot_id_json(r->boot_id), "unmapped", record_json(r, names));
	add_outcome(event, r);
	add_parts(event, r, kind.class, names);
	json_line(out, event);
}
