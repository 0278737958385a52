/* Whole files, as those of /proc must be read (until there is no more) and written. */
#ifndef GUEST_SLURP_H
#define GUEST_SLURP_H

#include <stddef.h>

/* What slurp has read last. */
extern char slurped[1 << 20];

/* A file's text, until the next call. What cannot be read fails the case. */
char *slurp(const char *path);
/* Its length in bytes. */
size_t slurp_size(const char *path);
/* The number after "key:" or "key " at a line's beginning; -1: no such line. */
long slurp_field(const char *path, const char *key);
/* The n-th field, from 1, of a file like /proc/self/stat; n is behind the name. */
long long slurp_stat(const char *path, int n);

/* Writes the text into a file that exists, in one call: 0, or errno. */
int spit(const char *path, const char *text);

#endif
