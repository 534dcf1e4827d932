// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/cpu/walk.c translates as the SDM's "Paging" says, in every paging mode: the
 * same address, or the same error code, and the same accessed and dirty flags.
 */
#include "walk_guest.h"

/* ---- addresses */

static void without_paging_linear_is_physical(void)
{
	struct walk w = machine(NX, PAE | CR4_SMEP | CR4_SMAP);

	w.cr0 &= ~CR0_PG;
	CHECK_EQ(go(&w, 0x12345678, ACCESS_WRITE | ACCESS_USER), 0x12345678);
	CHECK_EQ(go(&w, 0xfff12345678, ACCESS_FETCH), 0x12345678);
	CHECK_EQ(reads, 0);
}

static void each_mode_finds_its_pages(void)
{
	static const struct {
		u64 efer, cr4, va;
		int level;
		u64 leaf, gpa;
	} rows[] = {
		{ 0, MODE32, 0xc0123456, 1, 0xabcde067, 0xabcde456 },
		{ 0, CR4_PSE, 0xffffffff, 1, 0xfffff0e7, 0xffffffff },
		{ 0, CR4_PSE, 0xc0123456, 2, 0x124000e7, 0x12523456 },
		{ 0, CR4_PSE, 0xc0123456, 2, 0x125020e7, 0x8112523456 },
		{ NX, PAE, 0xc0123456, 1, 0x80000078abcde067, 0x78abcde456 },
		{ NX, PAE, 0x7fffffff, 2, 0x80000078abc010e7, 0x78abdfffff },
		{ LONG, PAE, 0x00007fedcba98765, 1, 0x7ff0001234567067, 0x1234567765 },
		{ LONG, PAE, 0xffff8edcba987654, 2, 0x0070001234600067 | PTE_PS, 0x1234787654 },
		{ LONG, PAE, 0xffff8edcba987654, 3, 0x0070001240001067 | PTE_PS, 0x127a987654 },
		{ LONG, LA57, 0xff12345678abcdef, 1, 0x0070001234567067, 0x1234567def },
		{ LONG, LA57, 0x0012345678abcdef, 2, 0x0070001234600067 | PTE_PS, 0x12346bcdef },
		{ LONG, LA57, 0xff12345678abcdef, 3, 0x0070001240000067 | PTE_PS, 0x1278abcdef },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct walk w = machine(rows[i].efer, rows[i].cr4);

		build(&w, rows[i].va, rows[i].level, rows[i].leaf);
		CHECK_EQ(go(&w, rows[i].va, ACCESS_READ), rows[i].gpa);
		CHECK_EQ(reads, levels_of(&w) - rows[i].level + 1);
		/* One entry further is another one, which is not there. */
		CHECK_EQ(go(&w, rows[i].va ^ 1ull << shift_of(levels_of(&w), rows[i].level),
			    ACCESS_READ), FAULT(0));
		if (!(rows[i].efer & EFER_LMA_BIT))
			CHECK_EQ(go(&w, rows[i].va | 1ull << 32, ACCESS_READ), rows[i].gpa);
	}
}

static void cr3_has_other_bits_too(void)
{
	struct walk w = machine(LONG, PAE);

	build(&w, 0x1234000, 1, 0x5067);
	w.cr3 |= 0xfff | 1ul << 63 | 3ul << 61;		/* PCID, no flush, LAM */
	CHECK_EQ(go(&w, 0x1234000, ACCESS_READ), 0x5000);
	w = machine(0, PAE);
	build(&w, 0x1234000, 1, 0x5067);
	memcpy(&mem[0x9a0 / 8], &mem[512], 32);
	w.cr3 = 0x9bf;					/* a PAE root has 32 bytes */
	CHECK_EQ(go(&w, 0x1234000, ACCESS_READ), 0x5000);
}

static void without_pse_there_are_no_large_pages(void)
{
	struct walk w = machine(0, MODE32);

	build(&w, 0xc0123456, 1, 0x5067);
	set_pte(2, 2, 0xc0123456, 0x20e7);
	CHECK_EQ(go(&w, 0xc0123456, ACCESS_READ), 0x5456);
}

/* SDM "Use of CR3 with 32-Bit Paging": bits left from 64-bit mode are ignored. */
static void cr3_has_32_bits_in_32_bit_paging(void)
{
	struct walk w = machine(0, MODE32);

	build(&w, 0x1234000, 1, 0x5067);
	w.cr3 |= 1ul << 32;
	CHECK_EQ(go(&w, 0x1234000, ACCESS_READ), 0x5000);
}

/* ---- rights */

/* One 4 KiB page, with these rights in one entry of the walk. */
static s64 try(struct walk w, int level, u64 rights, unsigned int access)
{
	int levels = levels_of(&w);
	u64 next = level == 1 ? 0x5000 : (2 + levels - level) << 12;

	build(&w, 0x1234000, 1, 0x5067);
	set_pte(levels, level, 0x1234000, next | 0x61 | rights);
	return go(&w, 0x1234000, access);
}

static void rights_are_those_of_every_entry(void)
{
	static const u64 efer[] = { 0, NX, LONG | NX, LONG | NX };
	static const unsigned long cr4[] = { MODE32, PAE, PAE, LA57 };
	u32 i_flag;
	int m, level;

	for (m = 0; m < 4; m++) {
		struct walk w = machine(efer[m], cr4[m]);

		i_flag = m ? PF_FETCH : 0;
		for (level = 1; level <= levels_of(&w) && !(m == 1 && level == 3); level++) {
			CHECK_EQ(try(w, level, 6, ACCESS_WRITE | ACCESS_USER), 0x5000);
			CHECK_EQ(try(w, level, 6, ACCESS_FETCH | ACCESS_USER), 0x5000);
			CHECK_EQ(try(w, level, 2, ACCESS_READ | ACCESS_USER), FAULT(5));
			CHECK_EQ(try(w, level, 2, ACCESS_WRITE | ACCESS_USER), FAULT(7));
			CHECK_EQ(try(w, level, 2, ACCESS_FETCH | ACCESS_USER), FAULT(5 | i_flag));
			CHECK_EQ(try(w, level, 4, ACCESS_WRITE | ACCESS_USER), FAULT(7));
			CHECK_EQ(try(w, level, 4, ACCESS_WRITE), FAULT(3));
			CHECK_EQ(try(w, level, 4, ACCESS_READ | ACCESS_USER), 0x5000);
			if (m)
				CHECK_EQ(try(w, level, 6 | PTE_NX, ACCESS_FETCH), FAULT(0x11));
		}
	}
}

static void what_is_not_there_is_not_present(void)
{
	static const u64 efer[] = { 0, NX, LONG | NX, LONG | NX };
	static const unsigned long cr4[] = { MODE32, PAE, PAE, LA57 };
	int m, level;

	for (m = 0; m < 4; m++) {
		struct walk w = machine(efer[m], cr4[m]);

		for (level = 1; level <= levels_of(&w); level++) {
			build(&w, 0x1234000, 1, 0x5067);
			set_pte(levels_of(&w), level, 0x1234000, ~1ull);
			CHECK_EQ(go(&w, 0x1234000, ACCESS_WRITE | ACCESS_USER), FAULT(6));
			if (level == 1)
				continue;
			/* A table where there is no memory. */
			set_pte(levels_of(&w), level, 0x1234000, 0x7fff0000 |
			     (m == 1 && level == 3 ? 1 : 7));
			CHECK_EQ(go(&w, 0x1234000, ACCESS_READ), FAULT(0));
		}
		w.cr3 = 0x7fff0000;
		CHECK_EQ(go(&w, 0x1234000, ACCESS_FETCH), FAULT(m ? PF_FETCH : 0));
	}
}

/* SDM "Determination of Access Rights", line by line; U: user page, W: writable. */
static void supervisor_rights(void)
{
	enum { U = 4, W = 2, R = 0 };
	static const struct {
		unsigned long wp, cr4;
		bool ac;
		u64 rights;
		unsigned int access;
		s64 result;
	} rows[] = {
		{ 0, 0, false, R, ACCESS_READ, 0x5000 },
		{ 0, 0, false, R, ACCESS_WRITE, 0x5000 },
		{ 0, 0, false, U, ACCESS_WRITE, 0x5000 },
		{ 0, 0, false, U, ACCESS_FETCH, 0x5000 },
		{ CR0_WP, 0, false, R, ACCESS_WRITE, FAULT(3) },
		{ CR0_WP, 0, false, U, ACCESS_WRITE, FAULT(3) },
		{ CR0_WP, 0, false, U | W, ACCESS_WRITE, 0x5000 },
		{ 0, CR4_SMEP, false, U, ACCESS_READ, 0x5000 },
		{ 0, CR4_SMEP, false, U, ACCESS_FETCH, FAULT(0x11) },
		{ 0, CR4_SMEP, true, U, ACCESS_FETCH, FAULT(0x11) },
		{ 0, CR4_SMEP, false, R, ACCESS_FETCH, 0x5000 },
		{ 0, CR4_SMAP, false, U, ACCESS_READ, FAULT(1) },
		{ 0, CR4_SMAP, true, U, ACCESS_READ, 0x5000 },
		{ 0, CR4_SMAP, false, U, ACCESS_WRITE, FAULT(3) },
		{ 0, CR4_SMAP, true, U, ACCESS_WRITE, 0x5000 },
		{ CR0_WP, CR4_SMAP, true, U, ACCESS_WRITE, FAULT(3) },
		{ CR0_WP, CR4_SMAP, true, U | W, ACCESS_WRITE, 0x5000 },
		{ CR0_WP, CR4_SMAP, false, W, ACCESS_WRITE, 0x5000 },
		{ 0, CR4_SMAP, false, U, ACCESS_FETCH, 0x5000 },
		{ 0, CR4_SMAP | CR4_SMEP, false, U, ACCESS_READ | ACCESS_USER, 0x5000 },
		{ 0, CR4_SMAP | CR4_SMEP, false, U, ACCESS_FETCH | ACCESS_USER, 0x5000 },
		{ 0, 0, false, U, ACCESS_WRITE | ACCESS_USER, FAULT(7) },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct walk w = machine(LONG, PAE | rows[i].cr4);

		w.cr0 = CR0 | rows[i].wp;
		w.ac = rows[i].ac;
		CHECK_EQ(try(w, 1, rows[i].rights, rows[i].access), rows[i].result);
	}
}

/* SDM "Page-Fault Exceptions": with SMEP, or with NX where paging has 8-byte entries. */
static void fetches_are_told_where_they_can_be(void)
{
	struct walk w = machine(LONG, PAE);

	CHECK_EQ(try(w, 1, 2, ACCESS_FETCH | ACCESS_USER), FAULT(5));
	w = machine(0, CR4_SMEP);
	CHECK_EQ(try(w, 1, 2, ACCESS_FETCH | ACCESS_USER), FAULT(0x15));
	w = machine(0, PAE);
	CHECK_EQ(try(w, 1, 2, ACCESS_FETCH | ACCESS_USER), FAULT(5));
	w = machine(NX, PAE);
	CHECK_EQ(try(w, 1, 2, ACCESS_FETCH | ACCESS_USER), FAULT(0x15));
}

static void nx_does_not_count_in_32_bit_paging(void)
{
	struct walk w = machine(NX, MODE32);

	CHECK_EQ(try(w, 1, 2, ACCESS_FETCH | ACCESS_USER), FAULT(5));
}

/* ---- reserved bits. SDM, the tables "Format of ..." */

struct reserved { u64 efer, cr4; int level, maxphyaddr; u64 entry, mask; };

/* Each bit alone: those in the mask fault as reserved, the others do not. */
static void check_reserved(const struct reserved *rows, size_t n)
{
	u64 va = 0x12345678, found;
	int bit;

	for (size_t i = 0; i < n; i++) {
		struct walk w = machine(rows[i].efer, rows[i].cr4);
		int levels = levels_of(&w);

		w.maxphyaddr = rows[i].maxphyaddr;
		for (found = bit = 0; bit < (levels == 2 ? 32 : 64); bit++) {
			build(&w, va, 1, 0x5067);
			set_pte(levels, rows[i].level, va, rows[i].entry ^ 1ull << bit);
			if (go(&w, va, ACCESS_READ) == FAULT(9))
				found |= 1ull << bit;
		}
		/* Bit 7 chooses between a table and a page: two rows. */
		CHECK_EQ(found & (~0x80ull | rows[i].mask), rows[i].mask);
	}
}

#define CHECK_RESERVED(rows) check_reserved(rows, sizeof(rows) / sizeof(rows[0]))

static void reserved_bits_of_tables_and_small_pages(void)
{
	static const struct reserved rows[] = {
		{ 0, MODE32, 1, 32, 0x5067, 0 },
		{ 0, MODE32, 2, 32, 0x2067, 0 },
		{ 0, CR4_PSE, 2, 32, 0x2067, 0 },
		{ LONG, PAE, 1, 40, 0x5067, 0x800fff0000000000 },
		{ LONG, PAE, 2, 40, 0x4067, 0x800fff0000000000 },
		{ LONG, PAE, 3, 36, 0x3067, 0x800ffff000000000 },
		{ LONG, PAE, 4, 36, 0x2067, 0x800ffff000000080 },
		{ LONG | NX, PAE, 4, 52, 0x2067, 0x0000000000000080 },
		{ LONG | NX, PAE, 1, 52, 0x5067, 0 },
		{ LONG | NX, LA57, 5, 46, 0x2067, 0x000fc00000000080 },
		{ LONG | NX, LA57, 4, 46, 0x3067, 0x000fc00000000080 },
		{ LONG | NX, LA57, 3, 46, 0x4067, 0x000fc00000000000 },
		{ LONG, LA57, 1, 51, 0x5067, 0x8008000000000000 },
	};

	CHECK_RESERVED(rows);
}

static void reserved_bits_of_large_pages(void)
{
	static const struct reserved rows[] = {
		{ 0, CR4_PSE, 2, 40, 0xc000e7, 0x00200000 },
		{ 0, CR4_PSE, 2, 36, 0xc000e7, 0x003e0000 },
		{ LONG | NX, PAE, 2, 40, 0x6000e7, 0x000fff00001fe000 },
		{ LONG, PAE, 3, 40, 0x400000e7, 0x800fff003fffe000 },
		{ LONG | NX, LA57, 3, 52, 0x400000e7, 0x000000003fffe000 },
	};

	CHECK_RESERVED(rows);
}

static void reserved_bits_of_pae_paging(void)
{
	static const struct reserved rows[] = {
		{ 0, PAE, 1, 40, 0x5067, 0xffffff0000000000 },
		{ NX, PAE, 1, 36, 0x5067, 0x7ffffff000000000 },
		{ NX, PAE, 2, 40, 0x3067, 0x7fffff0000000000 },
	};

	CHECK_RESERVED(rows);
}

/* ---- accessed and dirty flags. SDM "Accessed and Dirty Flags" */

enum { A = 0x20, D = 0x40 };

static u64 get_pte(int levels, int level, u64 va)
{
	u64 table = 1 + levels - level, index = va >> shift_of(levels, level);

	return levels > 2 ? mem[table * 512 + (index & 0x1ff)] :
			    ((u32 *)mem)[table * 1024 + (index & 0x3ff)];
}

static const struct { u64 efer; unsigned long cr4; int leaf; } flag_modes[] = {
	{ 0, MODE32, 1 }, { 0, CR4_PSE, 2 }, { NX, PAE, 1 }, { NX, PAE, 2 },
	{ LONG | NX, PAE, 1 }, { LONG | NX, PAE, 2 }, { LONG | NX, PAE, 3 },
	{ LONG | NX, LA57, 1 }, { LONG | NX, LA57, 3 },
};

/* No flags anywhere; the leaf is a page of its level at 0. */
static struct walk flag_machine(size_t i)
{
	struct walk w = machine(flag_modes[i].efer, flag_modes[i].cr4);

	build(&w, 0x12345678, flag_modes[i].leaf, flag_modes[i].leaf > 1 ? 0x87 : 0x5007);
	return w;
}

static void each_entry_used_is_accessed_and_a_written_page_dirty(void)
{
	for (size_t i = 0; i < sizeof(flag_modes) / sizeof(flag_modes[0]); i++) {
		struct walk w = flag_machine(i);
		int levels = levels_of(&w), level;

		CHECK(go(&w, 0x12345678, ACCESS_READ) >= 0);
		for (level = levels; level >= flag_modes[i].leaf; level--)
			CHECK_EQ(get_pte(levels, level, 0x12345678) & (A | D),
				 levels == 3 && level == 3 ? 0 : A);
		CHECK(go(&w, 0x12345678, ACCESS_WRITE) >= 0);
		for (level = levels; level > flag_modes[i].leaf; level--)
			CHECK_EQ(get_pte(levels, level, 0x12345678) & (A | D),
				 levels == 3 && level == 3 ? 0 : A);
		CHECK_EQ(get_pte(levels, level, 0x12345678) & (A | D), A | D);
		/* And then there is nothing to do. */
		update_answer = -EFAULT;
		CHECK(go(&w, 0x12345678, ACCESS_WRITE) >= 0);
		CHECK(go(&w, 0x12345678, ACCESS_FETCH) >= 0);
		update_answer = 0;
	}
}

static void an_access_that_faults_leaves_no_flags(void)
{
	struct walk w = machine(LONG | NX, PAE);

	build(&w, 0x12345678, 1, 0x5005);		/* not writable */
	CHECK_EQ(go(&w, 0x12345678, ACCESS_WRITE), FAULT(3));
	for (int level = 4; level; level--)
		CHECK_EQ(get_pte(4, level, 0x12345678) & (A | D), 0);
}

static void a_walk_may_leave_no_trace(void)
{
	struct walk w = flag_machine(4);

	w.update = NULL;
	CHECK_EQ(go(&w, 0x12345678, ACCESS_WRITE), 0x5678);
	for (int level = 4; level; level--)
		CHECK_EQ(get_pte(4, level, 0x12345678) & (A | D), 0);
}

static void an_entry_that_changes_meanwhile_is_walked_again(void)
{
	struct walk w = flag_machine(4);

	update_answer = 1;
	CHECK_EQ(go(&w, 0x12345678, ACCESS_READ), AGAIN);
	update_answer = -EFAULT;
	CHECK_EQ(go(&w, 0x12345678, ACCESS_READ), ENDED);
	update_answer = 0;
	CHECK_EQ(go(&w, 0x12345678, ACCESS_READ), 0x5678);
}

/* ---- protection keys. SDM "Protection Keys" */

static void keys_forbid_data_of_user_pages(void)
{
	enum { AD = 1, WD = 2, U = 4, W = 2, KEY = 5 };
	static const struct {
		u32 bits;
		unsigned long wp;
		u64 rights;
		unsigned int access;
		s64 result;
	} rows[] = {
		{ 0, CR0_WP, U | W, ACCESS_WRITE | ACCESS_USER, 0x5000 },
		{ WD, CR0_WP, U | W, ACCESS_READ | ACCESS_USER, 0x5000 },
		{ WD, CR0_WP, U | W, ACCESS_WRITE | ACCESS_USER, FAULT(0x27) },
		{ WD, 0, U | W, ACCESS_WRITE | ACCESS_USER, FAULT(0x27) },
		{ WD, CR0_WP, U | W, ACCESS_WRITE, FAULT(0x23) },
		{ WD, 0, U | W, ACCESS_WRITE, 0x5000 },
		{ AD, 0, U | W, ACCESS_READ, FAULT(0x21) },
		{ AD, 0, U | W, ACCESS_READ | ACCESS_USER, FAULT(0x25) },
		{ AD, CR0_WP, U | W, ACCESS_WRITE, FAULT(0x23) },
		{ AD, CR0_WP, U | W, ACCESS_FETCH | ACCESS_USER, 0x5000 },
		{ AD | WD, CR0_WP, W, ACCESS_WRITE, 0x5000 },
		{ AD, CR0_WP, U, ACCESS_WRITE | ACCESS_USER, FAULT(0x27) },	/* both reasons */
		{ AD, CR0_WP, W, ACCESS_READ | ACCESS_USER, FAULT(5) },	/* not a user page */
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct walk w = machine(LONG, PAE | CR4_PKE);

		w.cr0 = CR0 | rows[i].wp;
		w.pkru = rows[i].bits << 2 * KEY;
		CHECK_EQ(try(w, 1, rows[i].rights | (u64)KEY << 59, rows[i].access),
			 rows[i].result);
		w.pkru = ~(3u << 2 * KEY) & ~3u;	/* other keys than this one and 0 */
		CHECK_EQ(try(w, 1, rows[i].rights | (u64)KEY << 59, rows[i].access),
			 try(w, 1, rows[i].rights, rows[i].access));
	}
	struct walk w = machine(LONG, PAE);		/* without CR4.PKE */

	w.pkru = ~0u;
	CHECK_EQ(try(w, 1, U | W | (u64)KEY << 59, ACCESS_WRITE | ACCESS_USER), 0x5000);
}

int main(void)
{
	RUN(without_paging_linear_is_physical);
	RUN(each_mode_finds_its_pages);
	RUN(cr3_has_other_bits_too);
	RUN(without_pse_there_are_no_large_pages);
	RUN(rights_are_those_of_every_entry);
	RUN(what_is_not_there_is_not_present);
	RUN(supervisor_rights);
	RUN(fetches_are_told_where_they_can_be);
	RUN(reserved_bits_of_tables_and_small_pages);
	RUN(cr3_has_32_bits_in_32_bit_paging);
	RUN(nx_does_not_count_in_32_bit_paging);
	RUN(reserved_bits_of_large_pages);
	RUN(reserved_bits_of_pae_paging);
	RUN(each_entry_used_is_accessed_and_a_written_page_dirty);
	RUN(an_access_that_faults_leaves_no_flags);
	RUN(a_walk_may_leave_no_trace);
	RUN(an_entry_that_changes_meanwhile_is_walked_again);
	RUN(keys_forbid_data_of_user_pages);
	return unit_end();
}
