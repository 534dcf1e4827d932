// SPDX-License-Identifier: GPL-2.0
/*
 * What this processor can do, read once when the module loads, and the refusal
 * of a processor that cannot do what every guest needs.
 *
 * The tables say which VMX controls minikvm requires, which it uses when they
 * are there, and why a missing one matters. vmx_caps holds the result.
 */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "../minikvm.h"
#include "vmx.h"

struct vmx_caps vmx_caps __ro_after_init;

/* One VMX control, as SDM "VMX Capability Reporting Facility" reports it. */
struct control {
	u32 bit;
	bool required;
	const char *name;
};

static const struct control pin_table[] __initconst = {
	{ PIN_EXTERNAL_INTERRUPT, true, "external-interrupt exiting" },
	{ PIN_NMI, true, "NMI exiting" },
	{ PIN_VIRTUAL_NMI, true, "virtual NMIs" },
	{ PIN_PREEMPTION_TIMER, false, "VMX-preemption timer" },
	{ }
};

static const struct control proc_table[] __initconst = {
	{ PROC_TSC_OFFSET, true, "TSC offsetting" },
	{ PROC_HLT, true, "HLT exiting" },
	{ PROC_MWAIT, true, "MWAIT exiting" },
	{ PROC_MONITOR, true, "MONITOR exiting" },
	{ PROC_RDPMC, true, "RDPMC exiting" },
	{ PROC_CR8_LOAD, true, "CR8-load exiting" },
	{ PROC_CR8_STORE, true, "CR8-store exiting" },
	{ PROC_MOV_DR, true, "MOV-DR exiting" },
	{ PROC_UNCONDITIONAL_IO, true, "unconditional I/O exiting" },
	{ PROC_MSR_BITMAP, true, "MSR bitmaps" },
	{ PROC_SECONDARY, true, "secondary controls" },
	{ }
};

/* Switched on and off at run time: must be possible, is off at first. */
#define PROC_DYNAMIC (PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW)

static const struct control proc2_table[] __initconst = {
	{ PROC2_EPT, true, "extended page tables (EPT)" },
	{ PROC2_UNRESTRICTED, true, "unrestricted guest" },
	{ PROC2_VPID, false, "VPID" },
	{ PROC2_RDTSCP, false, "RDTSCP" },
	{ PROC2_INVPCID, false, "INVPCID" },
	{ PROC2_WBINVD, false, "WBINVD exiting" },
	{ PROC2_PAUSE_LOOP, false, "PAUSE-loop exiting" },
	{ PROC2_ENCLS, false, "ENCLS exiting" },
	{ PROC2_PML, false, "page-modification logging" },
	{ }
};

static const struct control exit_table[] __initconst = {
	{ VMEXIT_SAVE_DEBUG, true, "save debug controls" },
	{ VMEXIT_HOST_64, true, "64-bit host" },
	{ VMEXIT_SAVE_PAT, true, "save IA32_PAT" },
	{ VMEXIT_LOAD_PAT, true, "load IA32_PAT (exit)" },
	{ VMEXIT_LOAD_EFER, true, "load IA32_EFER (exit)" },
	{ }
};

static const struct control entry_table[] __initconst = {
	{ VMENTRY_LOAD_DEBUG, true, "load debug controls" },
	{ VMENTRY_LOAD_PAT, true, "load IA32_PAT (entry)" },
	{ VMENTRY_LOAD_EFER, true, "load IA32_EFER (entry)" },
	{ }
};

static u64 __init cap_msr(u32 msr)
{
	u64 value = 0;

	rdmsrl_safe(msr, &value);
	return value;
}

/*
 * The value of a set of controls: what must be 1, what we require, what we use
 * if it is there. The low half of the MSR has the bits that must be 1, the high
 * half those that may be.
 */
static int __init choose(u32 msr, const struct control *c, u32 *value)
{
	u64 cap = cap_msr(msr);
	u32 must = cap, may = cap >> 32;

	*value = must;
	for (; c->bit; c++) {
		if (may & c->bit) {
			*value |= c->bit;
		} else if (c->required) {
			pr_err("this processor's VMX lacks %s, which minikvm needs\n", c->name);
			return -EOPNOTSUPP;
		}
	}
	return 0;
}

/* The TRUE capability MSRs let CR3 exits and others be switched off. */
static int __init choose_controls(u64 basic)
{
	bool true_msrs = basic & BIT_ULL(55);
	int err;

	err = choose(true_msrs ? MSR_IA32_VMX_TRUE_PINBASED_CTLS : MSR_IA32_VMX_PINBASED_CTLS,
		     pin_table, &vmx_caps.pin) ?:
	      choose(true_msrs ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS : MSR_IA32_VMX_PROCBASED_CTLS,
		     proc_table, &vmx_caps.proc) ?:
	      choose(MSR_IA32_VMX_PROCBASED_CTLS2, proc2_table, &vmx_caps.proc2) ?:
	      choose(true_msrs ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS,
		     exit_table, &vmx_caps.exit) ?:
	      choose(true_msrs ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS,
		     entry_table, &vmx_caps.entry);
	if (err)
		return err;
	if (vmx_caps.proc & (PROC_CR3_LOAD | PROC_CR3_STORE | PROC_INVLPG)) {
		pr_err("this processor's VMX cannot run guests without CR3 exits\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* SDM "VPID and EPT Capabilities" */
static int __init ept_caps_init(void)
{
	u64 cap = cap_msr(MSR_IA32_VMX_EPT_VPID_CAP);
	const u64 need = BIT_ULL(6) | BIT_ULL(14) | BIT_ULL(20) | BIT_ULL(25);

	/* 4-level walks, write-back tables, INVEPT, single-context INVEPT */
	if ((cap & need) != need) {
		pr_err("this processor's EPT lacks 4-level walks, write-back or INVEPT\n");
		return -EOPNOTSUPP;
	}
	vmx_caps.ept_2m = cap & BIT_ULL(16);
	vmx_caps.ept_1g = cap & BIT_ULL(17);
	vmx_caps.ept_ad = cap & BIT_ULL(21);
	if (!vmx_caps.ept_ad)
		vmx_caps.proc2 &= ~PROC2_PML;
	vmx_caps.pml = vmx_caps.proc2 & PROC2_PML;
	/* A VPID is of use only if it can be flushed alone. */
	vmx_caps.vpid = (vmx_caps.proc2 & PROC2_VPID) &&
			(cap & BIT_ULL(32)) && (cap & BIT_ULL(41));
	if (!vmx_caps.vpid)
		vmx_caps.proc2 &= ~PROC2_VPID;
	return 0;
}

/* IA32_FEATURE_CONTROL: the firmware or Linux may have locked VMX off. */
static int __init feature_control_check(void)
{
	u64 fc = cap_msr(MSR_IA32_FEAT_CTL);

	if ((fc & FEAT_CTL_LOCKED) && !(fc & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX)) {
		pr_err("VT-x is locked off in IA32_FEATURE_CONTROL: enable it in the firmware's set-up\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int __init basic_init(u64 basic)
{
	/* Width of the VMCS's physical addresses must be the full one; memory write-back. */
	if ((basic & BIT_ULL(48)) || ((basic >> 50) & 0xf) != 6 || ((basic >> 32) & 0x1fff) > PAGE_SIZE) {
		pr_err("this processor's VMCS format is not one that minikvm knows\n");
		return -EOPNOTSUPP;
	}
	vmx_caps.revision = basic & 0x7fffffff;
	vmx_caps.cr0_fixed1 = cap_msr(MSR_IA32_VMX_CR0_FIXED0);
	vmx_caps.cr0_fixed0 = cap_msr(MSR_IA32_VMX_CR0_FIXED1);
	vmx_caps.cr4_fixed1 = cap_msr(MSR_IA32_VMX_CR4_FIXED0);
	vmx_caps.cr4_fixed0 = cap_msr(MSR_IA32_VMX_CR4_FIXED1);
	/* Unrestricted guest frees PE and PG. */
	vmx_caps.cr0_fixed1 &= ~(X86_CR0_PE | X86_CR0_PG);
	return 0;
}

/*
 * Processors whose VMX-preemption timer does not count at the rate that it says:
 * an erratum in Intel's specification updates of the Nehalem and Westmere families
 * (AAJ124, AAK139, AAM126, AAN92, AAO95, AAP86, AAT59, AAU65, AAX65, BA86) and of the
 * Xeon E3-1220 v2. By CPUID.01H:EAX without the reserved bits.
 */
static const u32 timer_errata[] __initconst = {
	0x106a0, 0x106a1, 0x106a4, 0x106a5, 0x106e5, 0x20652, 0x20655, 0x206e6, 0x306a8,
};

static bool __init timer_is_broken(void)
{
	u32 signature = cpuid_eax(1) & 0x0fff3fff;
	int i;

	for (i = 0; i < ARRAY_SIZE(timer_errata); i++)
		if (timer_errata[i] == signature)
			return true;
	return false;
}

/**
 * vmx_caps_init - find out what the processor can do, or refuse it
 *
 * Context: module load, before anything else. Prints one sentence on refusal.
 * Return: 0, -ENODEV without VT-x, -EOPNOTSUPP if it is locked off or lacks something.
 * SDM "VMX Capability Reporting Facility".
 */
int __init vmx_caps_init(void)
{
	u64 basic;
	int err;

	if (!(cpuid_ecx(1) & BIT(5))) {
		pr_err("this processor has no VT-x (VMX), or it is hidden from this machine\n");
		return -ENODEV;
	}
	err = feature_control_check();
	if (err)
		return err;
	basic = cap_msr(MSR_IA32_VMX_BASIC);
	err = basic_init(basic) ?: choose_controls(basic) ?: ept_caps_init();
	if (err)
		return err;
	vmx_caps.preemption_timer = vmx_caps.pin & PIN_PREEMPTION_TIMER;
	vmx_caps.timer_shift = cap_msr(MSR_IA32_VMX_MISC) & 0x1f;
	vmx_caps.timer_exact = vmx_caps.preemption_timer && vmx_caps.timer_shift <= 8 &&
			       !timer_is_broken();
	vmx_caps.rdtscp = vmx_caps.proc2 & PROC2_RDTSCP;
	vmx_caps.invpcid = vmx_caps.proc2 & PROC2_INVPCID;
	return 0;
}

/**
 * vmx_eptp - the EPT pointer for a root table
 * @root_pa: physical address of the root
 * @levels: 4 or 5
 *
 * SDM "Extended-Page-Table Pointer (EPTP)".
 */
u64 vmx_eptp(u64 root_pa, int levels)
{
	return root_pa | 6 /* write-back */ | (u64)(levels - 1) << 3 |
	       (vmx_caps.ept_ad ? BIT_ULL(6) : 0);
}
