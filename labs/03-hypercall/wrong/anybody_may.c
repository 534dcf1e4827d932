// SPDX-License-Identifier: GPL-2.0
/* A program in the guest asks past its own kernel. */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct code_mode mode = vcpu_code_mode(vcpu);
	unsigned long nr = mode.bits == 64 ? vcpu->regs[RAX] : (u32)vcpu->regs[RAX];
	long error = -VMCALL_ENOSYS;

	if (nr == VMCALL_VAPIC_POLL_IRQ ||
	    (nr == VMCALL_SCHED_YIELD && !pv_hides(vcpu, FEATURE_SCHED_YIELD)))
		error = 0;
	vcpu->regs[RAX] = mode.bits == 64 ? error : (u32)error;
	return EXIT_SKIP;
}
