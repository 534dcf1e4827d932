// SPDX-License-Identifier: GPL-2.0
/*
 * General purpose registers, RIP and RFLAGS. RSP, RIP and RFLAGS are in the VMCS,
 * the others in struct vcpu. Called by whatever handles an operand, and by the
 * REGS ioctls.
 */
#include <asm/processor-flags.h>

#include "../vmx/vmx.h"
#include "cpu.h"

/**
 * vcpu_reg - a general purpose register, RSP included
 * @vcpu: loaded
 * @reg: RAX to R15, as instructions number them
 */
unsigned long vcpu_reg(struct vcpu *vcpu, int reg)
{
	return reg == RSP ? vmcs_read_guest_rsp() : vcpu->regs[reg];
}

/**
 * vcpu_set_reg - write a general purpose register, RSP included
 * @vcpu: loaded
 * @reg: RAX to R15
 * @val: all 64 bits
 */
void vcpu_set_reg(struct vcpu *vcpu, int reg, unsigned long val)
{
	if (reg == RSP)
		vmcs_write_guest_rsp(val);
	else
		vcpu->regs[reg] = val;
}

/** vcpu_linear_rip - where the next instruction is; @vcpu loaded */
gva_t vcpu_linear_rip(struct vcpu *vcpu)
{
	u64 rip = vmcs_read_guest_rip();

	return vcpu_code_bits(vcpu) == 64 ? rip : (u32)(rip + vmcs_read_guest_cs_base());
}

/* The registers of struct minikvm_regs that are in struct vcpu: all but RSP. */
#define FOR_EACH_GPR(copy) \
	(copy(RAX, rax), copy(RCX, rcx), copy(RDX, rdx), copy(RBX, rbx), copy(RBP, rbp), \
	 copy(RSI, rsi), copy(RDI, rdi), copy(R8, r8), copy(R9, r9), copy(R10, r10), \
	 copy(R11, r11), copy(R12, r12), copy(R13, r13), copy(R14, r14), copy(R15, r15))

/**
 * vcpu_get_regs - GET_REGS
 * @vcpu: loaded
 * @regs: filled
 */
void vcpu_get_regs(struct vcpu *vcpu, struct minikvm_regs *regs)
{
#define GET(i, name) (regs->name = vcpu->regs[i])
	FOR_EACH_GPR(GET);
#undef GET
	regs->rsp = vmcs_read_guest_rsp();
	regs->rip = vmcs_read_guest_rip();
	regs->rflags = vmcs_read_guest_rflags();
}

/**
 * vcpu_set_regs - SET_REGS
 * @vcpu: loaded
 * @regs: a RIP or RFLAGS that the processor refuses fails the next entry; read once,
 *	  may be shared with the VMM
 *
 * As KVM, drops what belonged to the old RIP: an exception that is pending, and,
 * if RIP moves, the rest of an access that the VMM was asked for.
 *
 * Return: 0.
 */
int vcpu_set_regs(struct vcpu *vcpu, const struct minikvm_regs *regs)
{
	u64 rip = READ_ONCE(regs->rip), rflags = READ_ONCE(regs->rflags) | X86_EFLAGS_FIXED;
	bool moved = rip != vmcs_read_guest_rip();

#define SET(i, name) (vcpu->regs[i] = regs->name)
	FOR_EACH_GPR(SET);
#undef SET
	vmcs_write_guest_rsp(regs->rsp);
	if (moved)
		vcpu->complete = NULL;
	vmcs_write_guest_rip(rip);
	vmcs_write_guest_rflags(rflags);
	vmcs_end_halt(vcpu);
	vcpu->events.exception.pending = false;
	if (unlikely(vcpu->debug.control))
		guest_debug_set_regs(vcpu, moved, rflags);
	return 0;
}
