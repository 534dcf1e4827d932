/* SPDX-License-Identifier: GPL-2.0 */
/* What the floors above know of the hardware: this processor, the VMCS, entry and exit. */
#ifndef MINIKVM_VMX_H
#define MINIKVM_VMX_H

#include "../minikvm.h"
#include "beside.h"
#include "check.h"
#include "kick.h"
#include "perf.h"
#include "tsc.h"
#include "vmcs.h"

/**
 * struct vmx_caps - what this processor has; filled once by vmx_caps_init()
 */
struct vmx_caps {
	u32 revision;		/* VMCS revision identifier */
	u32 pin, proc, proc2;	/* controls as every VMCS starts with them */
	u32 proc2_guest;	/* bits of proc2 that follow a guest's CPUID */
	u32 exit, entry;
	u32 exits_off;		/* MINIKVM_X86_DISABLE_EXITS_* that a VM can have */
	unsigned long cr0_fixed1;		/* bits that must be 1 in VMX operation */
	unsigned long cr4_fixed1, cr4_fixed0;	/* likewise; and those that may be 1 */
	bool preemption_timer;
	bool timer_exact;	/* it can be trusted with a guest's timer */
	u8 timer_shift;		/* it counts TSC >> this */
	bool vpid;
	bool rdtscp, invpcid;
	bool tsc_scaling;	/* a guest's TSC can have another frequency */
	bool mtf;		/* monitor trap flag: an exit after one instruction */
	bool pml;		/* page-modification logging, with ept_ad */
	bool tpr_shadow;	/* CR8 is a register of the virtual-APIC page */
	bool apicv;		/* the processor delivers interrupts: what APICV_X2APIC needs */
	bool ept_ad, ept_2m;
	u8 phys_bits;		/* of a physical address: all that are not reserved, MKTME's keys, too */
};
extern struct vmx_caps vmx_caps;

/* caps.c: what this processor can do */
u64 vmx_eptp(u64 root_pa, int levels);
int vmx_caps_init(void);
int vmx_caps_check(void);

/* way.c: whose VMX operation */
int vmx_init(void);
void vmx_exit(void);
int vmx_get(void);
void vmx_put(void);
extern bool vmx_going_down;

/* vmcs.c: the VMCS of a vCPU */
int vmcs_init(void);
void vmcs_exit(void);
int vmcs_create(struct vcpu *vcpu);
void vmcs_destroy(struct vcpu *vcpu);
void vmcs_load(struct vcpu *vcpu, int cpu);
/* Undo it; the VMCS stays active, and mostly current. Preemption off. */
static __always_inline void vmcs_put(struct vcpu *vcpu)
{
	if (vmx_is_beside())
		beside_detach(vcpu);
}

void vmx_flush_vpid(struct vcpu *vcpu);
void vmx_load_tsc(struct vcpu *vcpu);
void vmx_set_hv_timer(struct vcpu *vcpu, u64 ticks);
#define VMX_PML_ENTRIES	512
const u64 *vmx_pml_take(struct vcpu *vcpu, unsigned int *n);
void vmcs_clear(struct vcpu *vcpu);
void vmcs_set_interrupt_window(struct vcpu *vcpu, bool on);
void vmcs_set_nmi_window(struct vcpu *vcpu, bool on);
void vmcs_set_mov_dr_exits(struct vcpu *vcpu, bool on);
/* vmcs_write_ple_window(): how many ticks a vCPU may spin; if there is no other to wait for */
#define SPIN_WINDOW		4096
#define SPIN_WINDOW_ALONE	BIT(20)

/* vmcs_setup.c: what it says at first */
void vmcs_setup(struct vcpu *vcpu);
enum {	/* instructions that VMX can keep from a guest */
	VMX_HAS_RDTSCP	= BIT(0),	/* and RDPID */
	VMX_HAS_INVPCID	= BIT(1),
	VMX_HAS_RDRAND	= BIT(2),
	VMX_HAS_RDSEED	= BIT(3),
};
void vmcs_set_features(struct vcpu *vcpu, u32 features);

/*
 * A HLT that does not exit leaves the vCPU halted in the VMCS. An entry wakes it with some events
 * only, and refuses others and much else that a VMM may set: both end the halt here. SDM "Checks
 * on Guest Non-Register State".
 */
static inline void vmcs_end_halt(struct vcpu *vcpu)
{
	if (unlikely(vcpu->exits_off & MINIKVM_X86_DISABLE_EXITS_HLT))
		vmcs_write_guest_activity(ACTIVITY_ACTIVE);
}

/* msr_bitmap.c: which MSRs the guest accesses itself */
void vmx_spec_ctrl_direct(struct vcpu *vcpu);
void vmx_filter_msrs(struct vcpu *vcpu, bool (*allowed)(struct vcpu *vcpu, u32 msr, bool write));

/* apicv.c: the virtual-APIC page, and what the processor does with it by itself */
enum apicv_mode {
	APICV_OFF,		/* TPR at most */
	APICV_X2APIC,		/* an x2APIC, by its MSRs */
};
void vmx_apicv_setup(struct vcpu *vcpu);
void vmx_apicv_set_mode(struct vcpu *vcpu, enum apicv_mode mode);
void vmx_apicv_deliver(int requested, int in_service);
void vmx_apicv_deliver_more(int requested);
bool vmx_apicv_waiting(void);
u16 vmx_apicv_hold(struct vcpu *vcpu);
void vmx_apicv_release(struct vcpu *vcpu, u16 held);
void vmx_apicv_set_eoi_exits(unsigned int word, u64 vectors);
void vmx_set_tpr_threshold(struct vcpu *vcpu, u32 class);

/* segment.c: guest segments in KVM's layout */
void vmx_get_segment(int seg, struct minikvm_segment *s);
void vmx_set_segment(int seg, const struct minikvm_segment *s);
int vmx_cpl(void);
u64 vmx_segment_base(int seg);
u32 vmx_segment_limit(int seg);
u32 vmx_segment_access(int seg);

/* enter.c: into the guest and back */
void vmx_row_begin(struct vcpu *vcpu);
void vmx_enter(struct vcpu *vcpu);
void vmx_row_end(void);
void vmx_host_save(struct vcpu *vcpu);
void vmx_host_restore(struct vcpu *vcpu);

/* exceptions.c */
void vmx_set_exceptions(struct vcpu *vcpu);

/* step.c: one instruction */
bool vmx_step_is_exact(void);
void vmx_step_begin(struct vcpu *vcpu, u64 eptp, bool quiet);
void vmx_step_end(struct vcpu *vcpu);

/* mitigations.c */
int vmx_mitigations_init(void);
void vmx_mitigations_report(void);
void vmx_mitigations_exit(void);

#endif
