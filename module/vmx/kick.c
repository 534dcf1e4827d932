// SPDX-License-Identifier: GPL-2.0
/*
 * Getting a vCPU's attention, or that of all vCPUs of a VM: requests, kicks, NMIs, the end.
 *
 * Who changes something that a vCPU looks at before each entry makes the change, then
 * looks at guest_cpu; the vCPU publishes guest_cpu, then looks at the change. Between
 * these two full barriers nobody is missed: Documentation/locking.rst, "Kicks".
 */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/cpumask.h>
#include <linux/lockdep.h>
#include <linux/preempt.h>
#include <linux/printk.h>
#include <linux/rcuwait.h>
#include <linux/smp.h>

#include "../compat.h"
#include "kick.h"
#include "vmx.h"

/**
 * vcpu_kick - have the vCPU thread look at vcpu->requests soon
 * @vcpu: whose
 *
 * Wakes it from HLT; makes it leave the guest. Context: any but NMI.
 */
void vcpu_kick(struct vcpu *vcpu)
{
	int cpu;

	if (rcuwait_wake_up(&vcpu->wait))
		WRITE_ONCE(vcpu->ready, true);
	smp_mb();	/* the request before the look; pairs with guest_publish() in run/run.c */
	/* With preemption off, a CPU that is seen here does not go offline before the IPI. */
	preempt_disable();
	cpu = READ_ONCE(vcpu->guest_cpu);
	if (cpu >= 0 && cpu != smp_processor_id()) {
		WRITE_ONCE(vcpu->stay, 0);
		compat_send_reschedule(cpu);	/* its handler does nothing that matters here */
	}
	preempt_enable();
}

/**
 * vcpu_request - vcpu_make_request() and vcpu_kick()
 * @vcpu: whose
 * @req: REQ_*
 *
 * Context: any but NMI.
 */
void vcpu_request(struct vcpu *vcpu, int req)
{
	vcpu_make_request(vcpu, req);
	vcpu_kick(vcpu);
}

/**
 * vcpu_queue_nmi - one NMI more, at most two wait
 * @vcpu: whose; the caller kicks it, if it is not its own
 *
 * Context: any.
 */
void vcpu_queue_nmi(struct vcpu *vcpu)
{
	if (atomic_fetch_add_unless(&vcpu->nmi_queued, 1, 2) < 2)
		vcpu_make_request(vcpu, REQ_EVENT);
}

/**
 * vm_kill - stop a machine for good: we made a mistake
 * @vm: the machine
 * @reason: for the log, once
 *
 * Each RUN returns -EIO from now on. Context: any but NMI.
 */
void vm_kill(struct vm *vm, const char *reason)
{
	u32 i, n;

	if (!xchg(&vm->dead, 1))
		pr_err_ratelimited("VM of process %d stopped: %s\n", vm->pid, reason);
	n = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */
	for (i = 0; i < n; i++)
		vcpu_request(vm->vcpus[i], REQ_KILL);
}

static void sync_nothing(void *unused)
{
}

/**
 * vm_sync_guests - wait until no vCPU runs on what was true before the call
 * @vm: the machine
 *
 * The caller changed something that an entry looks at (the EPT generation).
 * After this returns, each CPU that was inside the guest has left it, and will
 * look before it enters again.
 *
 * All of them are asked at once, and waited for together.
 *
 * Context: ept_lock held, and with it vm->in_guest; interrupts on.
 */
void vm_sync_guests(struct vm *vm)
{
	u32 i, n;

	lockdep_assert_held(&vm->ept_lock);
	cpumask_clear(vm->in_guest);
	smp_mb();	/* the change before the look at who is in the guest; pairs with run/run.c */
	n = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */
	for (i = 0; i < n; i++) {
		int cpu = READ_ONCE(vm->vcpus[i]->guest_cpu);

		if (cpu < 0)
			continue;
		WRITE_ONCE(vm->vcpus[i]->stay, 0);
		__cpumask_set_cpu(cpu, vm->in_guest);
	}
	/* This CPU is out of the guest, and so is one that went offline meanwhile: they are left out. */
	preempt_disable();
	smp_call_function_many(vm->in_guest, sync_nothing, NULL, true);
	preempt_enable();
}
