// SPDX-License-Identifier: GPL-2.0
/*
 * VMX operation of our own, on each CPU: on with the first VM, off with the last; CPUs that
 * come and go, suspend, reboot and crash in between. way.c decides whether; Kbuild leaves it
 * out where the kernel lets only KVM do that.
 *
 * The owner is who holds the kernel's CPU-hotplug state and
 * its emergency callback for virtualisation: kvm-intel or we, never both.
 */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/smp.h>
#include <asm/perf_event.h>
#include <asm/reboot.h>
#include <asm/tlbflush.h>

#include "../compat.h"
#include "internal.h"
#include "vmx.h"

static DEFINE_PER_CPU(void *, vmxon_region);
static DEFINE_PER_CPU(bool, vmx_on);

/*
 * VMXON on this CPU. 0; -EBUSY: CR4.VMXE is set by somebody else; -EOPNOTSUPP: it is
 * not as the others.
 */
static int cpu_on(void)
{
	u64 pa = __pa(this_cpu_read(vmxon_region));
	u64 fc = 0;

	if (__this_cpu_read(vmx_on))
		return 0;
	if (native_read_cr4() & X86_CR4_VMXE)
		return -EBUSY;
	if (vmx_caps_check())
		return -EOPNOTSUPP;
	/* A CPU that came up late may have been left unlocked by the firmware. */
	rdmsrl_safe(MSR_IA32_FEAT_CTL, &fc);
	if (!(fc & FEAT_CTL_LOCKED))
		wrmsrl_safe(MSR_IA32_FEAT_CTL,
			    fc | FEAT_CTL_LOCKED | FEAT_CTL_VMX_ENABLED_OUTSIDE_SMX);
	intel_pt_handle_vmx(1);	/* some processors cannot trace in VMX operation */
	cr4_set_bits(X86_CR4_VMXE);
	if (!vmx_vmxon(pa)) {
		cr4_clear_bits(X86_CR4_VMXE);
		intel_pt_handle_vmx(0);
		return -EBUSY;
	}
	vmx_invept(INVEPT_GLOBAL, 0);
	__this_cpu_write(vmx_on, true);
	return 0;
}

/* VMCLEAR what is active here, then VMXOFF. Interrupts off or no migration. */
static void cpu_off(void)
{
	if (!__this_cpu_read(vmx_on))
		return;
	vmcs_clear_all_local();
	vmx_vmxoff();
	cr4_clear_bits(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
	__this_cpu_write(vmx_on, false);
}

/* A CPU comes up late. Where it must not fail, a vCPU that runs there dies instead. */
static int hotplug_on(unsigned int cpu)
{
	int err = cpu_on();

	return COMPAT_CPUHP_MAY_FAIL ? err : 0;
}

static int hotplug_off(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	cpu_off();
	local_irq_restore(flags);
	return 0;
}

/*
 * The machine is crashing or rebooting at once, perhaps in an NMI: a CPU in VMX
 * operation would ignore INIT. Nothing of ours runs on this CPU afterwards.
 */
static void emergency_off(void)
{
	/*
	 * Not vmx_on: an NMI may come between VMXON and that. As long as this is called, who
	 * sets VMXE is minikvm, and VMXOFF without VMXON is a fault that is caught.
	 */
	if (!(native_read_cr4() & X86_CR4_VMXE))
		return;
	WRITE_ONCE(vmx_going_down, true);
	vmcs_clear_all_emergency();
	vmx_vmxoff();
	cr4_clear_bits(X86_CR4_VMXE);
	__this_cpu_write(vmx_on, false);
}

static void off_here(void *unused)
{
	cpu_off();
}

/** own_shutdown - orderly reboot, power-off and kexec; user processes may still be in RUN */
void own_shutdown(void)
{
	on_each_cpu(off_here, NULL, 1);
}

/** own_suspend - only this CPU is left; the others went through hotplug_off() */
void own_suspend(void)
{
	cpu_off();
}

/** own_resume - undo own_suspend() */
void own_resume(void)
{
	WARN_ON_ONCE(cpu_on());
}

static void on_here(void *err)
{
	int ret = cpu_on();

	if (ret)
		WRITE_ONCE(*(int *)err, ret);	/* of many, one counts */
}

static void all_off(void)
{
	on_each_cpu(off_here, NULL, 1);
	cpu_emergency_unregister_virt_callback(emergency_off);
	__cpuhp_remove_state_cpuslocked(COMPAT_CPUHP_VMX, false);
}

/*
 * VMX on, everywhere or nowhere; the CPU-hotplug lock held. The
 * hotplug state says whose VMX is; the emergency callback is there before any CPU
 * is in VMX operation, and goes after the last one left it.
 */
static int all_on(void)
{
	int err = 0;

	if (__cpuhp_setup_state_cpuslocked(COMPAT_CPUHP_VMX, "virt/minikvm:online", false,
					   hotplug_on, hotplug_off, false) < 0)
		return -EBUSY;
	cpu_emergency_register_virt_callback(emergency_off);
	on_each_cpu(on_here, &err, 1);
	/* A shutdown that was faster than one of these has left it on. */
	if (!err && READ_ONCE(vmx_going_down))
		err = -EBUSY;
	if (err)
		all_off();
	return err;
}

/**
 * own_on - VMX operation of our own, on every CPU
 *
 * Return: 0; -EBUSY: another hypervisor has it; -EOPNOTSUPP: a processor differs. May sleep.
 */
int own_on(void)
{
	int err;

	cpus_read_lock();
	err = all_on();
	cpus_read_unlock();
	return err;
}

/** own_off - undo own_on() */
void own_off(void)
{
	cpus_read_lock();
	all_off();
	cpus_read_unlock();
}

static void regions_free(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_page((unsigned long)per_cpu(vmxon_region, cpu));
		per_cpu(vmxon_region, cpu) = NULL;
	}
}

/**
 * own_init - allocate the VMXON regions; VMX stays off
 *
 * Return: 0 or -ENOMEM. SDM "VMXON - Enter VMX Operation".
 */
int __init own_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct page *page = alloc_pages_node(cpu_to_node(cpu), GFP_KERNEL | __GFP_ZERO, 0);

		if (!page) {
			regions_free();
			return -ENOMEM;
		}
		*(u32 *)page_address(page) = vmx_caps.revision;
		per_cpu(vmxon_region, cpu) = page_address(page);
	}
	return 0;
}

/** own_exit - undo own_init(); no VM is left */
void own_exit(void)
{
	regions_free();
}
