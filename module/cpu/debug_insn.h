/* SPDX-License-Identifier: GPL-2.0 */
/* The instructions that a trap flag shows in, or that load it. Pure. */
#ifndef MINIKVM_CPU_DEBUG_INSN_H
#define MINIKVM_CPU_DEBUG_INSN_H

#include <linux/types.h>

#include "../parts.h"

static inline bool debug_insn_prefix(u8 byte)
{
	switch (byte) {
	case 0x26: case 0x2e: case 0x36: case 0x3e:	/* segments */
	case 0x64 ... 0x67:				/* FS, GS, sizes */
	case 0xf0: case 0xf2: case 0xf3:
		return true;
	}
	return false;
}

/* Bytes of FLAGS that PUSHF, POPF and IRET move: SDM "Default Operand Size". */
static inline u8 debug_insn_size(int bits, bool other, bool rex_w, u8 kind)
{
	if (bits == 64 && rex_w)
		return 8;
	if (bits == 16)
		return other ? 4 : 2;
	if (other)
		return 2;
	return bits == 64 && kind != DEBUG_IRET ? 8 : 4;
}

/**
 * debug_insn_of - which of them is this?
 * @bytes: of the instruction
 * @n: how many are known
 * @bits: of the code segment: 16, 32, 64
 */
static inline struct debug_insn debug_insn_of(const u8 *bytes, int n, int bits)
{
	static const u8 one[256] = {
		[0x9c] = DEBUG_PUSHF, [0x9d] = DEBUG_POPF, [0xcf] = DEBUG_IRET,
	};
	struct debug_insn insn = { .kind = DEBUG_PLAIN };
	bool other = false, rex_w = false;
	int i = 0;

	/* A REX counts only if it is the last prefix. */
	for (; i < n; i++) {
		bool rex = bits == 64 && (bytes[i] & 0xf0) == 0x40;

		if (!rex && !debug_insn_prefix(bytes[i]))
			break;
		rex_w = rex && bytes[i] & 8;
		other |= bytes[i] == 0x66;
	}
	if (i < n)
		insn.kind = one[bytes[i]];
	if (i + 1 < n && bytes[i] == 0x0f && bytes[i + 1] == 0x05)
		insn.kind = DEBUG_SYSCALL;
	if (i + 1 < n && bytes[i] == 0x0f && bytes[i + 1] == 0x07)
		insn.kind = DEBUG_SYSRET;
	insn.len = i + 1;
	insn.size = debug_insn_size(bits, other, rex_w, insn.kind);
	return insn;
}

#endif
