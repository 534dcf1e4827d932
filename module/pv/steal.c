// SPDX-License-Identifier: GPL-2.0
/*
 * Steal time: how long the vCPU's thread had to wait for a processor that others had. The guest
 * names a place (MSR_KVM_STEAL_TIME), and does not take that time for its own tasks'. Linux counts
 * it for each thread, and it is written before an entry, by the vCPU's thread (REQ_STEAL), when it
 * comes to a processor and has waited since.
 *
 * Left out: to say in that place that the vCPU is off its processor just now.
 */
#include <linux/sched.h>
#include <linux/sched/stat.h>
#include <asm/kvm_para.h>

#include "../mm/mm.h"
#include "../vmx/kick.h"
#include "pv.h"

static u64 thread_delay(void)
{
#ifdef CONFIG_SCHED_INFO
	return current->sched_info.run_delay;
#else
	return 0;
#endif
}

/** pv_steal_there - does this kernel count what a thread waits? */
bool pv_steal_there(void)
{
	return sched_info_on();
}

/**
 * pv_steal_write - MSR_KVM_STEAL_TIME
 * @vcpu: loaded
 * @data: a place, a multiple of 64, and bit 0: on
 *
 * Context: any that does not migrate. Return: 0, or 1: #GP.
 */
int pv_steal_write(struct vcpu *vcpu, u64 data)
{
	if (!pv_steal_there() || (data & KVM_STEAL_RESERVED_MASK))
		return 1;
	vcpu->pv.steal_time = data;
	vcpu->pv.steal_thread = NULL;	/* what it has waited before is nobody's */
	if (data & KVM_MSR_ENABLED)
		vcpu_make_request(vcpu, REQ_STEAL);
	return 0;
}

/** pv_steal_look - the thread comes to a processor: has it waited? @vcpu loaded, steal time on */
void pv_steal_look(struct vcpu *vcpu)
{
	if (vcpu->pv.steal_seen != thread_delay() || vcpu->pv.steal_thread != current)
		vcpu_make_request(vcpu, REQ_STEAL);
}

/* What is new since the last time; another thread's past is not the guest's. */
static u64 steal_since(struct vcpu *vcpu)
{
	u64 now = thread_delay(), before = vcpu->pv.steal_seen;

	if (vcpu->pv.steal_thread != current)
		before = now;
	vcpu->pv.steal_seen = now;
	vcpu->pv.steal_thread = current;
	return now - before;
}

/**
 * pv_steal_update - REQ_STEAL: add what the thread has waited
 * @vcpu: loaded
 *
 * As kvmclock's, the version is odd meanwhile. Context: the vCPU thread, sleeps.
 */
void pv_steal_update(struct vcpu *vcpu)
{
	gpa_t gpa = vcpu->pv.steal_time & KVM_STEAL_VALID_BITS;
	const size_t version = offsetof(struct kvm_steal_time, version);
	struct kvm_steal_time st;
	u64 since = steal_since(vcpu);

	if (!(vcpu->pv.steal_time & KVM_MSR_ENABLED) || guest_read(vcpu, gpa, &st, sizeof(st)))
		return;
	st.version = (st.version + 1) | 1;
	if (guest_write(vcpu, gpa + version, &st.version, sizeof(st.version)))
		return;
	smp_wmb();	/* odd, before the sum */
	st.steal += since;
	guest_write(vcpu, gpa, &st.steal, sizeof(st.steal));
	smp_wmb();	/* the sum, before it is even */
	st.version++;
	guest_write(vcpu, gpa + version, &st.version, sizeof(st.version));
}
