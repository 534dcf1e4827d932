// SPDX-License-Identifier: GPL-2.0
/*
 * String instructions, whether a port (pio.c) or a device in memory (emulate.c) is at
 * their other end: RSI, RDI and RCX, of which only the low address-size bits count, and the
 * end of an iteration. A REP form goes on by executing the instruction again.
 * SDM "String Instructions", "REP/REPE/REPZ ...".
 *
 * Left out: SCAS and CMPS, whose iterations end with a comparison; io/step.c has them.
 */
#include <asm/processor-flags.h>

#include "../vmx/vmx.h"
#include "string.h"

static void string_advance(struct vcpu *vcpu, const struct string_form *f, int reg, s64 delta)
{
	u64 old = vcpu->regs[reg];

	vcpu->regs[reg] = insn_merge(old, old + delta, f->addr_size);
}

/**
 * string_done - iterations of a string instruction are done: move its registers
 * @vcpu: loaded
 * @f: what an iteration does
 * @count: how many; not 0
 * @more: the next one needs no execution: who began to step meanwhile does so after it
 *
 * If the VMM has set RCX to 0 meanwhile, nothing moves. A single step, and the shadow of STI or
 * MOV SS, ends with an iteration, not the instruction: it is vcpu_skip() of no bytes.
 *
 * Return: EXIT_SKIP, or with @more EXIT_RESUME.
 */
int string_done(struct vcpu *vcpu, const struct string_form *f, u32 count, bool more)
{
	u64 rflags = vmcs_read_guest_rflags();
	s64 bytes = (s64)count * f->size;

	if (!string_left(vcpu, f))
		return EXIT_SKIP;
	if (rflags & X86_EFLAGS_DF)
		bytes = -bytes;
	if (f->reads)
		string_advance(vcpu, f, RSI, bytes);
	if (f->writes)
		string_advance(vcpu, f, RDI, bytes);
	if (!f->rep)
		return EXIT_SKIP;
	string_advance(vcpu, f, RCX, -(s64)count);
	if (!string_left(vcpu, f))
		return EXIT_SKIP;
	if (more)
		return EXIT_RESUME;
	vcpu->insn_len = 0;
	return EXIT_SKIP;
}
