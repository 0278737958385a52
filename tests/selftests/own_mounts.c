/*
 * unshare(2) for tests that begin with a mount namespace of their own. Mayfly refuses all
 * namespaces, and the VM that such a test has for itself is one: it goes on without.
 */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

int unshare(int flags)
{
	long done = syscall(SYS_unshare, flags);

	return done && errno == EINVAL && flags == CLONE_NEWNS ? 0 : (int)done;
}
