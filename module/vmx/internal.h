/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of vmx/ know of each other, and nobody else. */
#ifndef MINIKVM_VMX_CPU_H
#define MINIKVM_VMX_CPU_H

#include <linux/list.h>
#include <linux/percpu.h>

struct vcpu;

/* cpu.c */
DECLARE_PER_CPU(struct vcpu *, vmcs_current);	/* whose VMCS is current */
DECLARE_PER_CPU(struct list_head, vmcs_loaded);	/* whose VMCSs are active */

/* vmcs.c */
void vmcs_clear_local(struct vcpu *vcpu);

/* mitigations.c */
void vmx_l1d_flush(struct vcpu *vcpu);
void vmx_new_guest_on_cpu(void);
extern bool vmx_l1d_flush_needed;

/* entry.S */
int vmx_enter_guest(struct vcpu *vcpu, bool launched);
void vmx_exit_point(void);
void vmx_host_nmi(void);

#endif
