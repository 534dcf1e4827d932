/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The rules that a VM entry checks, in software: the fields of a VMCS in, the first
 * rule that they break out. Pure: compiles in userspace, too. Only in a DEBUG build.
 */
#ifndef MINIKVM_ENTRY_RULES_H
#define MINIKVM_ENTRY_RULES_H

#include <linux/bits.h>
#include <linux/types.h>

#include "../parts.h"

/* In the order of the segment registers' numbers: ES CS SS DS FS GS LDTR TR. */
enum {
	RULES_ES, RULES_CS, RULES_SS, RULES_DS, RULES_FS, RULES_GS, RULES_LDTR, RULES_TR,
	RULES_SEGS
};

struct entry_segment {
	u64 selector, base, limit, access;
};

/**
 * struct entry_fields - a VMCS's fields, as VMREAD gives them
 *
 * A field that exists only with a control is 0 where the control is off.
 */
struct entry_fields {
	/* controls */
	u64 pin, proc, proc2, exit, entry;
	u64 cr3_targets;
	u64 io_bitmap_a, io_bitmap_b, msr_bitmap;
	u64 vpid, eptp, pml_address, tsc_multiplier;
	u64 virtual_apic, apic_access, tpr_threshold;
	u64 vtpr;	/* no field: TPR in the virtual-APIC page */
	u64 exit_store_count, exit_store, exit_load_count, exit_load;
	u64 entry_load_count, entry_load;
	u64 intr_info, intr_error, insn_len;
	/* host */
	u64 host_cr0, host_cr3, host_cr4;
	u64 host_es, host_cs, host_ss, host_ds, host_fs, host_gs, host_tr;
	u64 host_fs_base, host_gs_base, host_tr_base, host_gdtr_base, host_idtr_base;
	u64 host_sysenter_esp, host_sysenter_eip, host_rip;
	u64 host_pat, host_efer;
	/* guest */
	u64 cr0, cr3, cr4, dr7, debugctl;
	u64 sysenter_esp, sysenter_eip, pat, efer;
	struct entry_segment seg[RULES_SEGS];
	u64 gdtr_base, gdtr_limit, idtr_base, idtr_limit;
	u64 rip, rflags;
	u64 activity, interruptibility, pending_dbg, vmcs_link;
	u64 pdpte[4];
};

/**
 * struct entry_caps - what the rules need to know of the processor
 *
 * The first group has the form of the MSRs in SDM "VMX Capability Reporting Facility":
 * in a pair of halves, the low one has the bits that must be 1, the high one those that may.
 */
struct entry_caps {
	u64 pin, proc, proc2, exit, entry;
	u64 basic, misc, ept_vpid;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	int phys_bits, lin_bits;	/* widths of addresses */
};

/* A check on its way. */
struct entry_check {
	const struct entry_fields *f;
	const struct entry_caps *c;
	struct entry_verdict v;
};

/* Note @rule if it is broken, and say whether it is. */
static inline bool rule_broken(struct entry_check *e, bool broken, const char *what,
			       const char *rule)
{
	if (broken) {
		e->v.what = what;
		e->v.rule = rule;
	}
	return broken;
}

static inline bool beyond_width(const struct entry_check *e, u64 pa)
{
	return pa >> e->c->phys_bits;
}

static inline bool not_canonical(const struct entry_check *e, u64 va)
{
	int unused = 64 - e->c->lin_bits;

	return (u64)((s64)(va << unused) >> unused) != va;
}

/* Is a memory type in each byte of a PAT one that there is? SDM "IA32_PAT MSR" */
static inline bool bad_pat(u64 pat)
{
	for (; pat; pat >>= 8)
		if ((pat & 0xff) > 7 || (pat & 0xfe) == 2)
			return true;
	return false;
}

/* Bits of control registers and EFER by the names that the SDM has for them. */
#define RULES_CR0_PE		BIT_ULL(0)
#define RULES_CR0_WP		BIT_ULL(16)
#define RULES_CR0_NW_CD		(BIT_ULL(29) | BIT_ULL(30))
#define RULES_CR0_PG		BIT_ULL(31)
#define RULES_CR4_PAE		BIT_ULL(5)
#define RULES_CR4_PCIDE		BIT_ULL(17)
#define RULES_CR4_CET		BIT_ULL(23)
#define RULES_EFER_LME		BIT_ULL(8)
#define RULES_EFER_LMA		BIT_ULL(10)
#define RULES_EFER_DEFINED	0xd01ull
#define RULES_RFLAGS_TF		BIT_ULL(8)
#define RULES_RFLAGS_IF		BIT_ULL(9)
#define RULES_RFLAGS_VM		BIT_ULL(17)

/* Controls that change what other fields must be. */
#define RULES_PIN_INTR		BIT_ULL(0)
#define RULES_PIN_NMI		BIT_ULL(3)
#define RULES_PIN_VIRTUAL_NMI	BIT_ULL(5)
#define RULES_PIN_TIMER		BIT_ULL(6)
#define RULES_PROC_TPR_SHADOW	BIT_ULL(21)
#define RULES_PROC_NMI_WINDOW	BIT_ULL(22)
#define RULES_PROC_IO_BITMAPS	BIT_ULL(25)
#define RULES_PROC_MTF		BIT_ULL(27)
#define RULES_PROC_MSR_BITMAP	BIT_ULL(28)
#define RULES_PROC_SECONDARY	BIT_ULL(31)
#define RULES_PROC2_APIC_ACCESSES BIT_ULL(0)
#define RULES_PROC2_EPT		BIT_ULL(1)
#define RULES_PROC2_X2APIC	BIT_ULL(4)
#define RULES_PROC2_VPID	BIT_ULL(5)
#define RULES_PROC2_UNRESTRICTED BIT_ULL(7)
#define RULES_PROC2_INTR_DELIVERY BIT_ULL(9)
#define RULES_PROC2_APICV	(RULES_PROC2_X2APIC | BIT_ULL(8) | RULES_PROC2_INTR_DELIVERY)
#define RULES_PROC2_PML		BIT_ULL(17)
#define RULES_PROC2_TSC_SCALING	BIT_ULL(25)
#define RULES_EXIT_HOST_64	BIT_ULL(9)
#define RULES_EXIT_LOAD_PAT	BIT_ULL(19)
#define RULES_EXIT_LOAD_EFER	BIT_ULL(21)
#define RULES_EXIT_SAVE_TIMER	BIT_ULL(22)
#define RULES_ENTRY_LOAD_DEBUG	BIT_ULL(2)
#define RULES_ENTRY_IA32E	BIT_ULL(9)
#define RULES_ENTRY_SMM		(BIT_ULL(10) | BIT_ULL(11))
#define RULES_ENTRY_LOAD_PAT	BIT_ULL(14)
#define RULES_ENTRY_LOAD_EFER	BIT_ULL(15)

/* VM-entry interruption information. */
#define RULES_INTR_VALID	BIT_ULL(31)
#define RULES_INTR_ERROR_CODE	BIT_ULL(11)
enum {
	RULES_EXT_INTR, RULES_RESERVED, RULES_NMI, RULES_HARD_EXC, RULES_SOFT_INTR,
	RULES_PRIV_EXC, RULES_SOFT_EXC, RULES_OTHER
};

static inline int intr_type(const struct entry_fields *f)
{
	return f->intr_info >> 8 & 7;
}

static inline bool intr_is(const struct entry_fields *f, int type)
{
	return (f->intr_info & RULES_INTR_VALID) && intr_type(f) == type;
}

struct entry_verdict entry_rules(const struct entry_fields *f, const struct entry_caps *c);
bool guest_rules_broken(struct entry_check *e);

#endif
