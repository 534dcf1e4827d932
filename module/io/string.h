/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the string instructions have in common, whether a port or a device in memory
 * is at their other end: RSI, RDI and RCX, of which only the low address-size bits
 * count, and the end of an iteration. SDM "String Instructions", "REP/REPE/REPZ ...".
 */
#ifndef MINIKVM_STRING_H
#define MINIKVM_STRING_H

#include <asm/processor-flags.h>

#include "../minikvm.h"
#include "decode.h"

/* A register as an address size of 2, 4 or 8 bytes sees it. */
static inline u64 string_reg(const struct vcpu *vcpu, int reg, int addr_size)
{
	return vcpu->regs[reg] & insn_mask(addr_size);
}

/* 32-bit results clear the upper half, 16-bit ones keep the rest. */
static inline void string_advance(struct vcpu *vcpu, int reg, int addr_size, s64 delta)
{
	u64 mask = insn_mask(addr_size), old = vcpu->regs[reg];

	vcpu->regs[reg] = ((old + delta) & mask) | (addr_size == 2 ? old & ~mask : 0);
}

/**
 * string_iterated - one iteration or more of an instruction is done
 * @vcpu: loaded; its registers have advanced
 * @rep: with a REP prefix
 * @addr_size: bytes
 * @rflags: the guest's
 *
 * A single step ends each iteration, not the instruction: vcpu_skip() of no bytes.
 *
 * Return: EXIT_SKIP, or EXIT_RESUME: there is more to do, by executing it again.
 */
static inline int string_iterated(struct vcpu *vcpu, bool rep, int addr_size, u64 rflags)
{
	if (!rep || !string_reg(vcpu, RCX, addr_size))
		return EXIT_SKIP;
	if (likely(!(rflags & X86_EFLAGS_TF)))
		return EXIT_RESUME;
	vcpu->insn_len = 0;
	return EXIT_SKIP;
}

#endif
