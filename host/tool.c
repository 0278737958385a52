/* Running other programs. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/install.h"
#include "host/textlog.h"
#include "host/tool.h"

char *tool_find(const char *name)
{
	static const char *const folders[] = { "/usr/sbin", "/sbin" };
	char *path = program_find(name);

	/* PATH of an ordinary user lacks the administrator's programs. */
	for (size_t i = 0; i < ARRAY_LEN(folders) && !path; i++) {
		path = must_format("%s/%s", folders[i], name);
		if (access(path, X_OK) < 0) {
			free(path);
			path = NULL;
		}
	}
	return path;
}

/* An open file that reads as the text, from its start. */
static int input_open(const char *input, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write_all(fd, input, size) < 0 || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

static pid_t tool_start(const char *path, char *const argv[], int input, int output,
			int kept)
{
	static char *environment[] = { "LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
				       NULL };
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid < 0 ? -errno : pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0 || getppid() != parent ||
	    dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0 ||
	    (kept >= 0 && fcntl(kept, F_SETFD, 0) < 0))
		_exit(MAYFLY_FAILED);
	execve(path, argv, environment);
	_exit(MAYFLY_NOT_FOUND);
}

/* Reads until every writer is gone. */
static char *output_read(int fd)
{
	struct textlog log = { 0 };
	char *text;

	textlog_read(&log, fd, -1);
	text = must_format("%s", log.text ? log.text : "");
	textlog_fini(&log);
	return text;
}

int tool_run(char *const argv[], const char *input, size_t input_size, int kept,
	     char **ret_output)
{
	char *path = tool_find(argv[0]), *output;
	int in, out[2], status;
	pid_t pid;

	if (!path)
		return -ENOENT;
	in = input_open(input, input_size);
	if (in < 0 || pipe2(out, O_CLOEXEC) < 0) {
		free(path);
		return -EMFILE;
	}
	pid = tool_start(path, argv, in, out[1], kept);
	free(path);
	close(in);
	close(out[1]);
	if (pid < 0) {
		close(out[0]);
		return pid;
	}
	output = output_read(out[0]);
	close(out[0]);
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	if (ret_output)
		*ret_output = output;
	else
		free(output);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
