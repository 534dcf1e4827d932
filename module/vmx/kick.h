/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How to get a vCPU's attention: a request says for what, a kick has its thread look. Low in
 * the house, since everybody above does it.
 */
#ifndef MINIKVM_VMX_KICK_H
#define MINIKVM_VMX_KICK_H

#include <linux/bitops.h>

#include "../minikvm.h"

/**
 * vcpu_make_request - leave work for the vCPU thread; it is done before the next entry
 * @vcpu: whose
 * @req: REQ_*
 *
 * Enough in the vCPU's own thread, which looks before it enters or sleeps; others kick it.
 *
 * Context: any.
 */
static inline void vcpu_make_request(struct vcpu *vcpu, int req)
{
	set_bit(req, &vcpu->requests);
}

void vcpu_kick(struct vcpu *vcpu);
void vcpu_request(struct vcpu *vcpu, int req);
void vcpu_queue_nmi(struct vcpu *vcpu);
void vm_kill(struct vm *vm, const char *reason);
void vm_sync_guests(struct vm *vm);

#endif
