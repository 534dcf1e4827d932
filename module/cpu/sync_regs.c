// SPDX-License-Identifier: GPL-2.0
/*
 * The registers in the run page: a VMM that reads or writes them on every exit
 * saves the ioctls. Called by RUN, before and after everything else.
 */
#include "../vmx/vmx.h"
#include "cpu.h"

/* The page is shared: what is checked is a copy. Nothing of the REGS is. */
static int take_sregs(struct vcpu *vcpu)
{
	struct minikvm_sregs sregs = vcpu->run->s.regs.sregs;

	return vcpu_set_sregs(vcpu, &sregs);
}

static int take_events(struct vcpu *vcpu)
{
	struct minikvm_vcpu_events events = vcpu->run->s.regs.events;

	return vcpu_set_events(vcpu, &events);
}

/**
 * sync_regs_in - take over what the VMM has marked in kvm_dirty_regs
 * @vcpu: loaded
 * @valid: kvm_valid_regs, as read once: checked here, sync_regs_out() is for later
 * @dirty: kvm_dirty_regs, as read once
 *
 * Each one's mark goes when it is taken. Return: 0; -EINVAL: something that there is
 * not (nothing was taken), or as the ioctl's.
 */
int sync_regs_in(struct vcpu *vcpu, u64 valid, u64 dirty)
{
	struct minikvm_run *run = vcpu->run;

	if ((valid | dirty) & ~(u64)MINIKVM_SYNC_X86_VALID_FIELDS)
		return -EINVAL;
	if (!dirty)
		return 0;
	if (dirty & MINIKVM_SYNC_X86_REGS) {
		vcpu_set_regs(vcpu, &run->s.regs.regs);
		run->kvm_dirty_regs &= ~(u64)MINIKVM_SYNC_X86_REGS;
	}
	if (dirty & MINIKVM_SYNC_X86_SREGS) {
		if (take_sregs(vcpu))
			return -EINVAL;
		run->kvm_dirty_regs &= ~(u64)MINIKVM_SYNC_X86_SREGS;
	}
	if (dirty & MINIKVM_SYNC_X86_EVENTS) {
		if (take_events(vcpu))
			return -EINVAL;
		run->kvm_dirty_regs &= ~(u64)MINIKVM_SYNC_X86_EVENTS;
	}
	vcpu_make_request(vcpu, REQ_EVENT);
	return 0;
}

/** sync_regs_out - leave what kvm_valid_regs asks for in the run page; @vcpu loaded */
void sync_regs_out(struct vcpu *vcpu)
{
	struct minikvm_run *run = vcpu->run;
	u64 valid = READ_ONCE(run->kvm_valid_regs);

	if (valid & MINIKVM_SYNC_X86_REGS)
		vcpu_get_regs(vcpu, &run->s.regs.regs);
	if (valid & MINIKVM_SYNC_X86_SREGS)
		vcpu_get_sregs(vcpu, &run->s.regs.sregs);
	if (valid & MINIKVM_SYNC_X86_EVENTS)
		vcpu_get_events(vcpu, &run->s.regs.events);
}
