// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/mm/ept.c does each step of a walk, of a map and of an unmap by itself as the
 * SDM's "EPT Translation Mechanism" has it. ept_test.c has long rows of them.
 */
#include <stdlib.h>
#include <string.h>
#include <linux/gfp.h>

#include "unit.h"
#include "../../module/mm/ept.c"

#define LEVELS	4
/* Another index in each table: 3, 5, 7, 9 from the root down. */
#define GFN	(3ull << 27 | 5ull << 18 | 7ull << 9 | 9)
#define PAGE_A	0x12345000ull
#define PAGE_B	0x54321000ull
#define LEAF	(PAGE_A | EPT_READ | EPT_WRITE | EPT_MEMTYPE_WB)
#define HUGE	(0x40000000ull | EPT_RWX | EPT_MEMTYPE_WB)

static struct ept ept;
static struct ept_cache cache;
static int pages;		/* tables allocated and not freed */

static u64 *table_alloc(void)
{
	pages++;
	return (u64 *)get_zeroed_page(0);
}

static void table_free(u64 *table)
{
	pages--;
	free_page(table);
}

static void start(void)
{
	ept = (struct ept) { .root = table_alloc(), .levels = LEVELS };
}

static void finish(void)
{
	while (cache.n)
		table_free(cache.table[--cache.n]);
	ept_free_all(&ept, table_free);
	CHECK_EQ(pages, 0);
	pages = 0;
}

/* What the SDM says, in the test's own words: the entry of a level, or NULL. */
static u64 *entry_at(u64 gfn, int level)
{
	u64 *table = ept.root;
	int l;

	for (l = LEVELS; ; l--) {
		u64 *entry = &table[gfn >> 9 * (l - 1) & 511];

		if (l == level)
			return entry;
		if (!(*entry & EPT_RWX) || (*entry & EPT_HUGE))
			return NULL;
		table = ept_va(*entry & EPT_ADDR);
	}
}

static u64 value_at(u64 gfn, int level)
{
	u64 *entry = entry_at(gfn, level);

	return entry ? *entry : 0;
}

/* Tables down to a level, by hand; the entry there is the leaf. */
static void by_hand(u64 gfn, int level, u64 leaf)
{
	int l;

	for (l = LEVELS; l > level; l--)
		if (!*entry_at(gfn, l)) {
			*entry_at(gfn, l) = ept_pa(table_alloc()) | EPT_RWX;
			ept.tables++;
		}
	*entry_at(gfn, level) = leaf;
}

static void map(u64 gfn, int level, u64 leaf)
{
	while (cache.n < LEVELS - 1)
		cache.table[cache.n++] = table_alloc();
	ept_map(&ept, gfn, level, leaf, &cache);
}

static void unmap(u64 gfn, u64 n, unsigned int flags)
{
	u64 done = ept_unmap(&ept, gfn, n, flags);

	CHECK_EQ(done, n);
}

static bool stale(void)
{
	bool was = ept.stale;

	ept.stale = false;
	return was;
}

/* ---- find */

static void a_walk_ends_at_a_small_leaf(void)
{
	struct ept_leaf found;

	start();
	by_hand(GFN, 1, LEAF);
	found = ept_find(&ept, GFN);
	CHECK(found.entry == entry_at(GFN, 1));
	CHECK_EQ(found.level, 1);
	finish();
}

static void a_walk_ends_at_a_large_leaf(void)
{
	struct ept_leaf found;

	start();
	by_hand(GFN, 2, HUGE | EPT_HUGE);
	found = ept_find(&ept, GFN + 1);
	CHECK(found.entry == entry_at(GFN, 2));
	CHECK_EQ(found.level, 2);
	finish();
}

static void a_walk_says_where_it_ended(void)
{
	start();
	by_hand(GFN, 1, LEAF);
	CHECK(!ept_find(&ept, GFN + 1).entry);
	CHECK_EQ(ept_find(&ept, GFN + 1).level, 1);
	CHECK(!ept_find(&ept, GFN + (1 << 9)).entry);
	CHECK_EQ(ept_find(&ept, GFN + (1 << 9)).level, 2);
	CHECK_EQ(ept_find(&ept, GFN + (1 << 18)).level, 3);
	CHECK_EQ(ept_find(&ept, GFN + (1 << 27)).level, 4);
	finish();
}

/* ---- map */

static void a_map_makes_the_tables_on_the_way(void)
{
	int level;

	start();
	map(GFN, 1, LEAF);
	CHECK_EQ(cache.n, 0);
	CHECK_EQ(ept.tables, 3);
	CHECK_EQ(value_at(GFN, 1), LEAF);
	for (level = 2; level <= LEVELS; level++)
		CHECK_EQ(value_at(GFN, level) & ~EPT_ADDR, EPT_RWX);
	CHECK(!stale());
	finish();
}

static void neighbours_share_their_tables(void)
{
	start();
	map(GFN, 1, LEAF);
	map(GFN + 1, 1, LEAF + 0x1000);
	CHECK_EQ(cache.n, 3);
	map(GFN + (1 << 9), 1, LEAF + 0x2000);
	CHECK_EQ(cache.n, 2);
	CHECK_EQ(ept.tables, 4);
	CHECK_EQ(value_at(GFN, 1), LEAF);
	CHECK_EQ(value_at(GFN + 1, 1), LEAF + 0x1000);
	CHECK_EQ(value_at(GFN + (1 << 9), 1), LEAF + 0x2000);
	CHECK(!stale());
	finish();
}

static void a_large_leaf_is_one(void)
{
	start();
	map(GFN & ~511ull, 2, HUGE);
	CHECK_EQ(value_at(GFN, 2), HUGE | EPT_HUGE);
	CHECK_EQ(cache.n, 1);
	CHECK_EQ(ept.tables, 2);
	finish();
}

/* A second vCPU's fault comes late: the page is there, and has been written meanwhile. */
static void the_same_page_keeps_what_it_has(void)
{
	start();
	by_hand(GFN, 1, LEAF | EPT_ACCESSED | EPT_DIRTY);
	map(GFN, 1, (LEAF & ~EPT_WRITE) | EPT_EXEC);
	CHECK_EQ(value_at(GFN, 1), LEAF | EPT_EXEC | EPT_ACCESSED | EPT_DIRTY);
	CHECK(!stale());
	finish();
}

static void another_page_is_noticed(void)
{
	const u64 other = PAGE_B | EPT_READ | EPT_MEMTYPE_WB;

	start();
	by_hand(GFN, 1, LEAF | EPT_DIRTY);
	map(GFN, 1, other);
	CHECK_EQ(value_at(GFN, 1), other);
	CHECK(stale());
	finish();
}

static void a_small_page_splits_a_large_one(void)
{
	start();
	by_hand(GFN, 2, HUGE | EPT_HUGE);
	map(GFN, 1, HUGE + 9 * 0x1000);
	CHECK_EQ(value_at(GFN, 1), HUGE + 9 * 0x1000);
	CHECK_EQ(value_at(GFN + 1, 1), HUGE + 10 * 0x1000);
	CHECK_EQ(value_at(GFN, 2) & ~EPT_ADDR, EPT_RWX);
	finish();
}

/* ---- unmap */

static void an_unmap_ends_where_its_range_ends(void)
{
	u64 i;

	start();
	for (i = 0; i < 6; i++)
		by_hand(GFN + i, 1, LEAF + (i << 12));
	unmap(GFN + 2, 2, 0);
	for (i = 0; i < 6; i++)
		CHECK_EQ(value_at(GFN + i, 1), i == 2 || i == 3 ? 0 : LEAF + (i << 12));
	finish();
}

static void an_unmap_goes_through_every_table(void)
{
	static const u64 apart[] = { 0, 1 << 9, 1 << 18, 1 << 27 };
	int i;

	start();
	for (i = 0; i < 4; i++)
		by_hand(GFN + apart[i], 1, LEAF);
	by_hand(GFN + (2 << 18), 2, HUGE | EPT_HUGE);
	unmap(GFN, (1 << 27) + 1, 0);
	for (i = 0; i < 4; i++)
		CHECK_EQ(value_at(GFN + apart[i], 1), 0);
	CHECK_EQ(value_at(GFN + (2 << 18), 2), 0);
	finish();
}

static void a_lost_right_is_noted(void)
{
	start();
	by_hand(GFN, 1, LEAF);
	unmap(GFN, 1, 0);
	CHECK(stale());
	unmap(GFN, 1, 0);
	CHECK(!stale());
	finish();
}

static void tables_of_a_whole_range_go(void)
{
	start();
	by_hand(GFN, 1, LEAF);
	by_hand(GFN + (2 << 9), 1, LEAF);
	unmap(GFN & ~511ull, 512, 0);
	CHECK_EQ(ept.tables, 3);
	CHECK_EQ(value_at(GFN, 2), 0);
	CHECK_EQ(value_at(GFN + (2 << 9), 1), LEAF);
	CHECK(ept.retired);
	finish();
}

/* ---- what was written */

static void a_mask_takes_the_right_to_write(void)
{
	const u64 gfn = GFN & ~511ull;
	u64 i;

	start();
	for (i = 0; i < 4; i++)
		by_hand(gfn + i, 1, LEAF | EPT_ACCESSED);
	ept_wrprotect(&ept, gfn, 0x5 | 1ull << 63);
	for (i = 0; i < 4; i++)
		CHECK_EQ(value_at(gfn + i, 1), (LEAF | EPT_ACCESSED) & ~(i % 2 ? 0 : EPT_WRITE));
	CHECK(stale());
	ept_wrprotect(&ept, gfn, 0x5);
	CHECK(!stale());			/* nothing was there to be taken */
	finish();
}

static void a_mask_goes_on_in_the_next_table(void)
{
	const u64 last = GFN | 511;

	start();
	by_hand(last, 1, LEAF | EPT_DIRTY);
	by_hand(last + 1, 1, LEAF | EPT_DIRTY);
	by_hand(last + 3, 1, LEAF | EPT_DIRTY);
	ept_make_clean(&ept, last, 0xb);
	CHECK_EQ(value_at(last, 1), LEAF);
	CHECK_EQ(value_at(last + 1, 1), LEAF);
	CHECK_EQ(value_at(last + 3, 1), LEAF);
	CHECK(stale());
	finish();
}

static void the_right_comes_back_if_the_host_allows(void)
{
	const u64 leaf = LEAF & ~EPT_WRITE;

	start();
	by_hand(GFN, 1, leaf | EPT_HOST_WRITE);
	by_hand(GFN + 1, 1, leaf);
	CHECK(ept_allow_write(&ept, GFN));
	CHECK_EQ(value_at(GFN, 1), leaf | EPT_HOST_WRITE | EPT_WRITE);
	CHECK(!ept_allow_write(&ept, GFN + 1));
	CHECK_EQ(value_at(GFN + 1, 1), leaf);
	CHECK(!ept_allow_write(&ept, GFN + 2));
	CHECK(!stale());
	finish();
}

int main(void)
{
	RUN(a_walk_ends_at_a_small_leaf);
	RUN(a_walk_ends_at_a_large_leaf);
	RUN(a_walk_says_where_it_ended);
	RUN(a_map_makes_the_tables_on_the_way);
	RUN(neighbours_share_their_tables);
	RUN(a_large_leaf_is_one);
	RUN(the_same_page_keeps_what_it_has);
	RUN(another_page_is_noticed);
	RUN(a_small_page_splits_a_large_one);
	RUN(an_unmap_ends_where_its_range_ends);
	RUN(an_unmap_goes_through_every_table);
	RUN(a_lost_right_is_noted);
	RUN(tables_of_a_whole_range_go);
	RUN(a_mask_takes_the_right_to_write);
	RUN(a_mask_goes_on_in_the_next_table);
	RUN(the_right_comes_back_if_the_host_allows);
	return unit_end();
}
