// SPDX-License-Identifier: GPL-2.0
/* Bits that a 32-bit guest cannot see are a part of the number. */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct code_mode mode = vcpu_code_mode(vcpu);
	u64 mask = mode.bits == 64 ? ~0ull : U32_MAX;
	unsigned long nr = vcpu->regs[RAX];
	long error = -VMCALL_ENOSYS;

	if (mode.cpl)
		error = -VMCALL_EPERM;
	else if (nr == VMCALL_VAPIC_POLL_IRQ)
		error = 0;
	else if (nr == VMCALL_SEND_IPI || nr == VMCALL_SCHED_YIELD)
		error = vmcall_rest(vcpu, nr, mask);
	vcpu->regs[RAX] = error & mask;
	return EXIT_SKIP;
}
