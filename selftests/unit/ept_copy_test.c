// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a copy of module/mm/ept_copy.c maps what the VM's tables map, but for the frames that
 * were put into it; it writes none of the VM's tables, and levels - 1 tables for each frame do.
 */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "random.h"
#include "../../module/mm/ept_copy.c"

#define POOL	96

static u64 *pool[POOL], *saved[POOL];
static int used;
static struct ept ept;
static struct ept_copy copy;

static u64 *table_new(void)
{
	if (!pool[used])
		pool[used] = aligned_alloc(4096, 4096);
	memset(pool[used], 0, 4096);
	return pool[used++];
}

static void put(u64 gfn, int level, u64 leaf)
{
	u64 *table = ept.root, *entry;
	int l;

	for (l = ept.levels; l > level; l--) {
		entry = copy_entry_of(table, gfn, l);
		if (*entry & EPT_HUGE)
			return;
		if (!*entry)
			*entry = ept_pa(table_new()) | EPT_RWX;
		table = ept_va(*entry & EPT_ADDR);
	}
	entry = copy_entry_of(table, gfn, level);
	if (level == 1 || !*entry)
		*entry = leaf | (level > 1 ? EPT_HUGE : 0);
}

/* What the processor would find for a frame: a 4 KiB leaf, whatever the size of the real one. */
static u64 look(u64 *table, int levels, u64 gfn)
{
	int l;

	for (l = levels; ; l--) {
		u64 entry = *copy_entry_of(table, gfn, l);

		if (!entry || l == 1)
			return entry;
		if (entry & EPT_HUGE)
			return (entry & ~EPT_HUGE) + ((gfn & 511) << 12);
		table = ept_va(entry & EPT_ADDR);
	}
}

static u64 some_frame(void)
{
	static const u64 at[] = { 0, 0x1ff, 0x200, 0x3ffff, 0x40000, 0xd0000, 0x7ffffff };

	return (at[below(7)] + below(4) * 0x100) & ((1ull << 9 * ept.levels) - 1);
}

static void some_tables(int levels)
{
	int i;

	used = 0;
	ept = (struct ept) { .levels = levels };
	ept.root = table_new();
	for (i = 0; i < 12; i++)
		if (one_in(3))
			put(some_frame() & ~511ull, 2, below(1 << 20) << 21 | EPT_RWX | EPT_MEMTYPE_WB);
		else
			put(some_frame(), 1, below(1 << 30) << 12 | EPT_READ | EPT_MEMTYPE_WB);
}

static void save(void)
{
	int i;

	for (i = 0; i < used; i++) {
		saved[i] = saved[i] ?: malloc(4096);
		memcpy(saved[i], pool[i], 4096);
	}
}

static bool is_unchanged(void)
{
	int i;

	for (i = 0; i < used; i++)
		if (memcmp(saved[i], pool[i], 4096))
			return false;
	return true;
}

struct placed { u64 gfn, leaf; };

static u64 expected(const struct placed *p, int n, u64 gfn)
{
	while (n--)
		if (p[n].gfn == gfn)
			return p[n].leaf;
	return look(ept.root, ept.levels, gfn);
}

static void round_of(int levels)
{
	struct placed p[EPT_COPY_FRAMES];
	int i, n = 1 + below(EPT_COPY_FRAMES);
	u64 gfn;

	some_tables(levels);
	save();
	copy.n = 1 + n * (levels - 1);
	ept_copy_root(&copy, &ept);
	for (i = 0; i < n; i++) {
		p[i] = (struct placed) { some_frame(), below(1 << 30) << 12 | EPT_RWX };
		CHECK(ept_copy_map(&copy, levels, p[i].gfn, p[i].leaf));
	}
	CHECK(is_unchanged());
	for (i = 0; i < 200; i++) {
		gfn = one_in(2) ? some_frame() : p[below(n)].gfn + below(3) - 1;
		gfn &= (1ull << 9 * levels) - 1;
		CHECK_EQ(look(copy.table[0], levels, gfn), expected(p, n, gfn));
	}
}

static void only_the_frames_that_were_put_differ(void)
{
	int i;

	for (i = 0; i < EPT_COPY_TABLES; i++)
		copy.table[i] = aligned_alloc(4096, 4096);
	for (i = 0; i < 2000 && !unit_bad; i++)
		round_of(4 + one_in(3));
}

static void tables_that_do_not_suffice_are_noticed(void)
{
	some_tables(4);
	copy.n = 4;
	ept_copy_root(&copy, &ept);
	CHECK(ept_copy_map(&copy, 4, 0x123456, EPT_READ));
	CHECK(ept_copy_map(&copy, 4, 0x123457, EPT_READ));	/* in the same table */
	CHECK(!ept_copy_map(&copy, 4, 0x7123456, EPT_READ));
}

static void a_new_root_forgets_the_frames(void)
{
	some_tables(4);
	copy.n = EPT_COPY_TABLES;
	ept_copy_root(&copy, &ept);
	ept_copy_map(&copy, 4, 0x123456, EPT_READ);
	ept_copy_root(&copy, &ept);
	CHECK_EQ(look(copy.table[0], 4, 0x123456), look(ept.root, 4, 0x123456));
}

int main(void)
{
	int i;

	RUN(only_the_frames_that_were_put_differ);
	RUN(tables_that_do_not_suffice_are_noticed);
	RUN(a_new_root_forgets_the_frames);
	for (i = 0; i < EPT_COPY_TABLES; i++)
		free(copy.table[i]);
	for (i = 0; i < POOL; i++) {
		free(pool[i]);
		free(saved[i]);
	}
	return unit_end();
}
