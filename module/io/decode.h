/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Instructions with a memory operand, decoded as far as a device access needs.
 * Pure: bytes in, struct insn out. SDM "Instruction Format".
 */
#ifndef MINIKVM_DECODE_H
#define MINIKVM_DECODE_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include "shim.h"
#endif

#include "../parts.h"

#define INSN_MAX	15
#define INSN_NO_REG	0xff

/* What is done with the memory operand. ALU operations in the order of their opcodes. */
enum insn_op {
	OP_ADD, OP_OR, OP_ADC, OP_SBB, OP_AND, OP_SUB, OP_XOR, OP_CMP,
	OP_MOV,			/* also STOS and LODS */
	OP_MOVZX, OP_MOVSX, OP_MOVBE, OP_MOVS,
	OP_TEST, OP_NOT, OP_NEG, OP_INC, OP_DEC,
	OP_XCHG, OP_XADD, OP_CMPXCHG,
	OP_BT, OP_BTS, OP_BTR, OP_BTC,
};

/* How the other operand, if any, is given. */
enum insn_other { OTHER_NONE, OTHER_REG, OTHER_IMM };

/* The bits of an operand of so many bytes. */
static inline u64 insn_mask(int size)
{
	return size == 8 ? ~0ull : (1ull << (8 * size)) - 1;
}

static inline u64 insn_sign_extend(u64 value, int size)
{
	int shift = 64 - 8 * size;

	return (u64)((s64)(value << shift) >> shift);
}

/* A register after a write to so many of its bytes: 32-bit results clear the upper half. */
static inline u64 insn_merge(u64 old, u64 value, int size)
{
	u64 mask = insn_mask(size);

	return size == 4 ? (u32)value : (old & ~mask) | (value & mask);
}

/* ---- decode.c: an instruction on its way; step_table.c goes the first part of it, too */

/* The bytes, and how far we are. */
struct cursor {
	const u8 *p;
	size_t len, at;
	bool short_of;		/* ran past the end */
};

struct decode {
	struct cursor c;
	struct insn *insn;
	int bits;		/* of the code segment */
	u8 rex;
	u8 op_size;
	u8 rep;			/* F2, F3, or 0 */
	bool osize, seg_given;
	u8 mod, rm;
};

u8 insn_begin(struct decode *d, struct insn *insn, const u8 *bytes, size_t len, int code_bits);
u8 insn_next(struct cursor *c);
int insn_modrm(struct decode *d, u8 *reg);

u64 alu(u8 op, u64 a, u64 b, int size, u64 *rflags);
u64 alu_swap(u64 value, int size);
u64 alu_memory(const struct insn *insn, u64 a, u64 b, u64 rax, u64 *rflags);
int insn_decode(const u8 *bytes, size_t len, int code_bits, struct insn *insn);

/* insn_decode(): the bytes given end inside the instruction. */
#define INSN_MORE	(-EAGAIN)

#endif
