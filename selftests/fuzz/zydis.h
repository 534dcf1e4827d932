/* SPDX-License-Identifier: GPL-2.0 */
/* What Zydis, a disassembler library, says of the same bytes. */
#ifndef FUZZ_ZYDIS_H
#define FUZZ_ZYDIS_H

#include <Zydis/Zydis.h>

#include "fuzz.h"

/* One instruction, as Zydis has it. */
struct oracle {
	ZydisDecodedInstruction i;
	ZydisDecodedOperand op[ZYDIS_MAX_OPERAND_COUNT];
	const ZydisDecodedOperand *mem;		/* the one that ModR/M or a form's name gives */
	ZydisMachineMode mode;
	bool too_long;				/* of more than 15 bytes: #GP, whatever it is */
};

static inline bool oracle_prefix(uint8_t byte, int bits)
{
	return memchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", byte, 11) ||
	       (bits == 64 && (byte & 0xf0) == 0x40);
}

/*
 * A LOCK before what cannot have one is #UD when it is executed: there is no access then of
 * which our decoders would hear. They pass over it, so Zydis gets the bytes without it, and
 * without a REX before it, which does not count. Returns how many bytes are left.
 */
static inline size_t without_lock(uint8_t *bytes, size_t len, int bits)
{
	size_t i, n = 0;

	for (i = 0; i < len && oracle_prefix(bytes[i], bits); i++) {
		if (bytes[i] != 0xf0)
			bytes[n++] = bytes[i];
		else
			while (n && bits == 64 && (bytes[n - 1] & 0xf0) == 0x40)
				n--;
	}
	memmove(bytes + n, bytes + i, len - i);
	return n + len - i;
}

static inline bool oracle_decode(struct oracle *o, const uint8_t *given, size_t len, int bits)
{
	static ZydisDecoder decoder[3];
	ZydisDecoder *d = &decoder[bits / 32];
	uint8_t bytes[16];
	size_t left;
	ZyanStatus status;
	int n;

	if (!decoder[2].stack_width) {
		ZydisDecoderInit(&decoder[0], ZYDIS_MACHINE_MODE_LEGACY_16, ZYDIS_STACK_WIDTH_16);
		ZydisDecoderInit(&decoder[1], ZYDIS_MACHINE_MODE_LEGACY_32, ZYDIS_STACK_WIDTH_32);
		ZydisDecoderInit(&decoder[2], ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
		/* Without CET, which no guest has, 3E before a jump is DS and not NOTRACK. */
		for (n = 0; n < 3; n++)
			ZydisDecoderEnableMode(&decoder[n], ZYDIS_DECODER_MODE_CET, ZYAN_FALSE);
	}
	memcpy(bytes, given, len);
	status = ZydisDecoderDecodeFull(d, bytes, len, &o->i, o->op);
	if (status == ZYDIS_STATUS_ILLEGAL_LOCK) {
		left = without_lock(bytes, len, bits);
		status = ZydisDecoderDecodeFull(d, bytes, left, &o->i, o->op);
		o->i.length += len - left;
	}
	o->too_long = status == ZYDIS_STATUS_INSTRUCTION_TOO_LONG ||
		      (len == ZYDIS_MAX_INSTRUCTION_LENGTH && status == ZYDIS_STATUS_NO_MORE_DATA);
	/* MVEX: a coprocessor's, which no guest runs on. */
	if (!ZYAN_SUCCESS(status) || o->i.encoding == ZYDIS_INSTRUCTION_ENCODING_MVEX)
		return false;
	o->mode = o->i.machine_mode;
	o->mem = NULL;
	for (n = 0; n < o->i.operand_count && !o->mem; n++)
		if (o->op[n].type == ZYDIS_OPERAND_TYPE_MEMORY &&
		    o->op[n].visibility == ZYDIS_OPERAND_VISIBILITY_EXPLICIT)
			o->mem = &o->op[n];
	return true;
}

static inline bool oracle_reads(const ZydisDecodedOperand *op)
{
	return op->actions & ZYDIS_OPERAND_ACTION_MASK_READ;
}

static inline bool oracle_writes(const ZydisDecodedOperand *op)
{
	return op->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE;
}

/* A general register's number, whatever part of it is meant. */
static inline int oracle_reg(const struct oracle *o, ZydisRegister reg)
{
	return ZydisRegisterGetId(ZydisRegisterGetLargestEnclosing(o->mode, reg));
}

/* The first byte behind the prefixes. */
static inline uint8_t oracle_opcode(const uint8_t *bytes, size_t len, int bits, uint8_t *second)
{
	size_t n;

	for (n = 0; n < len && oracle_prefix(bytes[n], bits); n++)
		;
	*second = n + 1 < len ? bytes[n + 1] : 0;
	return n < len ? bytes[n] : 0;
}

/* Prints what both have said; the caller ends. */
static inline void oracle_show(const struct oracle *o, const uint8_t *bytes, size_t len, int bits)
{
	size_t n;

	printf("%d bits:", bits);
	for (n = 0; n < len; n++)
		printf(" %02x", bytes[n]);
	printf(": Zydis: %s, length %d\n", o ? ZydisMnemonicGetString(o->i.mnemonic) : "nothing",
	       o ? o->i.length : 0);
}

#endif
