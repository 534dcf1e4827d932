// SPDX-License-Identifier: GPL-2.0
/*
 * The host's performance counters do not run on into the guest where they must
 * not, and come back as they were. Called by enter.c around a row of entries.
 *
 * What is to be switched says the kernel's own perf, which has a function for it:
 * counters that exclude guests or the host, and those that write records (PEBS).
 * A record goes to a linear address of the host; written while the guest runs it
 * would go through the guest's page tables. The guest itself has no counters.
 *
 * Most of the time nothing differs, and then no entry loads anything.
 */
#include <linux/kvm_host.h>	/* struct kvm_pmu, which perf looks at for a guest's PEBS */
#include <asm/cpufeature.h>
#include <asm/msr.h>
#include <asm/perf_event.h>

#include "../compat.h"
#include "perf.h"

/* Are there counters? An emulated processor often has none. */
bool perf_there __ro_after_init;

#if !COMPAT_FOR_KVM_ONLY
/* A guest without counters. perf only reads it. */
static struct kvm_pmu no_pmu;
#endif

static int __init pmu_version(void)
{
#if COMPAT_FOR_KVM_ONLY
	return cpuid_eax(10) & 0xff;
#else
	struct x86_pmu_capability cap;

	perf_get_x86_pmu_capability(&cap);
	return cap.version;
#endif
}

/** perf_init - does this processor have what perf_begin() looks at? At module load. */
void __init perf_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_ARCH_PERFMON))
		return;
	/* CPUID may promise what perf did not find; of a hybrid processor it cannot say. */
	perf_there = boot_cpu_has(X86_FEATURE_HYBRID_CPU) || pmu_version();
}

static void perf_load(struct msr_load *list, u8 *n, u32 msr, u64 value)
{
	list[*n].index = msr;
	list[*n].value = value;
	++*n;
}

#if COMPAT_FOR_KVM_ONLY
/* perf tells KVM only: whatever runs does not run in a guest. It then counts no guest at all. */
static const struct perf_guest_switch_msr *what_perf_wants(int *n)
{
	static DEFINE_PER_CPU(struct perf_guest_switch_msr [2], msrs);
	struct perf_guest_switch_msr *m = *this_cpu_ptr(&msrs);

	m[0] = (struct perf_guest_switch_msr) {
		.msr = MSR_CORE_PERF_GLOBAL_CTRL, .host = __rdmsr(MSR_CORE_PERF_GLOBAL_CTRL),
	};
	*n = 1;
	if (boot_cpu_has(X86_FEATURE_DS)) {
		m[1] = (struct perf_guest_switch_msr) {
			.msr = MSR_IA32_PEBS_ENABLE, .host = __rdmsr(MSR_IA32_PEBS_ENABLE),
		};
		*n = 2;
	}
	return m;
}
#else
static const struct perf_guest_switch_msr *what_perf_wants(int *n)
{
	return perf_guest_get_msrs(n, &no_pmu);
}
#endif

/* Does perf write records? */
static bool writes_records(const struct perf_guest_switch_msr *msrs, int n)
{
	int i;

	for (i = 0; i < n; i++)
		if (msrs[i].msr == MSR_IA32_PEBS_ENABLE && msrs[i].host)
			return true;
	return false;
}

/* One MSR of which perf wants another value in the guest. */
static void switch_msr(struct perf_switch *p, const struct perf_guest_switch_msr *m)
{
	u64 host = m->host;

	/* A counter that writes records must not overflow while it may not write them. */
	if (p->pebs && m->msr == MSR_CORE_PERF_GLOBAL_CTRL)
		host &= m->guest;
	perf_load(p->entry, &p->entries, m->msr, m->guest);
	perf_load(p->exit, &p->exits, m->msr, host);
}

/* What perf says, as lists. Pure. */
static void perf_plan(struct perf_switch *p, const struct perf_guest_switch_msr *msrs, int n)
{
	int i;

	p->entries = p->exits = 0;
	p->pebs = writes_records(msrs, n);
	for (i = 0; i < n && p->entries < PERF_MSRS; i++) {
		u32 msr = msrs[i].msr;

		/* Where the records of a guest's PEBS go, which there is none of. */
		if (msr == MSR_IA32_DS_AREA || msr == MSR_PEBS_DATA_CFG)
			continue;
		if (msr != MSR_IA32_PEBS_ENABLE && msrs[i].host != msrs[i].guest)
			switch_msr(p, &msrs[i]);
		/* An NMI in the row may write it: each entry makes sure. */
		if (msr == MSR_IA32_PEBS_ENABLE && msrs[i].host)
			perf_load(p->entry, &p->entries, msr, 0);
	}
}

/**
 * perf_begin - a row of entries begins
 * @p: the vCPU's; its lists are what each entry and exit of the row load
 *
 * Until perf_end() only an NMI can change what perf wants, and that only stops
 * counters: a list that enables one of these in PERF_GLOBAL_CTRL enables nothing.
 *
 * On processors that do not keep PEBS and guests apart a record that is under way
 * may be written after the entry; so PEBS is off some time before, not by the entry.
 * SDM "Processor Event-Based Sampling (PEBS)".
 *
 * Context: interrupts off.
 */
void perf_begin(struct perf_switch *p)
{
	int n = 0;
	const struct perf_guest_switch_msr *msrs = what_perf_wants(&n);

	perf_plan(p, msrs, msrs ? n : 0);
	if (unlikely(p->pebs))
		native_wrmsrl(MSR_IA32_PEBS_ENABLE, 0);
}

/* PEBS on again, with what perf wants now, and only then its counters. */
static noinline_for_stack void pebs_on(void)
{
	int i, n = 0;
	const struct perf_guest_switch_msr *msrs = what_perf_wants(&n);

	for (i = 0; msrs && i < n; i++)
		if (msrs[i].msr == MSR_IA32_PEBS_ENABLE)
			native_wrmsrl(MSR_IA32_PEBS_ENABLE, msrs[i].host);
	for (i = 0; msrs && i < n; i++)
		if (msrs[i].msr == MSR_CORE_PERF_GLOBAL_CTRL)
			native_wrmsrl(MSR_CORE_PERF_GLOBAL_CTRL, msrs[i].host);
}

/**
 * perf_end - the row is over: give back what its exits did not
 * @p: after perf_begin()
 *
 * Context: interrupts off since perf_begin().
 */
void perf_end(const struct perf_switch *p)
{
	if (unlikely(p->pebs))
		pebs_on();
}
