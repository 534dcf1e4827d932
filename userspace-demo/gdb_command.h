/* SPDX-License-Identifier: GPL-2.0 */
/* What gdb's packets ask for, and the answers. */
#ifndef GDB_COMMAND_H
#define GDB_COMMAND_H

#include "gdb_packet.h"
#include "gdb_target.h"

struct gdb_talk {
	struct gdb_target target;
	struct vcpu *current;		/* whose registers and memory gdb means */
	char stop[64];			/* why the guest stopped, as it is said */
	bool knows_swbreak, knows_hwbreak;	/* gdb */
	bool loses;			/* the line: '+' and '-' have to stay */
	bool no_ack;			/* they are left out */
	struct gdb_in in;
	struct gdb_out out;
};

/* What is to be done when a request has been looked at. */
enum gdb_next {
	NEXT_ANSWER,		/* send talk->out */
	NEXT_GO,		/* as talk->target.action says; no answer until it has stopped */
	NEXT_DETACH, NEXT_KILL,	/* after the answer */
};

/* The guest rests. talk->in holds a request; talk->out is begun, and empty. */
enum gdb_next gdb_command(struct gdb_talk *talk);
/* The guest rests, for this; or (NULL) because gdb wants it: sets talk->stop and ->current. */
void gdb_command_stopped(struct gdb_talk *talk, const struct gdb_event *event);

#endif
