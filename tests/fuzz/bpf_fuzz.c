/*
 * lib/bpf.c on hostile filters: what passes the check stays inside its memory and ends,
 * and what is said without a look at the arguments is so whatever these are.
 */
#include <stdlib.h>
#include <string.h>

#include "lib/bpf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
	if (!holds)
		abort();
}

static void try_filter(const struct sock_filter *f, const struct seccomp_data *call)
{
	struct seccomp_data other = *call;
	uint32_t blind, verdict = bpf_run(f, call);

	if (!bpf_run_blind(f, call->nr, call->arch, &blind))
		return;
	must(blind == verdict);
	for (size_t i = 0; i < ARRAY_LEN(other.args); i++)
		other.args[i] = ~call->args[i];
	other.instruction_pointer = ~call->instruction_pointer;
	must(bpf_run(f, &other) == verdict);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seccomp_data call;

	if (size < sizeof(call))
		return 0;
	memcpy(&call, data, sizeof(call));
	size_t n = (size - sizeof(call)) / sizeof(struct sock_filter);
	/* Memory of just these sizes, so that a step outside shows. */
	struct sock_filter *f = malloc(n * sizeof(*f) + 1);
	uint16_t *written = malloc(n * sizeof(*written) + 1);
	memcpy(f, data + sizeof(call), n * sizeof(*f));
	if (!bpf_check(f, n, written))
		try_filter(f, &call);
	free(f);
	free(written);
	return 0;
}
