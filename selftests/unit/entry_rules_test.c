// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/vmx/entry_rules*.c finds nothing wrong with states that a processor enters,
 * and for each change that breaks one rule says the sentence of that rule.
 */
#include <stdlib.h>
#include <string.h>

#include "../../module/vmx/entry_rules.c"
#include "../../module/vmx/entry_rules_guest.c"
#include "random.h"
#include "unit.h"

#define ANY	(0xffffffffull << 32)		/* a control may be anything */

static const struct entry_caps caps = {
	.pin = ANY, .proc = ANY, .proc2 = ANY, .exit = ANY, .entry = ANY,
	.misc = 4 << 16 | 7 << 6,
	.ept_vpid = BIT_ULL(6) | BIT_ULL(14) | BIT_ULL(21),
	.cr0_fixed0 = 0x80000021, .cr0_fixed1 = 0xffffffff,
	.cr4_fixed0 = 0x2000, .cr4_fixed1 = 0x3767ff,
	.phys_bits = 40, .lin_bits = 48,
};

#define CODE64	{ 0x8, 0, 0xffffffff, 0xa09b }
#define DATA64	{ 0x10, 0, 0xffffffff, 0xc093 }

/* 64-bit code, as Linux is. */
static struct entry_fields long_mode(void)
{
	return (struct entry_fields) {
		.pin = 0x29, .proc = 0x90000000, .proc2 = 0xa2, .exit = 0x280200, .entry = 0xc204,
		.msr_bitmap = 0x1000, .vpid = 1, .eptp = 0x5000 | 0x5e,
		.host_cr0 = 0x80050033, .host_cr3 = 0x3000, .host_cr4 = 0x2020,
		.host_cs = 0x10, .host_ss = 0x18, .host_tr = 0x40,
		.host_gs_base = 0xffff888000000000, .host_gdtr_base = 0xfffffe0000001000,
		.host_idtr_base = 0xfffffe0000000000, .host_tr_base = 0xfffffe0000003000,
		.host_rip = 0xffffffffa0001000, .host_sysenter_eip = 0xffffffff81000000,
		.host_pat = 0x0407050600070106, .host_efer = 0xd01,
		.cr0 = 0x80000031, .cr3 = 0x1000, .cr4 = 0x2020, .dr7 = 0x400, .efer = 0x500,
		.pat = 0x0007040600070406,
		.seg = {
			DATA64, CODE64, DATA64, DATA64, DATA64, DATA64,
			{ 0, 0, 0xffff, 0x10000 }, { 0x18, 0xffff800000000000, 0x67, 0x8b },
		},
		.gdtr_limit = 0xffff, .idtr_limit = 0xffff,
		.rip = 0x1000, .rflags = 2, .vmcs_link = ~0ull,
	};
}

#define REAL	{ 0x100, 0x1000, 0xffff, 0x93 }

static struct entry_fields real_mode(void)
{
	struct entry_fields f = long_mode();
	const struct entry_segment seg = REAL;

	f.entry &= ~RULES_ENTRY_IA32E;
	f.cr0 = 0x20;
	f.cr4 = 0x2000;
	f.efer = 0;
	for (int i = RULES_ES; i <= RULES_GS; i++)
		f.seg[i] = seg;
	f.seg[RULES_TR].base = 0;
	f.rip = 0xfff0;
	return f;
}

/* Protected mode with PAE paging. */
static struct entry_fields pae(void)
{
	struct entry_fields f = long_mode();

	f.entry &= ~RULES_ENTRY_IA32E;
	f.efer = 0;
	f.seg[RULES_CS].access = 0xc09b;
	f.seg[RULES_TR].base = 0;
	f.pdpte[0] = 0x2001;
	return f;
}

static struct entry_fields virtual_8086(void)
{
	struct entry_fields f = pae();
	const struct entry_segment seg = { 0x100, 0x1000, 0xffff, 0xf3 };

	f.rflags = 0x20202;
	for (int i = RULES_ES; i <= RULES_GS; i++)
		f.seg[i] = seg;
	return f;
}

/* Without unrestricted guest. */
static struct entry_fields restricted(void)
{
	struct entry_fields f = long_mode();

	f.proc2 &= ~RULES_PROC2_UNRESTRICTED;
	return f;
}

static struct entry_fields (*const states[])(void) = {
	long_mode, real_mode, pae, virtual_8086, restricted,
};

static void good_states_break_no_rule(void)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		struct entry_fields f = states[i]();
		struct entry_verdict v = entry_rules(&f, &caps);

		if (v.part)
			printf("# state %zu: %s: %s\n", i, v.what, v.rule);
		CHECK_EQ(v.part, RULES_FINE);
	}
}

/* One or two fields of a good state changed, and what is said then; NULL: nothing. */
struct row {
	struct entry_fields (*state)(void);
	struct { size_t offset; u64 value; } set[3];
	const char *what, *rule;
};

#define AT(f)		offsetof(struct entry_fields, f)
#define SET1(f, v)	{ { AT(f), v } }
#define SET2(f, v, g, w) { { AT(f), v }, { AT(g), w } }
#define SET3(f, v, g, w, h, x) { { AT(f), v }, { AT(g), w }, { AT(h), x } }
#define CS	seg[RULES_CS]
#define SS	seg[RULES_SS]
#define DS	seg[RULES_DS]
#define ES	seg[RULES_ES]
#define FS	seg[RULES_FS]
#define TR	seg[RULES_TR]
#define LDTR	seg[RULES_LDTR]
#define NO	(~0ull << 47)

static const char control_rule[] = "has a bit that this processor wants otherwise";
static const char fixed_rule[] = "has a bit that VMX operation wants otherwise";
static const char inject[] = "event injection";

static const struct row control_rows[] = {
	{ long_mode, SET1(pin, 0x100000029), "pin-based controls", control_rule },
	{ long_mode, SET1(cr3_targets, 5), "CR3-target count",
	  "must not be above the processor's maximum" },
	{ long_mode, SET1(cr3_targets, 4), NULL, NULL },
	{ long_mode, SET2(proc, 0x92000000, io_bitmap_b, 0x1800), "I/O bitmaps",
	  "must be the address of a page" },
	{ long_mode, SET1(msr_bitmap, 0x1001), "MSR bitmap", "must be the address of a page" },
	{ long_mode, SET1(msr_bitmap, 1ull << 40), "MSR bitmap", "must be the address of a page" },
	{ long_mode, SET2(proc, 0x80000000, msr_bitmap, 1), NULL, NULL },
	{ long_mode, SET1(pin, 0x21), "pin-based controls",
	  "virtual NMIs must be off without NMI exiting" },
	{ long_mode, SET2(pin, 9, proc, 0x90400000), "processor-based controls",
	  "NMI-window exiting must be off without virtual NMIs" },
	{ long_mode, SET1(proc2, 0x1a2), "secondary controls",
	  "APIC virtualisation needs the TPR shadow" },
	{ long_mode, SET2(proc, 0x90200000, proc2, 0x3b2), NULL, NULL },
	{ long_mode, SET2(proc, 0x90200000, virtual_apic, 0x80), "virtual-APIC address",
	  "must be the address of a page" },
	{ long_mode, SET2(proc, 0x90200000, tpr_threshold, 0x10), "TPR threshold",
	  "must have 4 bits" },
	{ long_mode, SET3(proc, 0x90200000, tpr_threshold, 3, vtpr, 0x2f), "TPR threshold",
	  "must not be above the TPR's class" },
	{ long_mode, SET3(proc, 0x90200000, tpr_threshold, 3, vtpr, 0x30), NULL, NULL },
	{ long_mode, SET3(proc, 0x90200000, proc2, 0x3b2, tpr_threshold, 0x33), NULL, NULL },
	{ long_mode, SET2(proc2, 0xa3, apic_access, 8), "APIC-access address",
	  "must be the address of a page" },
	{ long_mode, SET2(proc, 0x90200000, proc2, 0xb3), "secondary controls",
	  "x2APIC mode excludes APIC accesses" },
	{ long_mode, SET3(pin, 0x28, proc, 0x90200000, proc2, 0x2a2), "pin-based controls",
	  "virtual-interrupt delivery needs external-interrupt exiting" },
	{ long_mode, SET1(vpid, 0), "VPID", "must not be 0" },
	{ long_mode, SET1(eptp, 0x505d), "EPT pointer",
	  "memory type must be one that this processor takes" },
	{ long_mode, SET1(eptp, 0x5066), "EPT pointer",
	  "must name as many levels as this processor walks" },
	{ long_mode, SET1(eptp, 0x51de), "EPT pointer", "reserved bits must be 0" },
	{ long_mode, SET1(eptp, 0x800000005e), NULL, NULL },
	{ long_mode, SET1(eptp, 0x1000000005e), "EPT pointer", "reserved bits must be 0" },
	{ long_mode, SET1(proc2, 0x20020), "secondary controls",
	  "page-modification logging needs EPT" },
	{ long_mode, SET2(proc2, 0x200a2, pml_address, 8), "PML address",
	  "must be the address of a page" },
	{ long_mode, SET1(proc2, 0xa0), "secondary controls", "unrestricted guest needs EPT" },
	{ long_mode, SET1(proc2, 0x20000a2), "TSC multiplier", "must not be 0" },
	{ long_mode, SET1(exit, 0x680200), "exit controls",
	  "there is no preemption timer to save" },
	{ long_mode, SET1(entry, 0xc604), "entry controls", "SMM's must be off outside SMM" },
	{ long_mode, SET2(exit_store_count, 1, exit_store, 8), "list of MSRs to store at exit",
	  "must be 16-byte aligned and within the physical address space" },
	{ long_mode, SET2(exit_load_count, 2, exit_load, (1ull << 40) - 16),
	  "list of MSRs to load at exit",
	  "must be 16-byte aligned and within the physical address space" },
	{ long_mode, SET2(entry_load_count, 1, entry_load, (1ull << 40) - 16), NULL, NULL },
};

static const struct row event_rows[] = {
	{ long_mode, SET1(intr_info, 0x80000100), inject, "type 1 is reserved" },
	{ long_mode, SET1(intr_info, 0x80000203), inject, "an NMI has vector 2" },
	{ long_mode, SET1(intr_info, 0x80000202), NULL, NULL },
	{ long_mode, SET1(intr_info, 0x80000320), inject, "an exception has a vector up to 31" },
	{ long_mode, SET1(intr_info, 0x80000701), inject, "type 7 has vector 0" },
	{ long_mode, SET1(intr_info, 0x80001306), inject, "reserved bits must be 0" },
	{ long_mode, SET1(intr_info, 0x80000b06), inject, "this exception has no error code" },
	{ long_mode, SET1(intr_info, 0x80000b0e), NULL, NULL },
	{ long_mode, SET1(intr_info, 0x8000030e), inject, "this exception needs an error code" },
	{ long_mode, SET1(intr_info, 0x80000880), inject,
	  "an error code goes with hardware exceptions only" },
	{ long_mode, SET2(intr_info, 0x80000b0e, intr_error, 0x10000), inject,
	  "error code must have 16 bits" },
	{ real_mode, SET1(intr_info, 0x80000b0d), inject, "in real mode there are no error codes" },
	{ real_mode, SET1(intr_info, 0x8000030d), NULL, NULL },
	{ long_mode, SET1(intr_info, 0x80000480), inject,
	  "length of the instruction must be 1 to 15" },
	{ long_mode, SET2(intr_info, 0x80000603, insn_len, 16), inject,
	  "length of the instruction must be 1 to 15" },
	{ long_mode, SET2(intr_info, 0x80000603, insn_len, 1), NULL, NULL },
	{ long_mode, SET1(intr_info, 0x00000100), NULL, NULL },
};

static const struct row host_rows[] = {
	{ long_mode, SET1(host_cr0, 0x80050013), "host CR0", fixed_rule },
	{ long_mode, SET1(host_cr4, 0x20), "host CR4", fixed_rule },
	{ long_mode, SET1(host_cr4, 0x802020), "host CR4", fixed_rule },
	{ long_mode, SET1(host_cr3, 1ull << 40), "host CR3",
	  "must be within the physical address space" },
	{ long_mode, SET1(host_sysenter_esp, NO >> 1), "host SYSENTER_ESP", "must be canonical" },
	{ long_mode, SET1(host_sysenter_eip, 1ull << 47), "host SYSENTER_EIP", "must be canonical" },
	{ long_mode, SET1(host_pat, 2), "host PAT", "memory types must exist" },
	{ long_mode, SET1(host_efer, 0xd03), "host EFER", "reserved bits must be 0" },
	{ long_mode, SET1(host_efer, 0x901), "host EFER",
	  "LMA and LME must be as the host's address-space size" },
	{ long_mode, SET1(host_ds, 3), "host selectors", "TI and RPL must be 0" },
	{ long_mode, SET1(host_cs, 0), "host CS", "must not be null" },
	{ long_mode, SET1(host_tr, 0), "host TR", "must not be null" },
	{ long_mode, SET1(host_fs_base, 1ull << 63), "host FS base", "must be canonical" },
	{ long_mode, SET1(host_gs_base, 1ull << 63), "host GS base", "must be canonical" },
	{ long_mode, SET1(host_gdtr_base, 1ull << 63), "host GDTR base", "must be canonical" },
	{ long_mode, SET1(host_idtr_base, 1ull << 63), "host IDTR base", "must be canonical" },
	{ long_mode, SET1(host_tr_base, 1ull << 63), "host TR base", "must be canonical" },
	{ long_mode, SET2(exit, 0x80000, host_ss, 0), "host SS",
	  "must not be null in a 32-bit host" },
	{ long_mode, SET1(exit, 0x80000), "exit controls",
	  "a 64-bit host must be said to be one" },
	{ long_mode, SET1(host_cr4, 0x2000), "host CR4", "PAE must be 1 in a 64-bit host" },
	{ long_mode, SET1(host_rip, 1ull << 63), "host RIP", "must be canonical" },
};

static const struct row register_rows[] = {
	{ long_mode, SET1(cr0, 0x80000011), "guest CR0", fixed_rule },
	{ restricted, SET1(cr0, 0x31), "guest CR0", fixed_rule },
	{ long_mode, SET1(cr0, 0x80000030), "guest CR0", "PG needs PE" },
	{ long_mode, SET1(cr0, 0x31), "guest CR0", "PG must be 1 in IA-32e mode" },
	{ long_mode, SET1(cr4, 0x20), "guest CR4", fixed_rule },
	{ long_mode, SET1(cr4, 0x2000), "guest CR4", "PAE must be 1 in IA-32e mode" },
	{ pae, SET1(cr4, 0x22020), "guest CR4", "PCIDE must be 0 outside IA-32e mode" },
	{ long_mode, SET1(cr4, 0x22020), NULL, NULL },
	{ long_mode, SET1(cr3, 1ull << 40), "guest CR3",
	  "must be within the physical address space" },
	{ long_mode, SET1(cr3, 1ull << 63), "guest CR3",
	  "must be within the physical address space" },
	{ long_mode, SET1(debugctl, 8), "guest DEBUGCTL", "reserved bits must be 0" },
	{ long_mode, SET1(dr7, 1ull << 32), "guest DR7", "bits 63:32 must be 0" },
	{ long_mode, SET2(entry, 0xc200, dr7, 1ull << 32), NULL, NULL },
	{ long_mode, SET1(sysenter_esp, 1ull << 62), "guest SYSENTER_ESP", "must be canonical" },
	{ long_mode, SET1(sysenter_eip, 1ull << 62), "guest SYSENTER_EIP", "must be canonical" },
	{ long_mode, SET1(pat, 8), "guest PAT", "memory types must exist" },
	{ long_mode, SET1(efer, 0x502), "guest EFER", "reserved bits must be 0" },
	{ long_mode, SET1(efer, 0x100), "guest EFER",
	  "LMA must be as the entry control for IA-32e mode" },
	{ long_mode, SET1(efer, 0x400), "guest EFER", "LME must be as LMA with paging on" },
	{ real_mode, SET1(efer, 0x100), NULL, NULL },
	{ long_mode, SET1(gdtr_base, 1ull << 50), "guest GDTR", "base must be canonical" },
	{ long_mode, SET1(gdtr_limit, 0x10000), "guest GDTR", "limit must have 16 bits" },
	{ long_mode, SET1(idtr_base, 1ull << 50), "guest IDTR", "base must be canonical" },
	{ long_mode, SET1(idtr_limit, 0x10000), "guest IDTR", "limit must have 16 bits" },
	{ pae, SET1(rip, 1ull << 32), "guest RIP",
	  "must have 32 bits, in 64-bit code be within the linear address space" },
	{ long_mode, SET1(rip, 1ull << 48), "guest RIP",
	  "must have 32 bits, in 64-bit code be within the linear address space" },
	{ long_mode, SET1(rip, 1ull << 47), NULL, NULL },
	{ long_mode, SET1(rip, -16ull), NULL, NULL },
	{ long_mode, SET1(rflags, 0xa), "guest RFLAGS", "reserved bits must be 0" },
	{ long_mode, SET1(rflags, 0), "guest RFLAGS", "bit 1 must be 1" },
	{ long_mode, SET1(intr_info, 0x80000020), "guest RFLAGS",
	  "IF must be 1 when an interrupt is injected" },
	{ long_mode, SET2(intr_info, 0x80000020, rflags, 0x202), NULL, NULL },
	{ pae, SET1(pdpte[3], 0x2003), "guest PDPTEs",
	  "reserved bits of a present one must be 0" },
	{ pae, SET1(pdpte[3], 0x2002), NULL, NULL },
	{ long_mode, SET1(pdpte[3], 0x2003), NULL, NULL },
};

static const struct row segment_rows[] = {
	{ long_mode, SET1(TR.selector, 0x1c), "guest TR", "TI must be 0" },
	{ long_mode, SET2(LDTR.access, 0x82, LDTR.selector, 4), "guest LDTR", "TI must be 0" },
	{ restricted, SET2(SS.selector, 0x13, SS.access, 0xc0f3), "guest SS", "RPL must be CS's" },
	{ virtual_8086, SET1(ES.base, 0x1010), "guest ES",
	  "base must be 16 times the selector in virtual-8086 mode" },
	{ virtual_8086, SET1(FS.limit, 0xfffff), "guest FS",
	  "limit must be 0xffff in virtual-8086 mode" },
	{ virtual_8086, SET1(CS.access, 0xfb), "guest CS",
	  "access rights must be 0xf3 in virtual-8086 mode" },
	{ long_mode, SET1(FS.base, 1ull << 60), "guest FS", "base must be canonical" },
	{ long_mode, SET2(FS.base, 1ull << 60, FS.access, 0x10000), "guest FS",
	  "base must be canonical" },
	{ long_mode, SET1(TR.base, 1ull << 60), "guest TR", "base must be canonical" },
	{ long_mode, SET1(LDTR.base, 1ull << 60), NULL, NULL },
	{ long_mode, SET2(LDTR.base, 1ull << 60, LDTR.access, 0x82), "guest LDTR",
	  "base must be canonical" },
	{ long_mode, SET1(CS.base, 1ull << 32), "guest CS", "base must have 32 bits" },
	{ long_mode, SET2(DS.base, 1ull << 32, DS.access, 0x10000), NULL, NULL },
	{ long_mode, SET1(DS.base, 1ull << 32), "guest DS", "base must have 32 bits" },
	{ long_mode, SET1(CS.access, 0xa09a), "guest CS",
	  "type must be 9, 11, 13 or 15 (accessed code), or 3" },
	{ restricted, SET1(CS.access, 0xc093), "guest CS",
	  "type must be 9, 11, 13 or 15 (accessed code), or 3" },
	{ real_mode, SET1(CS.access, 0xf3), "guest CS", "DPL must be 0 with type 3" },
	{ long_mode, SET1(CS.access, 0xa0fb), "guest CS",
	  "DPL must be SS's unless it is conforming" },
	{ long_mode, SET1(CS.access, 0xa0ff), "guest CS", "DPL must not be above SS's" },
	{ long_mode, SET2(CS.access, 0xa09f, SS.access, 0xc0f3), NULL, NULL },
	{ long_mode, SET1(CS.access, 0xe09b), "guest CS", "D must be 0 where L is 1" },
	{ pae, SET1(CS.access, 0xe09b), NULL, NULL },
	{ long_mode, SET1(SS.access, 0xc091), "guest SS",
	  "type must be 3 or 7 (accessed, writable data)" },
	{ long_mode, SET1(SS.access, 0x10000), NULL, NULL },
	{ restricted, SET1(SS.selector, 0x13), "guest SS", "RPL must be CS's" },
	{ restricted, SET2(SS.selector, 0x13, CS.selector, 0xb), "guest SS", "DPL must be RPL" },
	{ real_mode, SET2(SS.access, 0xf3, CS.access, 0xfb), "guest SS",
	  "DPL must be 0 in real mode or where CS is data" },
	{ long_mode, SET1(DS.access, 0xc092), "guest DS", "type must be accessed" },
	{ long_mode, SET1(DS.access, 0xc099), "guest DS", "code must be readable" },
	{ restricted, SET1(DS.selector, 0x13), "guest DS", "DPL must not be below RPL" },
	{ long_mode, SET1(DS.selector, 0x13), NULL, NULL },
	{ long_mode, SET1(CS.access, 0xa08b), "guest CS", "must be code or data" },
	{ long_mode, SET1(ES.access, 0xc013), "guest ES", "must be present" },
	{ long_mode, SET1(ES.access, 0xc193), "guest ES", "reserved bits must be 0" },
	{ long_mode, SET1(ES.access, 0x2c093), "guest ES", "reserved bits must be 0" },
	{ long_mode, SET1(ES.limit, 0xffffffef), "guest ES",
	  "G must be 0 unless the limit ends in 0xfff" },
	{ long_mode, SET1(ES.access, 0x4093), "guest ES",
	  "G must be 1 with a limit above 1 MiB" },
	{ long_mode, SET1(TR.access, 0x1008b), "guest TR", "must be usable" },
	{ long_mode, SET1(TR.access, 0x83), "guest TR",
	  "type must be 11 (busy 64-bit TSS) in IA-32e mode" },
	{ pae, SET1(TR.access, 0x83), NULL, NULL },
	{ pae, SET1(TR.access, 0x89), "guest TR", "type must be 3 or 11 (busy TSS)" },
	{ long_mode, SET1(TR.access, 0x9b), "guest TR", "must be a system segment" },
	{ long_mode, SET1(TR.access, 0xb), "guest TR", "must be present" },
	{ long_mode, SET1(LDTR.access, 0x83), "guest LDTR", "type must be 2 (LDT)" },
	{ long_mode, SET1(LDTR.access, 0x2), "guest LDTR", "must be present" },
};

static const char act[] = "guest activity state", blocked[] = "guest interruptibility";
static const char pending[] = "guest pending debug exceptions";

static const struct row other_rows[] = {
	{ long_mode, SET1(activity, 4), act, "must be one that this processor has" },
	{ long_mode, SET1(activity, 1), NULL, NULL },
	{ long_mode, SET3(activity, 1, CS.access, 0xa0fb, SS.access, 0xc0f3), act,
	  "HLT needs an SS.DPL of 0" },
	{ long_mode, SET3(activity, 1, interruptibility, 1, rflags, 0x202), act,
	  "must be active in the shadow of STI or MOV SS" },
	{ long_mode, SET2(activity, 1, intr_info, 0x80000b0e), act,
	  "does not take the event that is injected" },
	{ long_mode, SET2(activity, 1, intr_info, 0x80000301), NULL, NULL },
	{ long_mode, SET2(activity, 1, intr_info, 0x80000202), NULL, NULL },
	{ long_mode, SET2(activity, 2, intr_info, 0x80000301), act,
	  "does not take the event that is injected" },
	{ long_mode, SET2(activity, 3, intr_info, 0x80000202), act,
	  "does not take the event that is injected" },
	{ long_mode, SET1(interruptibility, 0x10), blocked, "reserved bits must be 0" },
	{ long_mode, SET2(interruptibility, 3, rflags, 0x202), blocked,
	  "STI and MOV SS do not block together" },
	{ long_mode, SET1(interruptibility, 1), blocked, "STI does not block with IF 0" },
	{ long_mode, SET2(interruptibility, 1, rflags, 0x202), NULL, NULL },
	{ long_mode, SET3(interruptibility, 1, rflags, 0x202, intr_info, 0x80000030), blocked,
	  "nothing must block the interrupt that is injected" },
	{ long_mode, SET2(interruptibility, 2, intr_info, 0x80000202), blocked,
	  "MOV SS must not block the NMI that is injected" },
	{ long_mode, SET1(interruptibility, 4), blocked, "SMIs are not blocked outside SMM" },
	{ long_mode, SET2(interruptibility, 8, intr_info, 0x80000202), blocked,
	  "NMIs must not be blocked when one is injected" },
	{ long_mode, SET1(interruptibility, 8), NULL, NULL },
	{ long_mode, SET1(pending_dbg, 0x10), pending, "reserved bits must be 0" },
	{ long_mode, SET2(interruptibility, 2, rflags, 0x102), pending,
	  "BS must be 1 in a shadow or HLT with TF 1 and BTF 0" },
	{ long_mode, SET3(interruptibility, 2, rflags, 0x102, pending_dbg, 0x4000), NULL, NULL },
	{ long_mode, SET2(interruptibility, 2, pending_dbg, 0x4000), pending,
	  "BS must be 0 in a shadow or HLT with TF 0 or BTF 1" },
	{ long_mode, SET1(pending_dbg, 0x4000), NULL, NULL },
	{ long_mode, SET1(vmcs_link, 0), "VMCS link pointer",
	  "must be all ones without a shadow VMCS" },
};

static bool same(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void check_rows(const struct row *row, size_t n, enum entry_part part)
{
	for (size_t i = 0; i < n; i++, row++) {
		struct entry_fields f = row->state();
		struct entry_verdict v;

		for (int j = 0; j < 3; j++)
			if (j == 0 || row->set[j].offset)
				*(u64 *)((char *)&f + row->set[j].offset) = row->set[j].value;
		v = entry_rules(&f, &caps);
		if (same(v.what, row->what) && same(v.rule, row->rule) &&
		    v.part == (row->rule ? part : RULES_FINE))
			continue;
		printf("# row %zu: part %d, %s: %s; wanted %s: %s\n", i, v.part,
		       v.what ?: "-", v.rule ?: "-", row->what ?: "-", row->rule ?: "-");
		unit_bad = 1;
	}
}

#define CHECK_ROWS(rows, part)	check_rows(rows, sizeof(rows) / sizeof((rows)[0]), part)

static void controls_have_a_sentence_each(void)
{
	CHECK_ROWS(control_rows, RULES_CONTROLS);
}

static void injected_events_have_a_sentence_each(void)
{
	CHECK_ROWS(event_rows, RULES_CONTROLS);
}

static void host_state_has_a_sentence_each(void)
{
	CHECK_ROWS(host_rows, RULES_HOST);
}

static void guest_registers_have_a_sentence_each(void)
{
	CHECK_ROWS(register_rows, RULES_GUEST);
}

static void guest_segments_have_a_sentence_each(void)
{
	CHECK_ROWS(segment_rows, RULES_GUEST);
}

static void the_rest_of_the_guest_has_a_sentence_each(void)
{
	CHECK_ROWS(other_rows, RULES_GUEST);
}

/* Whatever is said, it is about a state that differs from a good one, and is a sentence. */
static void any_state_gets_a_verdict(void)
{
	for (int i = 0; i < 300000; i++) {
		struct entry_fields f = states[below(5)]();
		u64 *field = (u64 *)&f;
		struct entry_verdict v;

		for (int n = below(4); n >= 0; n--)
			field[below(sizeof(f) / 8)] ^= 1ull << below(64);
		v = entry_rules(&f, &caps);
		CHECK(!v.part == !v.rule && !v.rule == !v.what);
	}
}

int main(void)
{
	RUN(good_states_break_no_rule);
	RUN(controls_have_a_sentence_each);
	RUN(injected_events_have_a_sentence_each);
	RUN(host_state_has_a_sentence_each);
	RUN(guest_registers_have_a_sentence_each);
	RUN(guest_segments_have_a_sentence_each);
	RUN(the_rest_of_the_guest_has_a_sentence_each);
	RUN(any_state_gets_a_verdict);
	return unit_end();
}
