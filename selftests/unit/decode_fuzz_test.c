// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: whatever the bytes, module/io/decode.c reads none too many and answers nothing
 * out of range; and objdump sees the same instruction in those that it accepts.
 */
#include <unistd.h>

#include "decode_text.h"
#include "random.h"

/* ---- length */

static void no_instruction_is_longer_than_15_bytes(void)
{
	u8 bytes[32] = { };
	struct insn insn;
	int n, len;

	for (n = 0; n <= 20; n++) {
		memset(bytes, 0x2e, n);
		memcpy(bytes + n, "\x89\x43\x10", 3);
		for (len = 0; len <= INSN_MAX; len++)
			CHECK_EQ(decode(bytes, len, 64, &insn), n + 3 <= len ? 0 :
				 len < INSN_MAX ? INSN_MORE : -EOPNOTSUPP);
		CHECK_EQ(insn_decode(bytes, sizeof(bytes), 64, &insn),
			 n + 3 <= INSN_MAX ? 0 : -EOPNOTSUPP);
	}
}

/* ---- random bytes */

/* Likely prefixes, then anything. */
static void random_insn(u8 *bytes, int bits)
{
	static const u8 common[] = "\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3\x66\x67";
	u64 a = any(), b = any();
	int n;

	memcpy(bytes, &a, 8);
	memcpy(bytes + 8, &b, 7);
	for (n = 0; n < 14 && one_in(3); n++)
		bytes[n] = common[below(sizeof(common) - 1)];
	if (bits == 64 && one_in(2))
		bytes[n++] = 0x40 | below(16);
	if (one_in(3))
		bytes[n] = 0x0f;
}

static bool sane(const struct insn *i, size_t len)
{
	bool sizes = i->size && i->size <= 8 && !(i->size & (i->size - 1));

	if (i->other == OTHER_REG)
		sizes &= i->reg_size >= (i->op == OP_MOVSX ? 2 : i->size) && i->reg_size <= 8 &&
			 i->reg < 16 && (!i->reg_high || (i->reg < 4 && i->reg_size == 1));
	return sizes && i->op < NR_OPS && i->len && i->len <= len && i->other <= OTHER_IMM &&
	       (i->addr_size == 2 || i->addr_size == 4 || i->addr_size == 8) && i->seg < 6 &&
	       (i->base < 16 || i->base == INSN_NO_REG) && i->scale < 4 &&
	       (i->index < 16 || i->index == INSN_NO_REG) &&
	       !(i->rip_relative && (i->base != INSN_NO_REG || i->index != INSN_NO_REG)) &&
	       !(i->string && (i->base != INSN_NO_REG || i->disp || i->rip_relative));
}

static void random_bytes_give_something_sane_or_nothing(void)
{
	struct insn insn, again;
	char first[128];
	u8 bytes[INSN_MAX];
	int i, ret, bits, accepted = 0;
	size_t len;

	for (i = 0; i < 2000000 && !unit_bad; i++) {
		bits = 16 << below(3);
		random_insn(bytes, bits);
		len = one_in(2) ? INSN_MAX : below(INSN_MAX + 1);
		ret = decode(bytes, len, bits, &insn);
		CHECK(ret == 0 || ret == -EOPNOTSUPP || (ret == INSN_MORE && len < INSN_MAX));
		if (ret)
			continue;
		accepted++;
		CHECK(sane(&insn, len));
		/* One byte less is too short; the bytes behind it do not matter. */
		CHECK_EQ(decode(bytes, insn.len - 1, bits, &again), INSN_MORE);
		snprintf(first, sizeof(first), "%s", text(&insn));
		CHECK_EQ(decode(bytes, insn.len, bits, &again), 0);
		CHECK(!strcmp(first, text(&again)) && again.len == insn.len);
	}
	CHECK(accepted > 100000);
}

/* ---- against objdump */

#define NR_COMPARED	2000

/*
 * Where objdump has no say: a REX that is not the last prefix is an instruction to it; prefixes before MOVNTI are undefined, and of 66 and REX.W before
 * MOVSXD it forgets the second. Both have claims in decode_test.c.
 */
static bool is_unclear(const u8 *bytes, const struct insn *insn, int bits)
{
	bool osize = false;
	size_t n;

	for (n = 0; is_prefix(bytes[n], bits); n++) {
		osize |= bytes[n] == 0x66;
		if (bits == 64 && (bytes[n] & 0xf0) == 0x40 && is_prefix(bytes[n + 1], bits))
			return true;
	}
	if (bytes[n] == 0x0f && bytes[n + 1] == 0xc3)
		return osize || insn->rep || bits == 16;
	return bytes[n] == 0x63 && osize;
}

/* One instruction in every 16 bytes, the rest of them NOPs. */
static bool write_insns(FILE *f, struct insn *insns, int bits)
{
	u8 bytes[16];
	int i;

	for (i = 0; i < NR_COMPARED; i++) {
		do {
			random_insn(bytes, bits);
		} while (decode(bytes, INSN_MAX, bits, &insns[i]) ||
			 is_unclear(bytes, &insns[i], bits));
		memset(bytes + insns[i].len, 0x90, sizeof(bytes) - insns[i].len);
		if (fwrite(bytes, sizeof(bytes), 1, f) != 1)
			return false;
	}
	return !fflush(f);
}

static bool names(const char *word, const struct insn *insn)
{
	const char *op = op_name[insn->op];

	if (insn->op == OP_MOV && insn->string)
		op = insn->to_mem ? "stos" : "lods";
	if (insn->op == OP_MOV && (!strcmp(word, "movabs") || !strcmp(word, "movnti")))
		return true;
	return !strcmp(word, op) || (insn->op == OP_MOVSX && !strcmp(word, "movsxd"));
}

/* The mnemonic is there, and if it says BYTE, WORD, DWORD or QWORD PTR, that is the size. */
static bool same_meaning(char *line, const struct insn *insn)
{
	static const char *const sizes[] = { "BYTE", "WORD", "DWORD", "QWORD" };
	bool named = false;
	char *word;
	int i;

	for (word = strtok(line, " \n"); word; word = strtok(NULL, " \n,")) {
		named |= names(word, insn);
		for (i = 0; i < 4; i++)
			if (!strcmp(word, sizes[i]) && insn->size != 1 << i)
				return false;
	}
	return named;
}

static void compare_line(char *line, const struct insn *insns, int *compared)
{
	static unsigned long open = -1ul;	/* the last instruction's place */
	static char last[128];
	unsigned long at, nr = open / 16;
	char *tab;

	if (sscanf(line, " %lx:\t", &at) != 1)
		return;
	if (open != -1ul && (at - open != insns[nr].len || !same_meaning(last, &insns[nr]))) {
		printf("# %lu bytes at 0x%lx, not %s\n", at - open, open, text(&insns[nr]));
		unit_bad = 1;
	}
	*compared += open != -1ul;
	open = -1ul;
	tab = strrchr(line, '\t');
	if (at % 16 == 0 && tab) {
		open = at;
		snprintf(last, sizeof(last), "%s", tab + 1);
	}
}

static void compare_mode(FILE *f, const char *path, int bits)
{
	static struct insn insns[NR_COMPARED];
	char line[256];
	int compared = 0;
	FILE *out;

	snprintf(line, sizeof(line), "LC_ALL=C objdump -Dzw -b binary -m %s -M intel%s %s",
		 bits == 64 ? "i386:x86-64" : bits == 32 ? "i386" : "i8086",
		 bits == 64 ? ",intel64" : "", path);
	rewind(f);
	CHECK(write_insns(f, insns, bits));
	out = popen(line, "r");
	while (out && fgets(line, sizeof(line), out))
		compare_line(line, insns, &compared);
	CHECK(out && !pclose(out));
	CHECK_EQ(compared, NR_COMPARED);
}

static void objdump_sees_the_same_lengths_operations_and_sizes(void)
{
	char path[] = "/tmp/decode_test.XXXXXX";
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

int main(void)
{
	RUN(no_instruction_is_longer_than_15_bytes);
	RUN(random_bytes_give_something_sane_or_nothing);
	RUN(objdump_sees_the_same_lengths_operations_and_sizes);
	return unit_end();
}
