// SPDX-License-Identifier: GPL-2.0
/* A program in the guest asks past its own kernel. */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	u64 mask = vcpu_code_mode(vcpu).bits == 64 ? ~0ull : U32_MAX;
	unsigned long nr = vcpu->regs[RAX] & mask;
	long error = -VMCALL_ENOSYS;

	if (nr == VMCALL_VAPIC_POLL_IRQ)
		error = 0;
	else if (nr == VMCALL_SEND_IPI || nr == VMCALL_SCHED_YIELD)
		error = vmcall_rest(vcpu, nr, mask);
	vcpu->regs[RAX] = error & mask;
	return EXIT_SKIP;
}
