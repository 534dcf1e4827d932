// SPDX-License-Identifier: GPL-2.0
/*
 * What a VMCS says at first: the controls as caps.c chose them, and those that a vCPU's CPUID
 * or its VM decides; the host's state; of the guest's what no reset changes.
 */
#include <asm/desc.h>
#include <asm/msr.h>

#include "../compat.h"
#include "internal.h"
#include "vmx.h"

static void setup_controls(struct vcpu *vcpu)
{
	u32 proc = vmx_caps.proc, proc2 = vmx_caps.proc2;

	if (vcpu->exits_off & MINIKVM_X86_DISABLE_EXITS_HLT)
		proc &= ~PROC_HLT;
	if (vcpu->exits_off & MINIKVM_X86_DISABLE_EXITS_MWAIT)
		proc &= ~(PROC_MWAIT | PROC_MONITOR);
	if (vcpu->exits_off & MINIKVM_X86_DISABLE_EXITS_PAUSE)
		proc2 &= ~PROC2_PAUSE_LOOP;
	if (!vcpu->vpid)
		proc2 &= ~PROC2_VPID;
	vmcs_write_pin_controls(vmx_caps.pin);
	vcpu->proc_controls = proc;
	vmcs_write_proc_controls(proc);
	vmx_apicv_setup(vcpu);
	vmcs_write_proc2_controls(proc2);
	vmcs_write_exit_controls(vmx_caps.exit);
	vmcs_write_entry_controls(vmx_caps.entry);
	vmx_filter_msrs(vcpu, NULL);
	if (vcpu->vpid)
		vmcs_write_vpid(vcpu->vpid);
	vmcs_write_eptp(vcpu->vm->eptp);
	vmcs_write_entry_msr_load_address(__pa(vcpu->perf.entry));
	vmcs_write_exit_msr_load_address(__pa(vcpu->perf.exit));
	if (vcpu->pml) {
		vmcs_write_pml_address(__pa(vcpu->pml));
		vmcs_write_pml_index(VMX_PML_ENTRIES - 1);
	}
	if (proc2 & PROC2_ENCLS)
		vmcs_write_encls_bitmap(~0ull);	/* a guest has no enclaves: every leaf exits */
	if (proc2 & PROC2_PAUSE_LOOP) {
		vmcs_write_ple_gap(128);
		vmcs_write_ple_window(SPIN_WINDOW);
	}
}

/* Controls that give a guest an instruction, and controls that take one away. */
static const struct { u32 feature, control; bool takes; } instructions[] = {
	{ VMX_HAS_RDTSCP, PROC2_RDTSCP, false },
	{ VMX_HAS_INVPCID, PROC2_INVPCID, false },
	{ VMX_HAS_RDRAND, PROC2_RDRAND, true },
	{ VMX_HAS_RDSEED, PROC2_RDSEED, true },
};

/**
 * vmcs_set_features - let the guest have the instructions that its CPUID shows
 * @vcpu: loaded, after vmcs_setup()
 * @features: VMX_HAS_*; what is not there is #UD, where the processor has the control
 *
 * SDM "Secondary Processor-Based VM-Execution Controls".
 */
void vmcs_set_features(struct vcpu *vcpu, u32 features)
{
	u32 proc2 = vmcs_read_proc2_controls();
	int i;

	for (i = 0; i < ARRAY_SIZE(instructions); i++) {
		bool has = features & instructions[i].feature;

		if (has != instructions[i].takes)
			proc2 |= instructions[i].control & vmx_caps.proc2_guest;
		else
			proc2 &= ~instructions[i].control;
	}
	vmcs_write_proc2_controls(proc2);
}

/* Host fields that are the same on every CPU and for every thread. */
static void setup_host(void)
{
	struct desc_ptr idt;
	u64 value;

	vmcs_write_host_cr0(read_cr0() & ~X86_CR0_TS);
	vmcs_write_host_cs(__KERNEL_CS);
	vmcs_write_host_ss(__KERNEL_DS);
	vmcs_write_host_tr(GDT_ENTRY_TSS * 8);
	store_idt(&idt);
	vmcs_write_host_idtr_base(idt.address);
	vmcs_write_host_rip((unsigned long)vmx_exit_point);
	rdmsrl(MSR_IA32_SYSENTER_CS, value);
	vmcs_write_host_sysenter_cs(value);
	rdmsrl(MSR_IA32_SYSENTER_EIP, value);
	vmcs_write_host_sysenter_eip(value);
	rdmsrl(MSR_IA32_CR_PAT, value);
	vmcs_write_host_pat(value);
	rdmsrl(MSR_EFER, value);
	vmcs_write_host_efer(value);
}

/* What begins as 0; the first as vcpu->host_fs_base has it. */
static const u16 zero_fields[] = {
	VMCS_ENC_host_fs_base, VMCS_ENC_host_ds, VMCS_ENC_host_es, VMCS_ENC_host_fs,
	VMCS_ENC_host_gs, VMCS_ENC_guest_sysenter_cs, VMCS_ENC_guest_sysenter_esp,
	VMCS_ENC_guest_sysenter_eip, VMCS_ENC_cr3_target_count, VMCS_ENC_exit_msr_store_count,
	VMCS_ENC_exit_msr_load_count, VMCS_ENC_entry_msr_load_count, VMCS_ENC_pf_error_mask,
	VMCS_ENC_pf_error_match,
};

/**
 * vmcs_setup - write every field that is the same for each vCPU
 * @vcpu: loaded
 *
 * The guest's own state is the reset's: vcpu_reset(). SDM "VMCS Data".
 */
void vmcs_setup(struct vcpu *vcpu)
{
	int i;

	setup_controls(vcpu);
	setup_host();
	for (i = 0; i < ARRAY_SIZE(zero_fields); i++)
		vmx_vmwrite(zero_fields[i], 0);
	vmcs_write_vmcs_link(~0ull);
	if (vmx_caps.preemption_timer)
		vmx_set_hv_timer(vcpu, U64_MAX);
	vmx_set_exceptions(vcpu);
}
