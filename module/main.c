// SPDX-License-Identifier: GPL-2.0
/*
 * minikvm: hardware virtualisation with Intel VT-x behind /dev/minikvm.
 *
 * Loading: what the processor can do, then what every VM shares, then the
 * device. VMX itself is switched on with the first VM.
 */
#include <linux/module.h>

#include "cpu/cpu.h"
#include "fd/fd.h"
#include "irqchip/irqchip.h"
#include "vmx/vmx.h"

static int __init minikvm_init(void)
{
	int err;

	err = vmx_caps_init();
	if (err)
		return err;
	err = vmx_mitigations_init();
	if (err)
		return err;
	err = vmcs_init();
	if (err)
		goto mitigations;
	err = vmx_init();
	if (err)
		goto vmcs;
	err = fpu_init();
	if (err)
		goto vmx;
	err = irqfd_init();
	if (err)
		goto fpu;
	msr_init();
	perf_init();
	stats_init();
	vmx_mitigations_report();
	preempt_notifier_inc();
	err = host_tsc_init();
	if (err)
		goto stats;
	err = dev_init();
	if (err)
		goto tsc;
	return 0;

tsc:
	host_tsc_exit();
stats:
	preempt_notifier_dec();
	stats_exit();
	irqfd_exit();
fpu:
	fpu_exit();
vmx:
	vmx_exit();
vmcs:
	vmcs_exit();
mitigations:
	vmx_mitigations_exit();
	return err;
}

static void __exit minikvm_exit(void)
{
	dev_exit();
	host_tsc_exit();
	preempt_notifier_dec();
	stats_exit();
	irqfd_exit();
	fpu_exit();
	vmx_exit();
	vmcs_exit();
	vmx_mitigations_exit();
	/* Freed page tables may wait in the notifier's SRCU. */
	mmu_notifier_synchronize();
}

module_init(minikvm_init);
module_exit(minikvm_exit);

MODULE_DESCRIPTION("A small KVM-compatible hypervisor for Intel VT-x");
MODULE_LICENSE("GPL");
