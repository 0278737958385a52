/* What the commands of `mayfly policy` read and write. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/outfile.h"
#include "host/policy/policy.h"

int policy_build(const struct options *options, const char *what, struct built *ret)
{
	const struct policy_options *o = &options->policy;
	int error = built_file(ret, what, o->defines, o->define_count);

	if (!error)
		return 0;
	fflush(stdout);
	sources_print(&ret->sources, stderr);
	return error == -EINVAL ? POLICY_WRONG : MAYFLY_FAILED;
}

void sink_begin(struct sink *sink)
{
	*sink = (struct sink){ 0 };
	sink->out = open_memstream(&sink->bytes, &sink->size);
	if (!sink->out)
		exit(MAYFLY_FAILED);
}

static int file_write(const char *path, const char *bytes, size_t size)
{
	struct outfile file;
	int error = outfile_open(AT_FDCWD, path, 0666 & ~umask_now(), &file);

	if (error < 0)
		return error;
	error = write_all(file.fd, bytes, size);
	if (error < 0) {
		outfile_drop(&file);
		return error;
	}
	return outfile_commit(&file);
}

int sink_end(struct sink *sink, const char *path)
{
	bool is_stdout = !path || !strcmp(path, "-");
	int error = 0;

	if (fclose(sink->out))
		exit(MAYFLY_FAILED);
	error = is_stdout ? write_all(STDOUT_FILENO, sink->bytes, sink->size)
			  : file_write(path, sink->bytes, sink->size);
	if (error < 0)
		say("cannot write %s: %s", is_stdout ? "the output" : path,
		    strerror(-error));
	free(sink->bytes);
	return error < 0 ? MAYFLY_FAILED : 0;
}
