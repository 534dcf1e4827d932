/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest that knows that it is one can have: clocks. */
#ifndef MINIKVM_PV_H
#define MINIKVM_PV_H

#include "../minikvm.h"

/* clock.c: the VM's clock */
void vm_clock_init(struct vm *vm);
u64 vm_clock_now(struct vm *vm, struct vm_clock *now);
void vm_clock_get(struct vm *vm, struct minikvm_clock_data *data);
int vm_clock_set(struct vm *vm, const struct minikvm_clock_data *data);

/* guest_clock.c: the guest's view of it */
void pv_clock_changed(struct vm *vm);
void pv_clock_update(struct vcpu *vcpu);	/* REQ_CLOCK */
int pv_clock_stopped(struct vcpu *vcpu);

/* pv_msr.c: may run with interrupts off, never sleeps. 0; 1: #GP */
int pv_msr_read(struct vcpu *vcpu, u32 index, u64 *data);
int pv_msr_write(struct vcpu *vcpu, u32 index, u64 data);
void pv_reset(struct vcpu *vcpu);

#endif
