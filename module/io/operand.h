/* SPDX-License-Identifier: GPL-2.0 */
/* Registers and memory operands of an instruction that was decoded. */
#ifndef MINIKVM_OPERAND_H
#define MINIKVM_OPERAND_H

#include "../cpu/cpu.h"
#include "../vmx/vmx.h"
#include "decode.h"

static __always_inline u64 operand_reg(struct vcpu *vcpu, int reg)
{
	return reg == RSP ? vcpu_reg(vcpu, RSP) : vcpu->regs[reg];
}

/* What ModR/M, SIB and displacement say; not cut to the address size. */
static __always_inline u64 operand_offset(struct vcpu *vcpu, const struct insn *insn)
{
	u64 offset = insn->disp;

	if (insn->base != INSN_NO_REG)
		offset += operand_reg(vcpu, insn->base);
	if (insn->index != INSN_NO_REG)
		offset += operand_reg(vcpu, insn->index) << insn->scale;
	if (insn->rip_relative)
		offset += vmcs_read_guest_rip() + insn->len;
	return offset;
}

#endif
