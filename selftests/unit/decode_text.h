/* SPDX-License-Identifier: GPL-2.0 */
/* The decoder under test, and what it found as text. */
#ifndef UNIT_DECODE_TEXT_H
#define UNIT_DECODE_TEXT_H

#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "../../module/io/decode.c"

static const char *const op_name[] = {
	"add", "or", "adc", "sbb", "and", "sub", "xor", "cmp", "mov", "movzx", "movsx", "movbe",
	"movs", "test", "not", "neg", "inc", "dec", "xchg", "xadd", "cmpxchg",
	"bt", "bts", "btr", "btc",
};
#define NR_OPS	((int)(sizeof(op_name) / sizeof(op_name[0])))

/* From a block that ends with the bytes: the sanitizer sees one read too many. */
static int decode(const u8 *bytes, size_t len, int bits, struct insn *insn)
{
	static u8 *exact[INSN_MAX + 1];

	if (!exact[len])
		exact[len] = malloc(len);
	memcpy(exact[len], bytes, len);
	memset(insn, 0x5a, sizeof(*insn));
	return insn_decode(exact[len], len, bits, insn);
}

static int address_text(const struct insn *i, char *s)
{
	static const char *const seg[] = { "es", "cs", "ss", "ds", "fs", "gs" };
	int n = sprintf(s, "%s%d[", seg[i->seg], i->addr_size);

	if (i->string)
		n += sprintf(s + n, "str");
	if (i->rip_relative)
		n += sprintf(s + n, "rip");
	if (i->base != INSN_NO_REG)
		n += sprintf(s + n, "r%d", i->base);
	if (i->index != INSN_NO_REG)
		n += sprintf(s + n, "+r%d*%d", i->index, 1 << i->scale);
	if (i->disp)
		n += sprintf(s + n, "%+lld", i->disp);
	return n + sprintf(s + n, "]");
}

static int other_text(const struct insn *i, char *s)
{
	if (i->other == OTHER_REG)
		return sprintf(s, "r%d%s.%d", i->reg, i->reg_high ? "h" : "", i->reg_size);
	if (i->other == OTHER_IMM)
		return sprintf(s, "$%lld", (s64)i->imm);
	return 0;
}

/* As in "movzx.1 r0.4,ds8[r3+r6*4-8]": size of memory; registers by number and size. */
static const char *text(const struct insn *i)
{
	static char s[128];
	int n = sprintf(s, "%s%s.%d ", i->rep ? "rep " : "", op_name[i->op], i->size);

	n += i->to_mem ? address_text(i, s + n) : other_text(i, s + n);
	if (i->other != OTHER_NONE) {
		s[n++] = ',';
		n += i->to_mem ? other_text(i, s + n) : address_text(i, s + n);
	}
	s[n] = 0;
	return s;
}

static bool is_prefix(u8 byte, int bits)
{
	return strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", byte) ? byte :
	       bits == 64 && (byte & 0xf0) == 0x40;
}

#endif
