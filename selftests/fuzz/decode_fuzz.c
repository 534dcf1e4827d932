// SPDX-License-Identifier: GPL-2.0
/*
 * module/io/decode.c: of each instruction that it accepts Zydis says the same length, operation,
 * operands and address; each instruction of these operations is accepted; a part of one is not.
 */
#include "decode.h"

#define M(name)	ZYDIS_MNEMONIC_##name

static const ZydisMnemonic mnemonics[][4] = {
	[OP_ADD] = { M(ADD) }, [OP_OR] = { M(OR) }, [OP_ADC] = { M(ADC) }, [OP_SBB] = { M(SBB) },
	[OP_AND] = { M(AND) }, [OP_SUB] = { M(SUB) }, [OP_XOR] = { M(XOR) }, [OP_CMP] = { M(CMP) },
	[OP_MOV] = { M(MOV), M(MOVNTI) }, [OP_MOVZX] = { M(MOVZX) },
	[OP_MOVSX] = { M(MOVSX), M(MOVSXD) }, [OP_MOVBE] = { M(MOVBE) },
	[OP_MOVS] = { M(MOVSB), M(MOVSW), M(MOVSD), M(MOVSQ) }, [OP_TEST] = { M(TEST) },
	[OP_NOT] = { M(NOT) }, [OP_NEG] = { M(NEG) }, [OP_INC] = { M(INC) }, [OP_DEC] = { M(DEC) },
	[OP_XCHG] = { M(XCHG) }, [OP_XADD] = { M(XADD) }, [OP_CMPXCHG] = { M(CMPXCHG) },
	[OP_BT] = { M(BT) }, [OP_BTS] = { M(BTS) }, [OP_BTR] = { M(BTR) }, [OP_BTC] = { M(BTC) },
};
#define NR_OPS	(sizeof(mnemonics) / sizeof(mnemonics[0]))

static const ZydisMnemonic strings[2][4] = {
	{ M(LODSB), M(LODSW), M(LODSD), M(LODSQ) }, { M(STOSB), M(STOSW), M(STOSD), M(STOSQ) },
};

static bool is_one_of(const ZydisMnemonic list[4], ZydisMnemonic mnemonic)
{
	int i;

	for (i = 0; i < 4; i++)
		if (list[i] && list[i] == mnemonic)
			return true;
	return false;
}

static bool same_operation(const struct insn *insn, const struct oracle *o)
{
	if (insn->string && insn->op == OP_MOV)
		return is_one_of(strings[insn->to_mem], o->i.mnemonic);
	return is_one_of(mnemonics[insn->op], o->i.mnemonic);
}

/* The other operand: a register of its size, or a number. */
static bool same_other(const struct insn *insn, const struct oracle *o)
{
	int n;

	for (n = 0; n < o->i.operand_count; n++) {
		const ZydisDecodedOperand *op = &o->op[n];

		if (op->visibility == ZYDIS_OPERAND_VISIBILITY_HIDDEN)
			continue;
		if (op->type == ZYDIS_OPERAND_TYPE_IMMEDIATE)
			return insn->other == OTHER_IMM &&
			       !((insn->imm ^ op->imm.value.u) & insn_mask(insn->op >= OP_BT ? 1 : insn->size));
		if (op->type == ZYDIS_OPERAND_TYPE_REGISTER)
			return insn->other == OTHER_REG && insn->reg == oracle_reg(o, op->reg.value) &&
			       insn->reg_size * 8 == op->size &&
			       insn->reg_high == (op->reg.value >= ZYDIS_REGISTER_AH &&
						  op->reg.value <= ZYDIS_REGISTER_BH);
	}
	return insn->other == OTHER_NONE;
}

/* Where a string instruction's one or two operands are is in its name. */
static bool same_string(const struct insn *insn, const struct oracle *o)
{
	int n;

	if (insn->addr_size * 8 != o->i.address_width)
		return false;
	for (n = 0; n < o->i.operand_count; n++) {
		const ZydisDecodedOperand *op = &o->op[n];

		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY)
			continue;
		if (op->size != insn->size * 8)
			return false;
		if (oracle_reads(op) && insn->seg != op->mem.segment - ZYDIS_REGISTER_ES)
			return false;
	}
	return true;
}

static bool same(const struct insn *insn, const struct oracle *o)
{
	if (insn->len != o->i.length || !same_operation(insn, o))
		return false;
	if (insn->string)
		return same_string(insn, o);
	return o->mem && insn->size * 8 == o->mem->size && same_address(insn, o) &&
	       same_other(insn, o) && insn->reads == oracle_reads(o->mem) &&
	       insn->writes == oracle_writes(o->mem);
}

/* One of the operations, on memory. */
static bool is_ours(const struct oracle *o)
{
	size_t op;

	if (!o->mem || o->i.encoding != ZYDIS_INSTRUCTION_ENCODING_LEGACY)
		return false;
	for (op = 0; op < NR_OPS; op++)
		if (op != OP_MOVS && is_one_of(mnemonics[op], o->i.mnemonic))
			return true;
	return false;
}

/*
 * Explained differences. The decoder leaves out, as its header says, what drivers do not use on
 * device memory: 82 (another ADD to CMP of bytes, which compilers never emit) and MOV of segment
 * registers.
 */
static bool is_left_out(const struct oracle *o)
{
	return o->i.opcode_map == ZYDIS_OPCODE_MAP_DEFAULT &&
	       (o->i.opcode == 0x82 || o->i.opcode == 0x8c || o->i.opcode == 0x8e);
}

/*
 * Prefixes before MOVNTI are undefined; and MOVSXD to 16 bits reads 16, in the SDM and in
 * processors, but 32 in Zydis.
 */
static bool is_explained(const struct insn *insn, const uint8_t *bytes, int bits)
{
	uint8_t second, first = oracle_opcode(bytes, insn->len, bits, &second);

	return (first == 0x0f && second == 0xc3) || (first == 0x63 && insn->size == 2);
}

static int decode(const uint8_t *given, size_t len, int bits, struct insn *insn)
{
	uint8_t *exact = malloc(len);	/* the sanitizer sees one read too many */
	int ret;

	memcpy(exact, given, len);
	memset(insn, 0x5a, sizeof(*insn));
	ret = insn_decode(exact, len, bits, insn);
	free(exact);
	return ret;
}

static void compare(const uint8_t *bytes, size_t len, int bits)
{
	struct insn insn, part;
	struct oracle o;
	int ret = decode(bytes, len, bits, &insn);
	bool known = oracle_decode(&o, bytes, len, bits);

	CHECK(ret == 0 || ret == -EOPNOTSUPP || (ret == INSN_MORE && len < INSN_MAX));
	if (ret) {
		if (known && is_ours(&o) && !is_left_out(&o)) {
			oracle_show(&o, bytes, len, bits);
			CHECK(!"this instruction is known");
		}
		return;
	}
	CHECK(insn.len <= len);
	if (!is_explained(&insn, bytes, bits) && !(known && same(&insn, &o))) {
		oracle_show(known ? &o : NULL, bytes, len, bits);
		printf("ours: length %d op %d size %d addr %d seg %d base %d index %d disp %llx\n",
		       insn.len, insn.op, insn.size, insn.addr_size, insn.seg, insn.base, insn.index,
		       (unsigned long long)insn.disp);
		CHECK(!"both say the same");
	}
	CHECK_EQ(decode(bytes, insn.len - 1, bits, &part), INSN_MORE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int bits;

	if (!size || size > 1 + INSN_MAX)
		return 0;
	for (bits = 16; bits <= 64; bits *= 2)
		compare(data, size > INSN_MAX ? INSN_MAX : size, bits);
	return 0;
}
