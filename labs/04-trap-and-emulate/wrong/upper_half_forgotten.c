// SPDX-License-Identifier: GPL-2.0
/* An MSR has 64 bits, and comes in two halves. */
static int rdmsr_done(struct vcpu *vcpu, u64 value)
{
	vcpu->regs[RAX] = value;
	return EXIT_SKIP;
}
