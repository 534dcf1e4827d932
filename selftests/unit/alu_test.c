// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/io/alu.c leaves the results and the flags that this processor leaves,
 * for every operation, size and carry, on random and on boundary values.
 */
#include "unit.h"
#include "random.h"
#include "../../module/io/alu.c"

#define ROUNDS	20000
/* What the SDM leaves undefined: AF after the logical ones, all but CF (and ZF) after BT. */
#define LOGICAL	(FLAGS_ALU & ~X86_EFLAGS_AF)

struct result { u64 value, rflags, rax; };

/* The instruction itself: a is the destination, b a register. Below the red zone. */
#define NATIVE(text, a, b) asm volatile(					\
	"lea -128(%%rsp), %%rsp; push %[f]; popf; " text "; pushf; pop %[f]; "	\
	"lea 128(%%rsp), %%rsp"							\
	: [a] "+r" (a), [b] "+r" (b), [f] "+r" (r.rflags), "+a" (r.rax) : : "cc", "memory")

#define SIZED(name, a, b) do {							\
	switch (size) {								\
	case 1: NATIVE(name " %b[b], %b[a]", a, b); break;			\
	case 2: NATIVE(name " %w[b], %w[a]", a, b); break;			\
	case 4: NATIVE(name " %k[b], %k[a]", a, b); break;			\
	default: NATIVE(name " %q[b], %q[a]", a, b);				\
	}									\
} while (0)

/* There are none with bytes. */
#define SIZED_BITS(name, a, b) do {						\
	switch (size) {								\
	case 2: NATIVE(name " %w[b], %w[a]", a, b); break;			\
	case 4: NATIVE(name " %k[b], %k[a]", a, b); break;			\
	default: NATIVE(name " %q[b], %q[a]", a, b);				\
	}									\
} while (0)

#define SIZED1(name, a, b) do {							\
	switch (size) {								\
	case 1: NATIVE(name " %b[a]", a, b); break;				\
	case 2: NATIVE(name " %w[a]", a, b); break;				\
	case 4: NATIVE(name " %k[a]", a, b); break;				\
	default: NATIVE(name " %q[a]", a, b);					\
	}									\
} while (0)

static struct result native(int op, u64 a, u64 b, u64 rax, u64 rflags, int size)
{
	struct result r = { .rflags = rflags, .rax = rax };

	switch (op) {
	case OP_ADD: SIZED("add", a, b); break;
	case OP_OR: SIZED("or", a, b); break;
	case OP_ADC: SIZED("adc", a, b); break;
	case OP_SBB: SIZED("sbb", a, b); break;
	case OP_AND: SIZED("and", a, b); break;
	case OP_SUB: SIZED("sub", a, b); break;
	case OP_XOR: SIZED("xor", a, b); break;
	case OP_CMP: SIZED("cmp", a, b); break;
	case OP_TEST: SIZED("test", a, b); break;
	case OP_XADD: SIZED("xadd", a, b); break;
	case OP_XCHG: SIZED("xchg", a, b); break;
	case OP_CMPXCHG: SIZED("cmpxchg", a, b); break;
	case OP_NOT: SIZED1("not", a, b); break;
	case OP_NEG: SIZED1("neg", a, b); break;
	case OP_INC: SIZED1("inc", a, b); break;
	case OP_DEC: SIZED1("dec", a, b); break;
	case OP_BT: SIZED_BITS("bt", a, b); break;
	case OP_BTS: SIZED_BITS("bts", a, b); break;
	case OP_BTR: SIZED_BITS("btr", a, b); break;
	case OP_BTC: SIZED_BITS("btc", a, b); break;
	}
	r.value = a;
	return r;
}

static u64 defined_flags(int op)
{
	switch (op) {
	case OP_OR: case OP_AND: case OP_XOR: case OP_TEST:
		return LOGICAL;
	case OP_BT: case OP_BTS: case OP_BTR: case OP_BTC:
		return X86_EFLAGS_CF;
	default:
		return FLAGS_ALU;
	}
}

/* Anything, or what lies at a boundary of some size. */
static u64 operand(void)
{
	static const u64 edge[] = { 0, 1, 0x7f, 0x80, 0xff, 0x7fff, 0x8000, 0xffff, 0x7fffffff,
				    0x80000000, 0xffffffff, ~0ull >> 1, 1ull << 63, ~0ull };

	return one_in(2) ? any() : edge[below(sizeof(edge) / sizeof(edge[0]))];
}

static void compare(int op, int size)
{
	u64 a = operand(), b = one_in(8) ? a : operand(), rax = one_in(2) ? a : operand();
	u64 rflags = 0x202 | (any() & FLAGS_ALU), ours = rflags, value, mask = insn_mask(size);
	struct insn insn = { .op = op, .size = size, .to_mem = true };
	struct result r = native(op, a, b, rax, rflags, size);

	value = alu_memory(&insn, a & mask, b & mask, rax, &ours);
	CHECK_EQ(ours & defined_flags(op), r.rflags & defined_flags(op));
	CHECK_EQ(ours & ~FLAGS_ALU, rflags & ~FLAGS_ALU);
	if (op != OP_CMP && op != OP_TEST && op != OP_BT)
		CHECK_EQ(value & mask, r.value & mask);
}

static void compare_all(const int *ops, size_t size)
{
	size_t i;
	int n;

	for (i = 0; i < size / sizeof(ops[0]) && !unit_bad; i++)
		for (n = 0; n < ROUNDS && !unit_bad; n++)
			compare(ops[i], ops[i] >= OP_BT ? 2 << below(3) : 1 << below(4));
}

static void sums_and_differences_are_the_processors(void)
{
	static const int ops[] = { OP_ADD, OP_ADC, OP_SBB, OP_SUB, OP_CMP, OP_XADD, OP_CMPXCHG,
				   OP_NEG, OP_INC, OP_DEC };

	compare_all(ops, sizeof(ops));
}

static void logic_is_the_processors(void)
{
	static const int ops[] = { OP_OR, OP_AND, OP_XOR, OP_TEST, OP_NOT, OP_XCHG };

	compare_all(ops, sizeof(ops));
}

static void single_bits_are_the_processors(void)
{
	static const int ops[] = { OP_BT, OP_BTS, OP_BTR, OP_BTC };

	compare_all(ops, sizeof(ops));
}

static void what_is_only_moved_leaves_the_flags(void)
{
	struct insn mov = { .op = OP_MOV, .size = 8 }, movs = { .op = OP_MOVS, .size = 8 };
	struct insn movbe = { .op = OP_MOVBE, .size = 4 };
	u64 rflags = 0x202 | X86_EFLAGS_CF;

	CHECK_EQ(alu_memory(&mov, 1, 2, 3, &rflags), 2);
	CHECK_EQ(alu_memory(&movs, 1, 2, 3, &rflags), 1);
	CHECK_EQ(alu_memory(&movbe, 1, 0x11223344, 3, &rflags), 0x44332211);
	CHECK_EQ(alu_swap(0x1122, 2), 0x2211);
	CHECK_EQ(alu_swap(0x1122334455667788, 8), 0x8877665544332211);
	CHECK_EQ(rflags, 0x202 | X86_EFLAGS_CF);
}

/* The processor's own way to write to a part of a register, and to extend a sign. */
static void parts_of_registers_are_the_processors(void)
{
	int n;

	for (n = 0; n < ROUNDS && !unit_bad; n++) {
		u64 old = operand(), value = operand(), r = old;

		asm("movb %b1, %b0" : "+q"(r) : "q"(value));
		CHECK_EQ(insn_merge(old, value, 1), r);
		r = old;
		asm("movw %w1, %w0" : "+r"(r) : "r"(value));
		CHECK_EQ(insn_merge(old, value, 2), r);
		asm("movl %k1, %k0" : "=r"(r) : "r"(value));
		CHECK_EQ(insn_merge(old, value, 4), r);
		CHECK_EQ(insn_merge(old, value, 8), value);
		asm("movsbq %b1, %0" : "=r"(r) : "q"(value));
		CHECK_EQ(insn_sign_extend(value, 1), r);
		asm("movswq %w1, %0" : "=r"(r) : "r"(value));
		CHECK_EQ(insn_sign_extend(value, 2), r);
		asm("movslq %k1, %0" : "=r"(r) : "r"(value));
		CHECK_EQ(insn_sign_extend(value, 4), r);
		CHECK_EQ(insn_sign_extend(value, 8), value);
	}
}

int main(void)
{
	RUN(sums_and_differences_are_the_processors);
	RUN(logic_is_the_processors);
	RUN(single_bits_are_the_processors);
	RUN(what_is_only_moved_leaves_the_flags);
	RUN(parts_of_registers_are_the_processors);
	return unit_end();
}
