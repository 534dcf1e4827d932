// SPDX-License-Identifier: GPL-2.0
/* Bits that a 32-bit guest cannot see are set in its register, and read from others. */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	unsigned long nr = vcpu->regs[RAX];
	long error = -VMCALL_ENOSYS;

	if (vcpu_code_mode(vcpu).cpl)
		error = -VMCALL_EPERM;
	else if (nr == VMCALL_VAPIC_POLL_IRQ)
		error = 0;
	else if (nr == VMCALL_SEND_IPI || nr == VMCALL_SCHED_YIELD)
		error = vmcall_rest(vcpu, nr, ~0ull);
	vcpu->regs[RAX] = error;
	return EXIT_SKIP;
}
