/*
 * The smallest job: says hello and ends. As process 1 it also ends the machine, so that
 * the same program measures Mayfly and a Linux kernel that runs it as /init.
 */
#include <sys/reboot.h>
#include <unistd.h>

int main(void)
{
	static const char text[] = "hello\n";

	if (write(1, text, sizeof(text) - 1) != sizeof(text) - 1)
		return 1;
	if (getpid() == 1)
		reboot(RB_AUTOBOOT);
	return 0;
}
