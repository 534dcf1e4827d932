/* SPDX-License-Identifier: GPL-2.0 */
/* How a run ends: somebody asks for it, and the main thread hears. */
#ifndef STOP_H
#define STOP_H

#include <stdbool.h>

#include "loop.h"

struct stop {
	struct loop *loop;
	int status;		/* ST_*, or STOP_NOT: nobody has asked. Atomic */
	struct watch asked, signals, timer;
};

enum { STOP_NOT = -1 };

/*
 * Before any other thread is made: the loop ends when stop_ask() was called, at a
 * signal, or after so many seconds (0: never).
 */
void stop_create(struct stop *stop, struct loop *loop, unsigned int timeout);
/* From any thread. The first one decides the exit status. */
void stop_ask(struct stop *stop, int status);
/* Returns the status, or STOP_NOT. */
int stop_status(const struct stop *stop);

#endif
