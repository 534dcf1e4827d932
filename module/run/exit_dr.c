// SPDX-License-Identifier: GPL-2.0
/*
 * Exits of moves to and from debug registers. The guest gets all of them until its next exit,
 * unless the VMM debugs it: then each move exits. What a new value means is in cpu/debug.c.
 */
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "exit.h"

/* SDM "Exit Qualification for MOV DR" */
#define QUAL_DR(q)	((q) & 7)
#define QUAL_FROM	BIT_ULL(4)
#define QUAL_REG(q)	((q) >> 8 & 15)

/* Outside 64-bit mode the operand has 32 bits. */
static int dr_move(struct vcpu *vcpu, u64 qualification)
{
	int n = QUAL_DR(qualification), reg = QUAL_REG(qualification);
	u64 mask = vcpu_code_bits(vcpu) == 64 ? ~0ull : U32_MAX;

	if (qualification & QUAL_FROM) {
		vcpu_set_reg(vcpu, reg, debug_get_dr(vcpu, n) & mask);
		return EXIT_SKIP;
	}
	return debug_set_dr(vcpu, n, vcpu_reg(vcpu, reg) & mask) ? exit_gp(vcpu) : EXIT_SKIP;
}

/* The access is a #DB of its own: the VMM's, if DR7 is. */
static int general_detect(struct vcpu *vcpu)
{
	if (vcpu->debug.control & MINIKVM_GUESTDBG_USE_HW_BP)
		return guest_debug_report(vcpu, X86_TRAP_DB, DR6_DETECT);
	vcpu->dr6 |= DR6_DETECT;
	event_exception(vcpu, X86_TRAP_DB);
	return EXIT_RESUME;
}

/* The same instruction again, and what comes behind it: most use six debug registers in a row. */
static int lend(struct vcpu *vcpu)
{
	int verdict = EXIT_RESUME;

	switch (guest_with_drs(vcpu, &verdict)) {
	case LOOP_EXIT:
		return exit_dispatch(vcpu);	/* any but this one */
	case LOOP_BROKEN:
		return run_broken(vcpu);
	default:	/* host interrupts have had their window since */
		return verdict == EXIT_WINDOW ? EXIT_RESUME : verdict;
	}
}

/* exit_dr - SDM "MOV - Move to/from Debug Registers" */
int exit_dr(struct vcpu *vcpu, const struct vmexit *exit)
{
	int n = QUAL_DR(exit->qualification);

	if (likely(!vcpu->debug.control))
		return lend(vcpu);
	if ((n == 4 || n == 5) && (vcpu_cr4(vcpu) & X86_CR4_DE))
		event_exception(vcpu, X86_TRAP_UD);
	else if (vmx_cpl())
		event_inject_gp(vcpu);
	else if (vcpu->debug.dr7 & DR7_DETECT)
		return general_detect(vcpu);
	else
		return dr_move(vcpu, exit->qualification);
	return EXIT_RESUME;
}
