/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of vmx/ know of each other, and nobody else. */
#ifndef MINIKVM_VMX_INTERNAL_H
#define MINIKVM_VMX_INTERNAL_H

#include <linux/types.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "../compat.h"

struct vcpu;

/* caps.c */
u64 caps_read_msr(u32 msr);

/* vmcs.c */
void vmcs_set_proc_controls(struct vcpu *vcpu, u32 proc);
void vmcs_clear_all_local(void);
void vmcs_clear_all_emergency(void);

/* msr_bitmap.c */
int msr_bitmap_init(void);
void msr_bitmap_exit(void);
void vmx_update_x2apic_msrs(struct vcpu *vcpu);

/* mitigations.c */
void vmx_l1d_flush(struct vcpu *vcpu);
extern bool vmx_l1d_flush_needed;

/*
 * Another guest than last time runs here: forget branches. Interrupts or preemption off. Asked
 * first, as the arguments of the WRMSR cost something where no barrier is wanted.
 */
static __always_inline void vmx_new_guest_on_cpu(void)
{
	if (cpu_feature_enabled(COMPAT_FEATURE_IBPB))
		native_wrmsrl(MSR_IA32_PRED_CMD, PRED_CMD_IBPB);
}

/* entry.S */
int vmx_enter_guest(struct vcpu *vcpu, bool launched);
void vmx_exit_point(void);
void vmx_host_nmi(void);

#endif
