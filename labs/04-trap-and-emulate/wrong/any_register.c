// SPDX-License-Identifier: GPL-2.0
/* The number of the register is not looked at. */
int exit_xsetbv(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (vmx_cpl() || fpu_set_xcr0(vcpu, exit_edx_eax(vcpu)))
		return exit_gp(vcpu);
	return EXIT_SKIP;
}
