/* SPDX-License-Identifier: GPL-2.0 */
/* What the string instructions have in common. */
#ifndef MINIKVM_STRING_H
#define MINIKVM_STRING_H

#include "../cpu/cpu.h"
#include "decode.h"

/* A register as the address size sees it. */
static inline u64 string_reg(const struct vcpu *vcpu, const struct string_form *f, int reg)
{
	return vcpu->regs[reg] & insn_mask(f->addr_size);
}

/* Iterations that are left, if the last one is not done. */
static inline u64 string_left(const struct vcpu *vcpu, const struct string_form *f)
{
	return f->rep ? string_reg(vcpu, f, RCX) : 1;
}

static inline struct logical string_source(const struct vcpu *vcpu, const struct string_form *f,
					   int bits)
{
	return (struct logical) {
		.seg = f->seg, .bits = bits, .offset = string_reg(vcpu, f, RSI),
	};
}

/* No prefix changes its segment. */
static inline struct logical string_dest(const struct vcpu *vcpu, const struct string_form *f,
					 int bits)
{
	return (struct logical) {
		.seg = SEG_ES, .bits = bits, .offset = string_reg(vcpu, f, RDI),
	};
}

int string_done(struct vcpu *vcpu, const struct string_form *f, u32 count, bool more);

#endif
