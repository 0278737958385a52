/* Whole files, as those of /proc must be read: until there is no more. */
#ifndef GUEST_SLURP_H
#define GUEST_SLURP_H

#include <stddef.h>

/* What slurp has read last. */
extern char slurped[1 << 20];

/* A file's text, until the next call. What cannot be read fails the case. */
char *slurp(const char *path);
/* Its length in bytes. */
size_t slurp_size(const char *path);

#endif
