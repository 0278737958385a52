/* Argument and environment strings on their way through execve. */
#include <asm/errno.h>

#include "lib/string.h"
#include "proc/exec.h"

#define STRING_MAX KIB(128) /* one string, with its NUL: Linux's MAX_ARG_STRLEN */
#define ARGS_LEAST KIB(128) /* ARG_MAX that every stack limit leaves */
#define ARGS_MOST MIB(6)
#define FIRST_CAP PAGE_SIZE

/* A quarter of the stack may be arguments (execve(2), "Limits on size of arguments"). */
void exec_args_init(struct exec_args *a)
{
	uint64_t stack = rlimit_current(RLIMIT_STACK);
	*a = (struct exec_args){ .max = MIN(MAX(stack / 4, ARGS_LEAST), ARGS_MOST) };
}

void exec_args_fini(struct exec_args *a)
{
	if (a->buf && a->cap > FIRST_CAP)
		vmap_free(a->buf, a->cap);
	else
		heap_free(a->buf);
	a->buf = NULL;
}

static int grow(struct exec_args *a, size_t need)
{
	if (need > a->max)
		return -E2BIG;
	if (need <= a->cap)
		return 0;
	struct exec_args bigger = { .cap = MAX(a->cap, FIRST_CAP) };
	while (bigger.cap < need)
		bigger.cap *= 2;
	bigger.buf =
		bigger.cap > FIRST_CAP ? vmap_alloc(bigger.cap) : heap_alloc(bigger.cap);
	if (!bigger.buf)
		return -ENOMEM;
	if (a->len)
		memcpy(bigger.buf, a->buf, a->len);
	exec_args_fini(a);
	a->buf = bigger.buf;
	a->cap = bigger.cap;
	return 0;
}

int exec_args_add(struct exec_args *a, const char *s)
{
	size_t n = strlen(s) + 1;
	int err = grow(a, a->len + n);
	if (err)
		return err;
	memcpy(a->buf + a->len, s, n);
	a->len += n;
	return 0;
}

static int add_user(struct exec_args *a, uaddr_t s)
{
	for (size_t room = MAX(a->cap - a->len, (size_t)64);; room *= 2) {
		room = MIN(room, STRING_MAX);
		int err = grow(a, MIN(a->len + room, a->max));
		if (err)
			return err;
		room = MIN(room, a->cap - a->len);
		int64_t n = copy_in_str(a->buf + a->len, s, room);
		if (n >= 0) {
			a->len += (size_t)n + 1;
			return a->len <= a->max ? 0 : -E2BIG;
		}
		if (n != -ENAMETOOLONG)
			return (int)n;
		if (room >= STRING_MAX || a->len + room >= a->max)
			return -E2BIG;
	}
}

static int add_user_array(struct exec_args *a, uaddr_t array, uint32_t *ret_n)
{
	uint64_t at;
	for (uint32_t n = 0; array.va; n++, array = uaddr_add(array, sizeof at)) {
		int err = get_user(at, array);
		if (err)
			return err;
		if (!at) {
			*ret_n = n;
			return 0;
		}
		if (a->max < sizeof at)
			return -E2BIG;
		a->max -= sizeof at; /* its pointer takes stack too */
		err = add_user(a, UADDR(at));
		if (err)
			return err;
	}
	*ret_n = 0;
	return 0;
}

/* A program without even argv[0] has been a hole (CVE-2021-4034): it gets an empty
 * one. */
static int need_first(struct exec_args *a)
{
	if (a->argc)
		return 0;
	a->argc = 1;
	return exec_args_add(a, "");
}

int exec_args_from_user(struct exec_args *a, uaddr_t argv, uaddr_t envp)
{
	int err = add_user_array(a, argv, &a->argc);
	if (!err)
		err = need_first(a);
	if (!err)
		err = add_user_array(a, envp, &a->envc);
	return err;
}

int exec_args_from_kernel(struct exec_args *a, const char *const *argv,
			  const char *const *envp)
{
	int err = 0;
	for (; !err && argv[a->argc]; a->argc++)
		err = exec_args_add(a, argv[a->argc]);
	if (!err)
		err = need_first(a);
	for (; !err && envp[a->envc]; a->envc++)
		err = exec_args_add(a, envp[a->envc]);
	return err;
}

int exec_args_replace_first(struct exec_args *a, const char *const *s, uint32_t n)
{
	size_t old = strlen(a->buf) + 1, new = 0;
	for (uint32_t i = 0; i < n; i++)
		new += strlen(s[i]) + 1;
	int err = grow(a, a->len - old + new);
	if (err)
		return err;
	memmove(a->buf + new, a->buf + old, a->len - old);
	a->len = a->len - old + new;
	size_t at = 0;
	for (uint32_t i = 0; i < n; i++) {
		memcpy(a->buf + at, s[i], strlen(s[i]) + 1);
		at += strlen(s[i]) + 1;
	}
	a->argc += n - 1;
	return 0;
}
