/* SPDX-License-Identifier: GPL-2.0 */
/* The tables under test, a flat array that says what they should map, and the comparison. */
#ifndef UNIT_EPT_MODEL_H
#define UNIT_EPT_MODEL_H

#include <string.h>
#include <linux/gfp.h>

#include "unit.h"
#include "random.h"
#include "../../module/mm/ept.c"

/* ---- the model: some 2 MiB blocks, apart from which nothing is ever mapped */

#define BLOCKS	26
#define FRAMES	512

struct block {
	u64 gfn;
	bool table, huge;	/* of 4 KiB leaves; one 2 MiB leaf, in leaf[0] */
	bool above[6];		/* there is a table of this level above it (2 and up) */
	u64 leaf[FRAMES];
};

static struct block blocks[BLOCKS];
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

/* Twenty blocks in a row across a 1 GiB border, and neighbours at the other borders. */
static void start(int levels)
{
	u64 end = 1ull << 9 * levels, border = (1 << 27) + (1 << 18);
	u64 apart[] = { 0, FRAMES, (1 << 27) - FRAMES, 1 << 27, end / 2, end - FRAMES };
	int i;

	memset(blocks, 0, sizeof(blocks));
	for (i = 0; i < BLOCKS; i++)
		blocks[i].gfn = i < 4 ? apart[i] : i < 24 ? border + (i - 14) * FRAMES : apart[i - 20];
	ept = (struct ept) { .root = table_alloc(), .levels = levels };
}

static void finish(void)
{
	while (cache.n)
		table_free(cache.table[--cache.n]);
	ept_free_all(&ept, table_free);
	CHECK_EQ(pages, 0);
	CHECK(!ept.root && !ept.tables && !ept.retired);
	pages = 0;
}

static struct block *block_of(u64 gfn)
{
	int i;

	for (i = 0; i < BLOCKS; i++)
		if (blocks[i].gfn == (gfn & ~(u64)(FRAMES - 1)))
			return &blocks[i];
	return NULL;
}

static u64 *leaf_of(u64 gfn)
{
	struct block *b = block_of(gfn);

	return b ? &b->leaf[b->huge ? 0 : gfn % FRAMES] : NULL;
}

/* Do the tables above @gfn have one of this level? */
static bool has_table(u64 gfn, int level)
{
	int i;

	for (i = 0; i < BLOCKS; i++)
		if (blocks[i].above[level] && blocks[i].gfn >> 9 * level == gfn >> 9 * level)
			return true;
	return false;
}

static void lose_table(u64 gfn, int level)
{
	int i;

	for (i = 0; i < BLOCKS; i++)
		if (blocks[i].gfn >> 9 * level == gfn >> 9 * level)
			blocks[i].above[level] = false;
}

/* Has the table of this level above @gfn no entry? */
static bool has_empty_table(u64 gfn, int level)
{
	int i;

	for (i = 0; i < BLOCKS; i++) {
		struct block *b = &blocks[i];

		if (b->gfn >> 9 * level != gfn >> 9 * level)
			continue;
		if (level == 2 ? b->table || b->huge : has_table(b->gfn, level - 1))
			return false;
	}
	return true;
}

static int tables_expected(void)
{
	int i, j, level, n = 0;

	for (i = 0; i < BLOCKS; i++) {
		n += blocks[i].table;
		for (level = 2; level < ept.levels; level++) {
			if (!has_table(blocks[i].gfn, level))
				continue;
			for (j = 0; j < i; j++)
				if (blocks[j].gfn >> 9 * level == blocks[i].gfn >> 9 * level)
					break;
			n += j == i;
		}
	}
	return n;
}

/* ---- comparison: the tables, read as the processor does */

static int leaves_seen, tables_seen;

/* SDM "Formats of EPT Paging-Structure Entries" */
static void look(const u64 *table, int level, u64 gfn)
{
	int i;

	for (i = 0; i < 512; i++, gfn += 1ull << 9 * (level - 1)) {
		if (!table[i])
			continue;
		if (level == 1 || (level == 2 && (table[i] & EPT_HUGE))) {
			struct block *b = block_of(gfn);

			leaves_seen++;
			CHECK(b && b->huge == (level == 2) && *leaf_of(gfn) == table[i]);
			continue;
		}
		CHECK_EQ(table[i] & ~EPT_ADDR, EPT_RWX);
		tables_seen++;
		look((u64 *)(table[i] & EPT_ADDR), level - 1, gfn);
	}
}

static void compare_find(u64 gfn)
{
	struct ept_leaf found = ept_find(&ept, gfn);
	const struct block *b = block_of(gfn);
	u64 leaf = b ? *leaf_of(gfn) : 0;
	int level = ept.levels;

	while (level > 2 && has_table(gfn, level - 1))
		level--;
	if (b && b->table)
		level = 1;
	CHECK_EQ(found.level, level);
	CHECK_EQ(found.entry ? *found.entry : 0, leaf);
}

static void compare(void)
{
	int i, j, leaves = 0;

	for (i = 0; i < BLOCKS; i++)
		for (j = 0; j < FRAMES; j++)
			leaves += !!blocks[i].leaf[j];
	leaves_seen = tables_seen = 0;
	look(ept.root, ept.levels, 0);
	CHECK_EQ(leaves_seen, leaves);
	CHECK_EQ(tables_seen, tables_expected());
	CHECK_EQ(ept.tables, tables_seen);
	CHECK_EQ(pages, 1 + ept.tables + cache.n);
	compare_find(blocks[below(BLOCKS)].gfn + below(FRAMES));
	compare_find(any() & ((1ull << 9 * ept.levels) - 1));
}

#endif
