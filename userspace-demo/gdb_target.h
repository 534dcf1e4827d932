/* SPDX-License-Identifier: GPL-2.0 */
/* The machine as a debugger has it: vCPUs that stop and go on, memory, breakpoints. */
#ifndef GDB_TARGET_H
#define GDB_TARGET_H

#include "config.h"
#include "gdb_break.h"
#include "vcpu.h"

/* What a vCPU is to do when the machine goes on. */
enum gdb_action { ACTION_STAY, ACTION_GO, ACTION_STEP };

struct gdb_target {
	struct vcpu *vcpus;
	unsigned int nr;
	struct gdb_breaks breaks;
	bool can_block;			/* interrupts, while it steps */
	enum gdb_action action[MAX_CPUS];
	bool waited[MAX_CPUS];		/* what it tells was understood, and another one told first */
	uint32_t inject[MAX_CPUS];	/* MINIKVM_GUESTDBG_INJECT_*: what was the guest's own */
	unsigned int last;		/* vCPU that stopped us */
};

/* Why the machine stopped. */
struct gdb_event {
	struct vcpu *vcpu;
	enum { STOP_STEP, STOP_BREAK, STOP_CRASH } what;
	const struct gdb_break *of;	/* of STOP_BREAK */
};

/* All vCPUs rest from now on; they need not have a thread yet. */
void gdb_target_create(struct gdb_target *t, struct vcpu *vcpus, unsigned int nr);
/* Have all rest. */
void gdb_target_stop(struct gdb_target *t);
/* All rest: does one have something to tell? False: what it was is the guest's own affair. */
bool gdb_target_event(struct gdb_target *t, struct gdb_event *event);
/* Go on, by t->action. Who crashed ends the run instead. */
void gdb_target_resume(struct gdb_target *t);
/* Nobody debugs any more: as it would be without us. */
void gdb_target_detach(struct gdb_target *t);

/* Guest memory at a linear address of this vCPU, all of it or (false) perhaps some. */
bool gdb_target_read(const struct gdb_target *t, const struct vcpu *vcpu, uint64_t address,
		     uint8_t *data, size_t n);
bool gdb_target_write(struct gdb_target *t, const struct vcpu *vcpu, uint64_t address,
		      const uint8_t *data, size_t n);
/* False: it cannot be had. */
bool gdb_target_break(struct gdb_target *t, const struct vcpu *vcpu, enum gdb_break_type type,
		      uint64_t address, uint64_t length);

#endif
