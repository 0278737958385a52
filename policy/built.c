/* From a file to a form. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "policy/built.h"
#include "policy/check.h"
#include "policy/parse.h"
#include "policy/profiles.h"

static int not_good(struct built *b, const char *name, const char *why)
{
	source_fault(&b->sources, (struct spot){ 0 }, NULL, "%s: %s", name, why);
	return -EINVAL;
}

/* The form is checked by the code that the kernel checks it with. */
static int form_check(struct built *b, const char *name)
{
	const char *why;

	if (policy_parse(b->compiled.form, b->compiled.size, &b->policy, &why) < 0)
		return not_good(b, name, why);
	return 0;
}

static int build_text(struct built *b, uint32_t file, const struct policy_define *defines,
		      size_t n)
{
	draft_begin(&b->draft, &b->sources);
	b->from_text = true;
	parse(&b->draft, file);
	check(&b->draft, defines, n);
	if (!compile(&b->draft, &b->compiled))
		return -EINVAL;
	return form_check(b, b->sources.files.at[file].name);
}

static int build_form(struct built *b, uint32_t file, size_t defines)
{
	const struct source *source = &b->sources.files.at[file];

	if (defines)
		return not_good(b, source->name,
				"it is compiled: its variables have their values");
	b->compiled.form = malloc(source->size);
	if (!b->compiled.form)
		exit(ARENA_EXIT);
	memcpy(b->compiled.form, source->text, source->size);
	b->compiled.size = source->size;
	return form_check(b, source->name);
}

static int build(struct built *b, uint32_t file, const struct policy_define *defines,
		 size_t n)
{
	const struct source *source = &b->sources.files.at[file];
	size_t magic = sizeof(((struct policy_header *)0)->magic);

	if (source->size >= magic && !memcmp(source->text, POLICY_MAGIC, magic))
		return build_form(b, file, n);
	return build_text(b, file, defines, n);
}

/* What was no file may have been meant as a profile. */
static void cannot_read(struct built *b, const char *what, int error)
{
	bool is_name = error == -ENOENT && !strchr(what, '/');
	const char *list = "";

	for (size_t i = 0; is_name && i < profile_count; i++)
		list = arena_format(&b->sources.arena, "%s%s%s", list, i ? ", " : "",
				    profiles[i].name);
	if (error == -EFBIG)
		source_fault(&b->sources, (struct spot){ 0 }, NULL,
			     "%s: larger than %d megabytes", what,
			     (int)(SOURCE_SIZE_MAX / MIB(1)));
	else
		source_fault(&b->sources, (struct spot){ 0 },
			     is_name ? arena_format(&b->sources.arena,
						    "the profiles are %s", list)
				     : NULL,
			     "%s: %s", what, strerror(-error));
}

int built_file(struct built *b, const char *what, const struct policy_define *defines,
	       size_t n)
{
	bool is_profile = !strchr(what, '/') && profile_find(what, strlen(what));
	int file;

	*b = (struct built){ 0 };
	file = is_profile ? source_profile(&b->sources, what)
			  : source_file(&b->sources, what);
	if (file < 0) {
		cannot_read(b, what, file);
		return file;
	}
	return build(b, (uint32_t)file, defines, n);
}

int built_text(struct built *b, const char *name, const char *text, size_t size,
	       const struct policy_define *defines, size_t n)
{
	*b = (struct built){ .sources.no_files = true };
	return build(b, source_text(&b->sources, name, text, size), defines, n);
}

void built_free(struct built *b)
{
	free(b->compiled.form);
	sources_free(&b->sources);
	*b = (struct built){ 0 };
}

/* ---- policy/policy.h ---- */

static int take(struct built *b, int error, void **ret_form, size_t *ret_size,
		char **ret_messages)
{
	size_t size;
	FILE *out;

	*ret_messages = NULL;
	if (!error) {
		*ret_form = b->compiled.form;
		*ret_size = b->compiled.size;
		b->compiled.form = NULL;
	} else {
		out = open_memstream(ret_messages, &size);
		if (!out)
			exit(ARENA_EXIT);
		sources_print(&b->sources, out);
		fclose(out);
	}
	built_free(b);
	return error;
}

int policy_compile_file(const char *what, const struct policy_define *defines, size_t n,
			void **ret_form, size_t *ret_size, char **ret_messages)
{
	struct built b;

	return take(&b, built_file(&b, what, defines, n), ret_form, ret_size,
		    ret_messages);
}

int policy_compile_text(const char *name, const char *text, size_t size,
			const struct policy_define *defines, size_t n, void **ret_form,
			size_t *ret_size, char **ret_messages)
{
	struct built b;

	return take(&b, built_text(&b, name, text, size, defines, n), ret_form, ret_size,
		    ret_messages);
}
