// SPDX-License-Identifier: GPL-2.0
/* Exits of RDMSR and WRMSR; what each MSR means is in cpu/msr.c. */
#include "exit.h"

/* exit_rdmsr - SDM "RDMSR - Read From Model Specific Register" */
int exit_rdmsr(struct vcpu *vcpu, const struct vmexit *exit)
{
	u64 value;

	if (msr_read(vcpu, vcpu->regs[RCX], &value, false))
		return exit_gp(vcpu);
	vcpu->regs[RAX] = (u32)value;
	vcpu->regs[RDX] = value >> 32;
	return EXIT_SKIP;
}

/* exit_wrmsr - SDM "WRMSR - Write to Model Specific Register" */
int exit_wrmsr(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (msr_write(vcpu, vcpu->regs[RCX], exit_edx_eax(vcpu), false))
		return exit_gp(vcpu);
	return EXIT_SKIP;
}
