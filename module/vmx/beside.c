// SPDX-License-Identifier: GPL-2.0
/*
 * Guests in KVM's VMX operation. kvm-intel has every CPU in it while one of its VMs lives, and
 * cares for CPU hotplug, suspend, reboot and crash. So we have it make a VM, which nobody
 * runs, and keep that as long as there are VMs of ours. VMXON, VMXOFF and CR4.VMXE are KVM's.
 *
 * Each CPU has one current VMCS, and KVM remembers which of its own that is: where it finds
 * another one, it reads and writes the wrong guest. It looks only in its vCPUs' threads. So one
 * of KVM's that a thread of ours finds is "lent", and put back when that thread leaves the CPU.
 *
 * Meanwhile KVM may give a lent VMCS to another CPU. It clears it here first, by an IPI, which
 * goes by address and leaves none current. From then on we must not put it back. Hence the
 * trace points around these IPIs: while one is served, what was lent is in its place.
 *
 * Called by way.c; and by vmcs.c and cpu/load.c as threads come and go.
 * Left out: KVM as a guest of Hyper-V with an enlightened VMCS, which VMPTRST does not show.
 */
#include <linux/cpu.h>
#include <linux/string.h>
#include <linux/tracepoint.h>

#include "beside.h"
#include "internal.h"
#include "vmx.h"

#define NO_POINTER	(~0ull)		/* SDM "VMPTRST": no VMCS is current */

DEFINE_STATIC_KEY_FALSE(vmx_beside);

static DEFINE_PER_CPU(bool, leaving);			/* this CPU leaves VMX operation soon */
static DEFINE_PER_CPU(struct vcpu *, borrower);		/* whose thread has this CPU, or NULL: */
static DEFINE_PER_CPU(u64, lent);			/* KVM's VMCS, in the place of which its is */

/* ---- a CPU comes and goes */

static int cpu_comes(unsigned int cpu)
{
	__this_cpu_write(leaving, false);
	return vmx_caps_check();
}

/*
 * KVM leaves VMX operation a little later. Threads may still come here until then: what they
 * work on is inactive again when they leave.
 */
static int cpu_goes(unsigned int cpu)
{
	unsigned long flags;

	local_irq_save(flags);
	__this_cpu_write(leaving, true);
	vmcs_clear_all_local();
	local_irq_restore(flags);
	return 0;
}

/* ---- whose VMCS is current */

/* Ours that was current last: may still be, and nobody misses it. */
static bool is_ours(u64 pa)
{
	const struct vcpu *vcpu = __this_cpu_read(vmcs_current);

	return vcpu && vcpu->vmcs_pa == pa;
}

static noinline void take(struct vcpu *vcpu)
{
	unsigned long flags;
	u64 pa;

	local_irq_save(flags);
	pa = vmx_vmptrst();
	if (pa != NO_POINTER && !is_ours(pa)) {
		__this_cpu_write(lent, pa);
		__this_cpu_write(borrower, vcpu);
	}
	vmcs_make_current(vcpu);
	local_irq_restore(flags);
}

/**
 * beside_attach - make the VMCS current; a thread works on it on this CPU from now on
 * @vcpu: its VMCS is active here
 *
 * Context: preemption off.
 */
void beside_attach(struct vcpu *vcpu)
{
	if (vmx_vmptrst() != vcpu->vmcs_pa)
		take(vcpu);
}

static noinline void give_back(struct vcpu *vcpu)
{
	unsigned long flags;

	local_irq_save(flags);
	if (__this_cpu_read(leaving))
		vmcs_clear_local(vcpu);
	if (__this_cpu_read(borrower)) {
		__this_cpu_write(borrower, NULL);
		vmx_vmptrld_foreign(this_cpu_ptr(&lent));
		/* KVM finds its VMCS as it left it: no barrier of its own. */
		vmx_new_guest_on_cpu();
	}
	local_irq_restore(flags);
}

/**
 * beside_detach - the thread no longer works on the vCPU on this CPU
 * @vcpu: attached
 *
 * Context: preemption off.
 */
void beside_detach(struct vcpu *vcpu)
{
	if (unlikely(__this_cpu_read(borrower) || __this_cpu_read(leaving)))
		give_back(vcpu);
}

/* ---- the IPIs by which KVM takes a VMCS from a CPU */

static void ipi_begins(void *unused, int vector)
{
	if (__this_cpu_read(borrower))
		vmx_vmptrld_foreign(this_cpu_ptr(&lent));
}

static void ipi_ends(void *unused, int vector)
{
	struct vcpu *vcpu = __this_cpu_read(borrower);

	if (!vcpu)
		return;
	__this_cpu_write(lent, vmx_vmptrst());
	if (__this_cpu_read(lent) == NO_POINTER)	/* KVM has cleared it, and misses nothing */
		__this_cpu_write(borrower, NULL);
	vmx_vmptrld(&vcpu->vmcs_pa);
}

static struct {
	const char *name;
	void (*probe)(void *unused, int vector);
	struct tracepoint *point;
} ipis[] = {
	{ "call_function_single_entry", ipi_begins },
	{ "call_function_single_exit", ipi_ends },
	{ "call_function_entry", ipi_begins },
	{ "call_function_exit", ipi_ends },
};

static void find_ipi(struct tracepoint *point, void *unused)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(ipis); i++) {
		if (!strcmp(point->name, ipis[i].name))
			ipis[i].point = point;
	}
}

static void unwatch_ipis(int n)
{
	while (n--)
		tracepoint_probe_unregister(ipis[n].point, ipis[n].probe, NULL);
	tracepoint_synchronize_unregister();
}

static int watch_ipis(void)
{
	int i, err;

	for_each_kernel_tracepoint(find_ipi, NULL);
	for (i = 0; i < ARRAY_SIZE(ipis); i++) {
		err = -EOPNOTSUPP;
		if (ipis[i].point)
			err = tracepoint_probe_register(ipis[i].point, ipis[i].probe, NULL);
		if (err) {
			unwatch_ipis(i);
			return err;
		}
	}
	return 0;
}

/* ---- on and off */

static int hotplug_state;

static void clear_here(void *unused)
{
	vmcs_clear_all_local();
}

/**
 * beside_on - have KVM keep VMX operation on; guests are in it
 *
 * Return: 0; -ENODEV: there is no KVM; -EOPNOTSUPP: one that we cannot live with, a processor
 * that differs, or a kernel without these trace points; other errors are KVM's.
 * Context: way.c's users_lock.
 */
int beside_on(void)
{
	int err = kvm_vm_hold();

	if (err)
		return err;
	err = watch_ipis();
	if (err)
		goto release;
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "virt/minikvm:beside", cpu_comes, cpu_goes);
	if (err < 0)
		goto unwatch;
	hotplug_state = err;
	static_branch_enable(&vmx_beside);
	return 0;

unwatch:
	unwatch_ipis(ARRAY_SIZE(ipis));
release:
	kvm_vm_release();
	return err;
}

/** beside_off - KVM's VMX operation is its own again; no vCPU is left */
void beside_off(void)
{
	cpuhp_remove_state_nocalls(hotplug_state);
	on_each_cpu(clear_here, NULL, 1);
	static_branch_disable(&vmx_beside);
	unwatch_ipis(ARRAY_SIZE(ipis));
	kvm_vm_release();
}
