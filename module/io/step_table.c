// SPDX-License-Identifier: GPL-2.0
/*
 * The table of instructions that the processor can carry out on a page that stands in for
 * a device: for each opcode the operand's size, and whether it is read or written. What
 * an instruction computes is not known here.
 *
 * Called by step.c. Left out, and refused: what moves more or less than a table can say
 * (FXSAVE, XSAVE and kin, FSTENV, FSAVE and their loads, ENTER with a level, PUSHA, far CALL
 * and RET, IRET, masked moves, gather and scatter, AVX-512 with a mask or a broadcast or
 * outside the 0F map), and loads of descriptor tables and far pointers. SDM "Opcode Map".
 */
#include "step_table.h"

/* Sizes: the number itself up to 32, or what decides. */
enum {
	S_NONE		= 0,	/* no byte */
	S_OP		= 33,	/* operand size */
	S_GPR		= 34,	/* 4, or 8 with REX.W */
	S_W		= 35,	/* 4, or 8 with VEX.W, in any mode */
	S_VEC		= 36,	/* vector */
	S_VEC_2		= 37,	/* half of one, a quarter, an eighth */
	S_VEC_4		= 38,
	S_VEC_8		= 39,
	S_DUP		= 40,	/* MOVDDUP: 8, or vector if longer than 16 */
	S_STACK		= 41,	/* what PUSH and POP move */
	S_BRANCH	= 42,	/* likewise near branches: no prefix changes it in 64-bit mode */
	S_TABLE		= 43,	/* limit and base of a descriptor table */
	S_FAR		= 44,	/* selector and offset */
};

/* With what is done; 0: not known. */
#define R(size)		(STEP_READS << 6 | (size))
#define W(size)		(STEP_WRITES << 6 | (size))
#define M(size)		((STEP_READS | STEP_WRITES) << 6 | (size))

/* One opcode, by mandatory prefix: none, 66, F3, F2. */
enum rule {
	NO,
	/* integers: a prefix is not part of the opcode */
	GET, GET1, GET2, PUT1, PUT2, CHANGE, POPCNT,
	/* vectors */
	LOAD, STORE, LOAD_ALL, STORE_ALL, MOVL, MOVH, PUT_HALF, GET_INT, GET_PACKED, COMPARE,
	ARITH, RECIPROCAL, CONVERT, CVT_INT, CVT_HALF, LOW4, MMX, COUNT, ONLY66, MOVD_IN, MOVD_OUT,
	MOVQ_IN, MOVQ_OUT, SHUFFLE, HORIZONTAL, WORD, PUT_Q, STREAM, LDDQU,
	HALF, QUARTER, EIGHTH, V4, V8, V16, V32, V1, V2, SCALAR, MMX_AND_VEC, OUT1, OUT2, OUT4,
	OUT_GPR, OUT16, OUT_HALF, IN_GPR, SHA, CRC1, CRC, CARRY,
	/* only with a VEX prefix */
	BMI,
};
#define FIRST_VECTOR	LOAD

#define ALL(x)		{ x, x, x, x }

static const u8 rules[][4] = {
	[GET] = ALL(R(S_OP)), [GET1] = ALL(R(1)), [GET2] = ALL(R(2)), [PUT1] = ALL(W(1)),
	[PUT2] = ALL(W(2)), [CHANGE] = ALL(M(S_OP)), [POPCNT] = { 0, 0, R(S_OP), 0 },
	[LOAD] = { R(S_VEC), R(S_VEC) }, [STORE] = { W(S_VEC), W(S_VEC) },
	[LOAD_ALL] = { R(S_VEC), R(S_VEC), R(4), R(8) },
	[STORE_ALL] = { W(S_VEC), W(S_VEC), W(4), W(8) },
	[MOVL] = { R(8), R(8), R(S_VEC), R(S_DUP) }, [MOVH] = { R(8), R(8), R(S_VEC), 0 },
	[PUT_HALF] = { W(8), W(8) }, [GET_INT] = { R(8), R(8), R(S_GPR), R(S_GPR) },
	[GET_PACKED] = { R(8), R(16), R(4), R(8) }, [COMPARE] = { R(4), R(8) },
	[ARITH] = { R(S_VEC), R(S_VEC), R(4), R(8) }, [RECIPROCAL] = { R(S_VEC), 0, R(4), 0 },
	[CONVERT] = { R(S_VEC_2), R(S_VEC), R(4), R(8) }, [CVT_INT] = { R(S_VEC), R(S_VEC), R(S_VEC) },
	[CVT_HALF] = { 0, R(S_VEC), R(S_VEC_2), R(S_VEC) }, [LOW4] = { R(4), R(S_VEC) },
	[MMX] = { R(8), R(S_VEC) }, [COUNT] = { R(8), R(16) }, [ONLY66] = { 0, R(S_VEC) },
	[MOVD_IN] = { R(S_GPR), R(S_GPR) }, [MOVD_OUT] = { W(S_GPR), W(S_GPR), R(8), 0 },
	[MOVQ_IN] = { R(8), R(S_VEC), R(S_VEC) }, [MOVQ_OUT] = { W(8), W(S_VEC), W(S_VEC) },
	[SHUFFLE] = { R(8), R(S_VEC), R(S_VEC), R(S_VEC) },
	[HORIZONTAL] = { 0, R(S_VEC), 0, R(S_VEC) }, [WORD] = { R(2), R(2) }, [PUT_Q] = { 0, W(8) },
	[STREAM] = { W(8), W(S_VEC) }, [LDDQU] = { 0, 0, 0, R(S_VEC) },
	[HALF] = { 0, R(S_VEC_2) }, [QUARTER] = { 0, R(S_VEC_4) }, [EIGHTH] = { 0, R(S_VEC_8) },
	[V1] = { 0, R(1) }, [V2] = { 0, R(2) }, [V4] = { 0, R(4) }, [V8] = { 0, R(8) },
	[V16] = { 0, R(16) }, [V32] = { 0, R(32) }, [SCALAR] = { 0, R(S_W) },
	[MMX_AND_VEC] = { R(8), R(S_VEC) }, [OUT1] = { 0, W(1) }, [OUT2] = { 0, W(2) },
	[OUT4] = { 0, W(4) }, [OUT_GPR] = { 0, W(S_GPR) }, [OUT16] = { 0, W(16) },
	[OUT_HALF] = { 0, W(S_VEC_2) }, [IN_GPR] = { 0, R(S_GPR) }, [SHA] = { R(16) },
	[CRC1] = { 0, 0, 0, R(1) }, [CRC] = { 0, 0, 0, R(S_OP) },
	[CARRY] = { 0, R(S_GPR), R(S_GPR), R(S_GPR) },
	[BMI] = { R(S_GPR), R(S_GPR), R(S_GPR), R(S_GPR) },
};

/* 0F xx; with a VEX or EVEX prefix only the vector rules hold. */
static const u8 map_0f[256] = {
	[0x02 ... 0x03] = GET2,
	[0x10] = LOAD_ALL, [0x11] = STORE_ALL, [0x12] = MOVL, [0x13] = PUT_HALF,
	[0x14 ... 0x15] = LOAD, [0x16] = MOVH, [0x17] = PUT_HALF,
	[0x28] = LOAD, [0x29] = STORE, [0x2a] = GET_INT, [0x2b] = STORE,
	[0x2c ... 0x2d] = GET_PACKED, [0x2e ... 0x2f] = COMPARE,
	[0x40 ... 0x4f] = GET,
	[0x51] = ARITH, [0x52 ... 0x53] = RECIPROCAL, [0x54 ... 0x57] = LOAD,
	[0x58 ... 0x59] = ARITH, [0x5a] = CONVERT, [0x5b] = CVT_INT, [0x5c ... 0x5f] = ARITH,
	[0x60 ... 0x62] = LOW4, [0x63 ... 0x6b] = MMX, [0x6c ... 0x6d] = ONLY66,
	[0x6e] = MOVD_IN, [0x6f] = MOVQ_IN,
	[0x70] = SHUFFLE, [0x74 ... 0x76] = MMX, [0x7c ... 0x7d] = HORIZONTAL,
	[0x7e] = MOVD_OUT, [0x7f] = MOVQ_OUT,
	[0x90 ... 0x9f] = PUT1,
	[0xa4 ... 0xa5] = CHANGE, [0xac ... 0xad] = CHANGE, [0xaf] = GET,
	[0xb8] = POPCNT, [0xbc ... 0xbd] = GET,
	[0xc2] = ARITH, [0xc4] = WORD, [0xc6] = LOAD,
	[0xd0] = HORIZONTAL, [0xd1 ... 0xd3] = COUNT, [0xd4 ... 0xd5] = MMX, [0xd6] = PUT_Q,
	[0xd8 ... 0xdf] = MMX,
	[0xe0] = MMX, [0xe1 ... 0xe2] = COUNT, [0xe3 ... 0xe5] = MMX, [0xe6] = CVT_HALF,
	[0xe7] = STREAM, [0xe8 ... 0xef] = MMX,
	[0xf0] = LDDQU, [0xf1 ... 0xf3] = COUNT, [0xf4 ... 0xf6] = MMX, [0xf8 ... 0xfe] = MMX,
};

/* 0F 38 xx */
static const u8 map_38[256] = {
	[0x00 ... 0x0b] = MMX_AND_VEC, [0x0c ... 0x0f] = ONLY66,
	[0x10] = ONLY66, [0x13] = HALF, [0x14 ... 0x15] = ONLY66, [0x16] = V32, [0x17] = ONLY66,
	[0x18] = V4, [0x19] = V8, [0x1a] = V16, [0x1c ... 0x1e] = MMX_AND_VEC,
	[0x20] = HALF, [0x21] = QUARTER, [0x22] = EIGHTH, [0x23] = HALF, [0x24] = QUARTER,
	[0x25] = HALF, [0x28 ... 0x2b] = ONLY66,
	[0x30] = HALF, [0x31] = QUARTER, [0x32] = EIGHTH, [0x33] = HALF, [0x34] = QUARTER,
	[0x35] = HALF, [0x36] = V32, [0x37 ... 0x3f] = ONLY66,
	[0x40] = ONLY66, [0x41] = V16, [0x45 ... 0x47] = ONLY66,
	[0x58] = V4, [0x59] = V8, [0x5a] = V16, [0x78] = V1, [0x79] = V2,
	/* fused multiply-add: packed and scalar take turns */
	[0x96 ... 0x98] = ONLY66, [0x99] = SCALAR, [0x9a] = ONLY66, [0x9b] = SCALAR,
	[0x9c] = ONLY66, [0x9d] = SCALAR, [0x9e] = ONLY66, [0x9f] = SCALAR,
	[0xa6 ... 0xa8] = ONLY66, [0xa9] = SCALAR, [0xaa] = ONLY66, [0xab] = SCALAR,
	[0xac] = ONLY66, [0xad] = SCALAR, [0xae] = ONLY66, [0xaf] = SCALAR,
	[0xb6 ... 0xb8] = ONLY66, [0xb9] = SCALAR, [0xba] = ONLY66, [0xbb] = SCALAR,
	[0xbc] = ONLY66, [0xbd] = SCALAR, [0xbe] = ONLY66, [0xbf] = SCALAR,
	[0xc8 ... 0xcd] = SHA, [0xcf] = ONLY66, [0xdb ... 0xdf] = ONLY66,
	[0xf0] = CRC1, [0xf1] = CRC, [0xf2 ... 0xf3] = BMI, [0xf5] = BMI,
	[0xf6] = CARRY, [0xf7] = BMI,
};

/* 0F 3A xx, each with one immediate byte */
static const u8 map_3a[256] = {
	[0x00 ... 0x01] = V32, [0x02] = ONLY66, [0x04 ... 0x05] = ONLY66, [0x06] = V32,
	[0x08 ... 0x09] = ONLY66, [0x0a] = V4, [0x0b] = V8, [0x0c ... 0x0e] = ONLY66,
	[0x0f] = MMX_AND_VEC,
	[0x14] = OUT1, [0x15] = OUT2, [0x16] = OUT_GPR, [0x17] = OUT4, [0x18] = V16, [0x19] = OUT16,
	[0x1d] = OUT_HALF,
	[0x20] = V1, [0x21] = V4, [0x22] = IN_GPR, [0x38] = V16, [0x39] = OUT16,
	[0x40] = ONLY66, [0x41] = V16, [0x42] = ONLY66, [0x44] = ONLY66, [0x46] = V32,
	[0x4a ... 0x4c] = ONLY66, [0x60 ... 0x63] = V16, [0xcc] = SHA, [0xce ... 0xcf] = ONLY66,
	[0xdf] = V16, [0xf0] = BMI,
};

/* x87, by opcode and reg field. SDM "Escape Opcodes with Memory Operands" */
static const u8 x87[8][8] = {
	{ R(4), R(4), R(4), R(4), R(4), R(4), R(4), R(4) },
	{ R(4), 0, W(4), W(4), 0 /* FLDENV */, R(2), 0 /* FNSTENV */, W(2) },
	{ R(4), R(4), R(4), R(4), R(4), R(4), R(4), R(4) },
	{ R(4), W(4), W(4), W(4), 0, R(10), 0, W(10) },
	{ R(8), R(8), R(8), R(8), R(8), R(8), R(8), R(8) },
	{ R(8), W(8), W(8), W(8), 0 /* FRSTOR */, 0, 0 /* FNSAVE */, W(2) },
	{ R(2), R(2), R(2), R(2), R(2), R(2), R(2), R(2) },
	{ R(2), W(2), W(2), W(2), R(10), R(8), W(10), W(8) },
};

/* Groups of 0F, by reg field. */
static const u8 group_00[8] = { W(2), W(2), R(2), R(2), R(2), R(2) };
static const u8 group_01[8] = { W(S_TABLE), W(S_TABLE), 0, 0, W(2), 0, R(2), 0 };
static const u8 group_ae[8] = { 0, 0, R(4), W(4), 0, 0, 0, R(S_NONE) };	/* without 66 */
static const u8 group_ae66[8] = { 0, 0, 0, 0, 0, 0, R(S_NONE), R(S_NONE) };

/* On the way: what the prefixes of vectors add to struct decode. */
struct step {
	struct decode d;
	struct step_insn *s;
	u8 vector;		/* bytes */
	u8 reg;			/* of step_memory() */
	u8 n;			/* operands */
	bool vex, evex, w;
};

static u8 gpr_or(const struct step *t, u8 in_64_bit)
{
	return t->d.bits == 64 ? in_64_bit : t->d.op_size;
}

static u8 size_of(const struct step *t, u8 code)
{
	switch (code & 0x3f) {
	case S_OP:
		return t->d.op_size;
	case S_GPR:
		return t->d.rex & 8 ? 8 : 4;
	case S_W:
		return t->w ? 8 : 4;
	case S_VEC:
		return t->vector;
	case S_VEC_2:
		return t->vector / 2;
	case S_VEC_4:
		return t->vector / 4;
	case S_VEC_8:
		return t->vector / 8;
	case S_DUP:
		return t->vector == 16 ? 8 : t->vector;
	case S_STACK:
		return gpr_or(t, t->d.op_size == 2 ? 2 : 8);
	case S_BRANCH:
		return gpr_or(t, 8);
	case S_TABLE:
		return t->d.bits == 64 ? 10 : 6;
	case S_FAR:
		return t->d.op_size + 2;
	default:
		return code & 0x3f;
	}
}

/* One more. */
static int step_operand(struct step *t, u8 at, u8 code)
{
	t->s->op[t->n++] = (struct step_operand) {
		.at = at, .access = code >> 6, .size = size_of(t, code),
	};
	return code ? 0 : -EOPNOTSUPP;
}

static void step_skip(struct step *t, int n)
{
	while (n--)
		insn_next(&t->d.c);
}

/* A memory operand, whatever the reg field. */
static int step_memory(struct step *t, u8 code, int imm)
{
	int err = insn_modrm(&t->d, &t->reg);

	step_skip(t, imm);
	return err ?: step_operand(t, AT_MODRM, code);
}

/* One that depends on the reg field. */
static int step_group(struct step *t, const u8 code[8])
{
	u8 reg;
	int err = insn_modrm(&t->d, &reg);

	return err ?: step_operand(t, AT_MODRM, code[reg]);
}

/* MUL, IMUL, DIV, IDIV; the first four of the group are the decoder's. */
static int group3(struct step *t, bool wide)
{
	const u8 code = R(wide ? S_OP : 1), codes[8] = { 0, 0, 0, 0, code, code, code, code };

	return step_group(t, codes);
}

/* The stack, and an operand by reg field: in memory, or a register, which does not count. */
static int with_stack(struct step *t, const u8 code[8], u8 at, const u8 stack[8])
{
	u8 reg;
	int err = insn_modrm(&t->d, &reg) ?: step_operand(t, AT_MODRM, code[reg]);

	return stack[reg] ? step_operand(t, at, stack[reg]) : err;
}

/* CALL, JMP, PUSH; INC and DEC are the decoder's, far CALL, which may push anywhere, nobody's. */
static int group5(struct step *t)
{
	static const u8 read[8] = { 0, 0, R(S_BRANCH), 0, R(S_BRANCH), R(S_FAR), R(S_STACK), 0 };
	static const u8 push[8] = { 0, 0, W(S_BRANCH), 0, 0, 0, W(S_STACK), 0 };

	return with_stack(t, read, AT_PUSH, push);
}

static int pop_modrm(struct step *t)
{
	static const u8 written[8] = { W(S_STACK) }, pop[8] = { R(S_STACK) };

	t->s->sp_early = size_of(t, S_STACK);
	return with_stack(t, written, AT_POP, pop);
}

/* 16 bits, in room of the operand's size; but PUSH in 64-bit mode writes all of it. SDM "PUSH" */
static int step_selector(struct step *t, bool pop)
{
	u8 room = t->s->sp_down = size_of(t, S_STACK);

	return step_operand(t, pop ? AT_POP : AT_PUSH, pop ? R(2) : W(room == 4 ? 2 : S_STACK));
}

static int two_strings(struct step *t, u8 code)
{
	step_operand(t, AT_SI, code);
	return step_operand(t, AT_DI, code);
}

/* By the mandatory prefix; the last of F2 and F3 goes before 66. */
static u8 by_rule(const struct step *t, u8 rule)
{
	int prefix = t->d.rep == 0xf3 ? 2 : t->d.rep == 0xf2 ? 3 : t->d.osize ? 1 : 0;

	if (t->vex ? rule < FIRST_VECTOR : rule == BMI)
		return 0;
	/* With EVEX.W one of these is another instruction. */
	return t->evex && rule == CVT_HALF ? 0 : rules[rule][prefix];
}

static bool has_imm(u8 opcode)
{
	return opcode == 0x70 || opcode == 0xa4 || opcode == 0xac || opcode == 0xc2 ||
	       opcode == 0xc4 || opcode == 0xc6;
}

/* CMPXCHG8B and CMPXCHG16B; the rest saves state, or is VMX. */
static int group9(struct step *t)
{
	const u8 codes[8] = { [1] = t->d.rex & 8 ? M(16) : M(8) };

	return step_group(t, codes);
}

static int escape_0f(struct step *t, u8 opcode)
{
	switch (opcode) {
	case 0x00:
		return t->vex ? -EOPNOTSUPP : step_group(t, group_00);
	case 0x01:
		return t->vex ? -EOPNOTSUPP : step_group(t, group_01);
	case 0xa0: case 0xa1: case 0xa8: case 0xa9:
		return step_selector(t, opcode & 1);
	case 0xae:
		return t->evex || t->d.rep ? -EOPNOTSUPP :
		       step_group(t, t->d.osize ? group_ae66 : group_ae);
	case 0xc7:
		return t->vex ? -EOPNOTSUPP : group9(t);
	default:
		return step_memory(t, by_rule(t, map_0f[opcode]), has_imm(opcode));
	}
}

static int opcode_in_map(struct step *t, int map)
{
	u8 opcode = insn_next(&t->d.c);

	if (map == 1)
		return escape_0f(t, opcode);
	if (map == 2)
		return step_memory(t, by_rule(t, map_38[opcode]), 0);
	if (map == 3)
		return step_memory(t, by_rule(t, map_3a[opcode]), 1);
	return -EOPNOTSUPP;
}

static int legacy_0f(struct step *t)
{
	u8 opcode = insn_next(&t->d.c);

	t->vector = 16;
	if (opcode == 0x38)
		return opcode_in_map(t, 2);
	return opcode == 0x3a ? opcode_in_map(t, 3) : escape_0f(t, opcode);
}

/* The bits that VEX and EVEX have instead of prefixes. */
static void vector_prefix(struct step *t, u8 pp, bool w)
{
	t->vex = true;
	t->w = w;
	t->d.osize = pp == 1;
	t->d.rep = pp == 2 ? 0xf3 : pp == 3 ? 0xf2 : 0;
	if (t->d.bits == 64)
		t->d.rex |= w ? 8 : 0;
}

/* Outside 64-bit mode these opcodes are LES, LDS and BOUND where memory is the operand. */
static bool is_vector_prefix(const struct step *t)
{
	const struct cursor *c = &t->d.c;

	return t->d.bits == 64 || (c->at < c->len && c->p[c->at] >= 0xc0);
}

static int step_vex(struct step *t, bool three)
{
	u8 first, last;

	if (!is_vector_prefix(t))
		return -EOPNOTSUPP;
	first = last = insn_next(&t->d.c);
	if (three) {
		last = insn_next(&t->d.c);
		t->d.rex = t->d.bits == 64 ? ~first >> 5 & 7 : 0;
	}
	vector_prefix(t, last & 3, three && (last & 0x80));
	t->vector = last & 4 ? 32 : 16;
	return opcode_in_map(t, three ? first & 0x1f : 1);
}

/* Without a mask and a broadcast the operand is whole, and a short displacement counts it. */
static int step_evex(struct step *t)
{
	struct decode *d = &t->d;
	u8 p0, p1, p2;
	int err;

	if (!is_vector_prefix(t))
		return -EOPNOTSUPP;
	p0 = insn_next(&d->c);
	p1 = insn_next(&d->c);
	p2 = insn_next(&d->c);
	d->rex = d->bits == 64 ? ~p0 >> 5 & 7 : 0;
	t->evex = true;
	vector_prefix(t, p1 & 3, p1 & 0x80);
	t->vector = 16 << (p2 >> 5 & 3);
	err = opcode_in_map(t, 1);
	if (d->mod == 1)
		d->insn->disp *= t->s->op[0].size;
	return (p0 & 7) != 1 || (p2 & 0x17) || t->vector > 64 ? -EOPNOTSUPP : err;
}

/* PUSHF, POPF, POP SS; MOV to SS is known by its reg field. */
static bool needs_mtf(const struct step *t, u8 opcode)
{
	return opcode == 0x9c || opcode == 0x9d || opcode == 0x17 ||
	       (opcode == 0x8e && t->reg == 2);
}

static int step_one_byte(struct step *t, u8 opcode)
{
	switch (opcode) {
	case 0x06: case 0x07: case 0x0e: case 0x16: case 0x17: case 0x1e: case 0x1f:
		return step_selector(t, opcode & 1);
	case 0x50 ... 0x57:
	case 0x68: case 0x6a: case 0x9c:
		return step_operand(t, AT_PUSH, W(S_STACK));
	case 0x58 ... 0x5f: case 0x9d:
		return step_operand(t, AT_POP, R(S_STACK));
	case 0x0f:
		return legacy_0f(t);
	case 0x61:	/* POPA: eight registers at once */
		return step_operand(t, AT_POP, R(8 * t->d.op_size));
	case 0x62:
		return step_evex(t);
	case 0x69: case 0x6b:
		return step_memory(t, R(S_OP), opcode & 2 ? 1 : t->d.op_size == 2 ? 2 : 4);
	case 0x8c: case 0x8e:
		return step_memory(t, opcode & 2 ? R(2) : W(2), 0);
	case 0x8f:
		return pop_modrm(t);
	case 0xa6: case 0xa7:
		return two_strings(t, R(opcode & 1 ? S_OP : 1));
	case 0xae: case 0xaf:
		return step_operand(t, AT_DI, R(opcode & 1 ? S_OP : 1));
	case 0xc0: case 0xc1:
		return step_memory(t, M(opcode & 1 ? S_OP : 1), 1);
	case 0xc2: case 0xc3:
		return step_operand(t, AT_POP, R(S_BRANCH));
	case 0xc4: case 0xc5:
		return step_vex(t, opcode == 0xc4);
	case 0xc8:	/* ENTER: of a procedure that is in no other, it pushes RBP */
		step_skip(t, 2);
		return insn_next(&t->d.c) & 31 ? -EOPNOTSUPP : step_operand(t, AT_PUSH, W(S_STACK));
	case 0xc9:
		return step_operand(t, AT_FRAME, R(S_STACK));
	case 0xd0 ... 0xd3:
		return step_memory(t, M(opcode & 1 ? S_OP : 1), 0);
	case 0xd7:
		return step_operand(t, AT_XLAT, R(1));
	case 0xd8 ... 0xdf:
		return step_group(t, x87[opcode & 7]);
	case 0xe8:
		return step_operand(t, AT_PUSH, W(S_BRANCH));
	case 0xf6: case 0xf7:
		return group3(t, opcode & 1);
	case 0xff:
		return group5(t);
	default:
		return -EOPNOTSUPP;
	}
}

/**
 * step_decode - where an instruction's operands are
 * @bytes: from RIP on
 * @len: how many there are, at most INSN_MAX count
 * @code_bits: 16, 32 or 64
 * @s: filled; the length only if an operand is relative to RIP
 *
 * Return: 0; INSN_MORE: the bytes end inside the instruction; -EOPNOTSUPP: one that the
 * processor cannot carry out on a page that stands in for a device.
 */
int step_decode(const u8 *bytes, size_t len, int code_bits, struct step_insn *s)
{
	struct step t = { .s = s };
	u8 opcode;
	int err;

	*s = (struct step_insn) { };
	opcode = insn_begin(&t.d, &s->insn, bytes, len, code_bits);
	err = step_one_byte(&t, opcode);
	if (t.d.c.short_of)
		return len < INSN_MAX ? INSN_MORE : -EOPNOTSUPP;
	s->insn.len = t.d.c.at;
	s->needs_mtf = needs_mtf(&t, opcode);
	return err;
}
