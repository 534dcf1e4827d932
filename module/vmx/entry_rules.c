// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM entry checks of controls and host state, rule by rule, in the SDM's order.
 * The guest's state is in entry_rules_guest.c. Pure; only in a DEBUG build.
 *
 * Each function is one of the SDM's lists; it says whether a rule is broken, and has
 * noted which. Left out: controls that minikvm does not use (posted interrupts, VM
 * functions, nested VMX, SGX, PT, SMM), except that they are off.
 * SDM "Checks on VMX Controls", "Checks on Host-State Area".
 */
#include "entry_rules.h"

static bool bad_control(u64 value, u64 cap)
{
	u32 must = cap, may = cap >> 32;

	return (must & ~value) || (value & ~(u64)may);
}

static bool control_has(const struct entry_check *e, u64 proc2)
{
	return (e->f->proc & RULES_PROC_SECONDARY) && (e->f->proc2 & proc2);
}

/* The address of a page that the processor uses. */
static bool bad_page(const struct entry_check *e, u64 pa)
{
	return (pa & 0xfff) || beyond_width(e, pa);
}

static bool reserved_controls_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const struct entry_caps *c = e->c;
	const char *rule = "has a bit that this processor wants otherwise";

	return rule_broken(e, bad_control(f->pin, c->pin), "pin-based controls", rule) ||
	       rule_broken(e, bad_control(f->proc, c->proc), "processor-based controls", rule) ||
	       rule_broken(e, (f->proc & RULES_PROC_SECONDARY) && bad_control(f->proc2, c->proc2),
			   "secondary controls", rule) ||
	       rule_broken(e, bad_control(f->exit, c->exit), "exit controls", rule) ||
	       rule_broken(e, bad_control(f->entry, c->entry), "entry controls", rule);
}

static bool bitmaps_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const char *rule = "must be the address of a page";

	return rule_broken(e, (f->proc & RULES_PROC_IO_BITMAPS) &&
			   (bad_page(e, f->io_bitmap_a) || bad_page(e, f->io_bitmap_b)),
			   "I/O bitmaps", rule) ||
	       rule_broken(e, (f->proc & RULES_PROC_MSR_BITMAP) && bad_page(e, f->msr_bitmap),
			   "MSR bitmap", rule);
}

static bool nmi_controls_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;

	return rule_broken(e, !(f->pin & RULES_PIN_NMI) && (f->pin & RULES_PIN_VIRTUAL_NMI),
			   "pin-based controls", "virtual NMIs must be off without NMI exiting") ||
	       rule_broken(e, !(f->pin & RULES_PIN_VIRTUAL_NMI) &&
			   (f->proc & RULES_PROC_NMI_WINDOW), "processor-based controls",
			   "NMI-window exiting must be off without virtual NMIs");
}

/* SDM "Extended-Page-Table Pointer (EPTP)" */
static bool eptp_broken(struct entry_check *e)
{
	u64 eptp = e->f->eptp, cap = e->c->ept_vpid;
	int type = eptp & 7, levels = (eptp >> 3 & 7) + 1;

	if (!control_has(e, RULES_PROC2_EPT))
		return false;
	return rule_broken(e, !(type == 0 && (cap & BIT_ULL(8))) &&
			   !(type == 6 && (cap & BIT_ULL(14))),
			   "EPT pointer", "memory type must be one that this processor takes") ||
	       rule_broken(e, !(levels == 4 && (cap & BIT_ULL(6))) &&
			   !(levels == 5 && (cap & BIT_ULL(7))),
			   "EPT pointer", "must name as many levels as this processor walks") ||
	       rule_broken(e, (eptp & BIT_ULL(6)) && !(cap & BIT_ULL(21)),
			   "EPT pointer", "accessed and dirty bits are not there") ||
	       rule_broken(e, (eptp & GENMASK_ULL(11, 7)) || beyond_width(e, eptp),
			   "EPT pointer", "reserved bits must be 0");
}

/* SDM "APIC Virtualization and Virtual Interrupts" */
static bool apic_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	bool shadow = f->proc & RULES_PROC_TPR_SHADOW;
	bool delivery = control_has(e, RULES_PROC2_INTR_DELIVERY);
	bool accesses = control_has(e, RULES_PROC2_APIC_ACCESSES);

	return rule_broken(e, !shadow && control_has(e, RULES_PROC2_APICV),
			   "secondary controls", "APIC virtualisation needs the TPR shadow") ||
	       rule_broken(e, shadow && bad_page(e, f->virtual_apic),
			   "virtual-APIC address", "must be the address of a page") ||
	       rule_broken(e, shadow && !delivery && (f->tpr_threshold & ~0xfull),
			   "TPR threshold", "must have 4 bits") ||
	       rule_broken(e, shadow && !delivery && !accesses &&
			   (f->tpr_threshold & 0xf) > (f->vtpr >> 4 & 0xf),
			   "TPR threshold", "must not be above the TPR's class") ||
	       rule_broken(e, accesses && bad_page(e, f->apic_access),
			   "APIC-access address", "must be the address of a page") ||
	       rule_broken(e, accesses && control_has(e, RULES_PROC2_X2APIC),
			   "secondary controls", "x2APIC mode excludes APIC accesses") ||
	       rule_broken(e, delivery && !(f->pin & RULES_PIN_INTR), "pin-based controls",
			   "virtual-interrupt delivery needs external-interrupt exiting");
}

static bool secondary_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	bool ept = control_has(e, RULES_PROC2_EPT);

	return apic_broken(e) ||
	       rule_broken(e, control_has(e, RULES_PROC2_VPID) && !(f->vpid & 0xffff),
			   "VPID", "must not be 0") ||
	       eptp_broken(e) ||
	       rule_broken(e, control_has(e, RULES_PROC2_PML) && !ept,
			   "secondary controls", "page-modification logging needs EPT") ||
	       rule_broken(e, control_has(e, RULES_PROC2_PML) && bad_page(e, f->pml_address),
			   "PML address", "must be the address of a page") ||
	       rule_broken(e, control_has(e, RULES_PROC2_UNRESTRICTED) && !ept,
			   "secondary controls", "unrestricted guest needs EPT") ||
	       rule_broken(e, control_has(e, RULES_PROC2_TSC_SCALING) && !f->tsc_multiplier,
			   "TSC multiplier", "must not be 0");
}

/* A list of MSRs to load or store: 16 bytes each. */
static bool bad_list(const struct entry_check *e, u64 pa, u64 count)
{
	return count && ((pa & 15) || beyond_width(e, pa) || beyond_width(e, pa + count * 16 - 1));
}

static bool lists_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const char *rule = "must be 16-byte aligned and within the physical address space";

	return rule_broken(e, bad_list(e, f->exit_store, f->exit_store_count),
			   "list of MSRs to store at exit", rule) ||
	       rule_broken(e, bad_list(e, f->exit_load, f->exit_load_count),
			   "list of MSRs to load at exit", rule) ||
	       rule_broken(e, bad_list(e, f->entry_load, f->entry_load_count),
			   "list of MSRs to load at entry", rule);
}

/* Does this exception carry an error code? SDM "Exceptions and Interrupts", table. */
static bool vector_has_error(const struct entry_check *e, int vector)
{
	bool cet = e->c->cr4_fixed1 & RULES_CR4_CET;

	return vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 ||
	       (vector == 21 && cet);
}

static bool error_code_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	bool error = f->intr_info & RULES_INTR_ERROR_CODE;
	bool real = control_has(e, RULES_PROC2_UNRESTRICTED) && !(f->cr0 & RULES_CR0_PE);
	bool exception = intr_type(f) == RULES_HARD_EXC, any = e->c->basic & BIT_ULL(56);
	bool wanted = vector_has_error(e, f->intr_info & 0xff);
	const char *what = "event injection";

	return rule_broken(e, error && !exception,
			   what, "an error code goes with hardware exceptions only") ||
	       rule_broken(e, error && real, what, "in real mode there are no error codes") ||
	       rule_broken(e, error && !wanted && !any,
			   what, "this exception has no error code") ||
	       rule_broken(e, !error && exception && wanted && !real && !any,
			   what, "this exception needs an error code") ||
	       rule_broken(e, error && (f->intr_error & ~0xffffull),
			   what, "error code must have 16 bits");
}

/* SDM "VM-Entry Controls for Event Injection" */
static bool injection_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	int type = intr_type(f), vector = f->intr_info & 0xff;
	bool soft = type >= RULES_SOFT_INTR && type <= RULES_SOFT_EXC;
	bool empty = !f->insn_len && !(e->c->misc & BIT_ULL(30));
	const char *what = "event injection";

	if (!(f->intr_info & RULES_INTR_VALID))
		return false;
	return rule_broken(e, type == RULES_RESERVED, what, "type 1 is reserved") ||
	       rule_broken(e, type == RULES_OTHER && !(e->c->proc >> 32 & RULES_PROC_MTF),
			   what, "type 7 needs the monitor trap flag") ||
	       rule_broken(e, type == RULES_NMI && vector != 2, what, "an NMI has vector 2") ||
	       rule_broken(e, type == RULES_HARD_EXC && vector > 31,
			   what, "an exception has a vector up to 31") ||
	       rule_broken(e, type == RULES_OTHER && vector, what, "type 7 has vector 0") ||
	       rule_broken(e, f->intr_info & GENMASK_ULL(30, 12),
			   what, "reserved bits must be 0") ||
	       error_code_broken(e) ||
	       rule_broken(e, soft && (f->insn_len > 15 || empty),
			   what, "length of the instruction must be 1 to 15");
}

/* SDM "VM-Execution Control Fields", "VM-Exit Control Fields", "VM-Entry Control Fields" */
static bool controls_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;

	return reserved_controls_broken(e) ||
	       rule_broken(e, f->cr3_targets > (e->c->misc >> 16 & 0x1ff),
			   "CR3-target count", "must not be above the processor's maximum") ||
	       bitmaps_broken(e) || nmi_controls_broken(e) || secondary_broken(e) ||
	       rule_broken(e, !(f->pin & RULES_PIN_TIMER) && (f->exit & RULES_EXIT_SAVE_TIMER),
			   "exit controls", "there is no preemption timer to save") ||
	       rule_broken(e, f->entry & RULES_ENTRY_SMM,
			   "entry controls", "SMM's must be off outside SMM") ||
	       lists_broken(e) || injection_broken(e);
}

/* SDM "Checks on Host Control Registers, MSRs, and SSP" */
static bool host_registers_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const struct entry_caps *c = e->c;
	const char *fixed = "has a bit that VMX operation wants otherwise";
	const char *canonical = "must be canonical";
	u64 mode = f->exit & RULES_EXIT_HOST_64 ? RULES_EFER_LMA | RULES_EFER_LME : 0;

	return rule_broken(e, (~f->host_cr0 & c->cr0_fixed0) || (f->host_cr0 & ~c->cr0_fixed1),
			   "host CR0", fixed) ||
	       rule_broken(e, (~f->host_cr4 & c->cr4_fixed0) || (f->host_cr4 & ~c->cr4_fixed1),
			   "host CR4", fixed) ||
	       rule_broken(e, (f->host_cr4 & RULES_CR4_CET) && !(f->host_cr0 & RULES_CR0_WP),
			   "host CR4", "CET needs CR0.WP") ||
	       rule_broken(e, beyond_width(e, f->host_cr3),
			   "host CR3", "must be within the physical address space") ||
	       rule_broken(e, not_canonical(e, f->host_sysenter_esp),
			   "host SYSENTER_ESP", canonical) ||
	       rule_broken(e, not_canonical(e, f->host_sysenter_eip),
			   "host SYSENTER_EIP", canonical) ||
	       rule_broken(e, (f->exit & RULES_EXIT_LOAD_PAT) && bad_pat(f->host_pat),
			   "host PAT", "memory types must exist") ||
	       rule_broken(e, (f->exit & RULES_EXIT_LOAD_EFER) &&
			   (f->host_efer & ~RULES_EFER_DEFINED),
			   "host EFER", "reserved bits must be 0") ||
	       rule_broken(e, (f->exit & RULES_EXIT_LOAD_EFER) &&
			   (f->host_efer & (RULES_EFER_LMA | RULES_EFER_LME)) != mode,
			   "host EFER", "LMA and LME must be as the host's address-space size");
}

/* SDM "Checks on Host Segment and Descriptor-Table Registers" */
static bool host_segments_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const char *canonical = "must be canonical";
	u64 all = f->host_es | f->host_cs | f->host_ss | f->host_ds | f->host_fs | f->host_gs |
		  f->host_tr;

	return rule_broken(e, all & 7, "host selectors", "TI and RPL must be 0") ||
	       rule_broken(e, !f->host_cs, "host CS", "must not be null") ||
	       rule_broken(e, !f->host_tr, "host TR", "must not be null") ||
	       rule_broken(e, !f->host_ss && !(f->exit & RULES_EXIT_HOST_64),
			   "host SS", "must not be null in a 32-bit host") ||
	       rule_broken(e, not_canonical(e, f->host_fs_base), "host FS base", canonical) ||
	       rule_broken(e, not_canonical(e, f->host_gs_base), "host GS base", canonical) ||
	       rule_broken(e, not_canonical(e, f->host_gdtr_base), "host GDTR base", canonical) ||
	       rule_broken(e, not_canonical(e, f->host_idtr_base), "host IDTR base", canonical) ||
	       rule_broken(e, not_canonical(e, f->host_tr_base), "host TR base", canonical);
}

/* SDM "Checks Related to Address-Space Size"; we are in IA-32e mode. */
static bool host_size_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;

	return rule_broken(e, !(f->exit & RULES_EXIT_HOST_64),
			   "exit controls", "a 64-bit host must be said to be one") ||
	       rule_broken(e, !(f->host_cr4 & RULES_CR4_PAE),
			   "host CR4", "PAE must be 1 in a 64-bit host") ||
	       rule_broken(e, not_canonical(e, f->host_rip), "host RIP", "must be canonical");
}

static enum entry_part part_broken(struct entry_check *e)
{
	if (controls_broken(e))
		return RULES_CONTROLS;
	if (host_registers_broken(e) || host_segments_broken(e) || host_size_broken(e))
		return RULES_HOST;
	return guest_rules_broken(e) ? RULES_GUEST : RULES_FINE;
}

/**
 * entry_rules - would a processor enter with these fields?
 * @f: of the VMCS
 * @c: of the processor
 *
 * Return: the first rule that is broken, in the order of the SDM's chapter "VM Entries".
 * An entry of controls or host state that is refused fails with VMfailValid, of guest
 * state with an exit that has bit 31 in its reason.
 */
struct entry_verdict entry_rules(const struct entry_fields *f, const struct entry_caps *c)
{
	struct entry_check e = { .f = f, .c = c };

	e.v.part = part_broken(&e);
	return e.v;
}
