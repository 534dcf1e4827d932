// SPDX-License-Identifier: GPL-2.0
/* module/io/alu.c: each operation leaves what this processor leaves. */
#include "fuzz.h"
#define main unit_main
#include "../unit/alu_test.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const u8 ops[] = {
		OP_ADD, OP_OR, OP_ADC, OP_SBB, OP_AND, OP_SUB, OP_XOR, OP_CMP, OP_TEST, OP_NOT,
		OP_NEG, OP_INC, OP_DEC, OP_XCHG, OP_XADD, OP_CMPXCHG, OP_BT, OP_BTS, OP_BTR, OP_BTC,
	};
	int op;

	fuzz_begin(data, size);
	op = ops[below(sizeof(ops))];
	compare(op, op >= OP_BT ? 2 << below(3) : 1 << below(4));
	return 0;
}
