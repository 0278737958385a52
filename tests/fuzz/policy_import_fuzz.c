/* Lists of system calls of Docker, minijail and systemd, hostile: a clean refusal, or a
 * text that is a policy. The first byte says which it is. */
/* link: policy/built.c policy/compile.c policy/check.c policy/check_path.c */
/* link: policy/parse.c policy/parse_call.c policy/parse_where.c policy/parse_path.c */
/* link: policy/parse_include.c policy/lex.c policy/sources.c policy/arena.c */
/* link: policy/words.c policy/guess.c policy/names.c policy/draft.c policy/profiles.c */
/* link: policy/print.c policy/describe.c policy/import.c policy/import_oci.c */
/* link: policy/import_minijail.c policy/import_systemd.c */
#include <stdlib.h>
#include <string.h>

#include "policy/built.h"
#include "policy/import.h"
#include "policy/print.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static const char groups[] = "@default\n    # Always\n    brk\n    @inner\n\n@inner\n"
			     "    read\n    @inner\n    no_such_call\n";

static void is_policy(const struct import *i)
{
	struct built built;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	must(out);
	draft_print(&i->draft, out);
	fclose(out);
	/* It may be too large, but not wrong. */
	if (built_text(&built, "imported", text, size, NULL, 0))
		must(built.sources.messages.n == 1 &&
		     !built.sources.messages.at[0].at.line);
	built_free(&built);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool (*const importers[])(struct import *) = { import_oci, import_minijail,
							      import_systemd };
	struct sources sources = { .no_files = true };
	struct import i = { .sources = &sources, .systemd_groups = groups };

	if (!size)
		return 0;
	i.file = source_text(&sources, "text", (const char *)data + 1, size - 1);
	if (importers[data[0] % ARRAY_LEN(importers)](&i))
		is_policy(&i);
	else
		must(sources.message_count);
	sources_free(&sources);
	return 0;
}
