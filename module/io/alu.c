// SPDX-License-Identifier: GPL-2.0
/*
 * What instructions with a memory operand compute, and the flags that they leave.
 * Pure: values in, values out. SDM "EFLAGS Cross-Reference and Condition Codes".
 */
#include <linux/bitops.h>
#include <linux/swab.h>
#include <asm/processor-flags.h>

#include "decode.h"

#define FLAGS_ALU (X86_EFLAGS_CF | X86_EFLAGS_PF | X86_EFLAGS_AF | X86_EFLAGS_ZF | \
		   X86_EFLAGS_SF | X86_EFLAGS_OF)

static u64 flags_of(u64 result, int size)
{
	u64 flags = 0;

	result &= insn_mask(size);
	if (!(hweight8(result) & 1))
		flags |= X86_EFLAGS_PF;
	if (!result)
		flags |= X86_EFLAGS_ZF;
	if (result >> (8 * size - 1))
		flags |= X86_EFLAGS_SF;
	return flags;
}

/* a + b + carry; carry out of each bit tells all flags. */
static u64 alu_add(u64 a, u64 b, u64 carry, int size, u64 *flags)
{
	u64 r = a + b + carry, top = 1ull << (8 * size - 1);
	u64 out = (a & b) | ((a | b) & ~r);

	*flags = flags_of(r, size) | (out & top ? X86_EFLAGS_CF : 0) |
		 (out & 8 ? X86_EFLAGS_AF : 0) |
		 ((a ^ r) & (b ^ r) & top ? X86_EFLAGS_OF : 0);
	return r;
}

static u64 alu_sub(u64 a, u64 b, u64 borrow, int size, u64 *flags)
{
	u64 r = a - b - borrow, top = 1ull << (8 * size - 1);
	u64 out = (~a & b) | ((~a | b) & r);

	*flags = flags_of(r, size) | (out & top ? X86_EFLAGS_CF : 0) |
		 (out & 8 ? X86_EFLAGS_AF : 0) |
		 ((a ^ b) & (a ^ r) & top ? X86_EFLAGS_OF : 0);
	return r;
}

static u64 alu_logic(u64 r, int size, u64 *flags)
{
	*flags = flags_of(r, size);
	return r;
}

static void alu_set_flags(u64 *rflags, u64 mask, u64 flags)
{
	*rflags = (*rflags & ~mask) | (flags & mask);
}

/**
 * alu - one of the eight operations that opcodes 00 to 3F encode
 * @op: OP_ADD to OP_CMP; any other is OP_AND
 * @a: destination
 * @b: source
 * @size: of both, in bytes
 * @rflags: carry in, flags out
 */
u64 alu(u8 op, u64 a, u64 b, int size, u64 *rflags)
{
	u64 carry = *rflags & X86_EFLAGS_CF ? 1 : 0, flags, r;

	switch (op) {
	case OP_ADD:
		r = alu_add(a, b, 0, size, &flags);
		break;
	case OP_ADC:
		r = alu_add(a, b, carry, size, &flags);
		break;
	case OP_SBB:
		r = alu_sub(a, b, carry, size, &flags);
		break;
	case OP_SUB:
	case OP_CMP:
		r = alu_sub(a, b, 0, size, &flags);
		break;
	case OP_OR:
		r = alu_logic(a | b, size, &flags);
		break;
	case OP_XOR:
		r = alu_logic(a ^ b, size, &flags);
		break;
	default:
		r = alu_logic(a & b, size, &flags);
	}
	alu_set_flags(rflags, FLAGS_ALU, flags);
	return r;
}

static u64 inc_dec(u8 op, u64 a, int size, u64 *rflags)
{
	u64 flags, r;

	r = op == OP_INC ? alu_add(a, 1, 0, size, &flags) : alu_sub(a, 1, 0, size, &flags);
	alu_set_flags(rflags, FLAGS_ALU & ~X86_EFLAGS_CF, flags);
	return r;
}

static u64 bit_op(u8 op, u64 a, u64 b, int size, u64 *rflags)
{
	u64 bit = 1ull << (b & (8 * size - 1));

	alu_set_flags(rflags, X86_EFLAGS_CF, a & bit ? X86_EFLAGS_CF : 0);
	switch (op) {
	case OP_BTS:
		return a | bit;
	case OP_BTR:
		return a & ~bit;
	case OP_BTC:
		return a ^ bit;
	default:
		return a;
	}
}

/** alu_swap - the bytes of a value in the other order: MOVBE */
u64 alu_swap(u64 value, int size)
{
	return size == 8 ? __swab64(value) : size == 4 ? __swab32(value) : __swab16(value);
}

static u64 alu_negate(u64 a, int size, u64 *rflags)
{
	u64 flags, r = alu_sub(0, a, 0, size, &flags);

	alu_set_flags(rflags, FLAGS_ALU, flags);
	return r;
}

static u64 alu_cmpxchg(u64 a, u64 b, u64 rax, int size, u64 *rflags)
{
	alu(OP_CMP, rax & insn_mask(size), a, size, rflags);
	return *rflags & X86_EFLAGS_ZF ? b : a;
}

/**
 * alu_memory - an instruction whose destination is memory, or which only looks at it
 * @insn: which
 * @a: what was in memory
 * @b: the other operand
 * @rax: for CMPXCHG
 * @rflags: in and out
 *
 * Return: what goes into memory.
 */
u64 alu_memory(const struct insn *insn, u64 a, u64 b, u64 rax, u64 *rflags)
{
	switch (insn->op) {
	case OP_MOV:
	case OP_XCHG:
		return b;
	case OP_MOVS:
		return a;
	case OP_MOVBE:
		return alu_swap(b, insn->size);
	case OP_NOT:
		return ~a;
	case OP_NEG:
		return alu_negate(a, insn->size, rflags);
	case OP_INC:
	case OP_DEC:
		return inc_dec(insn->op, a, insn->size, rflags);
	case OP_XADD:
		return alu(OP_ADD, a, b, insn->size, rflags);
	case OP_CMPXCHG:
		return alu_cmpxchg(a, b, rax, insn->size, rflags);
	case OP_BT:
	case OP_BTS:
	case OP_BTR:
	case OP_BTC:
		return bit_op(insn->op, a, b, insn->size, rflags);
	case OP_TEST:
		return alu(OP_AND, a, b, insn->size, rflags);
	default:
		return alu(insn->op, a, b, insn->size, rflags);
	}
}
