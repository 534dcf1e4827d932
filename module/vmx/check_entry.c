// SPDX-License-Identifier: GPL-2.0
/*
 * The rules of entry_rules.c, asked before each entry of a DEBUG build, and compared with
 * the processor's verdict after it. Which fields there are: SDM "Field Encoding in VMCS".
 */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/printk.h>
#include <asm/apicdef.h>
#include <asm/msr.h>
#include <asm/processor.h>
#include <asm/trapnr.h>

#include "entry_rules.h"
#include "internal.h"
#include "vmx.h"

/* SDM "VM-Instruction Error Numbers" */
#define ERROR_CONTROLS	7
#define ERROR_HOST	8

/* Fields that some processors lack are there only if the control that wants them is on. */
enum { ALWAYS, WITH_PROC, WITH_PROC2, WITH_EXIT, WITH_ENTRY };

/* Where each field goes. */
static const struct {
	u16 enc, offset;
	u8 needs;
	u32 control;
} fields[] = {
#define FIELD(enc, to)			{ enc, offsetof(struct entry_fields, to), ALWAYS, 0 }
#define FIELD_IF(enc, to, needs, bit)	{ enc, offsetof(struct entry_fields, to), needs, bit }
	FIELD(0x400a, cr3_targets),
	FIELD_IF(0x2000, io_bitmap_a, WITH_PROC, RULES_PROC_IO_BITMAPS),
	FIELD_IF(0x2002, io_bitmap_b, WITH_PROC, RULES_PROC_IO_BITMAPS),
	FIELD_IF(0x2004, msr_bitmap, WITH_PROC, RULES_PROC_MSR_BITMAP),
	FIELD_IF(0x0000, vpid, WITH_PROC2, RULES_PROC2_VPID),
	FIELD_IF(0x201a, eptp, WITH_PROC2, RULES_PROC2_EPT),
	FIELD_IF(0x200e, pml_address, WITH_PROC2, RULES_PROC2_PML),
	FIELD_IF(0x2012, virtual_apic, WITH_PROC, RULES_PROC_TPR_SHADOW),
	FIELD_IF(0x401c, tpr_threshold, WITH_PROC, RULES_PROC_TPR_SHADOW),
	FIELD_IF(0x2014, apic_access, WITH_PROC2, RULES_PROC2_APIC_ACCESSES),
	FIELD_IF(0x2032, tsc_multiplier, WITH_PROC2, RULES_PROC2_TSC_SCALING),
	FIELD(0x400e, exit_store_count), FIELD(0x2006, exit_store),
	FIELD(0x4010, exit_load_count), FIELD(0x2008, exit_load),
	FIELD(0x4014, entry_load_count), FIELD(0x200a, entry_load),
	FIELD(0x4016, intr_info), FIELD(0x4018, intr_error), FIELD(0x401a, insn_len),

	FIELD(0x6c00, host_cr0), FIELD(0x6c02, host_cr3), FIELD(0x6c04, host_cr4),
	FIELD(0x0c00, host_es), FIELD(0x0c02, host_cs), FIELD(0x0c04, host_ss),
	FIELD(0x0c06, host_ds), FIELD(0x0c08, host_fs), FIELD(0x0c0a, host_gs),
	FIELD(0x0c0c, host_tr),
	FIELD(0x6c06, host_fs_base), FIELD(0x6c08, host_gs_base), FIELD(0x6c0a, host_tr_base),
	FIELD(0x6c0c, host_gdtr_base), FIELD(0x6c0e, host_idtr_base),
	FIELD(0x6c10, host_sysenter_esp), FIELD(0x6c12, host_sysenter_eip),
	FIELD(0x6c16, host_rip),
	FIELD_IF(0x2c00, host_pat, WITH_EXIT, RULES_EXIT_LOAD_PAT),
	FIELD_IF(0x2c02, host_efer, WITH_EXIT, RULES_EXIT_LOAD_EFER),

	FIELD(0x6800, cr0), FIELD(0x6802, cr3), FIELD(0x6804, cr4), FIELD(0x681a, dr7),
	FIELD(0x2802, debugctl), FIELD(0x6824, sysenter_esp), FIELD(0x6826, sysenter_eip),
	FIELD_IF(0x2804, pat, WITH_ENTRY, RULES_ENTRY_LOAD_PAT),
	FIELD_IF(0x2806, efer, WITH_ENTRY, RULES_ENTRY_LOAD_EFER),
	FIELD(0x6816, gdtr_base), FIELD(0x4810, gdtr_limit),
	FIELD(0x6818, idtr_base), FIELD(0x4812, idtr_limit),
	FIELD(0x681e, rip), FIELD(0x6820, rflags),
	FIELD(0x4826, activity), FIELD(0x4824, interruptibility), FIELD(0x6822, pending_dbg),
	FIELD(0x2800, vmcs_link),
	FIELD_IF(0x280a, pdpte[0], WITH_PROC2, RULES_PROC2_EPT),
	FIELD_IF(0x280c, pdpte[1], WITH_PROC2, RULES_PROC2_EPT),
	FIELD_IF(0x280e, pdpte[2], WITH_PROC2, RULES_PROC2_EPT),
	FIELD_IF(0x2810, pdpte[3], WITH_PROC2, RULES_PROC2_EPT),
};

static bool is_there(const struct entry_fields *f, int needs, u32 control)
{
	switch (needs) {
	case WITH_PROC:
		return f->proc & control;
	case WITH_PROC2:
		return (f->proc & RULES_PROC_SECONDARY) && (f->proc2 & control);
	case WITH_EXIT:
		return f->exit & control;
	case WITH_ENTRY:
		return f->entry & control;
	default:
		return true;
	}
}

/* Segments are indexed, see segment.c. */
static void read_segments(struct entry_segment *s)
{
	int i;

	for (i = 0; i < RULES_SEGS; i++, s++) {
		s->selector = vmx_vmread_unchecked(0x0800 + 2 * i);
		s->limit = vmx_vmread_unchecked(0x4800 + 2 * i);
		s->access = vmx_vmread_unchecked(0x4814 + 2 * i);
		s->base = vmx_vmread_unchecked(0x6806 + 2 * i);
	}
}

static void read_fields(struct entry_fields *f)
{
	int i;

	*f = (struct entry_fields) {
		.pin = vmcs_read_pin_controls(), .proc = vmcs_read_proc_controls(),
		.exit = vmcs_read_exit_controls(), .entry = vmcs_read_entry_controls(),
	};
	if (f->proc & RULES_PROC_SECONDARY)
		f->proc2 = vmcs_read_proc2_controls();
	for (i = 0; i < ARRAY_SIZE(fields); i++)
		if (is_there(f, fields[i].needs, fields[i].control))
			*(u64 *)((void *)f + fields[i].offset) = vmx_vmread_unchecked(fields[i].enc);
	read_segments(f->seg);
}

/* The processor's side: the TRUE forms of the capabilities where they are. */
static void read_caps(struct entry_caps *c)
{
	u64 basic = caps_read_msr(MSR_IA32_VMX_BASIC);
	bool t = basic & BIT_ULL(55);

	*c = (struct entry_caps) {
		.pin = caps_read_msr(t ? MSR_IA32_VMX_TRUE_PINBASED_CTLS : MSR_IA32_VMX_PINBASED_CTLS),
		.proc = caps_read_msr(t ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS : MSR_IA32_VMX_PROCBASED_CTLS),
		.proc2 = caps_read_msr(MSR_IA32_VMX_PROCBASED_CTLS2),
		.exit = caps_read_msr(t ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS),
		.entry = caps_read_msr(t ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS),
		.basic = basic, .misc = caps_read_msr(MSR_IA32_VMX_MISC),
		.ept_vpid = caps_read_msr(MSR_IA32_VMX_EPT_VPID_CAP),
		.cr0_fixed0 = caps_read_msr(MSR_IA32_VMX_CR0_FIXED0),
		.cr0_fixed1 = caps_read_msr(MSR_IA32_VMX_CR0_FIXED1),
		.cr4_fixed0 = caps_read_msr(MSR_IA32_VMX_CR4_FIXED0),
		.cr4_fixed1 = caps_read_msr(MSR_IA32_VMX_CR4_FIXED1),
		.phys_bits = vmx_caps.phys_bits, .lin_bits = boot_cpu_data.x86_virt_bits,
	};
}

static u32 apic_reg(const struct vcpu *vcpu, u32 reg)
{
	return *(u32 *)(vcpu->apic_page + reg);
}

/* The highest vector of IRR or ISR, or 0. */
static u32 apic_highest(const struct vcpu *vcpu, u32 set)
{
	int i;

	for (i = 7; i >= 0; i--)
		if (apic_reg(vcpu, set + i * 16))
			return i * 32 + __fls(apic_reg(vcpu, set + i * 16));
	return 0;
}

/* RVI and SVI are to say what the page says: a processor does not look. */
static void check_apic(struct vcpu *vcpu, const struct entry_fields *f)
{
	u32 status, irr, isr;

	if (!(f->proc2 & RULES_PROC2_INTR_DELIVERY) || vcpu->step_state.quiet)
		return;
	status = vmcs_read_guest_intr_status();
	irr = apic_highest(vcpu, APIC_IRR);
	isr = apic_highest(vcpu, APIC_ISR);
	if (status != (irr | isr << 8))
		check_failed(vcpu->vm, vcpu, "its interrupt status is 0x%x, its APIC has 0x%x in service, and 0x%x waits",
			     status, isr, irr);
}

/* What only we write, and what no rule of the SDM says. */
static void check_ours(struct vcpu *vcpu, const struct entry_fields *f)
{
	u64 eptp = vcpu->step_state.eptp ?: vcpu->vm->eptp;

	if (f->eptp != eptp)
		check_failed(vcpu->vm, vcpu, "its VMCS has EPT pointer 0x%llx, not 0x%llx",
			     f->eptp, eptp);
	if (f->vpid != vcpu->vpid)
		check_failed(vcpu->vm, vcpu, "its VMCS has VPID %llu, the vCPU %u",
			     f->vpid, vcpu->vpid);
	check_apic(vcpu, f);
	/* Each may be raised by its own delivery: a guest could stay in that for ever. */
	if (~vmcs_read_exception_bitmap() & (BIT(X86_TRAP_DB) | BIT(X86_TRAP_AC)))
		check_failed(vcpu->vm, vcpu, "#DB or #AC does not exit");
}

/**
 * check_entry_rules - would a processor enter?
 * @vcpu: about to enter, or just refused
 *
 * Context: interrupts off.
 */
void check_entry_rules(struct vcpu *vcpu)
{
	struct entry_verdict *v = &vcpu->check.verdict;
	struct entry_fields f;
	struct entry_caps c;

	read_caps(&c);
	read_fields(&f);
	if (f.proc & RULES_PROC_TPR_SHADOW)
		f.vtpr = apic_reg(vcpu, APIC_TASKPRI);
	*v = entry_rules(&f, &c);
	if (v->part == RULES_CONTROLS || v->part == RULES_HOST)
		check_failed(vcpu->vm, vcpu, "%s: %s", v->what, v->rule);
	else if (v->part == RULES_GUEST)
		pr_info_ratelimited("process %d, vCPU %u: a state that cannot be entered: %s: %s\n",
				    vcpu->vm->pid, vcpu->id, v->what, v->rule);
	check_ours(vcpu, &f);
}

/* Did the processor find a rule of controls, host or guest state broken? */
static enum entry_part processors_verdict(const struct vcpu *vcpu)
{
	u32 error;

	if (vcpu->exit.reason == (REASON_FAILED_ENTRY | REASON_BAD_GUEST_STATE) &&
	    !vcpu->entry_failed)
		return RULES_GUEST;
	if (!vcpu->entry_failed)
		return RULES_FINE;
	error = vmcs_read_insn_error();
	if (error == ERROR_CONTROLS)
		return RULES_CONTROLS;
	if (error == ERROR_HOST)
		return RULES_HOST;
	check_failed(vcpu->vm, vcpu, "the entry failed with VM-instruction error %u", error);
	return RULES_FINE;
}

static noinline void verdicts_differ(const struct vcpu *vcpu, enum entry_part theirs)
{
	static const char * const part[] = { "nothing", "the controls", "the host's state",
					     "the guest's state" };
	const struct entry_verdict *v = &vcpu->check.verdict;

	if (v->part == RULES_FINE)
		pr_info_ratelimited("process %d, vCPU %u: the processor refused %s; no rule is known to be broken\n",
				    vcpu->vm->pid, vcpu->id, part[theirs]);
	else
		pr_info_ratelimited("process %d, vCPU %u: the processor refused %s, although %s: %s\n",
				    vcpu->vm->pid, vcpu->id, part[theirs], v->what, v->rule);
}

/**
 * check_entry_verdict - compare the processor's verdict with ours
 * @vcpu: after its entry, or what came of it
 * @checked: check_entry_rules() was called before
 *
 * One of the two is wrong where they differ, and emulators do differ: a line in the log.
 * An entry that failed has changed nothing of what the rules look at.
 *
 * Context: interrupts off. Return: the processor entered.
 */
bool check_entry_verdict(struct vcpu *vcpu, bool checked)
{
	enum entry_part theirs = processors_verdict(vcpu);

	if (!checked && theirs == RULES_FINE)
		return true;
	if (!checked)
		check_entry_rules(vcpu);
	if (theirs != vcpu->check.verdict.part)
		verdicts_differ(vcpu, theirs);
	return theirs == RULES_FINE;
}
