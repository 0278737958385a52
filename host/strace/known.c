/* A call of which only a record of its registers is left. */
#include <stdlib.h>
#include <string.h>

#include "host/strace/call.h"

#define PATH_AT 0x7fff00000000 /* where nothing else of the call is */

int call_path_argument(uint64_t nr)
{
	const struct syscall_row *row = syscall_row(nr);

	for (int i = 0; row && i < SYSCALL_ARGS_MAX; i++)
		if (row->kinds[i] == KIND_path)
			return i;
	return -1;
}

/* As what lies at the address that is given for it. */
static void place_path(struct text *memory, const char *path)
{
	const struct calltrace_memory head = {
		.address = PATH_AT,
		.size = (uint32_t)strlen(path) + 1,
	};

	text_put(memory, (const char *)&head, sizeof(head));
	text_put(memory, path, head.size);
	while (memory->size % 8)
		text_put(memory, "", 1);
}

void call_known(struct text *out, uint64_t nr, const uint64_t args[SYSCALL_ARGS_MAX],
		int64_t result, int path_arg, const char *path)
{
	struct text memory = { 0 };
	/* What lay elsewhere in memory is not known: pointers stay pointers. */
	struct calltrace_record known = { .memory = NULL };
	struct call call = {
		.out = out,
		.enter = { .nr = nr },
		.before = &known,
		.after = &known,
		.result = result,
		.failed = result < 0,
	};
	char space[32];

	memcpy(call.enter.args, args, sizeof(call.enter.args));
	if (path_arg >= 0) {
		place_path(&memory, path);
		call.enter.args[path_arg] = PATH_AT;
	}
	known.memory = (uint8_t *)memory.at;
	known.memory_size = memory.size;
	text_add(out, "%s(", call_name(nr, space));
	call_args(&call);
	text_add(out, ")");
	free(memory.at);
}
