// SPDX-License-Identifier: GPL-2.0
/*
 * module/io/step_table.c and module/cpu/debug_insn.h: of each instruction that the table accepts
 * Zydis says the same length, and the same of each operand in memory; and the same bytes save or
 * load the trap flag.
 */
#include "decode.h"
#include "../../module/cpu/debug_insn.h"

/* One program of two files: their own names do not meet. */
#define one_byte step_one_byte
#define group3 step_group3
#include "../../module/io/step_table.c"
#undef one_byte
#undef group3

/* ---- step_table.c */

static bool is_stack(const ZydisDecodedOperand *op)
{
	return op->mem.base == ZYDIS_REGISTER_RSP || op->mem.base == ZYDIS_REGISTER_ESP ||
	       op->mem.base == ZYDIS_REGISTER_SP;
}

static bool is_based(const struct oracle *o, const ZydisDecodedOperand *op, int reg)
{
	return op->mem.base != ZYDIS_REGISTER_NONE && oracle_reg(o, op->mem.base) == reg;
}

static bool is_at(const struct oracle *o, const ZydisDecodedOperand *op, u8 at)
{
	bool hidden = op->visibility != ZYDIS_OPERAND_VISIBILITY_EXPLICIT;

	switch (at) {
	case AT_MODRM: return op == o->mem;
	case AT_SI: return hidden && is_based(o, op, 6);
	case AT_DI: return hidden && is_based(o, op, 7);
	case AT_XLAT: return hidden && is_based(o, op, 3);
	case AT_PUSH: return hidden && is_stack(op) && oracle_writes(op);
	case AT_POP: return hidden && is_stack(op) && oracle_reads(op);
	case AT_FRAME: return hidden && oracle_reads(op);
	}
	return false;
}

static bool same_operand(const struct step_operand *ours, const struct oracle *o)
{
	int n;

	for (n = 0; n < o->i.operand_count; n++) {
		const ZydisDecodedOperand *op = &o->op[n];

		if (op->type != ZYDIS_OPERAND_TYPE_MEMORY || !is_at(o, op, ours->at))
			continue;
		return (!ours->size || ours->size * 8 == op->size) &&
		       (!ours->size || !(ours->access & STEP_READS) == !oracle_reads(op)) &&
		       !(ours->access & STEP_WRITES) == !oracle_writes(op);
	}
	return false;
}

static void show(const struct step_insn *s)
{
	int i;

	for (i = 0; i < STEP_OPERANDS && s->op[i].at; i++)
		printf("ours: at %d access %d size %d\n", s->op[i].at, s->op[i].access, s->op[i].size);
	printf("ours: length %d addr %d seg %d base %d index %d disp %llx\n", s->insn.len,
	       s->insn.addr_size, s->insn.seg, s->insn.base, s->insn.index,
	       (unsigned long long)s->insn.disp);
}

/*
 * Explained differences: no processor carries these out, it gives #UD before an access of which
 * the table would hear. It looks at no more than it needs: one-byte opcodes that 64-bit code
 * does not have, MOV of segment registers that there are not, forms with VEX or EVEX that exist
 * only without, or with another vvvv, and the other way round.
 */
static bool is_undefined(const uint8_t *bytes, size_t len, int bits)
{
	uint8_t second, first = oracle_opcode(bytes, len, bits, &second);

	switch (first) {
	case 0x06: case 0x07: case 0x0e: case 0x16: case 0x17: case 0x1e: case 0x1f: case 0x61:
		return bits == 64;
	case 0x62: case 0x8c: case 0x8e: case 0xc4: case 0xc5:
		return true;
	case 0x0f:
		return second == 0x38 || second == 0x3a;
	}
	return false;
}

/*
 * Explained: Zydis has as much for a segment register as the stack pointer moves; processors
 * write and read its 16 bits, but for a push of 64. SDM "PUSH", "POP".
 */
static bool is_segment_push(const uint8_t *bytes, size_t len, int bits)
{
	uint8_t second, first = oracle_opcode(bytes, len, bits, &second);

	return first == 0x06 || first == 0x07 || first == 0x0e || first == 0x16 || first == 0x17 ||
	       first == 0x1e || first == 0x1f ||
	       (first == 0x0f && (second == 0xa0 || second == 0xa1 || second == 0xa8 || second == 0xa9));
}

static void check_step(const uint8_t *bytes, size_t len, int bits)
{
	uint8_t *exact = malloc(len);	/* the sanitizer sees one read too many */
	uint8_t whole[INSN_MAX] = { };	/* the table reads no more than it needs */
	struct step_insn s, part;
	bool same, known;
	struct oracle o;
	int i, ret;

	memcpy(exact, bytes, len);
	ret = step_decode(exact, len, bits, &s);
	free(exact);
	CHECK(ret == 0 || ret == -EOPNOTSUPP || (ret == INSN_MORE && len < INSN_MAX));
	if (ret)
		return;
	memcpy(whole, bytes, len);
	known = oracle_decode(&o, whole, sizeof(whole), bits);
	/* The length counts where an operand is relative to RIP. */
	same = known && (s.insn.rip_relative ? s.insn.len == o.i.length : s.insn.len <= o.i.length);
	for (i = 0; i < STEP_OPERANDS && s.op[i].at; i++)
		same = same && same_operand(&s.op[i], &o) &&
		       (s.op[i].at != AT_MODRM || same_address(&s.insn, &o));
	if (known && is_segment_push(bytes, len, bits))
		same = s.op[0].size == (s.op[0].at == AT_PUSH && s.sp_down == 8 ? 8 : 2);
	if (!same && (known || !(o.too_long || is_undefined(bytes, len, bits)))) {
		oracle_show(known ? &o : NULL, bytes, len, bits);
		show(&s);
		CHECK(!"both say the same");
	}
	CHECK(s.op[0].at);
	CHECK_EQ(step_decode(bytes, s.insn.len - 1, bits, &part), INSN_MORE);
}

/* ---- debug_insn.h */

static u8 kind_of(const struct oracle *o)
{
	switch (o->i.mnemonic) {
	case ZYDIS_MNEMONIC_PUSHF: case ZYDIS_MNEMONIC_PUSHFD: case ZYDIS_MNEMONIC_PUSHFQ:
		return DEBUG_PUSHF;
	case ZYDIS_MNEMONIC_POPF: case ZYDIS_MNEMONIC_POPFD: case ZYDIS_MNEMONIC_POPFQ:
		return DEBUG_POPF;
	case ZYDIS_MNEMONIC_IRET: case ZYDIS_MNEMONIC_IRETD: case ZYDIS_MNEMONIC_IRETQ:
		return DEBUG_IRET;
	case ZYDIS_MNEMONIC_SYSCALL:
		return DEBUG_SYSCALL;
	case ZYDIS_MNEMONIC_SYSRET:
		return DEBUG_SYSRET;
	default:
		return DEBUG_PLAIN;
	}
}

static void check_debug(const uint8_t *bytes, size_t len, int bits)
{
	struct debug_insn insn = debug_insn_of(bytes, len, bits);
	struct oracle o;

	if (!oracle_decode(&o, bytes, len, bits))
		return;
	/* Zydis has no SYSCALL but in 64-bit code, as Intel's processors. */
	if (insn.kind != kind_of(&o)) {
		oracle_show(&o, bytes, len, bits);
		CHECK_EQ(insn.kind, kind_of(&o));
	}
	if (insn.kind == DEBUG_PUSHF || insn.kind == DEBUG_POPF || insn.kind == DEBUG_IRET) {
		CHECK_EQ(insn.len, o.i.length);
		if (insn.size * 8 != o.i.operand_width)
			oracle_show(&o, bytes, len, bits);
		CHECK_EQ(insn.size * 8, o.i.operand_width);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int bits;

	if (!size || size > 1 + INSN_MAX)
		return 0;
	for (bits = 16; bits <= 64; bits *= 2) {
		check_step(data, size > INSN_MAX ? INSN_MAX : size, bits);
		check_debug(data, size > INSN_MAX ? INSN_MAX : size, bits);
	}
	return 0;
}
