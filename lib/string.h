/*
 * The memory and string functions that compilers and freestanding code expect.
 * Kernel and loader define the mem* ones in arch/x86_64; the host has libc's.
 */
#ifndef LIB_STRING_H
#define LIB_STRING_H

#include "lib/base.h"

void *memcpy(void *restrict dst, const void *restrict src, size_t n);
void *memmove(void *dst, const void *src, size_t n);
void *memset(void *dst, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
#if !__STDC_HOSTED__
/* Freestanding compilers do not know these by name; as builtins, a copy of 8 bytes is two
 * instructions and not a call. */
#define memcpy(dst, src, n) __builtin_memcpy((dst), (src), (n))
#define memmove(dst, src, n) __builtin_memmove((dst), (src), (n))
#define memset(dst, c, n) __builtin_memset((dst), (c), (n))
#define memcmp(a, b, n) __builtin_memcmp((a), (b), (n))
#endif
void *memchr(const void *s, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
char *strchr(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *t);
/* Copies at most n-1 bytes and always terminates (n > 0). Length of src. */
size_t str_copy(char *dst, const char *src, size_t n);

#endif
