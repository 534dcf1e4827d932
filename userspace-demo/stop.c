// SPDX-License-Identifier: GPL-2.0
/*
 * How a run ends: by a device (the guest powered off), a vCPU (it crashed), the
 * terminal (Ctrl-A X), a signal or the time limit. All become one status and one
 * end of the main thread's loop; nothing is done in a signal's handler.
 */
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "die.h"
#include "stop.h"

#define stop_of(w, member) ((struct stop *)((char *)(w) - offsetof(struct stop, member)))

int stop_status(const struct stop *stop)
{
	return __atomic_load_n(&stop->status, __ATOMIC_ACQUIRE);
}

void stop_ask(struct stop *stop, int status)
{
	int expected = STOP_NOT;
	uint64_t one = 1;

	if (!__atomic_compare_exchange_n(&stop->status, &expected, status, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return;
	if (write(stop->asked.fd, &one, sizeof(one)) != sizeof(one))
		die("eventfd: %s", strerror(errno));
}

static void stop_asked(struct watch *w)
{
	stop_of(w, asked)->loop->ended = true;
}

/* Left unread: the loop ends before it looks again. */
static void stop_signalled(struct watch *w)
{
	stop_ask(stop_of(w, signals), ST_QUIT);
	loop_remove(stop_of(w, signals)->loop, w);
}

static void stop_timed_out(struct watch *w)
{
	stop_ask(stop_of(w, timer), ST_TIMEOUT);
	loop_remove(stop_of(w, timer)->loop, w);
}

static void stop_watch(struct stop *stop, struct watch *w, int fd, void (*ready)(struct watch *w))
{
	if (fd < 0)
		die("eventfd, signalfd or timerfd: %s", strerror(errno));
	*w = (struct watch) { fd, ready };
	loop_add(stop->loop, w);
}

/* Whether whoever started us wants us to outlive the terminal: nohup(1). */
static bool stop_is_nohup(void)
{
	struct sigaction action;

	return !sigaction(SIGHUP, NULL, &action) && action.sa_handler == SIG_IGN;
}

void stop_create(struct stop *stop, struct loop *loop, unsigned int timeout)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	struct itimerspec limit = { .it_value.tv_sec = timeout };
	sigset_t set;
	size_t i;

	stop->loop = loop;
	stop->status = STOP_NOT;
	sigemptyset(&set);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		if (ends[i] != SIGHUP || !stop_is_nohup())
			sigaddset(&set, ends[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);	/* other threads inherit it */
	stop_watch(stop, &stop->asked, eventfd(0, EFD_CLOEXEC), stop_asked);
	stop_watch(stop, &stop->signals, signalfd(-1, &set, SFD_CLOEXEC), stop_signalled);
	stop_watch(stop, &stop->timer, timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC), stop_timed_out);
	timerfd_settime(stop->timer.fd, 0, &limit, NULL);
}
