/* SPDX-License-Identifier: GPL-2.0 */
/* Guests in KVM's VMX operation: what the rest of the module needs of beside.c. */
#ifndef MINIKVM_VMX_BESIDE_H
#define MINIKVM_VMX_BESIDE_H

#include <linux/jump_label.h>

struct vcpu;

DECLARE_STATIC_KEY_FALSE(vmx_beside);

static __always_inline bool vmx_is_beside(void)
{
	return static_branch_unlikely(&vmx_beside);
}

int beside_on(void);
void beside_off(void);
void beside_attach(struct vcpu *vcpu);
void beside_detach(struct vcpu *vcpu);

#endif
