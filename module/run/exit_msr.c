// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of RDMSR and WRMSR; what each MSR means is in cpu/msr.c, which of them the VMM keeps
 * from the guest in cpu/msr_filter.c. What fails may be the VMM's to serve instead.
 */
#include <linux/string.h>

#include "exit.h"

/* The two reasons for which msr_read() and msr_write() fail are those of the ABI. */
static_assert(MINIKVM_MSR_EXIT_REASON_INVAL == 1 && MINIKVM_MSR_EXIT_REASON_UNKNOWN == MSR_UNKNOWN);

static int rdmsr_done(struct vcpu *vcpu, u64 value)
{
	vcpu->regs[RAX] = (u32)value;
	vcpu->regs[RDX] = value >> 32;
	return EXIT_SKIP;
}

static int complete_rdmsr(struct vcpu *vcpu)
{
	if (READ_ONCE(vcpu->run->msr.error))
		return exit_gp(vcpu);
	return rdmsr_done(vcpu, READ_ONCE(vcpu->run->msr.data));
}

static int complete_wrmsr(struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->run->msr.error) ? exit_gp(vcpu) : EXIT_SKIP;
}

/* It failed: #GP, unless the VMM has asked for those that fail for this reason. */
static noinline int msr_failed(struct vcpu *vcpu, u32 reason, bool write)
{
	struct minikvm_run *run = vcpu->run;

	if (!(READ_ONCE(vcpu->vm->msr_exits) & reason))
		return exit_gp(vcpu);
	run->exit_reason = write ? MINIKVM_EXIT_X86_WRMSR : MINIKVM_EXIT_X86_RDMSR;
	run->msr.error = 0;
	memset(run->msr.pad, 0, 7);
	run->msr.reason = reason;
	run->msr.index = vcpu->regs[RCX];
	run->msr.data = write ? exit_edx_eax(vcpu) : 0;
	vcpu->complete = write ? complete_wrmsr : complete_rdmsr;
	return EXIT_USER;
}

/* exit_rdmsr - SDM "RDMSR - Read From Model Specific Register" */
int exit_rdmsr(struct vcpu *vcpu, const struct vmexit *exit)
{
	u64 value;
	int ret;

	if (unlikely(vcpu->msr_filtered) && !msr_allowed(vcpu, vcpu->regs[RCX], false))
		return msr_failed(vcpu, MINIKVM_MSR_EXIT_REASON_FILTER, false);
	ret = msr_read(vcpu, vcpu->regs[RCX], &value, false);
	return unlikely(ret) ? msr_failed(vcpu, ret, false) : rdmsr_done(vcpu, value);
}

/* exit_wrmsr - SDM "WRMSR - Write to Model Specific Register" */
int exit_wrmsr(struct vcpu *vcpu, const struct vmexit *exit)
{
	int ret;

	if (unlikely(vcpu->msr_filtered) && !msr_allowed(vcpu, vcpu->regs[RCX], true))
		return msr_failed(vcpu, MINIKVM_MSR_EXIT_REASON_FILTER, true);
	ret = msr_write(vcpu, vcpu->regs[RCX], exit_edx_eax(vcpu), false);
	return unlikely(ret) ? msr_failed(vcpu, ret, true) : EXIT_SKIP;
}
