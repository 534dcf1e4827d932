// SPDX-License-Identifier: GPL-2.0
/*
 * The decoder: which instruction accessed a device, and what it wants.
 *
 * Called by emulate.c. Only instructions that touch memory and that drivers use on
 * device memory are known: moves, string moves, arithmetic, bit tests, exchanges.
 * The rest is -EOPNOTSUPP. SDM "Opcode Map", "ModR/M and SIB Bytes".
 */
#include "decode.h"

enum { ES, CS, SS, DS, FS, GS };

/** insn_next - the next byte, or 0 and a note that there is none */
u8 insn_next(struct cursor *c)
{
	if (c->at >= c->len) {
		c->short_of = true;
		return 0;
	}
	return c->p[c->at++];
}

/* A little-endian signed number. */
static s64 insn_number(struct cursor *c, int size)
{
	u64 v = 0;
	int i;

	for (i = 0; i < size; i++)
		v |= (u64)insn_next(c) << (8 * i);
	return insn_sign_extend(v, size);
}

static bool legacy_prefix(struct decode *d, u8 byte)
{
	struct insn *insn = d->insn;

	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:
		/* 64-bit mode ignores ES, CS, SS and DS. */
		if (d->bits != 64) {
			insn->seg = byte >> 3 & 3;
			d->seg_given = true;
		}
		return true;
	case 0x64: case 0x65:
		insn->seg = byte - 0x64 + FS;
		d->seg_given = true;
		return true;
	case 0x66:
		d->osize = true;
		return true;
	case 0x67:
		insn->addr_size = d->bits == 64 ? 4 : d->bits == 32 ? 2 : 4;
		return true;
	case 0xf0:
		return true;
	case 0xf2: case 0xf3:
		insn->rep = true;
		d->rep = byte;
		return true;
	}
	return false;
}

/* Prefixes; returns the first opcode byte. A REX counts only if it is the last of them. */
static u8 insn_prefixes(struct decode *d)
{
	u8 byte = insn_next(&d->c);

	for (; !d->c.short_of; byte = insn_next(&d->c)) {
		if (d->bits == 64 && (byte & 0xf0) == 0x40)
			d->rex = byte;
		else if (legacy_prefix(d, byte))
			d->rex = 0;
		else
			break;
	}
	d->insn->has_rex = d->rex;
	if (d->rex & 8)
		d->op_size = 8;
	else if (d->bits == 16)
		d->op_size = d->osize ? 4 : 2;
	else
		d->op_size = d->osize ? 2 : 4;
	return byte;
}

/**
 * insn_begin - start with the prefixes of an instruction
 * @d: filled
 * @insn: filled with what a lack of more says
 * @bytes: from RIP on
 * @len: how many there are, at most INSN_MAX count
 * @code_bits: 16, 32 or 64
 *
 * Return: the first opcode byte.
 */
u8 insn_begin(struct decode *d, struct insn *insn, const u8 *bytes, size_t len, int code_bits)
{
	*d = (struct decode) {
		.c = { .p = bytes, .len = len < INSN_MAX ? len : INSN_MAX },
		.insn = insn, .bits = code_bits,
	};
	*insn = (struct insn) {
		.addr_size = code_bits / 8, .seg = DS, .base = INSN_NO_REG, .index = INSN_NO_REG,
	};
	return insn_prefixes(d);
}

/* 16-bit addressing: fixed pairs of registers. */
static void address16(struct decode *d)
{
	static const u8 base[8] = { 3, 3, 5, 5, 6, 7, 5, 3 };
	static const u8 index[8] = { 6, 7, 6, 7, INSN_NO_REG, INSN_NO_REG, INSN_NO_REG,
				     INSN_NO_REG };
	struct insn *insn = d->insn;

	insn->base = base[d->rm];
	insn->index = index[d->rm];
	if (d->mod == 0 && d->rm == 6) {
		insn->base = INSN_NO_REG;
		insn->disp = insn_number(&d->c, 2);
	} else if (d->mod) {
		insn->disp = insn_number(&d->c, d->mod == 1 ? 1 : 2);
	}
	if (insn->base == 5 && !d->seg_given)
		insn->seg = SS;
}

static void insn_sib(struct decode *d)
{
	struct insn *insn = d->insn;
	u8 byte = insn_next(&d->c);

	insn->scale = byte >> 6;
	insn->index = (byte >> 3 & 7) | (d->rex & 2 ? 8 : 0);
	if (insn->index == 4)
		insn->index = INSN_NO_REG;
	insn->base = (byte & 7) | (d->rex & 1 ? 8 : 0);
	if ((byte & 7) == 5 && d->mod == 0) {
		insn->base = INSN_NO_REG;
		insn->disp = insn_number(&d->c, 4);
	}
}

static void address32(struct decode *d)
{
	struct insn *insn = d->insn;

	insn->base = d->rm | (d->rex & 1 ? 8 : 0);
	if (d->rm == 4) {
		insn_sib(d);
	} else if (d->rm == 5 && d->mod == 0) {
		insn->base = INSN_NO_REG;
		insn->rip_relative = d->bits == 64;
		insn->disp = insn_number(&d->c, 4);
	}
	if (d->mod)
		insn->disp = insn_number(&d->c, d->mod == 1 ? 1 : 4);
	if ((insn->base == 4 || insn->base == 5) && !d->seg_given)
		insn->seg = SS;
}

/**
 * insn_modrm - the ModR/M byte and the address behind it
 * @d: after insn_begin() and the opcode
 * @reg: its reg field, without REX.R
 *
 * Return: 0, or -EOPNOTSUPP if the operand is a register.
 */
int insn_modrm(struct decode *d, u8 *reg)
{
	u8 byte = insn_next(&d->c);

	d->mod = byte >> 6;
	d->rm = byte & 7;
	*reg = byte >> 3 & 7;
	if (d->mod == 3)
		return -EOPNOTSUPP;
	if (d->insn->addr_size == 2)
		address16(d);
	else
		address32(d);
	return 0;
}

static void set_reg(struct decode *d, u8 reg, u8 size)
{
	struct insn *insn = d->insn;

	insn->other = OTHER_REG;
	insn->reg = reg | (d->rex & 4 ? 8 : 0);
	insn->reg_size = size;
	/* Without REX the byte registers 4 to 7 are AH, CH, DH, BH. */
	if (size == 1 && !insn->has_rex && reg >= 4) {
		insn->reg = reg - 4;
		insn->reg_high = true;
	}
}

static void set_imm(struct decode *d, int size)
{
	d->insn->other = OTHER_IMM;
	d->insn->imm = insn_number(&d->c, size > 4 ? 4 : size);
}

/* op E,G (to_mem) or op G,E; bit 0 of the opcode: byte or operand size. */
static int form_eg(struct decode *d, u8 op, bool wide, bool to_mem)
{
	u8 reg;
	int err = insn_modrm(d, &reg);

	d->insn->op = op;
	d->insn->size = wide ? d->op_size : 1;
	d->insn->to_mem = to_mem;
	set_reg(d, reg, d->insn->size);
	return err;
}

/* MOVZX, MOVSX, MOVSXD: a register of operand size, memory of another. */
static int form_extend(struct decode *d, u8 op, u8 size)
{
	u8 reg;
	int err = insn_modrm(d, &reg);

	d->insn->op = op;
	d->insn->size = size;
	set_reg(d, reg, d->op_size);
	return err;
}

/* Group 1: ALU with an immediate. */
static int group1(struct decode *d, u8 opcode)
{
	u8 reg;
	int err = insn_modrm(d, &reg);

	d->insn->op = reg;
	d->insn->size = opcode & 1 ? d->op_size : 1;
	d->insn->to_mem = true;
	set_imm(d, opcode == 0x81 ? d->op_size : 1);
	return err;
}

/* MOV with an immediate; other fields of the group do not exist. */
static int mov_imm(struct decode *d, bool wide)
{
	u8 reg;
	int err = insn_modrm(d, &reg);

	d->insn->op = OP_MOV;
	d->insn->size = wide ? d->op_size : 1;
	d->insn->to_mem = true;
	set_imm(d, d->insn->size);
	return reg ? -EOPNOTSUPP : err;
}

/* Group 3 (TEST, NOT, NEG) and groups 4 and 5 (INC, DEC). */
static int insn_unary(struct decode *d, u8 opcode)
{
	bool wide = opcode & 1;
	u8 reg;
	int err = insn_modrm(d, &reg);

	d->insn->size = wide ? d->op_size : 1;
	d->insn->to_mem = true;
	if (opcode >= 0xfe) {
		d->insn->op = reg ? OP_DEC : OP_INC;
		return reg > 1 ? -EOPNOTSUPP : err;
	}
	if (reg < 2) {
		d->insn->op = OP_TEST;
		set_imm(d, d->insn->size);
		return err;
	}
	d->insn->op = reg == 2 ? OP_NOT : OP_NEG;
	return reg > 3 ? -EOPNOTSUPP : err;
}

/* MOV between the accumulator and an absolute address. */
static int insn_moffs(struct decode *d, u8 opcode)
{
	struct insn *insn = d->insn;

	insn->op = OP_MOV;
	insn->size = opcode & 1 ? d->op_size : 1;
	insn->to_mem = opcode & 2;
	insn->disp = insn_number(&d->c, insn->addr_size);
	if (insn->addr_size < 8)
		insn->disp &= insn->addr_size == 2 ? 0xffff : 0xffffffff;
	insn->other = OTHER_REG;
	insn->reg = 0;
	insn->reg_size = insn->size;
	return 0;
}

static int insn_string(struct decode *d, u8 opcode)
{
	struct insn *insn = d->insn;

	insn->string = true;
	insn->size = opcode & 1 ? d->op_size : 1;
	insn->op = (opcode & ~1) == 0xa4 ? OP_MOVS : OP_MOV;
	insn->to_mem = (opcode & ~1) != 0xac;
	if (insn->op == OP_MOV) {
		insn->other = OTHER_REG;
		insn->reg = 0;
		insn->reg_size = insn->size;
	}
	return 0;
}

/* Bit tests with an immediate bit number. */
static int group8(struct decode *d)
{
	u8 reg;
	int err = insn_modrm(d, &reg);

	d->insn->op = OP_BT + (reg & 3);
	d->insn->size = d->op_size;
	d->insn->to_mem = true;
	set_imm(d, 1);
	return reg < 4 ? -EOPNOTSUPP : err;
}

static int three_byte(struct decode *d)
{
	u8 opcode = insn_next(&d->c);

	/* With F2 these are CRC32, which has no place here. */
	if ((opcode != 0xf0 && opcode != 0xf1) || d->insn->rep)
		return -EOPNOTSUPP;
	return form_eg(d, OP_MOVBE, true, opcode == 0xf1);
}

static int two_byte(struct decode *d)
{
	u8 opcode = insn_next(&d->c);

	switch (opcode) {
	case 0x38:
		return three_byte(d);
	case 0xa3:
		return form_eg(d, OP_BT, true, true);
	case 0xab:
		return form_eg(d, OP_BTS, true, true);
	case 0xb3:
		return form_eg(d, OP_BTR, true, true);
	case 0xbb:
		return form_eg(d, OP_BTC, true, true);
	case 0xba:
		return group8(d);
	case 0xb0: case 0xb1:
		return form_eg(d, OP_CMPXCHG, opcode & 1, true);
	case 0xb6: case 0xb7:
		return form_extend(d, OP_MOVZX, opcode & 1 ? 2 : 1);
	case 0xbe: case 0xbf:
		return form_extend(d, OP_MOVSX, opcode & 1 ? 2 : 1);
	case 0xc0: case 0xc1:
		return form_eg(d, OP_XADD, opcode & 1, true);
	case 0xc3:	/* MOVNTI has no 16-bit form */
		if (d->op_size == 2)
			d->op_size = 4;
		return form_eg(d, OP_MOV, true, true);
	default:
		return -EOPNOTSUPP;
	}
}

static int insn_one_byte(struct decode *d, u8 opcode)
{
	if (opcode < 0x40 && (opcode & 7) < 4)
		return form_eg(d, opcode >> 3, opcode & 1, !(opcode & 2));
	switch (opcode) {
	case 0x0f:
		return two_byte(d);
	case 0x63:
		return d->bits == 64 ? form_extend(d, OP_MOVSX, d->op_size == 2 ? 2 : 4) :
				       -EOPNOTSUPP;
	case 0x80: case 0x81: case 0x82: case 0x83:
		/* 0x82 is 0x80 once more, but not in 64-bit mode. */
		return opcode == 0x82 && d->bits == 64 ? -EOPNOTSUPP : group1(d, opcode);
	case 0x84: case 0x85:
		return form_eg(d, OP_TEST, opcode & 1, true);
	case 0x86: case 0x87:
		return form_eg(d, OP_XCHG, opcode & 1, true);
	case 0x88: case 0x89: case 0x8a: case 0x8b:
		return form_eg(d, OP_MOV, opcode & 1, !(opcode & 2));
	case 0xa0: case 0xa1: case 0xa2: case 0xa3:
		return insn_moffs(d, opcode);
	case 0xa4: case 0xa5: case 0xaa: case 0xab: case 0xac: case 0xad:
		return insn_string(d, opcode);
	case 0xc6: case 0xc7:
		return mov_imm(d, opcode & 1);
	case 0xf6: case 0xf7: case 0xfe: case 0xff:
		return insn_unary(d, opcode);
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * insn_decode - decode one instruction
 * @bytes: from RIP on
 * @len: how many there are, at most INSN_MAX count
 * @code_bits: 16, 32 or 64
 * @insn: result
 *
 * Return: 0; INSN_MORE: the bytes end inside the instruction; -EOPNOTSUPP: not
 * one that is known, or its operand is no memory.
 */
int insn_decode(const u8 *bytes, size_t len, int code_bits, struct insn *insn)
{
	struct decode d;
	u8 opcode = insn_begin(&d, insn, bytes, len, code_bits);
	int err = insn_one_byte(&d, opcode);

	if (d.c.short_of)
		return len < INSN_MAX ? INSN_MORE : -EOPNOTSUPP;
	insn->len = d.c.at;
	insn->reads = !(insn->to_mem && (insn->op == OP_MOV || insn->op == OP_MOVBE));
	insn->writes = insn->to_mem &&
		       insn->op != OP_CMP && insn->op != OP_TEST && insn->op != OP_BT;
	return err;
}
