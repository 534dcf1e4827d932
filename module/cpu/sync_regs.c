// SPDX-License-Identifier: GPL-2.0
/*
 * The registers in the run page: a VMM that reads or writes them on every exit
 * saves the ioctls. Called by RUN, before and after everything else.
 */
#include "../minikvm.h"

/** sync_regs_valid - does the VMM ask only for what there is? */
bool sync_regs_valid(const struct vcpu *vcpu)
{
	const struct minikvm_run *run = vcpu->run;

	return !((READ_ONCE(run->kvm_valid_regs) | READ_ONCE(run->kvm_dirty_regs)) &
		 ~(u64)MINIKVM_SYNC_X86_VALID_FIELDS);
}

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
 * @vcpu: attached, after sync_regs_valid()
 *
 * Each one's mark goes when it is taken. Return: 0 or -EINVAL, as the ioctl's.
 */
int sync_regs_in(struct vcpu *vcpu)
{
	struct minikvm_run *run = vcpu->run;
	u64 dirty = READ_ONCE(run->kvm_dirty_regs);

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
	set_bit(REQ_EVENT, &vcpu->requests);
	return 0;
}

/** sync_regs_out - leave what kvm_valid_regs asks for in the run page; @vcpu attached */
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
