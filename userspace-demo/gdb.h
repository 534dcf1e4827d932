/* SPDX-License-Identifier: GPL-2.0 */
/* A debugger's session: minivmm --gdb. */
#ifndef GDB_H
#define GDB_H

#include "gdb_command.h"
#include "loop.h"

struct gdb {
	struct loop *loop;
	struct watch listening;		/* fd -1: a terminal, or --gdb was not given */
	struct watch line;		/* to gdb; fd -1: nobody is connected */
	struct watch told;		/* a vCPU has something to tell */
	bool attached;			/* somebody has spoken, and not gone */
	bool running;			/* the guest is not at rest */
	bool lost;			/* the line takes nothing any more */
	struct gdb_talk talk;
};

/* A port's number or a terminal's path is looked at, or this does not return. */
void gdb_check(const char *where);
/* After vCPUs and loop, before a thread: they rest until gdb has them go on. */
void gdb_create(struct gdb *g, const char *where, struct loop *loop, struct vcpu *vcpus,
		unsigned int nr);
/* After the loop: nobody rests any more. gdb hears of the exit status. */
void gdb_end(struct gdb *g, int status);

#endif
