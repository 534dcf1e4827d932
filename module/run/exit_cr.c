// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of moves to and from control registers; what a new value means is in cpu/cr.c. Those of
 * CR3 do not exit: vmx/caps.c wants a processor that can do without.
 */
#include <asm/processor-flags.h>

#include "exit.h"

/* SDM "Exit Qualification for Control-Register Accesses" */
#define QUAL_CR(q)	((q) & 0xf)
#define QUAL_TYPE(q)	((q) >> 4 & 3)
#define QUAL_REG(q)	((q) >> 8 & 0xf)
#define QUAL_LMSW(q)	((q) >> 16 & 0xffff)
enum { TYPE_MOV_TO, TYPE_MOV_FROM, TYPE_CLTS, TYPE_LMSW };

/* Outside 64-bit mode the operand has 32 bits. */
static unsigned long cr_operand(struct vcpu *vcpu, int reg)
{
	unsigned long value = vcpu_reg(vcpu, reg);

	return vcpu_code_bits(vcpu) == 64 ? value : (u32)value;
}

/* A lower TPR may let an interrupt in that waits in the VMM's APIC. */
static int mov_to_cr8(struct vcpu *vcpu, unsigned long value)
{
	u64 old = vcpu_cr8(vcpu);

	if (vcpu_set_cr8(vcpu, value))
		return exit_gp(vcpu);
	if (vcpu->lapic || old <= value)
		return EXIT_SKIP;
	vcpu->run->exit_reason = MINIKVM_EXIT_SET_TPR;
	return EXIT_USER_SKIP;
}

static int mov_to_cr(struct vcpu *vcpu, int cr, unsigned long value)
{
	int refused;

	switch (cr) {
	case 0:
		refused = vcpu_set_cr0(vcpu, value);
		break;
	case 4:
		refused = vcpu_set_cr4(vcpu, value);
		break;
	case 8:
		return mov_to_cr8(vcpu, value);
	default:
		event_exception(vcpu, X86_TRAP_UD);
		return EXIT_RESUME;
	}
	if (refused < 0)
		return refused;
	return refused ? exit_gp(vcpu) : EXIT_SKIP;
}

static int mov_from_cr(struct vcpu *vcpu, int cr, int reg)
{
	if (cr != 8) {
		event_exception(vcpu, X86_TRAP_UD);
		return EXIT_RESUME;
	}
	vcpu_set_reg(vcpu, reg, vcpu_cr8(vcpu));
	return EXIT_SKIP;
}

/* LMSW writes the low four bits, and cannot clear PE. */
static unsigned long cr_lmsw(struct vcpu *vcpu, u16 msw)
{
	unsigned long cr0 = vcpu_cr0(vcpu);

	return (cr0 & ~0xeul) | (msw & 0xf);
}

/* exit_cr - SDM "MOV - Move to/from Control Registers", "CLTS", "LMSW" */
int exit_cr(struct vcpu *vcpu, const struct vmexit *exit)
{
	u64 q = exit->qualification;

	switch (QUAL_TYPE(q)) {
	case TYPE_MOV_TO:
		return mov_to_cr(vcpu, QUAL_CR(q), cr_operand(vcpu, QUAL_REG(q)));
	case TYPE_MOV_FROM:
		return mov_from_cr(vcpu, QUAL_CR(q), QUAL_REG(q));
	case TYPE_CLTS:
		return mov_to_cr(vcpu, 0, vcpu_cr0(vcpu) & ~X86_CR0_TS);
	default:
		return mov_to_cr(vcpu, 0, cr_lmsw(vcpu, QUAL_LMSW(q)));
	}
}
