// SPDX-License-Identifier: GPL-2.0
/*
 * What a VM entry checks of the guest's state, rule by rule, in the SDM's order. See
 * entry_rules.c. Pure; only in a DEBUG build.
 *
 * Left out: what needs controls that minikvm does not use (MPX, PT, CET, LBRs, PKS),
 * shadow VMCSs and SMM. SDM "Checks on the Guest State Area".
 */
#include "entry_rules.h"

/* Access rights of a segment. */
#define RIGHTS_TYPE(ar)	((ar) & 0xf)
#define RIGHTS_S		BIT_ULL(4)
#define RIGHTS_DPL(ar)	((ar) >> 5 & 3)
#define RIGHTS_P		BIT_ULL(7)
#define RIGHTS_RESERVED	(GENMASK_ULL(11, 8) | GENMASK_ULL(31, 17))
#define RIGHTS_L		BIT_ULL(13)
#define RIGHTS_DB		BIT_ULL(14)
#define RIGHTS_G		BIT_ULL(15)
#define RIGHTS_UNUSABLE	BIT_ULL(16)
#define RIGHTS_V86		0xf3

enum { ACTIVE, HLT, SHUTDOWN, WAIT_FOR_SIPI };

#define BY_STI		BIT_ULL(0)
#define BY_MOV_SS	BIT_ULL(1)
#define BY_SMI		BIT_ULL(2)
#define BY_NMI		BIT_ULL(3)
#define PENDING_BS	BIT_ULL(14)
#define DEBUGCTL_BTF	BIT_ULL(1)

static const char * const seg_name[RULES_SEGS] = {
	"guest ES", "guest CS", "guest SS", "guest DS", "guest FS", "guest GS", "guest LDTR",
	"guest TR",
};

static bool guest_is_unrestricted(const struct entry_check *e)
{
	return (e->f->proc & RULES_PROC_SECONDARY) && (e->f->proc2 & RULES_PROC2_UNRESTRICTED);
}

static bool ia32e(const struct entry_check *e)
{
	return e->f->entry & RULES_ENTRY_IA32E;
}

static bool v86(const struct entry_check *e)
{
	return e->f->rflags & RULES_RFLAGS_VM;
}

static bool segment_usable(const struct entry_check *e, int seg)
{
	return !(e->f->seg[seg].access & RIGHTS_UNUSABLE);
}

static bool cr0_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const struct entry_caps *c = e->c;
	u64 free = guest_is_unrestricted(e) ? RULES_CR0_PE | RULES_CR0_PG : 0;

	return rule_broken(e, (~f->cr0 & c->cr0_fixed0 & ~free) ||
			   (f->cr0 & ~c->cr0_fixed1 & ~RULES_CR0_NW_CD),
			   "guest CR0", "has a bit that VMX operation wants otherwise") ||
	       rule_broken(e, (f->cr0 & RULES_CR0_PG) && !(f->cr0 & RULES_CR0_PE),
			   "guest CR0", "PG needs PE") ||
	       rule_broken(e, ia32e(e) && !(f->cr0 & RULES_CR0_PG),
			   "guest CR0", "PG must be 1 in IA-32e mode");
}

static bool cr34_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const struct entry_caps *c = e->c;

	return rule_broken(e, (~f->cr4 & c->cr4_fixed0) || (f->cr4 & ~c->cr4_fixed1),
			   "guest CR4", "has a bit that VMX operation wants otherwise") ||
	       rule_broken(e, (f->cr4 & RULES_CR4_CET) && !(f->cr0 & RULES_CR0_WP),
			   "guest CR4", "CET needs CR0.WP") ||
	       rule_broken(e, ia32e(e) && !(f->cr4 & RULES_CR4_PAE),
			   "guest CR4", "PAE must be 1 in IA-32e mode") ||
	       rule_broken(e, !ia32e(e) && (f->cr4 & RULES_CR4_PCIDE),
			   "guest CR4", "PCIDE must be 0 outside IA-32e mode") ||
	       rule_broken(e, beyond_width(e, f->cr3),
			   "guest CR3", "must be within the physical address space");
}

static bool debug_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;

	if (!(f->entry & RULES_ENTRY_LOAD_DEBUG))
		return false;
	return rule_broken(e, f->debugctl & (GENMASK_ULL(5, 3) | GENMASK_ULL(63, 16)),
			   "guest DEBUGCTL", "reserved bits must be 0") ||
	       rule_broken(e, f->dr7 >> 32, "guest DR7", "bits 63:32 must be 0");
}

static bool efer_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	bool lma = f->efer & RULES_EFER_LMA, lme = f->efer & RULES_EFER_LME;

	if (!(f->entry & RULES_ENTRY_LOAD_EFER))
		return false;
	return rule_broken(e, f->efer & ~RULES_EFER_DEFINED,
			   "guest EFER", "reserved bits must be 0") ||
	       rule_broken(e, lma != ia32e(e),
			   "guest EFER", "LMA must be as the entry control for IA-32e mode") ||
	       rule_broken(e, (f->cr0 & RULES_CR0_PG) && lma != lme,
			   "guest EFER", "LME must be as LMA with paging on");
}

/* SDM "Checks on Guest Control Registers, Debug Registers, and MSRs" */
static bool registers_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;

	return cr0_broken(e) || cr34_broken(e) || debug_broken(e) ||
	       rule_broken(e, not_canonical(e, f->sysenter_esp),
			   "guest SYSENTER_ESP", "must be canonical") ||
	       rule_broken(e, not_canonical(e, f->sysenter_eip),
			   "guest SYSENTER_EIP", "must be canonical") ||
	       rule_broken(e, (f->entry & RULES_ENTRY_LOAD_PAT) && bad_pat(f->pat),
			   "guest PAT", "memory types must exist") ||
	       efer_broken(e);
}

static bool selectors_broken(struct entry_check *e)
{
	const struct entry_segment *s = e->f->seg;

	return rule_broken(e, s[RULES_TR].selector & 4, "guest TR", "TI must be 0") ||
	       rule_broken(e, segment_usable(e, RULES_LDTR) && (s[RULES_LDTR].selector & 4),
			   "guest LDTR", "TI must be 0") ||
	       rule_broken(e, !v86(e) && !guest_is_unrestricted(e) &&
			   ((s[RULES_SS].selector ^ s[RULES_CS].selector) & 3),
			   "guest SS", "RPL must be CS's");
}

static bool v86_broken(struct entry_check *e, int seg)
{
	const struct entry_segment *s = &e->f->seg[seg];
	const char *what = seg_name[seg];

	return rule_broken(e, s->base != s->selector << 4,
			   what, "base must be 16 times the selector in virtual-8086 mode") ||
	       rule_broken(e, s->limit != 0xffff,
			   what, "limit must be 0xffff in virtual-8086 mode") ||
	       rule_broken(e, s->access != RIGHTS_V86,
			   what, "access rights must be 0xf3 in virtual-8086 mode");
}

static bool base_broken(struct entry_check *e, int seg)
{
	u64 base = e->f->seg[seg].base;

	if (seg >= RULES_FS)	/* these have 64 bits */
		return rule_broken(e, (segment_usable(e, seg) || seg != RULES_LDTR) &&
				   not_canonical(e, base), seg_name[seg], "base must be canonical");
	return rule_broken(e, (segment_usable(e, seg) || seg == RULES_CS) && base >> 32,
			   seg_name[seg], "base must have 32 bits");
}

static bool cs_type_broken(struct entry_check *e)
{
	const struct entry_segment *s = e->f->seg;
	int type = RIGHTS_TYPE(s[RULES_CS].access), dpl = RIGHTS_DPL(s[RULES_CS].access);
	int ss_dpl = RIGHTS_DPL(s[RULES_SS].access);
	const char *what = "guest CS";

	return rule_broken(e, !((type & 9) == 9 || (type == 3 && guest_is_unrestricted(e))),
			   what, "type must be 9, 11, 13 or 15 (accessed code), or 3") ||
	       rule_broken(e, type == 3 && dpl, what, "DPL must be 0 with type 3") ||
	       rule_broken(e, (type & 13) == 9 && dpl != ss_dpl,
			   what, "DPL must be SS's unless it is conforming") ||
	       rule_broken(e, (type & 13) == 13 && dpl > ss_dpl,
			   what, "DPL must not be above SS's") ||
	       rule_broken(e, ia32e(e) && (s[RULES_CS].access & RIGHTS_L) &&
			   (s[RULES_CS].access & RIGHTS_DB), what, "D must be 0 where L is 1");
}

static bool ss_type_broken(struct entry_check *e)
{
	const struct entry_segment *s = e->f->seg;
	int type = RIGHTS_TYPE(s[RULES_SS].access), dpl = RIGHTS_DPL(s[RULES_SS].access);
	int rpl = s[RULES_SS].selector & 3;
	bool zero = RIGHTS_TYPE(s[RULES_CS].access) == 3 || !(e->f->cr0 & RULES_CR0_PE);
	const char *what = "guest SS";

	return rule_broken(e, segment_usable(e, RULES_SS) && type != 3 && type != 7,
			   what, "type must be 3 or 7 (accessed, writable data)") ||
	       rule_broken(e, !guest_is_unrestricted(e) && dpl != rpl,
			   what, "DPL must be RPL") ||
	       rule_broken(e, zero && dpl, what, "DPL must be 0 in real mode or where CS is data");
}

static bool data_type_broken(struct entry_check *e, int seg)
{
	const struct entry_segment *s = &e->f->seg[seg];
	int type = RIGHTS_TYPE(s->access);
	const char *what = seg_name[seg];

	if (!segment_usable(e, seg))
		return false;
	return rule_broken(e, !(type & 1), what, "type must be accessed") ||
	       rule_broken(e, (type & 8) && !(type & 2), what, "code must be readable") ||
	       rule_broken(e, !guest_is_unrestricted(e) && type < 12 &&
			   RIGHTS_DPL(s->access) < (s->selector & 3),
			   what, "DPL must not be below RPL");
}

/* What each kind of usable segment has in common. */
static bool access_broken(struct entry_check *e, int seg, u64 s_bit)
{
	const struct entry_segment *s = &e->f->seg[seg];
	const char *what = seg_name[seg];

	return rule_broken(e, (s->access & RIGHTS_S) != s_bit,
			   what, s_bit ? "must be code or data" : "must be a system segment") ||
	       rule_broken(e, !(s->access & RIGHTS_P), what, "must be present") ||
	       rule_broken(e, s->access & RIGHTS_RESERVED, what, "reserved bits must be 0") ||
	       rule_broken(e, (s->limit & 0xfff) != 0xfff && (s->access & RIGHTS_G),
			   what, "G must be 0 unless the limit ends in 0xfff") ||
	       rule_broken(e, (s->limit >> 20) && !(s->access & RIGHTS_G),
			   what, "G must be 1 with a limit above 1 MiB");
}

static bool type_broken(struct entry_check *e, int seg)
{
	switch (seg) {
	case RULES_CS:
		return cs_type_broken(e);
	case RULES_SS:
		return ss_type_broken(e);
	default:
		return data_type_broken(e, seg);
	}
}

static bool segment_broken(struct entry_check *e, int seg)
{
	if (v86(e))
		return v86_broken(e, seg);
	return base_broken(e, seg) || type_broken(e, seg) ||
	       ((segment_usable(e, seg) || seg == RULES_CS) && access_broken(e, seg, RIGHTS_S));
}

static bool tr_broken(struct entry_check *e)
{
	int type = RIGHTS_TYPE(e->f->seg[RULES_TR].access);
	const char *what = "guest TR";

	return base_broken(e, RULES_TR) ||
	       rule_broken(e, !segment_usable(e, RULES_TR), what, "must be usable") ||
	       rule_broken(e, ia32e(e) && type != 11,
			   what, "type must be 11 (busy 64-bit TSS) in IA-32e mode") ||
	       rule_broken(e, type != 11 && type != 3, what, "type must be 3 or 11 (busy TSS)") ||
	       access_broken(e, RULES_TR, 0);
}

static bool ldtr_broken(struct entry_check *e)
{
	if (!segment_usable(e, RULES_LDTR))
		return false;
	return base_broken(e, RULES_LDTR) ||
	       rule_broken(e, RIGHTS_TYPE(e->f->seg[RULES_LDTR].access) != 2,
			   "guest LDTR", "type must be 2 (LDT)") ||
	       access_broken(e, RULES_LDTR, 0);
}

/* SDM "Checks on Guest Segment Registers" */
static bool segments_broken(struct entry_check *e)
{
	int seg;

	if (selectors_broken(e))
		return true;
	for (seg = RULES_ES; seg <= RULES_GS; seg++)
		if (segment_broken(e, seg))
			return true;
	return tr_broken(e) || ldtr_broken(e);
}

/* SDM "Checks on Guest Descriptor-Table Registers" */
static bool tables_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;

	return rule_broken(e, not_canonical(e, f->gdtr_base),
			   "guest GDTR", "base must be canonical") ||
	       rule_broken(e, f->gdtr_limit >> 16, "guest GDTR", "limit must have 16 bits") ||
	       rule_broken(e, not_canonical(e, f->idtr_base),
			   "guest IDTR", "base must be canonical") ||
	       rule_broken(e, f->idtr_limit >> 16, "guest IDTR", "limit must have 16 bits");
}

/* Bits above the width of linear addresses are the same; the topmost below is not looked at. */
static bool bad_rip(const struct entry_check *e)
{
	s64 above = (s64)e->f->rip >> e->c->lin_bits;

	if (ia32e(e) && (e->f->seg[RULES_CS].access & RIGHTS_L))
		return above != 0 && above != -1;
	return e->f->rip >> 32;
}

/* SDM "Checks on Guest RIP, RFLAGS, and SSP" */
static bool rip_rflags_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	u64 reserved = GENMASK_ULL(63, 22) | BIT_ULL(15) | BIT_ULL(5) | BIT_ULL(3);

	return rule_broken(e, bad_rip(e), "guest RIP",
			   "must have 32 bits, in 64-bit code be within the linear address space") ||
	       rule_broken(e, f->rflags & reserved, "guest RFLAGS", "reserved bits must be 0") ||
	       rule_broken(e, !(f->rflags & BIT_ULL(1)), "guest RFLAGS", "bit 1 must be 1") ||
	       rule_broken(e, v86(e) && (ia32e(e) || !(f->cr0 & RULES_CR0_PE)),
			   "guest RFLAGS", "VM must be 0 in real mode and in IA-32e mode") ||
	       rule_broken(e, intr_is(f, RULES_EXT_INTR) && !(f->rflags & RULES_RFLAGS_IF),
			   "guest RFLAGS", "IF must be 1 when an interrupt is injected");
}

/* Which events may be injected into a guest that is not active? */
static bool activity_takes_event(const struct entry_fields *f)
{
	int type = intr_type(f), vector = f->intr_info & 0xff;
	bool mc = type == RULES_HARD_EXC && vector == 18;

	if (!(f->intr_info & RULES_INTR_VALID) || f->activity == ACTIVE)
		return true;
	if (f->activity == SHUTDOWN)
		return type == RULES_NMI || mc;
	return f->activity == HLT &&
	       (type == RULES_EXT_INTR || type == RULES_NMI || mc || type == RULES_OTHER ||
		(type == RULES_HARD_EXC && vector == 1));
}

static bool activity_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	const char *what = "guest activity state";

	return rule_broken(e, f->activity > WAIT_FOR_SIPI ||
			   (f->activity && !(e->c->misc >> 5 >> f->activity & 1)),
			   what, "must be one that this processor has") ||
	       rule_broken(e, f->activity == HLT && RIGHTS_DPL(f->seg[RULES_SS].access),
			   what, "HLT needs an SS.DPL of 0") ||
	       rule_broken(e, f->activity && (f->interruptibility & (BY_STI | BY_MOV_SS)),
			   what, "must be active in the shadow of STI or MOV SS") ||
	       rule_broken(e, !activity_takes_event(f),
			   what, "does not take the event that is injected");
}

static bool interruptibility_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	u64 by = f->interruptibility;
	const char *what = "guest interruptibility";

	return rule_broken(e, by & GENMASK_ULL(31, 4), what, "reserved bits must be 0") ||
	       rule_broken(e, (by & BY_STI) && (by & BY_MOV_SS),
			   what, "STI and MOV SS do not block together") ||
	       rule_broken(e, (by & BY_STI) && !(f->rflags & RULES_RFLAGS_IF),
			   what, "STI does not block with IF 0") ||
	       rule_broken(e, intr_is(f, RULES_EXT_INTR) && (by & (BY_STI | BY_MOV_SS)),
			   what, "nothing must block the interrupt that is injected") ||
	       rule_broken(e, intr_is(f, RULES_NMI) && (by & BY_MOV_SS),
			   what, "MOV SS must not block the NMI that is injected") ||
	       rule_broken(e, by & BY_SMI, what, "SMIs are not blocked outside SMM") ||
	       rule_broken(e, intr_is(f, RULES_NMI) && (f->pin & RULES_PIN_VIRTUAL_NMI) &&
			   (by & BY_NMI), what, "NMIs must not be blocked when one is injected");
}

static bool pending_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	bool trap = (f->rflags & RULES_RFLAGS_TF) && !(f->debugctl & DEBUGCTL_BTF);
	bool held = (f->interruptibility & (BY_STI | BY_MOV_SS)) || f->activity == HLT;
	u64 reserved = GENMASK_ULL(63, 16) | BIT_ULL(15) | BIT_ULL(13) | GENMASK_ULL(11, 4);
	const char *what = "guest pending debug exceptions";

	return rule_broken(e, f->pending_dbg & reserved, what, "reserved bits must be 0") ||
	       rule_broken(e, held && trap && !(f->pending_dbg & PENDING_BS),
			   what, "BS must be 1 in a shadow or HLT with TF 1 and BTF 0") ||
	       rule_broken(e, held && !trap && (f->pending_dbg & PENDING_BS),
			   what, "BS must be 0 in a shadow or HLT with TF 0 or BTF 1");
}

/* SDM "Checks on Guest Non-Register State" */
static bool other_broken(struct entry_check *e)
{
	return activity_broken(e) || interruptibility_broken(e) || pending_broken(e) ||
	       rule_broken(e, e->f->vmcs_link != ~0ull,
			   "VMCS link pointer", "must be all ones without a shadow VMCS");
}

/* SDM "Checks on Guest Page-Directory-Pointer-Table Entries" */
static bool pdptes_broken(struct entry_check *e)
{
	const struct entry_fields *f = e->f;
	u64 reserved = GENMASK_ULL(2, 1) | GENMASK_ULL(8, 5);
	int i;

	if (ia32e(e) || !(f->cr0 & RULES_CR0_PG) || !(f->cr4 & RULES_CR4_PAE))
		return false;
	for (i = 0; i < 4; i++)
		if (rule_broken(e, (f->pdpte[i] & 1) && ((f->pdpte[i] & reserved) ||
				beyond_width(e, f->pdpte[i])),
				"guest PDPTEs", "reserved bits of a present one must be 0"))
			return true;
	return false;
}

/** guest_rules_broken - for entry_rules(): of the guest's state, is one broken? */
bool guest_rules_broken(struct entry_check *e)
{
	return registers_broken(e) || segments_broken(e) || tables_broken(e) ||
	       rip_rflags_broken(e) || other_broken(e) || pdptes_broken(e);
}
