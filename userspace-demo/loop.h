/* SPDX-License-Identifier: GPL-2.0 */
/* What the main thread waits for, all in one place. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>

struct watch {
	int fd;
	void (*ready)(struct watch *w);	/* it can be read, or its other end is gone */
};

struct loop {
	int epoll;
	bool ended;
};

void loop_create(struct loop *loop);
/* False: this file never has anybody wait; it can be read at any time. */
bool loop_add(struct loop *loop, struct watch *w);
void loop_remove(struct loop *loop, struct watch *w);
/* Until somebody sets ended. */
void loop_run(struct loop *loop);

#endif
