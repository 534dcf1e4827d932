// SPDX-License-Identifier: GPL-2.0
/*
 * The one place where RIP moves past an instruction that an exit replaced.
 * Called by exit_conclude() for a verdict, and by handlers that go on after the instruction.
 */
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "exit.h"

/*
 * An exit for an EPT violation leaves RF set, as a fault does: an instruction that is over has
 * cleared it, an iteration has not. SDM "Saving RIP, RSP, RFLAGS, and SSP". Return: TF.
 */
static noinline bool skip_flags(unsigned long rflags, u32 len)
{
	if (len)
		vmcs_write_guest_rflags(rflags & ~X86_EFLAGS_RF);
	return rflags & X86_EFLAGS_TF;
}

/* The instruction is over. Return: was it to trap? */
static __always_inline bool skip_past(struct vcpu *vcpu, u32 len)
{
	unsigned long rip = vmcs_read_guest_rip() + len, rflags;
	u32 shadow = vmcs_read_guest_interruptibility();

	/* Outside 64-bit mode the instruction pointer has 32 bits. */
	if (unlikely(rip >> 32) && vcpu_code_bits(vcpu) != 64)
		rip = (u32)rip;
	vmcs_write_guest_rip(rip);
	if (unlikely(shadow & (INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS))) {
		vmcs_write_guest_interruptibility(shadow & ~(INTERRUPTIBILITY_STI |
							     INTERRUPTIBILITY_MOV_SS));
		vcpu_make_request(vcpu, REQ_EVENT);
	}
	rflags = vmcs_read_guest_rflags();
	return unlikely(rflags & (X86_EFLAGS_TF | X86_EFLAGS_RF)) && skip_flags(rflags, len);
}

static noinline void single_step_trap(struct vcpu *vcpu)
{
	vcpu->dr6 |= DR_STEP;
	event_exception(vcpu, X86_TRAP_DB);
}

/**
 * vcpu_skip - the instruction at RIP is done
 * @vcpu: loaded
 * @len: its length in bytes, 1..15; 0: an iteration of a string instruction is done
 *
 * Ends the shadow of STI and MOV SS, which lasts one instruction, and raises the
 * single-step trap that the instruction would have raised. SDM "Masking
 * Exceptions and Interrupts When Switching Stacks", "Single-Step Exception Condition".
 *
 * Return: EXIT_RESUME, or EXIT_USER: the VMM steps, and the run page says so.
 */
int vcpu_skip(struct vcpu *vcpu, u32 len)
{
	if (!skip_past(vcpu, len))
		return EXIT_RESUME;
	if (guest_debug_steps(vcpu))
		return guest_debug_stepped(vcpu);
	single_step_trap(vcpu);
	return EXIT_RESUME;
}

/**
 * exit_user_skip - EXIT_USER_SKIP: RIP moves, then the VMM is told
 * @vcpu: loaded; the run page is filled
 *
 * A VMM that steps hears of the step when it lets the guest go on. Return: EXIT_USER.
 */
int exit_user_skip(struct vcpu *vcpu)
{
	if (skip_past(vcpu, vcpu->insn_len)) {
		if (guest_debug_steps(vcpu))
			guest_debug_step_done(vcpu);
		else
			single_step_trap(vcpu);
	}
	return EXIT_USER;
}
