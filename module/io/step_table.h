/* SPDX-License-Identifier: GPL-2.0 */
/* Where in memory an instruction's operands are, how large, and what is done with them. Pure. */
#ifndef MINIKVM_STEP_TABLE_H
#define MINIKVM_STEP_TABLE_H

#include "decode.h"

/* What gives an operand's address. */
enum step_at {
	AT_NONE,
	AT_MODRM,
	AT_SI, AT_DI,
	AT_XLAT,		/* RBX + AL */
	AT_PUSH,		/* below the stack pointer */
	AT_POP,			/* at the stack pointer */
	AT_FRAME,		/* at RBP: LEAVE */
};

#define STEP_READS	1
#define STEP_WRITES	2

struct step_operand {
	u8 at;			/* enum step_at */
	u8 access;		/* STEP_* */
	u8 size;		/* bytes; 0: only the address counts, as for CLFLUSH */
};

#define STEP_OPERANDS	2

struct step_insn {
	struct insn insn;	/* of which the address and the length are used */
	bool needs_mtf;		/* reads or writes RFLAGS.TF, or delays its trap */
	u8 sp_down;		/* PUSH moves the stack pointer so far; 0: by the operand's size */
	u8 sp_early;		/* POP moves the stack pointer so far before the address is made */
	struct step_operand op[STEP_OPERANDS];
};

int step_decode(const u8 *bytes, size_t len, int code_bits, struct step_insn *s);

#endif
