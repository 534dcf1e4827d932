/* SPDX-License-Identifier: GPL-2.0 */
/* What a guest that knows that it is one can have. */
#ifndef MINIKVM_PV_H
#define MINIKVM_PV_H

#include "../minikvm.h"

/* Is a feature (BIT(KVM_FEATURE_...), of CPUID 0x40000001) kept from the guest? */
static inline bool pv_hides(const struct vcpu *vcpu, u32 feature)
{
	return vcpu->pv.enforced && !(vcpu->pv.features & feature);
}

/* clock.c: the VM's clock */
void vm_clock_init(struct vm *vm);
u64 vm_clock_now(struct vm *vm, struct vm_clock *now);
void vm_clock_get(struct vm *vm, struct minikvm_clock_data *data);
int vm_clock_set(struct vm *vm, const struct minikvm_clock_data *data);

/* guest_clock.c: the guest's view of it */
void pv_clock_changed(struct vm *vm);
void pv_clock_update(struct vcpu *vcpu);	/* REQ_CLOCK */
int pv_clock_stopped(struct vcpu *vcpu);

/* steal.c: time that the thread waits for a processor */
bool pv_steal_there(void);
int pv_steal_write(struct vcpu *vcpu, u64 data);
void pv_steal_look(struct vcpu *vcpu);
void pv_steal_update(struct vcpu *vcpu);	/* REQ_STEAL */

/* eoi.c: an end of interrupt without an exit */
int pv_eoi_write(struct vcpu *vcpu, u64 data);
void pv_eoi_offer(struct vcpu *vcpu);
void pv_eoi_after_exit(struct vcpu *vcpu);
void pv_eoi_settle(struct vcpu *vcpu);		/* REQ_EOI */

/* pv_msr.c: may run with interrupts off, never sleeps. 0; 1: #GP */
int pv_msr_read(struct vcpu *vcpu, u32 index, u64 *data, bool host);
int pv_msr_write(struct vcpu *vcpu, u32 index, u64 data, bool host);
void pv_reset(struct vcpu *vcpu);

#endif
