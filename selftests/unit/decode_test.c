// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/io/decode.c gives what the SDM's opcode map says of each instruction that
 * it accepts, asks for more bytes when they end too early, and refuses everything else.
 */
#include "decode_text.h"

static size_t parse_hex(const char *hex, u8 *bytes)
{
	size_t n = 0;
	char *end;

	for (; *hex; hex = end)
		bytes[n++] = strtoul(hex, &end, 16);
	return n;
}

/* ---- what it decodes */

struct row { int bits; const char *hex, *text; };

/* Also: each shorter input is too short, and what follows changes nothing. */
static void check_row(const struct row *row)
{
	u8 bytes[32];
	size_t n, len, more;
	struct insn insn;

	memset(bytes, 0xff, sizeof(bytes));
	n = parse_hex(row->hex, bytes);
	for (len = 0; len < n; len++)
		CHECK_EQ(decode(bytes, len, row->bits, &insn), INSN_MORE);
	for (more = n; more <= INSN_MAX; more++) {
		int ret = decode(bytes, more, row->bits, &insn);

		if (!ret && insn.len == n && !strcmp(text(&insn), row->text))
			continue;
		printf("# %d-bit %s: %d, %d bytes, %s, not %s\n", row->bits, row->hex, ret,
		       insn.len, ret ? "" : text(&insn), row->text);
		unit_bad = 1;
		break;
	}
}

#define CHECK_ROWS(rows) do {							\
	for (size_t row_i = 0; row_i < sizeof(rows) / sizeof(rows[0]); row_i++)	\
		check_row(&rows[row_i]);					\
} while (0)

static void operations_and_operands(void)
{
	static const struct row rows[] = {
		{ 64, "00 03", "add.1 ds8[r3],r0.1" },
		{ 64, "01 0b", "add.4 ds8[r3],r1.4" },
		{ 64, "02 0b", "add.1 r1.1,ds8[r3]" },
		{ 64, "03 0b", "add.4 r1.4,ds8[r3]" },
		{ 64, "09 0b", "or.4 ds8[r3],r1.4" },
		{ 64, "11 13", "adc.4 ds8[r3],r2.4" },
		{ 64, "19 1b", "sbb.4 ds8[r3],r3.4" },
		{ 64, "21 23", "and.4 ds8[r3],r4.4" },
		{ 64, "29 2b", "sub.4 ds8[r3],r5.4" },
		{ 64, "31 33", "xor.4 ds8[r3],r6.4" },
		{ 64, "39 3b", "cmp.4 ds8[r3],r7.4" },
		{ 64, "3b 3b", "cmp.4 r7.4,ds8[r3]" },
		{ 64, "80 3b 80", "cmp.1 ds8[r3],$-128" },
		{ 32, "82 3b 80", "cmp.1 ds4[r3],$-128" },
		{ 64, "81 0b ff ff ff 7f", "or.4 ds8[r3],$2147483647" },
		{ 64, "66 81 33 34 12", "xor.2 ds8[r3],$4660" },
		{ 64, "48 81 13 00 00 00 80", "adc.8 ds8[r3],$-2147483648" },
		{ 64, "48 83 2b ff", "sub.8 ds8[r3],$-1" },
		{ 64, "84 0b", "test.1 ds8[r3],r1.1" },
		{ 64, "85 0b", "test.4 ds8[r3],r1.4" },
		{ 64, "86 0b", "xchg.1 ds8[r3],r1.1" },
		{ 64, "48 87 0b", "xchg.8 ds8[r3],r1.8" },
		{ 64, "88 0b", "mov.1 ds8[r3],r1.1" },
		{ 64, "88 23", "mov.1 ds8[r3],r0h.1" },
		{ 64, "8a 3b", "mov.1 r3h.1,ds8[r3]" },
		{ 64, "40 88 23", "mov.1 ds8[r3],r4.1" },
		{ 64, "44 88 23", "mov.1 ds8[r3],r12.1" },
		{ 64, "89 23", "mov.4 ds8[r3],r4.4" },
		{ 64, "66 89 0b", "mov.2 ds8[r3],r1.2" },
		{ 64, "66 4c 8b 0b", "mov.8 r9.8,ds8[r3]" },
		{ 64, "c6 03 7f", "mov.1 ds8[r3],$127" },
		{ 64, "66 c7 03 ff ff", "mov.2 ds8[r3],$-1" },
		{ 64, "c7 03 01 00 00 00", "mov.4 ds8[r3],$1" },
		{ 64, "48 c7 03 fe ff ff ff", "mov.8 ds8[r3],$-2" },
		{ 64, "f6 03 01", "test.1 ds8[r3],$1" },
		{ 64, "f7 0b 00 01 00 00", "test.4 ds8[r3],$256" },
		{ 64, "66 f7 03 00 01", "test.2 ds8[r3],$256" },
		{ 64, "f6 13", "not.1 ds8[r3]" },
		{ 64, "48 f7 1b", "neg.8 ds8[r3]" },
		{ 64, "fe 03", "inc.1 ds8[r3]" },
		{ 64, "66 ff 0b", "dec.2 ds8[r3]" },
		{ 64, "63 0b", "movsx.4 r1.4,ds8[r3]" },
		{ 64, "48 63 0b", "movsx.4 r1.8,ds8[r3]" },
		{ 64, "0f a3 0b", "bt.4 ds8[r3],r1.4" },
		{ 64, "48 0f ab 0b", "bts.8 ds8[r3],r1.8" },
		{ 64, "66 0f b3 0b", "btr.2 ds8[r3],r1.2" },
		{ 64, "0f bb 0b", "btc.4 ds8[r3],r1.4" },
		{ 64, "0f ba 23 05", "bt.4 ds8[r3],$5" },
		{ 64, "0f ba 2b 05", "bts.4 ds8[r3],$5" },
		{ 64, "0f ba 33 05", "btr.4 ds8[r3],$5" },
		{ 64, "0f ba 3b 05", "btc.4 ds8[r3],$5" },
		{ 64, "0f b0 0b", "cmpxchg.1 ds8[r3],r1.1" },
		{ 64, "4c 0f b1 0b", "cmpxchg.8 ds8[r3],r9.8" },
		{ 64, "0f b6 23", "movzx.1 r4.4,ds8[r3]" },
		{ 64, "66 0f b6 0b", "movzx.1 r1.2,ds8[r3]" },
		{ 64, "48 0f b7 0b", "movzx.2 r1.8,ds8[r3]" },
		{ 64, "48 0f be 0b", "movsx.1 r1.8,ds8[r3]" },
		{ 64, "0f bf 0b", "movsx.2 r1.4,ds8[r3]" },
		{ 64, "0f c0 0b", "xadd.1 ds8[r3],r1.1" },
		{ 64, "0f c1 0b", "xadd.4 ds8[r3],r1.4" },
		{ 64, "0f 38 f0 0b", "movbe.4 r1.4,ds8[r3]" },
		{ 64, "66 0f 38 f1 0b", "movbe.2 ds8[r3],r1.2" },
		{ 64, "a4", "movs.1 ds8[str]" },
		{ 64, "48 a5", "movs.8 ds8[str]" },
		{ 64, "f3 a5", "rep movs.4 ds8[str]" },
		{ 64, "67 f2 66 a5", "rep movs.2 ds4[str]" },
		{ 64, "aa", "mov.1 ds8[str],r0.1" },
		{ 64, "f3 48 ab", "rep mov.8 ds8[str],r0.8" },
		{ 64, "64 ad", "mov.4 r0.4,fs8[str]" },
		{ 32, "67 ac", "mov.1 r0.1,ds2[str]" },
		{ 64, "44 a0 01 00 00 00 00 00 00 80", "mov.1 r0.1,ds8[-9223372036854775807]" },
		{ 64, "48 a3 08 07 06 05 04 03 02 01", "mov.8 ds8[+72623859790382856],r0.8" },
		{ 64, "67 a1 ff ff ff ff", "mov.4 r0.4,ds4[+4294967295]" },
		{ 32, "a2 00 00 00 fe", "mov.1 ds4[+4261412864],r0.1" },
		{ 16, "a3 fe ff", "mov.2 ds2[+65534],r0.2" },
		{ 16, "67 66 a1 01 00 00 00", "mov.4 r0.4,ds4[+1]" },
	};

	CHECK_ROWS(rows);
}

static void prefixes_and_defaults(void)
{
	static const struct row rows[] = {
		{ 16, "89 07", "mov.2 ds2[r3],r0.2" },
		{ 16, "66 89 07", "mov.4 ds2[r3],r0.4" },
		{ 16, "67 66 c7 03 01 00 00 00", "mov.4 ds4[r3],$1" },
		{ 32, "66 c7 03 01 00", "mov.2 ds4[r3],$1" },
		{ 32, "66 66 67 67 89 07", "mov.2 ds2[r3],r0.2" },
		{ 64, "67 67 89 03", "mov.4 ds4[r3],r0.4" },
		{ 16, "26 8b 07", "mov.2 r0.2,es2[r3]" },
		{ 16, "2e 8b 46 00", "mov.2 r0.2,cs2[r5]" },
		{ 32, "36 8b 03", "mov.4 r0.4,ss4[r3]" },
		{ 32, "3e 8b 45 00", "mov.4 r0.4,ds4[r5]" },
		{ 32, "3e 8b 04 24", "mov.4 r0.4,ds4[r4]" },
		{ 32, "26 64 8b 03", "mov.4 r0.4,fs4[r3]" },
		{ 32, "65 36 8b 03", "mov.4 r0.4,ss4[r3]" },
		{ 64, "65 8b 45 00", "mov.4 r0.4,gs8[r5]" },
		{ 64, "26 2e 36 3e 8b 03", "mov.4 r0.4,ds8[r3]" },
		{ 64, "3e 8b 45 00", "mov.4 r0.4,ss8[r5]" },
		{ 64, "64 2e 8b 03", "mov.4 r0.4,fs8[r3]" },
		{ 64, "f0 66 48 0f c1 0b", "xadd.8 ds8[r3],r1.8" },
		{ 64, "f3 89 03", "rep mov.4 ds8[r3],r0.4" },
	};

	CHECK_ROWS(rows);
}

static void effective_addresses(void)
{
	static const struct row rows[] = {
		{ 16, "8b 00", "mov.2 r0.2,ds2[r3+r6*1]" },
		{ 16, "8b 01", "mov.2 r0.2,ds2[r3+r7*1]" },
		{ 16, "8b 02", "mov.2 r0.2,ss2[r5+r6*1]" },
		{ 16, "8b 03", "mov.2 r0.2,ss2[r5+r7*1]" },
		{ 16, "8b 04", "mov.2 r0.2,ds2[r6]" },
		{ 16, "8b 05", "mov.2 r0.2,ds2[r7]" },
		{ 16, "8b 06 34 12", "mov.2 r0.2,ds2[+4660]" },
		{ 16, "8b 07", "mov.2 r0.2,ds2[r3]" },
		{ 16, "8b 46 fe", "mov.2 r0.2,ss2[r5-2]" },
		{ 16, "8b 42 7f", "mov.2 r0.2,ss2[r5+r6*1+127]" },
		{ 16, "8b 84 00 80", "mov.2 r0.2,ds2[r6-32768]" },
		{ 16, "67 8b 05 04 03 02 01", "mov.2 r0.2,ds4[+16909060]" },
		{ 32, "67 8b 06 00 01", "mov.4 r0.4,ds2[+256]" },
		{ 32, "8b 05 04 03 02 81", "mov.4 r0.4,ds4[-2130574588]" },
		{ 32, "8b 44 98 80", "mov.4 r0.4,ds4[r0+r3*4-128]" },
		{ 64, "8b 00", "mov.4 r0.4,ds8[r0]" },
		{ 64, "8b 83 00 00 00 80", "mov.4 r0.4,ds8[r3-2147483648]" },
		{ 64, "8b 05 10 00 00 00", "mov.4 r0.4,ds8[rip+16]" },
		{ 64, "67 8b 05 f0 ff ff ff", "mov.4 r0.4,ds4[rip-16]" },
		{ 64, "41 8b 05 10 00 00 00", "mov.4 r0.4,ds8[rip+16]" },
		{ 64, "c7 05 10 00 00 00 02 00 00 00", "mov.4 ds8[rip+16],$2" },
		{ 64, "8b 45 f8", "mov.4 r0.4,ss8[r5-8]" },
		{ 64, "41 8b 45 f8", "mov.4 r0.4,ds8[r13-8]" },
		{ 64, "8b 04 24", "mov.4 r0.4,ss8[r4]" },
		{ 64, "41 8b 04 24", "mov.4 r0.4,ds8[r12]" },
		{ 64, "8b 04 d8", "mov.4 r0.4,ds8[r0+r3*8]" },
		{ 64, "8b 04 cc", "mov.4 r0.4,ss8[r4+r1*8]" },
		{ 64, "4b 8b 44 c8 80", "mov.8 r0.8,ds8[r8+r9*8-128]" },
		{ 64, "42 8b 04 60", "mov.4 r0.4,ds8[r0+r12*2]" },
		{ 64, "8b 04 25 00 10 00 00", "mov.4 r0.4,ds8[+4096]" },
		{ 64, "8b 04 e5 00 10 00 00", "mov.4 r0.4,ds8[+4096]" },
		{ 64, "42 8b 04 e5 00 10 00 00", "mov.4 r0.4,ds8[+r12*8+4096]" },
		{ 64, "41 8b 04 05 00 10 00 00", "mov.4 r0.4,ds8[+r0*1+4096]" },
		{ 64, "41 8b 44 ad 00", "mov.4 r0.4,ds8[r13+r5*4]" },
		{ 64, "8b 84 05 01 00 00 00", "mov.4 r0.4,ss8[r5+r0*1+1]" },
		{ 64, "67 8b 44 5d 08", "mov.4 r0.4,ss4[r5+r3*2+8]" },
	};

	CHECK_ROWS(rows);
}

/* ---- what it refuses */

/* The opcodes that are known, with a memory operand and this reg field. SDM "Opcode Map". */
static bool is_known(u8 op, int reg, int bits)
{
	switch (op) {
	case 0x00 ... 0x3f:
		return (op & 7) < 4;
	case 0x63:
		return bits == 64;
	case 0x82:
		return bits != 64;
	case 0x80: case 0x81: case 0x83 ... 0x8b:
	case 0xa0 ... 0xa5: case 0xaa ... 0xad:
		return true;
	case 0xc6: case 0xc7:
		return reg == 0;
	case 0xf6: case 0xf7:
		return reg < 4;
	case 0xfe: case 0xff:
		return reg < 2;
	default:
		return false;
	}
}

static bool is_known_0f(u8 op, int reg, int bits)
{
	switch (op) {
	case 0xa3: case 0xab: case 0xb3: case 0xbb:
	case 0xb0: case 0xb1: case 0xb6: case 0xb7: case 0xbe: case 0xbf:
	case 0xc0: case 0xc1: case 0xc3:
		return true;
	case 0xba:
		return reg >= 4;
	default:
		return false;
	}
}

/* Every opcode with every ModRM byte, behind @lead. */
static void sweep(const char *lead, int bits, bool (*known)(u8 op, int reg, int bits))
{
	u8 bytes[INSN_MAX] = { };
	size_t n = parse_hex(lead, bytes);
	struct insn insn;
	int op, modrm;

	for (op = 0; op < 0x100; op++) {
		if (!n && (op == 0x0f || is_prefix(op, bits)))
			continue;
		if (n == 1 && op == 0x38)
			continue;
		for (modrm = 0; modrm < 0x100; modrm++) {
			bool yes = known(op, modrm >> 3 & 7, bits), plain;

			plain = !n && ((op >= 0xa0 && op < 0xa6) || (op >= 0xaa && op < 0xae));
			yes = yes && (plain || modrm < 0xc0);
			bytes[n] = op;
			bytes[n + 1] = modrm;
			CHECK_EQ(decode(bytes, INSN_MAX, bits, &insn), yes ? 0 : -EOPNOTSUPP);
		}
	}
}

static bool is_movbe(u8 op, int reg, int bits)
{
	return op == 0xf0 || op == 0xf1;
}

static bool is_none(u8 op, int reg, int bits)
{
	return false;
}

static void opcodes_that_are_not_known_are_refused(void)
{
	int bits;

	for (bits = 16; bits <= 64; bits *= 2) {
		sweep("", bits, is_known);
		sweep("0f", bits, is_known_0f);
		sweep("0f 38", bits, is_movbe);
		sweep("f2 0f 38", bits, is_none);	/* CRC32 */
		sweep("f2 66 0f 38", bits, is_none);
		sweep("0f 3a", bits, is_none);
	}
}

/* A REX prefix counts only right before the opcode; others there are as if they were not. */
static void a_misplaced_rex_does_not_count(void)
{
	static const struct row rows[] = {
		{ 64, "48 66 89 03", "mov.2 ds8[r3],r0.2" },
		{ 64, "48 64 89 03", "mov.4 fs8[r3],r0.4" },
		{ 64, "48 f3 a5", "rep movs.4 ds8[str]" },
		{ 64, "4f 67 8b 03", "mov.4 r0.4,ds4[r3]" },
		{ 64, "4d 48 89 03", "mov.8 ds8[r3],r0.8" },
		{ 64, "40 44 89 03", "mov.4 ds8[r3],r8.4" },
		{ 64, "40 66 88 23", "mov.1 ds8[r3],r0h.1" },
	};

	CHECK_ROWS(rows);
}

/* SDM "MOVSX/MOVSXD": with operand-size 16 the source is r/m16. */
static void movsxd_with_66_reads_two_bytes(void)
{
	static const struct row rows[] = {
		{ 64, "66 48 63 0b", "movsx.4 r1.8,ds8[r3]" },
		{ 64, "66 63 0b", "movsx.2 r1.2,ds8[r3]" },
	};

	CHECK_ROWS(rows);
}

/* SDM "MOVNTI": r32, or r64 with REX.W; there is no 16-bit form. */
static void movnti_writes_four_bytes_or_eight(void)
{
	static const struct row rows[] = {
		{ 64, "0f c3 0b", "mov.4 ds8[r3],r1.4" },
		{ 64, "48 0f c3 0b", "mov.8 ds8[r3],r1.8" },
		{ 32, "67 0f c3 0f", "mov.4 ds2[r3],r1.4" },
		{ 16, "0f c3 0f", "mov.4 ds2[r3],r1.4" },
	};

	CHECK_ROWS(rows);
}

int main(void)
{
	RUN(operations_and_operands);
	RUN(prefixes_and_defaults);
	RUN(effective_addresses);
	RUN(opcodes_that_are_not_known_are_refused);
	RUN(a_misplaced_rex_does_not_count);
	RUN(movsxd_with_66_reads_two_bytes);
	RUN(movnti_writes_four_bytes_or_eight);
	return unit_end();
}
