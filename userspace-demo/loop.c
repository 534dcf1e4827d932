// SPDX-License-Identifier: GPL-2.0
/*
 * The one loop of the main thread: epoll, and a function for each descriptor. The
 * vCPUs have threads of their own and never come here. See epoll(7).
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include "die.h"
#include "loop.h"

void loop_create(struct loop *loop)
{
	loop->ended = false;
	loop->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll < 0)
		die("epoll_create1: %s", strerror(errno));
}

bool loop_add(struct loop *loop, struct watch *w)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = w };

	if (!epoll_ctl(loop->epoll, EPOLL_CTL_ADD, w->fd, &event))
		return true;
	if (errno != EPERM)
		die("epoll_ctl: %s", strerror(errno));
	return false;
}

void loop_remove(struct loop *loop, struct watch *w)
{
	epoll_ctl(loop->epoll, EPOLL_CTL_DEL, w->fd, NULL);
}

void loop_run(struct loop *loop)
{
	struct epoll_event event;

	while (!loop->ended) {
		/* One at a time: what one does may remove another. */
		int n = epoll_wait(loop->epoll, &event, 1, -1);

		if (n < 0 && errno != EINTR)
			die("epoll_wait: %s", strerror(errno));
		if (n > 0) {
			struct watch *w = event.data.ptr;

			w->ready(w);
		}
	}
}
