// SPDX-License-Identifier: GPL-2.0
/*
 * What this processor can do, read once when the module loads, and the refusal
 * of a processor that cannot do what every guest needs, or differs from the others.
 *
 * The tables say which VMX controls minikvm requires, which it uses when they
 * are there, and why a missing one matters. vmx_caps holds the result.
 */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/msr.h>

#include "../compat.h"
#include "controls.h"
#include "internal.h"
#include "vmx.h"

struct vmx_caps vmx_caps __ro_after_init;

/*
 * As KVM, APICv wants a processor that can also post interrupts: the ones that deliver them and
 * do not are emulated, and Bochs at least gives a guest interrupts that it holds off.
 */
static int enable_apicv = -1;
module_param(enable_apicv, int, 0444);
MODULE_PARM_DESC(enable_apicv,
		 "the processor delivers guests' interrupts: 0 no, 1 if it can, -1 (default) if it also posts them");

static const struct control pin_table[] = {
	{ PIN_EXTERNAL_INTERRUPT, REQUIRED, "external-interrupt exiting" },
	{ PIN_NMI, REQUIRED, "NMI exiting" },
	{ PIN_VIRTUAL_NMI, REQUIRED, "virtual NMIs" },
	{ PIN_PREEMPTION_TIMER, OPTIONAL, "VMX-preemption timer" },
	{ }
};

static const struct control proc_table[] = {
	{ PROC_TSC_OFFSET, REQUIRED, "TSC offsetting" },
	{ PROC_HLT, REQUIRED, "HLT exiting" },
	{ PROC_MWAIT, REQUIRED, "MWAIT exiting" },
	{ PROC_MONITOR, REQUIRED, "MONITOR exiting" },
	{ PROC_RDPMC, REQUIRED, "RDPMC exiting" },
	{ PROC_CR8_LOAD, REQUIRED, "CR8-load exiting" },
	{ PROC_CR8_STORE, REQUIRED, "CR8-store exiting" },
	{ PROC_MOV_DR, REQUIRED, "MOV-DR exiting" },
	{ PROC_UNCONDITIONAL_IO, REQUIRED, "unconditional I/O exiting" },
	{ PROC_TPR_SHADOW, OPTIONAL, "TPR shadow" },
	{ PROC_MTF, OPTIONAL, "monitor trap flag" },
	{ PROC_MSR_BITMAP, REQUIRED, "MSR bitmaps" },
	{ PROC_SECONDARY, REQUIRED, "secondary controls" },
	{ PROC_INTERRUPT_WINDOW, DYNAMIC, "interrupt-window exiting" },
	{ PROC_NMI_WINDOW, DYNAMIC, "NMI-window exiting" },
	{ }
};

static const struct control proc2_table[] = {
	{ PROC2_EPT, REQUIRED, "extended page tables (EPT)" },
	{ PROC2_UNRESTRICTED, REQUIRED, "unrestricted guest" },
	{ PROC2_VPID, OPTIONAL, "VPID" },
	{ PROC2_RDTSCP, OPTIONAL, "RDTSCP" },
	{ PROC2_INVPCID, OPTIONAL, "INVPCID" },
	{ PROC2_WBINVD, OPTIONAL, "WBINVD exiting" },
	{ PROC2_PAUSE_LOOP, OPTIONAL, "PAUSE-loop exiting" },
	{ PROC2_ENCLS, OPTIONAL, "ENCLS exiting" },
	{ PROC2_PML, OPTIONAL, "page-modification logging" },
	{ PROC2_TSC_SCALING, OPTIONAL, "TSC scaling" },
	{ }
};

static const struct control exit_table[] = {
	{ VMEXIT_SAVE_DEBUG, REQUIRED, "save debug controls" },
	{ VMEXIT_HOST_64, REQUIRED, "64-bit host" },
	{ VMEXIT_SAVE_PAT, REQUIRED, "save IA32_PAT" },
	{ VMEXIT_LOAD_PAT, REQUIRED, "load IA32_PAT (exit)" },
	{ VMEXIT_LOAD_EFER, REQUIRED, "load IA32_EFER (exit)" },
	{ }
};

static const struct control entry_table[] = {
	{ VMENTRY_LOAD_DEBUG, REQUIRED, "load debug controls" },
	{ VMENTRY_LOAD_PAT, REQUIRED, "load IA32_PAT (entry)" },
	{ VMENTRY_LOAD_EFER, REQUIRED, "load IA32_EFER (entry)" },
	{ }
};

/** caps_read_msr - what the processor says it can; 0: there is no such MSR */
u64 caps_read_msr(u32 msr)
{
	u64 value = 0;

	rdmsrl_safe(msr, &value);
	return value;
}

static int caps_choose(u32 msr, const struct control *table, u32 *value)
{
	const char *missing = control_choose(caps_read_msr(msr), table, value);

	if (!missing)
		return 0;
	pr_err_ratelimited("this processor's VMX lacks %s, which minikvm needs\n", missing);
	return -EOPNOTSUPP;
}

/* The TRUE capability MSRs let CR3 exits and others be switched off. */
static int choose_controls(struct vmx_caps *c, u64 basic)
{
	bool true_msrs = basic & BIT_ULL(55);
	int err;

	err = caps_choose(true_msrs ? MSR_IA32_VMX_TRUE_PINBASED_CTLS : MSR_IA32_VMX_PINBASED_CTLS,
		     pin_table, &c->pin) ?:
	      caps_choose(true_msrs ? MSR_IA32_VMX_TRUE_PROCBASED_CTLS : MSR_IA32_VMX_PROCBASED_CTLS,
		     proc_table, &c->proc) ?:
	      caps_choose(MSR_IA32_VMX_PROCBASED_CTLS2, proc2_table, &c->proc2) ?:
	      caps_choose(true_msrs ? MSR_IA32_VMX_TRUE_EXIT_CTLS : MSR_IA32_VMX_EXIT_CTLS,
		     exit_table, &c->exit) ?:
	      caps_choose(true_msrs ? MSR_IA32_VMX_TRUE_ENTRY_CTLS : MSR_IA32_VMX_ENTRY_CTLS,
		     entry_table, &c->entry);
	if (err)
		return err;
	if (c->proc & (PROC_CR3_LOAD | PROC_CR3_STORE | PROC_INVLPG)) {
		pr_err_ratelimited("this processor's VMX cannot run guests without CR3 exits\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

/* SDM "VPID and EPT Capabilities" */
static int ept_caps(struct vmx_caps *c)
{
	u64 cap = caps_read_msr(MSR_IA32_VMX_EPT_VPID_CAP);
	const u64 need = BIT_ULL(6) | BIT_ULL(14) | BIT_ULL(20) | BIT_ULL(25);

	/* 4-level walks, write-back tables, INVEPT, single-context INVEPT */
	if ((cap & need) != need) {
		pr_err_ratelimited("this processor's EPT lacks 4-level walks, write-back or INVEPT\n");
		return -EOPNOTSUPP;
	}
	c->ept_2m = cap & BIT_ULL(16);
	c->ept_ad = cap & BIT_ULL(21);
	if (!c->ept_ad)
		c->proc2 &= ~PROC2_PML;
	c->pml = c->proc2 & PROC2_PML;
	/* A VPID is of use only if it can be flushed alone. */
	c->vpid = (c->proc2 & PROC2_VPID) &&
			(cap & BIT_ULL(32)) && (cap & BIT_ULL(41));
	if (!c->vpid)
		c->proc2 &= ~PROC2_VPID;
	return 0;
}

/* IA32_FEATURE_CONTROL: the firmware or Linux may have locked VMX off. */
static int __init feature_control_check(void)
{
	u64 fc = caps_read_msr(MSR_IA32_FEAT_CTL);

	if ((fc & FEAT_CTL_LOCKED) && !(fc & FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX)) {
		pr_err("VT-x is locked off in IA32_FEATURE_CONTROL: enable it in the firmware's set-up; a kernel without KVM_INTEL locks it, too\n");
		return -EOPNOTSUPP;
	}
	return 0;
}

static int basic_caps(struct vmx_caps *c, u64 basic)
{
	/* Width of the VMCS's physical addresses must be the full one; memory write-back. */
	if ((basic & BIT_ULL(48)) || ((basic >> 50) & 0xf) != 6 || ((basic >> 32) & 0x1fff) > PAGE_SIZE) {
		pr_err_ratelimited("this processor's VMCS format is not one that minikvm knows\n");
		return -EOPNOTSUPP;
	}
	c->revision = basic & 0x7fffffff;
	c->phys_bits = native_cpuid_eax(0x80000008);	/* (boot_cpu_data's leaves out keys) */
	c->cr0_fixed1 = caps_read_msr(MSR_IA32_VMX_CR0_FIXED0);
	c->cr4_fixed1 = caps_read_msr(MSR_IA32_VMX_CR4_FIXED0);
	c->cr4_fixed0 = caps_read_msr(MSR_IA32_VMX_CR4_FIXED1);
	/* Unrestricted guest frees PE and PG. */
	c->cr0_fixed1 &= ~(X86_CR0_PE | X86_CR0_PG);
	return 0;
}

/*
 * Processors whose VMX-preemption timer does not count at the rate that it says:
 * an erratum in Intel's specification updates of the Nehalem and Westmere families
 * (AAJ124, AAK139, AAM126, AAN92, AAO95, AAP86, AAT59, AAU65, AAX65, BA86) and of the
 * Xeon E3-1220 v2. By CPUID.01H:EAX without the reserved bits.
 */
static const u32 timer_errata[] = {
	0x106a0, 0x106a1, 0x106a4, 0x106a5, 0x106e5, 0x20652, 0x20655, 0x206e6, 0x306a8,
};

static bool timer_is_broken(void)
{
	u32 signature = cpuid_eax(1) & 0x0fff3fff;
	int i;

	for (i = 0; i < ARRAY_SIZE(timer_errata); i++)
		if (timer_errata[i] == signature)
			return true;
	return false;
}

/* APICv is switched on and off with a guest's use of its APIC: no VMCS starts with it. */
static void apic_caps(struct vmx_caps *c)
{
	u32 may = caps_read_msr(MSR_IA32_VMX_PROCBASED_CTLS2) >> 32;
	bool posts = caps_read_msr(MSR_IA32_VMX_PINBASED_CTLS) >> 32 & PIN_POSTED_INTR;

	c->tpr_shadow = c->proc & PROC_TPR_SHADOW;
	c->apicv = (enable_apicv < 0 ? posts : enable_apicv) && c->tpr_shadow &&
		   (may & PROC2_APICV) == PROC2_APICV;
	c->proc &= ~PROC_TPR_SHADOW;
}

/* MWAIT as KVM: where the local APIC's timers wake the processor from any state. */
static u32 caps_exits_off(void)
{
	u32 off = MINIKVM_X86_DISABLE_VALID_EXITS;

	if (!boot_cpu_has(X86_FEATURE_MWAIT) || boot_cpu_has_bug(X86_BUG_MONITOR) ||
	    !boot_cpu_has(X86_FEATURE_ARAT))
		off &= ~MINIKVM_X86_DISABLE_EXITS_MWAIT;
	return off;
}

/* All of struct vmx_caps, of the processor that this runs on. */
static int caps_read(struct vmx_caps *c)
{
	u64 basic = caps_read_msr(MSR_IA32_VMX_BASIC);
	int err;

	memset(c, 0, sizeof(*c));	/* with what is between the fields: they are compared */
	err = basic_caps(c, basic) ?: choose_controls(c, basic) ?: ept_caps(c);
	if (err)
		return err;
	/* Only for the entries of step.c. */
	c->mtf = c->proc & PROC_MTF;
	c->proc &= ~PROC_MTF;
	apic_caps(c);
	c->preemption_timer = c->pin & PIN_PREEMPTION_TIMER;
	c->timer_shift = caps_read_msr(MSR_IA32_VMX_MISC) & 0x1f;
	c->timer_exact = c->preemption_timer && c->timer_shift <= 8 && !timer_is_broken();
	c->proc2_guest = caps_read_msr(MSR_IA32_VMX_PROCBASED_CTLS2) >> 32 & PROC2_GUEST;
	c->exits_off = caps_exits_off();
	c->rdtscp = c->proc2 & PROC2_RDTSCP;
	c->invpcid = c->proc2 & PROC2_INVPCID;
	c->tsc_scaling = c->proc2 & PROC2_TSC_SCALING;
	return 0;
}

/**
 * vmx_caps_check - is this processor as the one that vmx_caps_init() saw?
 *
 * A vCPU moves: what its VMCS asks for must be there on every processor.
 *
 * Context: any that does not migrate. One sentence is logged on refusal.
 * Return: 0, or -EOPNOTSUPP.
 */
int vmx_caps_check(void)
{
	struct vmx_caps here;
	int err = caps_read(&here);

	if (err || !memcmp(&here, &vmx_caps, sizeof(here)))
		return err;
	pr_err_ratelimited("CPU %d has other VMX capabilities than the one that minikvm was loaded on\n",
			   smp_processor_id());
	return -EOPNOTSUPP;
}

static void __init check_here(void *err)
{
	int ret = vmx_caps_check();

	if (ret)
		WRITE_ONCE(*(int *)err, ret);
}

/**
 * vmx_caps_init - find out what the processor can do, or refuse it
 *
 * Context: module load, before anything else. Prints one sentence on refusal.
 * Return: 0, -ENODEV without VT-x, -EOPNOTSUPP if it is locked off or lacks something,
 * or if the machine's processors differ. SDM "VMX Capability Reporting Facility".
 */
int __init vmx_caps_init(void)
{
	int err;

	if (!(cpuid_ecx(1) & BIT(5))) {
		pr_err("this processor has no VT-x (VMX), or it is hidden from this machine\n");
		return -ENODEV;
	}
	if (compat_host_has_fred()) {
		pr_err("the kernel takes events by FRED, where minikvm cannot give it NMIs: boot with fred=off\n");
		return -EOPNOTSUPP;
	}
	err = feature_control_check() ?: caps_read(&vmx_caps);
	if (err)
		return err;
	enable_apicv = vmx_caps.apicv;		/* for who reads the parameter */
	on_each_cpu(check_here, &err, 1);
	return err;
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
