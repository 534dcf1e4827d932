// SPDX-License-Identifier: GPL-2.0
/* Instructions that save or load the trap flag: module/cpu/debug_insn.h. */
#include "unit.h"
#include "../../module/cpu/debug_insn.h"

static const struct { int bits, n; u8 bytes[6]; u8 kind, len, size; } table[] = {
	{ 64, 1, { 0x9c }, DEBUG_PUSHF, 1, 8 },
	{ 32, 1, { 0x9c }, DEBUG_PUSHF, 1, 4 },
	{ 16, 1, { 0x9c }, DEBUG_PUSHF, 1, 2 },
	{ 64, 2, { 0x66, 0x9c }, DEBUG_PUSHF, 2, 2 },
	{ 16, 2, { 0x66, 0x9d }, DEBUG_POPF, 2, 4 },
	{ 64, 2, { 0x48, 0x9d }, DEBUG_POPF, 2, 8 },
	{ 64, 3, { 0xf3, 0x2e, 0x9d }, DEBUG_POPF, 3, 8 },
	{ 64, 2, { 0x48, 0xcf }, DEBUG_IRET, 2, 8 },
	{ 64, 1, { 0xcf }, DEBUG_IRET, 1, 4 },
	{ 64, 2, { 0x66, 0xcf }, DEBUG_IRET, 2, 2 },
	{ 16, 1, { 0xcf }, DEBUG_IRET, 1, 2 },
	{ 64, 2, { 0x0f, 0x05 }, DEBUG_SYSCALL },
	{ 64, 3, { 0x48, 0x0f, 0x07 }, DEBUG_SYSRET },
	/* Others: INC in 32-bit code is no REX, and what is not there is not looked at. */
	{ 32, 2, { 0x48, 0x9d }, DEBUG_PLAIN },
	{ 64, 3, { 0x48, 0x66, 0x90 }, DEBUG_PLAIN },
	/* A REX that is not the last prefix does not count. */
	{ 64, 3, { 0x48, 0x66, 0x9d }, DEBUG_POPF, 3, 2 },
	{ 64, 3, { 0x48, 0x40, 0xcf }, DEBUG_IRET, 3, 4 },
	{ 64, 1, { 0x0f, 0x05 }, DEBUG_PLAIN },
	{ 64, 1, { 0x66, 0x9d }, DEBUG_PLAIN },
	{ 64, 0, { 0x9d }, DEBUG_PLAIN },
	{ 64, 2, { 0x0f, 0x9c }, DEBUG_PLAIN },
};

static void kinds(void)
{
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		struct debug_insn insn = debug_insn_of(table[i].bytes, table[i].n, table[i].bits);

		CHECK_EQ(insn.kind, table[i].kind);
		if (!table[i].size)
			continue;
		CHECK_EQ(insn.len, table[i].len);
		CHECK_EQ(insn.size, table[i].size);
	}
}

int main(void)
{
	RUN(kinds);
	return unit_end();
}
