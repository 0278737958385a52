/* The one line that tells of trouble. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/mayfly.h"

static void line_write(const char *start, const char *format, va_list ap)
{
	char line[2048];
	size_t size = strlen(start);
	int n;

	memcpy(line, start, size);
	n = vsnprintf(line + size, sizeof(line) - size - 1, format, ap);
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

void say(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line_write("mayfly: ", format, ap);
	va_end(ap);
}

void say_more(const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	line_write("  ", format, ap);
	va_end(ap);
}
