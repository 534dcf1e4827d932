// SPDX-License-Identifier: GPL-2.0
/*
 * A thread takes a vCPU, for RUN or another ioctl: from vcpu_load() to vcpu_put() its VMCS is
 * current wherever the thread runs. The thread may sleep, be preempted and migrate: the
 * scheduler calls the two notifiers here, and the VMCS follows.
 */
#include <linux/preempt.h>
#include <linux/sched.h>

#include "../pv/pv.h"
#include "../vmx/vmx.h"
#include "cpu.h"

static void vcpu_switch_to_host(struct vcpu *vcpu)
{
	if (!vcpu->host_loaded)
		return;
	msr_save_guest(vcpu);
	vmx_host_restore(vcpu);
	msr_switch_to_host(vcpu);
	check_lent_end(vcpu);
}

static void vcpu_sched_in(struct preempt_notifier *n, int cpu)
{
	struct vcpu *vcpu = container_of(n, struct vcpu, notifier);

	WRITE_ONCE(vcpu->ready, false);
	vmcs_load(vcpu, cpu);
	if (unlikely(vcpu->pv.steal_time))
		pv_steal_look(vcpu);
}

static void vcpu_sched_out(struct preempt_notifier *n, struct task_struct *next)
{
	struct vcpu *vcpu = container_of(n, struct vcpu, notifier);

	if (task_is_running(current)) {	/* it did not go to sleep: it was preempted */
		WRITE_ONCE(vcpu->ready, true);
		WRITE_ONCE(vcpu->stay, 0);
	}
	vcpu_switch_to_host(vcpu);
	vmcs_put(vcpu);
}

static struct preempt_ops preempt_ops = { .sched_in = vcpu_sched_in, .sched_out = vcpu_sched_out };

/**
 * vcpu_load - the calling thread works on this vCPU: its VMCS is current
 * @vcpu: mutex held, not loaded
 *
 * From here to vcpu_put() the thread may be preempted and migrated: the VMCS
 * follows it.
 */
void vcpu_load(struct vcpu *vcpu)
{
	WARN_ON_ONCE(vcpu->loaded);
	preempt_disable();
	vcpu->notifier.ops = &preempt_ops;
	preempt_notifier_register(&vcpu->notifier);
	check_owner(vcpu, true);
	vmcs_load(vcpu, smp_processor_id());
	if (unlikely(vcpu->pv.steal_time))
		pv_steal_look(vcpu);
	vcpu->loaded = true;
	preempt_enable();
}

/** vcpu_put - undo vcpu_load(); the VMCS stays active on this CPU */
void vcpu_put(struct vcpu *vcpu)
{
	WARN_ON_ONCE(!vcpu->loaded);
	preempt_disable();
	vcpu_switch_to_host(vcpu);
	vmcs_put(vcpu);
	preempt_notifier_unregister(&vcpu->notifier);
	check_owner(vcpu, false);
	vcpu->loaded = false;
	preempt_enable();
}
