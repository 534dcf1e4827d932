// SPDX-License-Identifier: GPL-2.0
/* The VMM's filter is not asked. */
int exit_rdmsr(struct vcpu *vcpu, const struct vmexit *exit)
{
	u64 value;
	int ret = msr_read(vcpu, vcpu->regs[RCX], &value, false);

	return ret ? msr_failed(vcpu, ret, false) : rdmsr_done(vcpu, value);
}

int exit_wrmsr(struct vcpu *vcpu, const struct vmexit *exit)
{
	int ret = msr_write(vcpu, vcpu->regs[RCX], exit_edx_eax(vcpu), false);

	return ret ? msr_failed(vcpu, ret, true) : EXIT_SKIP;
}
