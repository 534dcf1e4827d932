// SPDX-License-Identifier: GPL-2.0
/*
 * General purpose registers, RIP and RFLAGS. RSP, RIP and RFLAGS are in the VMCS,
 * the others in struct vcpu. Called by whatever handles an operand, and by the
 * REGS ioctls.
 */
#include <asm/processor-flags.h>

#include "../vmx/vmx.h"
#include "../minikvm.h"

/**
 * vcpu_reg - a general purpose register, RSP included
 * @vcpu: attached
 * @reg: RAX to R15, as instructions number them
 */
unsigned long vcpu_reg(struct vcpu *vcpu, int reg)
{
	return reg == RSP ? vmcs_read_guest_rsp() : vcpu->regs[reg];
}

/**
 * vcpu_set_reg - write a general purpose register, RSP included
 * @vcpu: attached
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

/* Where each register is in struct minikvm_regs, in instruction order. */
static const u8 reg_offset[NR_GPRS] = {
#define AT(r) offsetof(struct minikvm_regs, r)
	AT(rax), AT(rcx), AT(rdx), AT(rbx), AT(rsp), AT(rbp), AT(rsi), AT(rdi),
	AT(r8), AT(r9), AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15),
#undef AT
};

/**
 * vcpu_get_regs - GET_REGS
 * @vcpu: attached
 * @regs: filled
 */
void vcpu_get_regs(struct vcpu *vcpu, struct minikvm_regs *regs)
{
	int i;

	for (i = 0; i < NR_GPRS; i++)
		*(u64 *)((void *)regs + reg_offset[i]) = vcpu_reg(vcpu, i);
	regs->rip = vmcs_read_guest_rip();
	regs->rflags = vmcs_read_guest_rflags();
}

/**
 * vcpu_set_regs - SET_REGS
 * @vcpu: attached
 * @regs: a RIP or RFLAGS that the processor refuses fails the next entry
 *
 * As KVM, drops what belonged to the old RIP: an exception that is pending, and,
 * if RIP moves, the rest of an access that the VMM was asked for.
 *
 * Return: 0.
 */
int vcpu_set_regs(struct vcpu *vcpu, const struct minikvm_regs *regs)
{
	int i;

	for (i = 0; i < NR_GPRS; i++)
		vcpu_set_reg(vcpu, i, *(u64 *)((void *)regs + reg_offset[i]));
	if (regs->rip != vmcs_read_guest_rip())
		vcpu->complete = NULL;
	vmcs_write_guest_rip(regs->rip);
	vmcs_write_guest_rflags(regs->rflags | X86_EFLAGS_FIXED);
	vcpu->events.exception.pending = false;
	return 0;
}
