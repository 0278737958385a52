/*
 * The texts that a policy is made of, and what is wrong with them. Each file is read
 * once. Texts are not trusted: what is shown of them is printable.
 */
#ifndef POLICY_SOURCES_H
#define POLICY_SOURCES_H

#include <stdio.h>
#include <sys/types.h>

#include "policy/arena.h"

/* Of all texts together, each as often as it is parsed. */
#define SOURCE_SIZE_MAX MIB(8)
#define SOURCE_MESSAGES_MAX 1000 /* that are kept; the others are counted */

/* Where something is written; line 0: in no text. */
struct spot {
	uint32_t file, line, column, length; /* column: bytes, from 1 */
};

struct source {
	const char *name; /* as the user calls it */
	const char *text;
	size_t size;
	bool is_profile;
	/* The line of the outermost text that includes it; 0: none does. */
	uint32_t included_at;
	uint64_t included_by; /* a bit for each program */
	dev_t device;
	ino_t inode;
	VEC(uint32_t) lines; /* where each begins; made when it is first asked for */
};

struct message {
	struct spot at;
	const char *text;
	const char *hint; /* NULL */
};

struct sources {
	struct arena arena;
	VEC(struct source) files;
	VEC(struct message) messages;
	uint32_t message_count; /* those that were not kept too */
	size_t parsed;		/* bytes */
	bool no_files;		/* there are only texts in memory, and profiles */
};

void sources_free(struct sources *s);

/* A file of that path ("-": stdin), or a profile; its index, or -errno: -EFBIG. */
must_use int source_file(struct sources *s, const char *path);
must_use int source_profile(struct sources *s, const char *name);
/* A text that is in memory; borrows both. Its index. */
uint32_t source_text(struct sources *s, const char *name, const char *text, size_t size);

/* Something is wrong there. `hint` is said beside it; NULL: nothing. */
void source_fault(struct sources *s, struct spot at, const char *hint, const char *format,
		  ...) printf_like(4, 5);
/* All messages in the order of the texts, each with its line and a caret below. */
void sources_print(struct sources *s, FILE *out);
/* The line `at` is in, without its end. */
const char *source_line(struct sources *s, struct spot at, size_t *ret_size);
/* Bytes with what is not printable as '?'; a tab as a blank. */
void print_masked(FILE *out, const char *bytes, size_t size);

#endif
