/* Where the command starts. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "host/args.h"
#include "host/tty.h"

int command_version(const struct options *options)
{
	printf("mayfly %s\n", MAYFLY_VERSION);
	return fflush(stdout) ? MAYFLY_FAILED : 0;
}

int command_help(const struct options *options)
{
	args_help();
	return fflush(stdout) ? MAYFLY_FAILED : 0;
}

int main(int argc, char **argv)
{
	struct options options;

	stdio_claim();
	/* A reader of stdout that goes away is told to the job, not to us. */
	signal(SIGPIPE, SIG_IGN);
	if (args_parse(argc, argv, &options))
		return MAYFLY_FAILED;
	return args_dispatch(&options);
}
