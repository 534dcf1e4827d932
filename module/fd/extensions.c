// SPDX-License-Identifier: GPL-2.0
/* CHECK_EXTENSION: what a VMM can rely on. */
#include <linux/cpumask.h>
#include <linux/kernel.h>
#include <linux/minmax.h>

#include "../cpu/cpu.h"
#include "../irqchip/route.h"
#include "fd.h"

/* Answers of CHECK_EXTENSION that are not 0. Advertised only if it works completely. */
static const struct { u16 cap; s32 answer; } extensions[] = {
	{ MINIKVM_CAP_IRQCHIP, 1 },
	{ MINIKVM_CAP_HLT, 1 },
	{ MINIKVM_CAP_USER_MEMORY, 1 },
	{ MINIKVM_CAP_SET_TSS_ADDR, 1 },
	{ MINIKVM_CAP_EXT_CPUID, 1 },
	{ MINIKVM_CAP_NR_MEMSLOTS, VM_MAX_SLOTS },
	{ MINIKVM_CAP_NOP_IO_DELAY, 1 },
	{ MINIKVM_CAP_MP_STATE, 1 },
	{ MINIKVM_CAP_SYNC_MMU, 1 },
	{ MINIKVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
	{ MINIKVM_CAP_USER_NMI, 1 },
	{ MINIKVM_CAP_SET_GUEST_DEBUG, 1 },
	{ MINIKVM_CAP_IRQ_INJECT_STATUS, 1 },
	{ MINIKVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
	{ MINIKVM_CAP_MCE, MSR_MCE_BANKS },
	{ MINIKVM_CAP_IRQ_ROUTING, MAX_ROUTES },
	{ MINIKVM_CAP_IRQFD, 1 },
	{ MINIKVM_CAP_PIT2, 1 },
	{ MINIKVM_CAP_SET_BOOT_CPU_ID, 1 },
	{ MINIKVM_CAP_PIT_STATE2, 1 },
	{ MINIKVM_CAP_IOEVENTFD, 1 },
	{ MINIKVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
	{ MINIKVM_CAP_ADJUST_CLOCK, MINIKVM_CLOCK_VALID_FLAGS },
	{ MINIKVM_CAP_INTERNAL_ERROR_DATA, 1 },
	{ MINIKVM_CAP_VCPU_EVENTS, 1 },
	{ MINIKVM_CAP_DEBUGREGS, 1 },
	{ MINIKVM_CAP_X86_ROBUST_SINGLESTEP, 1 },
	{ MINIKVM_CAP_XSAVE, 1 },
	{ MINIKVM_CAP_GET_TSC_KHZ, 1 },
	{ MINIKVM_CAP_MAX_VCPUS, VM_MAX_VCPUS },
	{ MINIKVM_CAP_TSC_DEADLINE_TIMER, 1 },
	{ MINIKVM_CAP_SIGNAL_MSI, 1 },
	{ MINIKVM_CAP_READONLY_MEM, 1 },
	{ MINIKVM_CAP_IRQFD_RESAMPLE, 1 },
	{ MINIKVM_CAP_ENABLE_CAP_VM, 1 },
	{ MINIKVM_CAP_IOEVENTFD_NO_LENGTH, 1 },
	{ MINIKVM_CAP_CHECK_EXTENSION_VM, 1 },
	{ MINIKVM_CAP_IOEVENTFD_ANY_LENGTH, 1 },
	{ MINIKVM_CAP_MAX_VCPU_ID, VM_VCPU_IDS },
	{ MINIKVM_CAP_SPLIT_IRQCHIP, 1 },
	{ MINIKVM_CAP_X2APIC_API, MINIKVM_X2APIC_API_VALID_FLAGS },
	{ MINIKVM_CAP_IMMEDIATE_EXIT, 1 },
	{ MINIKVM_CAP_GET_MSR_FEATURES, 1 },
	{ MINIKVM_CAP_NESTED_STATE, 128 },
	{ MINIKVM_CAP_BINARY_STATS_FD, 1 },
	{ MINIKVM_CAP_XSAVE2, 4096 },
	{ MINIKVM_CAP_SET_GUEST_DEBUG2, MINIKVM_GUESTDBG_VALID_MASK },
	{ MINIKVM_CAP_USER_MEMORY2, 1 },
	{ MINIKVM_CAP_SYNC_REGS, MINIKVM_SYNC_X86_VALID_FIELDS },
};

/**
 * check_extension - CHECK_EXTENSION, on the device and on a VM
 * @cap: MINIKVM_CAP_*
 *
 * Return: 0 for what is not there or not known.
 */
long check_extension(long cap)
{
	int i;

	if (cap == MINIKVM_CAP_XCRS)
		return fpu_supported_xcr0() != 0;
	if (cap == MINIKVM_CAP_NR_VCPUS)	/* more would share processors */
		return min_t(u32, num_online_cpus(), VM_MAX_VCPUS);
	for (i = 0; i < ARRAY_SIZE(extensions); i++)
		if (extensions[i].cap == cap)
			return extensions[i].answer;
	return 0;
}
