/* move_pages(2): signals that come meanwhile wait for its end. */
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "common/tap.h"

#define PAGES 100000ul

static volatile sig_atomic_t alarms;

static void count(int sig)
{
	alarms++;
}

static void a_signal_does_not_interrupt_it(void)
{
	const struct itimerval often = { { 0, 500 }, { 0, 500 } };
	void **pages = calloc(PAGES, sizeof *pages);
	int *status = calloc(PAGES, sizeof *status);

	CHECK(pages && status);
	for (unsigned long i = 0; i < PAGES; i++)
		pages[i] = status;
	status[0] = -1;
	CHECK(!sigaction(SIGALRM, &(struct sigaction){ .sa_handler = count }, NULL));
	CHECK(!setitimer(ITIMER_REAL, &often, NULL));
	for (int i = 0; i < 200 && (i < 10 || alarms < 10); i++) {
		CHECK_EQ(syscall(SYS_move_pages, 0, PAGES, pages, NULL, status, 0), 0);
		CHECK_EQ(status[PAGES - 1], 0);
	}
	CHECK(alarms >= 10);
}

TEST_MAIN(CASE(a_signal_does_not_interrupt_it))
