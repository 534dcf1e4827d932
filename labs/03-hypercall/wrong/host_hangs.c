// SPDX-License-Identifier: GPL-2.0
/* A loop without end, and a lock that its owner waits for: neither may hang who grades. */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct code_mode mode = vcpu_code_mode(vcpu);
	u64 mask = mode.bits == 64 ? ~0ull : U32_MAX;
	unsigned long nr = vcpu->regs[RAX] & mask;
	long error = -VMCALL_ENOSYS;

	if (mode.cpl) {
		error = -VMCALL_EPERM;
	} else if (nr == VMCALL_VAPIC_POLL_IRQ) {
		error = 0;
	} else if (nr == VMCALL_SEND_IPI) {
		mutex_lock(&vcpu->vm->lock);
		mutex_lock(&vcpu->vm->lock);
	} else if (nr == VMCALL_SCHED_YIELD) {
		while (READ_ONCE(vcpu->regs[RAX]))
			cpu_relax();
	}
	vcpu->regs[RAX] = error & mask;
	return EXIT_SKIP;
}
