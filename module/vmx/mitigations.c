// SPDX-License-Identifier: GPL-2.0
/*
 * CPU bugs: what must happen around an entry so that the guest cannot read what
 * the host left in the processor, nor steer its branches. As kvm-intel of the
 * same kernel does, for each X86_BUG_*; see Documentation/admin-guide/hw-vuln.
 *
 *	L1TF			L1D flush before entry: here
 *	MDS, TAA, MMIO, RFDS	VERW before entry: entry.S (the kernel patches it in)
 *	Spectre v2, Retbleed	RSB fill, SPEC_CTRL, BHB after exit: entry.S; IBPB: vmcs.c
 *	VMSCAPE			IBPB before the VMM runs again: run/run.c asks the kernel for it
 *	iTLB multihit		no executable huge page: mm/ept_fault.c
 */
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/module.h>
#include <linux/seq_file.h>
#include <asm/bugs.h>
#include <asm/cpufeature.h>
#include <asm/hardirq.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/processor.h>

#include "../compat.h"
#include "internal.h"
#include "vmx.h"

#define L1D_PAGES	16	/* 64 KiB: twice the L1D, as the kernel's own fill */
#define L1D_ORDER	4

bool vmx_l1d_flush_needed __ro_after_init;
static bool l1d_flush_always __ro_after_init;
static void *l1d_fill __ro_after_init;

#if COMPAT_FOR_KVM_ONLY
/* What the kernel was told (l1tf=) only KVM is told. */
static char *l1d_flush = "cond";
module_param(l1d_flush, charp, 0444);
MODULE_PARM_DESC(l1d_flush,
		 "where an entry could leak what is in the L1D: always, cond (default) or never flush it");

static bool __init l1tf_off(void)
{
	return cpu_mitigations_off() || sysfs_streq(l1d_flush, "never");
}

static bool __init l1tf_always(void)
{
	return sysfs_streq(l1d_flush, "always");
}
#else
static bool __init l1tf_off(void)
{
	return l1tf_mitigation == L1TF_MITIGATION_OFF;
}

static bool __init l1tf_always(void)
{
	return l1tf_mitigation >= L1TF_MITIGATION_FULL;
}
#endif

static bool __init l1tf_affected(void)
{
	u64 caps = 0;

	if (!boot_cpu_has_bug(X86_BUG_L1TF) || l1tf_off())
		return false;
	if (boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES))
		rdmsrl(MSR_IA32_ARCH_CAPABILITIES, caps);
	return !(caps & ARCH_CAP_SKIP_VMENTRY_L1DFLUSH);
}

/**
 * vmx_mitigations_init - choose what this CPU needs around each entry
 *
 * Return: 0, or -ENOMEM.
 */
int __init vmx_mitigations_init(void)
{
	int i;

	if (!l1tf_affected())
		return 0;
	l1d_flush_always = l1tf_always();
	if (!boot_cpu_has(X86_FEATURE_FLUSH_L1D)) {
		l1d_fill = (void *)__get_free_pages(GFP_KERNEL, L1D_ORDER);
		if (!l1d_fill)
			return -ENOMEM;
		/* Different contents: KSM of an outer hypervisor must not merge the pages. */
		for (i = 0; i < L1D_PAGES; i++)
			memset(l1d_fill + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	}
	vmx_l1d_flush_needed = true;
	return 0;
}

/* ---- what is on, for who wants to know: the kernel's own files in sysfs speak of KVM */

static const char *l1tf_text(void)
{
	if (!vmx_l1d_flush_needed)
		return boot_cpu_has_bug(X86_BUG_L1TF) ? "off, or the firmware's" : "not affected";
	return l1d_flush_always ? "L1D flush before each entry" :
				  "L1D flush before an entry after more than a simple exit";
}

static const char *multihit_text(void)
{
	if (!boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT))
		return "not affected";
	return cpu_mitigations_off() ? "off" : "no executable huge pages";
}

static const char *rsb_text(void)
{
	if (boot_cpu_has(X86_FEATURE_RSB_VMEXIT_LITE))
		return "one call retires after each exit";
	return boot_cpu_has(X86_FEATURE_RSB_VMEXIT) ? "return stack filled after each exit" : "off";
}

static int mitigations_show(struct seq_file *m, void *unused)
{
	bool verw = boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF);
	bool vmscape = cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER);

	seq_printf(m, "l1tf: %s\n", l1tf_text());
	seq_printf(m, "itlb_multihit: %s\n", multihit_text());
	seq_printf(m, "mds, taa, mmio_stale_data, rfds: %s\n",
		   verw ? "VERW before each entry" : "off, or not affected");
	seq_printf(m, "spectre_v2, retbleed: %s\n", rsb_text());
	seq_printf(m, "vmscape: %s\n", vmscape ? "IBPB before the VMM runs" : "off, or not affected");
	return 0;
}
DEFINE_SHOW_ATTRIBUTE(mitigations);

/** vmx_mitigations_report - say in debugfs what is on; at module load, after stats_init() */
void __init vmx_mitigations_report(void)
{
	stats_file("mitigations", &mitigations_fops);
}

/** vmx_mitigations_exit - free what vmx_mitigations_init() took */
void vmx_mitigations_exit(void)
{
	free_pages((unsigned long)l1d_fill, L1D_ORDER);
}

/**
 * vmx_l1d_flush - empty the L1 data cache if host data came into it
 * @vcpu: about to enter
 *
 * Conditional, as the kernel's default: only after the host did more than a
 * simple exit (@vcpu->l1d_flush) or took an interrupt. Interrupts off.
 */
noinstr void vmx_l1d_flush(struct vcpu *vcpu)
{
	unsigned long offset;
	u32 eax = 0, ecx = 0;

	if (!l1d_flush_always) {
		bool flush = vcpu->l1d_flush | kvm_get_cpu_l1tf_flush_l1d();

		vcpu->l1d_flush = false;
		kvm_clear_cpu_l1tf_flush_l1d();
		if (!flush)
			return;
	}
	if (!l1d_fill) {
		native_wrmsrl(MSR_IA32_FLUSH_CMD, L1D_FLUSH);
		return;
	}
	/* The TLB first, then every line: a walk must not evict what was read. */
	for (offset = 0; offset < L1D_PAGES * PAGE_SIZE; offset += PAGE_SIZE)
		asm volatile("movb (%0), %%al" : : "r" (l1d_fill + offset) : "al", "memory");
	asm volatile("cpuid" : "+a" (eax), "+c" (ecx) : : "ebx", "edx", "memory");
	for (offset = 0; offset < L1D_PAGES * PAGE_SIZE; offset += 64)
		asm volatile("movb (%0), %%al" : : "r" (l1d_fill + offset) : "al", "memory");
	asm volatile("lfence" : : : "memory");
}
