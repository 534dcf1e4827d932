/* SPDX-License-Identifier: GPL-2.0 */
/* vCPUs at rest: out of the guest, with nothing half done, for somebody to look at. */
#ifndef HOLD_H
#define HOLD_H

#include <stdbool.h>

#include "vcpu.h"

/* Sent to a vCPU's thread: that it came has ended RUN. */
#define KICK	SIGUSR1

/* Once, before the first vCPU's thread is made. */
void hold_create(struct vm *vm);

/* The vCPU's thread: after a RUN that was interrupted. Returns when it may go on. */
void hold_here(struct vcpu *vcpu);
/* The vCPU's thread, at its end: it rests for ever. */
void hold_leave(struct vcpu *vcpu);
/*
 * The vCPU's thread: it has something to tell to who debugs; at its next RUN it will rest.
 * False when nobody does.
 */
bool hold_tell(struct vcpu *vcpu, const struct minikvm_debug_exit_arch *what);

/* The main thread: have it rest as soon as it runs; one that has a thread does when this returns. */
void hold_begin(struct vcpu *vcpu);
void hold_wait(struct vcpu *vcpu);
/* It goes on. */
void hold_end(struct vcpu *vcpu);

#endif
