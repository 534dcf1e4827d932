// SPDX-License-Identifier: GPL-2.0
/* An oops of the host: it has to become a sentence, and the other claims still count. */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct code_mode mode = vcpu_code_mode(vcpu);
	unsigned long nr = mode.bits == 64 ? vcpu->regs[RAX] : (u32)vcpu->regs[RAX];
	long error = -VMCALL_ENOSYS;

	if (mode.cpl)
		error = -VMCALL_EPERM;
	else if (nr == VMCALL_VAPIC_POLL_IRQ)
		error = 0;
	else if (nr == VMCALL_SCHED_YIELD)
		error = READ_ONCE(*(long *)0x10);
	vcpu->regs[RAX] = mode.bits == 64 ? error : (u32)error;
	return EXIT_SKIP;
}
