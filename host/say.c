/* The one line that tells of trouble. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/mayfly.h"

void say(const char *format, ...)
{
	char line[2048] = "mayfly: ";
	size_t size = strlen(line);
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(line + size, sizeof(line) - size - 1, format, ap);
	va_end(ap);
	if (n > 0)
		size += MIN((size_t)n, sizeof(line) - size - 2);
	for (size_t i = 0; i < size; i++)
		if ((unsigned char)line[i] < ' ' || line[i] == 127)
			line[i] = '?';
	line[size++] = '\n';
	/* Nobody is left to be told when stderr fails. */
	if (write_all(STDERR_FILENO, line, size) < 0)
		return;
}
