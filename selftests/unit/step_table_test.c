// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/io/step_table.c knows of each instruction that it accepts how many bytes of
 * memory it reads or writes, and where; objdump sees the same; and it refuses what it says.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "unit.h"
#include "random.h"
#include "../../module/io/decode.c"

/* One program of two files: their own names do not meet. */
#define one_byte step_one_byte
#define group3 step_group3
#include "../../module/io/step_table.c"
#undef one_byte
#undef group3

/* From a block that ends with the bytes: the sanitizer sees one read too many. */
static int decode(const void *bytes, size_t len, int bits, struct step_insn *s)
{
	static u8 *exact[INSN_MAX + 1];

	if (!exact[len])
		exact[len] = malloc(len);
	memcpy(exact[len], bytes, len);
	memset(s, 0x5a, sizeof(*s));
	return step_decode(exact[len], len, bits, s);
}

/* ---- one by one */

/* As in "modrm:rw4 push:w8"; "-" if it is refused. */
static const char *text(const struct step_insn *s)
{
	static const char *const at[] = { "", "modrm", "si", "di", "xlat", "push", "pop", "frame" };
	static char buf[64];
	int i, n = 0;

	for (i = 0; i < STEP_OPERANDS && s->op[i].at; i++)
		n += sprintf(buf + n, "%s%s:%s%s%d", i ? " " : "", at[s->op[i].at],
			     s->op[i].access & STEP_READS ? "r" : "",
			     s->op[i].access & STEP_WRITES ? "w" : "", s->op[i].size);
	return buf;
}

struct known {
	const char *what, *bytes;
	int len, bits;
	const char *operands;
};

#define K(what, bytes, bits, operands) { what, bytes, sizeof(bytes) - 1, bits, operands }

static const struct known known[] = {
	K("movups store", "\x0f\x11\x00", 64, "modrm:w16"),
	K("movups load", "\x0f\x10\x08", 64, "modrm:r16"),
	K("movss store", "\xf3\x0f\x11\x00", 64, "modrm:w4"),
	K("movsd load", "\xf2\x0f\x10\x00", 64, "modrm:r8"),
	K("movdqa store", "\x66\x0f\x7f\x00", 64, "modrm:w16"),
	K("movdqu load", "\xf3\x0f\x6f\x00", 64, "modrm:r16"),
	K("movntdq", "\x66\x0f\xe7\x00", 64, "modrm:w16"),
	K("movq mm, m", "\x0f\x6f\x00", 64, "modrm:r8"),
	K("movq m, mm", "\x0f\x7f\x00", 64, "modrm:w8"),
	K("movq m, xmm", "\x66\x0f\xd6\x00", 64, "modrm:w8"),
	K("movq xmm, m", "\xf3\x0f\x7e\x00", 64, "modrm:r8"),
	K("movd m, xmm", "\x66\x0f\x7e\x00", 64, "modrm:w4"),
	K("movq m, xmm by REX.W", "\x66\x48\x0f\x7e\x00", 64, "modrm:w8"),
	K("movlps", "\x0f\x13\x00", 64, "modrm:w8"),
	K("movddup", "\xf2\x0f\x12\x00", 64, "modrm:r8"),
	K("addps", "\x0f\x58\x00", 64, "modrm:r16"),
	K("addsd", "\xf2\x0f\x58\x00", 64, "modrm:r8"),
	K("paddd mm", "\x0f\xfe\x00", 64, "modrm:r8"),
	K("punpcklbw mm", "\x0f\x60\x00", 64, "modrm:r4"),
	K("pmovzxbq", "\x66\x0f\x38\x32\x00", 64, "modrm:r2"),
	K("pinsrb", "\x66\x0f\x3a\x20\x00\x01", 64, "modrm:r1"),
	K("pextrq", "\x66\x48\x0f\x3a\x16\x00\x01", 64, "modrm:w8"),
	K("vmovups ymm store", "\xc5\xfc\x11\x00", 64, "modrm:w32"),
	K("vmovups ymm load, 3 bytes", "\xc4\xe1\x7c\x10\x00", 64, "modrm:r32"),
	K("vaddps ymm", "\xc5\xfc\x58\x00", 64, "modrm:r32"),
	K("vaddss", "\xc5\xfa\x58\x00", 64, "modrm:r4"),
	K("vmovddup ymm", "\xc5\xff\x12\x00", 64, "modrm:r32"),
	K("vpsllw ymm by count", "\xc5\xfd\xf1\x00", 64, "modrm:r16"),
	K("vextracti128", "\xc4\xe3\x7d\x39\x00\x01", 64, "modrm:w16"),
	K("vfmadd231sd", "\xc4\xe2\xf1\xb9\x00", 64, "modrm:r8"),
	K("vfmadd231sd, 32 bits", "\xc4\xe2\xf1\xb9\x00", 32, "modrm:r8"),
	K("vmovd ignores W, 32 bits", "\xc4\xe1\xf9\x7e\x00", 32, "modrm:w4"),
	K("mulx", "\xc4\xe2\x7b\xf6\x00", 64, "modrm:r4"),
	K("vmovups zmm", "\x62\xf1\x7c\x48\x11\x00", 64, "modrm:w64"),
	K("vaddps xmm, evex", "\x62\xf1\x74\x08\x58\x00", 64, "modrm:r16"),
	K("push m", "\xff\x30", 64, "modrm:r8 push:w8"),
	K("push m, 66 and REX.W", "\x66\x48\xff\x30", 64, "modrm:r8 push:w8"),
	K("popf, 66 and REX.W", "\x66\x48\x9d", 64, "pop:r8"),
	K("push m16", "\x66\xff\x30", 64, "modrm:r2 push:w2"),
	K("push m, 16 bits", "\xff\x36\x00\x10", 16, "modrm:r2 push:w2"),
	K("pop m", "\x8f\x00", 64, "modrm:w8 pop:r8"),
	K("pop r, by modrm", "\x8f\xc0", 32, "pop:r4"),
	K("push r, by modrm", "\x66\xff\xf4", 64, "push:w2"),
	K("call r", "\xff\xd0", 16, "push:w2"),
	K("push r", "\x53", 64, "push:w8"),
	K("push r, 32 bits", "\x53", 32, "push:w4"),
	K("push es, 32 bits", "\x06", 32, "push:w2"),
	K("push fs", "\x0f\xa0", 64, "push:w8"),
	K("pop es, 32 bits", "\x07", 32, "pop:r2"),
	K("push imm8", "\x6a\x01", 64, "push:w8"),
	K("pop r", "\x5b", 64, "pop:r8"),
	K("popa", "\x61", 32, "pop:r32"),
	K("pushf", "\x9c", 16, "push:w2"),
	K("leave", "\xc9", 64, "frame:r8"),
	K("enter", "\xc8\x10\x00\x00", 64, "push:w8"),
	K("enter, 16 bits", "\xc8\x10\x00\x20", 16, "push:w2"),
	K("ret", "\xc3", 64, "pop:r8"),
	K("ret with 66", "\x66\xc3", 64, "pop:r8"),
	K("call", "\xe8\x00\x00\x00\x00", 64, "push:w8"),
	K("call m", "\xff\x10", 64, "modrm:r8 push:w8"),
	K("jmp m", "\xff\x20", 64, "modrm:r8"),
	K("jmp m, 32 bits", "\xff\x20", 32, "modrm:r4"),
	K("jmp far m", "\xff\x28", 64, "modrm:r6"),
	K("jmp far m64", "\x48\xff\x28", 64, "modrm:r10"),
	K("jmp far m, 16 bits", "\xff\x2f", 16, "modrm:r4"),
	K("shl m, 1", "\xd1\x20", 64, "modrm:rw4"),
	K("ror m8, cl", "\xd2\x08", 64, "modrm:rw1"),
	K("sar m, imm", "\xc1\x38\x03", 64, "modrm:rw4"),
	K("shl m64", "\x48\xd1\x20", 64, "modrm:rw8"),
	K("shld", "\x0f\xa4\x18\x01", 64, "modrm:rw4"),
	K("shrd cl", "\x0f\xad\x18", 64, "modrm:rw4"),
	K("mul", "\xf7\x27", 64, "modrm:r4"),
	K("div m8", "\xf6\x37", 64, "modrm:r1"),
	K("imul r, m", "\x0f\xaf\x18", 64, "modrm:r4"),
	K("imul r, m, imm", "\x69\x18\x00\x00\x00\x00", 64, "modrm:r4"),
	K("cmovz", "\x0f\x44\x18", 64, "modrm:r4"),
	K("setz", "\x0f\x94\x00", 64, "modrm:w1"),
	K("scasb", "\xae", 64, "di:r1"),
	K("scasq", "\x48\xaf", 64, "di:r8"),
	K("repe cmpsw", "\xf3\x66\xa7", 64, "si:r2 di:r2"),
	K("cmpxchg8b", "\x0f\xc7\x0e", 64, "modrm:rw8"),
	K("xacquire cmpxchg8b", "\xf2\xf0\x0f\xc7\x0e", 64, "modrm:rw8"),
	K("lock cmpxchg16b", "\xf0\x48\x0f\xc7\x0e", 64, "modrm:rw16"),
	K("bsf", "\x0f\xbc\x18", 64, "modrm:r4"),
	K("tzcnt r16", "\x66\xf3\x0f\xbc\x18", 64, "modrm:r2"),
	K("popcnt", "\xf3\x0f\xb8\x18", 64, "modrm:r4"),
	K("crc32 m8", "\xf2\x0f\x38\xf0\x18", 64, "modrm:r1"),
	K("xlat", "\xd7", 64, "xlat:r1"),
	K("mov ds, m", "\x8e\x18", 64, "modrm:r2"),
	K("mov m, ds", "\x8c\x18", 64, "modrm:w2"),
	K("fld m32", "\xd9\x00", 64, "modrm:r4"),
	K("fstp m64", "\xdd\x18", 64, "modrm:w8"),
	K("fld m80", "\xdb\x28", 64, "modrm:r10"),
	K("fstp m80", "\xdb\x38", 64, "modrm:w10"),
	K("fild m16", "\xdf\x00", 64, "modrm:r2"),
	K("fnstcw", "\xd9\x38", 64, "modrm:w2"),
	K("stmxcsr", "\x0f\xae\x18", 64, "modrm:w4"),
	K("clflush", "\x0f\xae\x38", 64, "modrm:r0"),
	K("clwb", "\x66\x0f\xae\x30", 64, "modrm:r0"),
	K("sldt", "\x0f\x00\x00", 64, "modrm:w2"),
	K("sidt", "\x0f\x01\x08", 64, "modrm:w10"),
};

static void each_form_has_its_size_place_and_direction(void)
{
	struct step_insn s;
	unsigned int i;
	int n;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		const struct known *k = &known[i];

		CHECK_EQ(decode(k->bytes, k->len, k->bits, &s), 0);
		if (strcmp(text(&s), k->operands) || s.insn.len > k->len) {
			printf("# %s: %s, length %d\n", k->what, text(&s), s.insn.len);
			unit_bad = 1;
		}
		for (n = 0; n < k->len; n++)
			if (n < s.insn.len)
				CHECK_EQ(decode(k->bytes, n, k->bits, &s), INSN_MORE);
	}
}

static const struct known refused[] = {
	K("fxsave", "\x0f\xae\x00", 64, ""), K("fxrstor", "\x0f\xae\x08", 64, ""),
	K("xsave", "\x0f\xae\x20", 64, ""), K("xrstor", "\x0f\xae\x28", 64, ""),
	K("xsaveopt", "\x0f\xae\x30", 64, ""), K("xsavec", "\x0f\xc7\x20", 64, ""),
	K("xsaves", "\x0f\xc7\x28", 64, ""), K("fnstenv", "\xd9\x30", 64, ""),
	K("fldenv", "\xd9\x20", 64, ""), K("fnsave", "\xdd\x30", 64, ""),
	K("frstor", "\xdd\x20", 64, ""), K("enter 1", "\xc8\x10\x00\x01", 64, ""),
	K("pusha", "\x60", 32, ""), K("call far m", "\xff\x18", 64, ""),
	K("jmp far", "\xea\x00\x00\x00\x00\x00\x00", 32, ""), K("call far", "\x9a\x00\x00\x00\x00\x00\x00", 32, ""),
	K("ret far", "\xcb", 64, ""), K("iret", "\xcf", 64, ""),
	K("jmp r", "\xff\xe0", 64, ""), K("call far r", "\xff\xd8", 64, ""), K("pop r, /1", "\x8f\xc8", 64, ""),
	K("lgdt", "\x0f\x01\x10", 64, ""), K("lidt", "\x0f\x01\x18", 64, ""),
	K("les", "\xc4\x00", 32, ""), K("lds", "\xc5\x00", 32, ""), K("lss", "\x0f\xb2\x00", 64, ""),
	K("lfs", "\x0f\xb4\x00", 64, ""), K("bound", "\x62\x00", 32, ""),
	K("maskmovq", "\x0f\xf7\xc1", 64, ""), K("vmaskmovps", "\xc4\xe2\x79\x2c\x00", 64, ""),
	K("vpmaskmovd store", "\xc4\xe2\x79\x8e\x00", 64, ""),
	K("vpgatherdd", "\xc4\xe2\x79\x90\x04\x00", 64, ""),
	K("vmovups with a mask", "\x62\xf1\x7c\x49\x11\x00", 64, ""),
	K("vaddps with a broadcast", "\x62\xf1\x74\x58\x58\x00", 64, ""),
	K("evex outside 0F", "\x62\xf2\x7d\x48\x1c\x00", 64, ""),
	K("kmovw", "\xc5\xf8\x90\x00", 64, ""), K("int3", "\xcc", 64, ""), K("lea", "\x8d\x00", 64, ""),
	K("wrssd", "\x0f\x38\xf6\x00", 64, ""), K("invlpg", "\x0f\x01\x38", 64, ""), K("registers", "\x0f\x10\xc8", 64, ""),
};

static void what_is_listed_as_refused_is_refused(void)
{
	struct step_insn s;
	unsigned int i;

	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		const struct known *k = &refused[i];

		if (decode(k->bytes, k->len, k->bits, &s) != -EOPNOTSUPP) {
			printf("# %s: %s\n", k->what, text(&s));
			unit_bad = 1;
		}
	}
}

static void short_displacements_count_operands_with_evex(void)
{
	struct step_insn s;

	CHECK_EQ(decode("\x62\xf1\x7c\x48\x11\x40\xff", 7, 64, &s), 0);
	CHECK_EQ(s.insn.disp, -64);
	CHECK_EQ(decode("\x62\xf1\x7c\x08\x11\x40\x02", 7, 64, &s), 0);
	CHECK_EQ(s.insn.disp, 32);
	CHECK_EQ(decode("\x62\xf1\x7c\x08\x11\x80\x02\x00\x00\x00", 10, 64, &s), 0);
	CHECK_EQ(s.insn.disp, 2);
}

/* ---- against objdump */

#define ROUNDS		8
#define NR_INSNS	(256 * 4 * ROUNDS * 2)

static int put_vex(u8 *b, int map, int pp, bool evex)
{
	u8 p1 = pp | (u8)(below(2) << 7) | 0x78;

	b[0] = evex ? 0x62 : 0xc4;
	b[1] = 0xe0 | map | (evex ? 0x10 : 0);
	b[2] = evex ? p1 | 4 : p1 | below(2) << 2;
	b[3] = 8 | below(3) << 5;
	return evex ? 4 : 3;
}

static int put_legacy(u8 *b, int map, int pp, int bits)
{
	static const u8 mandatory[] = { 0, 0x66, 0xf3, 0xf2 };
	int n = 0;

	if (pp)
		b[n++] = mandatory[pp];
	if (bits == 64 && one_in(3))
		b[n++] = 0x40 | below(16);
	if (map)
		b[n++] = 0x0f;
	if (map > 1)
		b[n++] = map == 2 ? 0x38 : 0x3a;
	return n;
}

/* Operand at (RSI), d(RSI) or RIP-relative. */
static void candidate(u8 *b, int opcode, int map, int bits)
{
	int n, pp = below(4), kind = map ? below(3) : 0;

	memset(b, 0x11, 16);
	n = kind ? put_vex(b, map, pp, kind == 2) : put_legacy(b, map, pp, bits);
	b[n++] = opcode;
	b[n] = (u8)(below(2) << 6) | (u8)(below(8) << 3) | (one_in(4) ? 5 : 6);
}

struct sample {
	u8 bytes[16];
	struct step_insn s;
};

static bool write_insns(FILE *f, struct sample *samples, int bits)
{
	int i;

	for (i = 0; i < NR_INSNS; i++) {
		struct sample *s = &samples[i];
		int tries = 0;

		do {
			candidate(s->bytes, i / (2 * ROUNDS) % 256, i / (512 * ROUNDS), bits);
		} while (decode(s->bytes, INSN_MAX, bits, &s->s) && tries++ < 100);
		if (tries > 100) {
			memset(s, 0, sizeof(*s));
			memset(s->bytes, 0x90, 16);
		} else {
			memset(s->bytes + s->s.insn.len, 0x90, 16 - s->s.insn.len);
		}
		if (fwrite(s->bytes, 16, 1, f) != 1)
			return false;
	}
	return !fflush(f);
}

static int size_in(const char *line)
{
	static const struct { const char *word; int size; } sizes[] = {
		{ "BYTE PTR", 1 }, { "DWORD PTR", 4 }, { "QWORD PTR", 8 }, { "FWORD PTR", 6 },
		{ "TBYTE PTR", 10 }, { "XMMWORD PTR", 16 }, { "YMMWORD PTR", 32 },
		{ "ZMMWORD PTR", 64 }, { "WORD PTR", 2 },
	};
	unsigned int i;

	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		const char *at = strstr(line, sizes[i].word);

		if (at && (at == line || at[-1] == ' ' || at[-1] == ',' || at[-1] == '\t'))
			return sizes[i].size;
	}
	return 0;
}

/* The destination comes first; these only look at it. */
static bool writes_first(const char *text)
{
	static const char *const readers[] = {
		"push", "call", "jmp", "mul", "imul", "div", "idiv", "cmps", "scas", "fld", "fild",
		"fadd", "fmul", "fcom", "fsub", "fdiv", "fiadd", "fimul", "ficom", "fisub", "fidiv",
		"fbld", "ldmxcsr", "vldmxcsr", "verr", "verw", "lldt", "ltr", "lmsw", "clflush", "clwb", "xlat", "ret",
		"bnd", "notrack", "rep", "data16", "rex",
	};
	const char *at = strstr(text, "PTR"), *comma = strchr(text, ',');
	unsigned int i;

	for (i = 0; i < sizeof(readers) / sizeof(readers[0]); i++)
		if (!strncmp(text, readers[i], strlen(readers[i])))
			return false;
	return at && (!comma || at < comma);
}

/* Where objdump prints another size than the processor uses, or none. */
static bool is_unclear(const char *t, const struct step_insn *s)
{
	return strstr(t, "(bad)") || strstr(t, "sgdt") || strstr(t, "sidt") ||
	       !strncmp(t, "clflush", 7) || !strncmp(t, "clwb", 4) ||
	       s->op[0].at == AT_PUSH || s->op[0].at == AT_POP || s->op[0].at == AT_FRAME ||
	       strstr(t, "data16") || strstr(t, "data32") || strstr(t, "rex") || !strncmp(t, "rep", 3);
}

static void compare(const char *t, const struct sample *sample, int len, int bits, int *compared)
{
	const struct step_insn *s = &sample->s;
	int i, size = size_in(t);

	if (!s->op[0].at || is_unclear(t, s))
		return;
	++*compared;
	if (len == s->insn.len && (!size || size == s->op[0].size) &&
	    (!size || writes_first(t) == !!(s->op[0].access & STEP_WRITES)))
		return;
	printf("# %d bits:", bits);
	for (i = 0; i < s->insn.len; i++)
		printf(" %02x", sample->bytes[i]);
	printf(": %s, length %d, not %s, %d\n", text(s), s->insn.len, t, len);
	unit_bad = 1;
}

static void compare_mode(FILE *f, const char *path, int bits)
{
	static struct sample samples[NR_INSNS];
	char line[256], last[256] = "";
	unsigned long at, open = -1ul;
	int compared = 0;
	FILE *out;

	snprintf(line, sizeof(line), "LC_ALL=C objdump -Dzw -b binary -m %s -M intel%s %s",
		 bits == 64 ? "i386:x86-64" : bits == 32 ? "i386" : "i8086",
		 bits == 64 ? ",intel64" : "", path);
	rewind(f);
	CHECK(write_insns(f, samples, bits));
	out = popen(line, "r");
	while (out && fgets(line, sizeof(line), out)) {
		char *tab = strrchr(line, '\t');

		if (sscanf(line, " %lx:\t", &at) != 1 || !tab)
			continue;
		if (open != -1ul)
			compare(last, &samples[open / 16], at - open, bits, &compared);
		open = at % 16 ? -1ul : at;
		tab[strcspn(tab, "\n")] = 0;
		snprintf(last, sizeof(last), "%s", tab + 1);
	}
	CHECK(out && !pclose(out));
	printf("# %d bits: %d compared\n", bits, compared);
	CHECK(compared > 1500);
}

static void objdump_sees_the_same_lengths_sizes_and_directions(void)
{
	char path[] = "/tmp/step_test.XXXXXX";
	int fd, bits;
	FILE *f;

	if (system("objdump --version >/dev/null 2>&1")) {
		unit_skip = "no objdump (binutils)";
		return;
	}
	fd = mkstemp(path);
	f = fd < 0 ? NULL : fdopen(fd, "w");
	CHECK(f);
	for (bits = 16; f && bits <= 64; bits *= 2)
		compare_mode(f, path, bits);
	if (f) {
		fclose(f);
		unlink(path);
	}
}

/* ---- random bytes */

static void random_bytes_give_something_sane_or_nothing(void)
{
	struct step_insn s;
	u8 bytes[16];
	u64 part;
	int i, n, bits, ret;

	for (i = 0; i < 1000000 && !unit_bad; i++) {
		part = any();
		memcpy(bytes, &part, 8);
		part = any();
		memcpy(bytes + 8, &part, 8);
		bits = 16 << below(3);
		if (one_in(2))
			bytes[0] = "\x0f\xc4\xc5\x62"[below(4)];
		n = below(INSN_MAX + 1);
		ret = decode(bytes, n, bits, &s);
		CHECK(ret == 0 || ret == -EOPNOTSUPP || (ret == INSN_MORE && n < INSN_MAX));
		if (ret)
			continue;
		CHECK(s.insn.len <= n && s.op[0].at && s.op[0].size <= 64 && s.op[1].size <= 8);
		CHECK(s.op[0].access && (!s.op[1].at || s.op[1].access));
	}
}

int main(void)
{
	RUN(each_form_has_its_size_place_and_direction);
	RUN(what_is_listed_as_refused_is_refused);
	RUN(short_displacements_count_operands_with_evex);
	RUN(objdump_sees_the_same_lengths_sizes_and_directions);
	RUN(random_bytes_give_something_sane_or_nothing);
	return unit_end();
}
