// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU and the filter of its VM: X86_SET_MSR_FILTER. The filter is replaced as a whole under
 * RCU (fd/vm_caps.c). RDMSR and WRMSR look at it before they do anything; for the MSRs that a
 * guest accesses without an exit, the vCPU gets an MSR bitmap of its own, from which these are
 * taken. Ioctls are not filtered.
 */
#include <linux/gfp.h>
#include <linux/rcupdate.h>

#include "cpu.h"
#include "msr_filter.h"

/**
 * msr_allowed - has the filter nothing against an access of the guest's?
 * @vcpu: of a VM that has one
 * @index: which MSR
 * @write: WRMSR, else RDMSR
 *
 * Context: any.
 */
bool msr_allowed(struct vcpu *vcpu, u32 index, bool write)
{
	const struct msr_filter *f;
	bool allowed;

	rcu_read_lock();
	f = rcu_dereference(vcpu->vm->msr_filter);
	allowed = !f || msr_filter_allows(f, index, write);
	rcu_read_unlock();
	return allowed;
}

/**
 * msr_filter_take - REQ_MSR_FILTER: the VM has another filter, or none any more
 * @vcpu: loaded
 *
 * Context: sleeps. Return: 0; -ENOMEM: the request stays.
 */
int msr_filter_take(struct vcpu *vcpu)
{
	if (!vcpu->msr_bitmap)
		vcpu->msr_bitmap = (u8 *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!vcpu->msr_bitmap)
		return -ENOMEM;
	clear_bit(REQ_MSR_FILTER, &vcpu->requests);
	smp_mb__after_atomic();	/* the request before what it is about */
	vcpu->msr_filtered = rcu_access_pointer(vcpu->vm->msr_filter);
	vmx_filter_msrs(vcpu, vcpu->msr_filtered ? msr_allowed : NULL);
	return 0;
}
