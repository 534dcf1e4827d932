// SPDX-License-Identifier: GPL-2.0
/* Bits that a 32-bit guest cannot see are set in its register. */
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit)
{
	unsigned long nr = vcpu->regs[RAX];
	long error = -VMCALL_ENOSYS;

	if (vcpu_code_mode(vcpu).cpl)
		error = -VMCALL_EPERM;
	else if (nr == VMCALL_VAPIC_POLL_IRQ ||
		 (nr == VMCALL_SCHED_YIELD && !pv_hides(vcpu, FEATURE_SCHED_YIELD)))
		error = 0;
	vcpu->regs[RAX] = error;
	return EXIT_SKIP;
}
