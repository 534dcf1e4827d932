/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of vmx/ know of each other, and nobody else. */
#ifndef MINIKVM_VMX_INTERNAL_H
#define MINIKVM_VMX_INTERNAL_H

#include <linux/errno.h>
#include <linux/percpu.h>
#include <linux/types.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "../compat.h"
#include "vmx.h"

/* caps.c */
u64 caps_read_msr(u32 msr);

/* vmxon.c: VMX operation of our own, where the kernel lets us */
#if COMPAT_FOR_KVM_ONLY
static inline int own_init(void) { return 0; }
static inline void own_exit(void) { }
static inline int own_on(void) { return -ENODEV; }
static inline void own_off(void) { }
static inline void own_suspend(void) { }
static inline void own_resume(void) { }
static inline void own_shutdown(void) { }
#else
int own_init(void);
void own_exit(void);
int own_on(void);
void own_off(void);
void own_suspend(void);
void own_resume(void);
void own_shutdown(void);
#endif

/* kvm_vm.c: what keeps KVM's on */
int kvm_vm_hold(void);
void kvm_vm_release(void);

/* vmcs.c */
void vmcs_set_proc_controls(struct vcpu *vcpu, u32 proc);
DECLARE_PER_CPU(struct vcpu *, vmcs_current);
void vmcs_clear_local(struct vcpu *vcpu);
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

/* VMPTRLD, where @vcpu's VMCS is active already. Preemption off. */
static __always_inline void vmcs_make_current(struct vcpu *vcpu)
{
	vmx_vmptrld(&vcpu->vmcs_pa);
	__this_cpu_write(vmcs_current, vcpu);
	vmx_new_guest_on_cpu();
}

#endif
