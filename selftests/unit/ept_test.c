// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: after any sequence of changes the tables of module/mm/ept.c map what a flat array
 * says, ask for a flush whenever a right was lost, and no table page is lost or freed twice.
 */
#include "ept_model.h"

/* ---- changes, to both */

/* Call @fn for each leaf of the model that touches a range; the OR of what it says. */
static int model_range(u64 gfn, u64 n, int (*fn)(u64 *leaf))
{
	int i, j, ret = 0;

	for (i = 0; i < BLOCKS; i++) {
		struct block *b = &blocks[i];

		for (j = 0; j < FRAMES; j++)
			if (b->gfn + j >= gfn && b->gfn + j - gfn < n && *leaf_of(b->gfn + j))
				ret |= fn(leaf_of(b->gfn + j));
	}
	return ret;
}

static int model_clear(u64 *leaf)
{
	*leaf = 0;
	return EPT_NEED_FLUSH;
}

static int model_wrprotect(u64 gfn, u64 mask)
{
	int i, ret = 0;
	struct block *b;

	for (i = 0; i < 64; i++) {
		b = block_of(gfn + i);
		if (!(mask >> i & 1) || !b || b->huge || !(*leaf_of(gfn + i) & EPT_WRITE))
			continue;
		*leaf_of(gfn + i) &= ~EPT_WRITE;
		ret = EPT_NEED_FLUSH;
	}
	return ret;
}

static bool model_allow_write(u64 gfn)
{
	struct block *b = block_of(gfn);

	if (!b || b->huge || !(*leaf_of(gfn) & EPT_HOST_WRITE))
		return false;
	*leaf_of(gfn) |= EPT_WRITE;
	return true;
}

static int model_is_young(u64 *leaf)
{
	return !!(*leaf & EPT_ACCESSED);
}

static int model_make_old(u64 *leaf)
{
	int ret = model_is_young(leaf);

	*leaf &= ~EPT_ACCESSED;
	return ret;
}

/* Tables whose whole block goes are unlinked, as long as the list of the dead has room. */
static int model_unmap(u64 gfn, u64 n)
{
	int i, ret = model_range(gfn, n, model_clear);

	for (i = 0; i < BLOCKS; i++) {
		struct block *b = &blocks[i];

		b->huge &= !!b->leaf[0];
		if (b->table && gfn <= b->gfn && b->gfn + FRAMES <= gfn + n &&
		    buried < EPT_DEAD_MAX) {
			b->table = false;
			buried++;
			ret = EPT_NEED_FLUSH;
		}
	}
	return ret;
}

/* The same memory and no right less: all frames stay, executable like this one. */
static void model_split(struct block *b, u64 gfn, u64 leaf)
{
	u64 whole = b->leaf[0] & ~EPT_HUGE;
	bool keep = (whole & EPT_ADDR) + ((gfn - b->gfn) << 12) == (leaf & EPT_ADDR) &&
		    !(whole & EPT_RWX & ~leaf);
	int i;

	for (i = 0; i < FRAMES; i++)
		b->leaf[i] = keep ? (whole + ((u64)i << 12)) | (leaf & EPT_EXEC) : 0;
}

static int model_map(u64 gfn, int level, u64 leaf)
{
	struct block *b = block_of(gfn);
	u64 old = *leaf_of(gfn);
	bool split = b->huge && level == 1;

	if (split)
		model_split(b, gfn, leaf);
	b->above = true;
	b->huge = level == 2;
	b->table = level == 1;
	*leaf_of(gfn) = leaf | (level == 2 ? EPT_HUGE : 0);
	if (!old)
		return 0;
	return split || ((old ^ leaf) & EPT_ADDR) || (old & ~leaf & EPT_RWX) ? EPT_NEED_FLUSH : 0;
}

static void map(u64 gfn, int level, u64 leaf)
{
	int levels = ept.levels, had, tables = tables_expected();

	while (cache.n < levels - 1)
		cache.table[cache.n++] = table_alloc();
	had = cache.n;
	CHECK_EQ(ept_map(&ept, gfn, level, leaf, &cache), model_map(gfn, level, leaf));
	CHECK_EQ(had - cache.n, tables_expected() - tables);
}

static void random_map(void)
{
	struct block *b = &blocks[one_in(3) ? below(BLOCKS) : 4 + below(20)];
	u64 leaf = EPT_READ | EPT_MEMTYPE_WB | (any() & (EPT_WRITE | EPT_EXEC | EPT_ACCESSED | EPT_HOST_WRITE));
	u64 gfn = b->gfn + (one_in(2) ? below(4) : below(FRAMES)), pfn = below(1 << 20);

	/* As ept_fault.c: no 2 MiB leaf over a table. */
	if (one_in(3) && ept_find(&ept, gfn).level != 1) {
		CHECK(!b->table);
		if (b->huge && one_in(2))
			pfn = (b->leaf[0] & EPT_ADDR) >> 12;
		map(b->gfn, 2, (pfn & ~511ull) << 12 | leaf);
	} else {
		if (*leaf_of(gfn) && one_in(2))
			pfn = ((*leaf_of(gfn) & EPT_ADDR) >> 12) + (b->huge ? gfn - b->gfn : 0);
		map(gfn, 1, pfn << 12 | leaf);
	}
}

/* Leaves behind one that is there, to the end of its table at most. */
static void random_ahead(void)
{
	struct block *b = &blocks[below(BLOCKS)];
	u64 i = below(FRAMES), n = below(8), j, leaf[8];

	if (b->huge || !b->leaf[i])
		return;
	if (i + n >= FRAMES)
		n = FRAMES - 1 - i;
	for (j = 0; j < n; j++) {
		leaf[j] = below(1 << 20) << 12 | EPT_READ | EPT_WRITE;
		if (!b->leaf[i + 1 + j])
			b->leaf[i + 1 + j] = leaf[j];
	}
	ept_map_ahead(&ept, b->gfn + i, leaf, n);
}

static void random_range(u64 *gfn, u64 *n)
{
	u64 end = 1ull << 9 * ept.levels;

	*gfn = blocks[below(BLOCKS)].gfn + (one_in(2) ? 0 : below(FRAMES));
	*n = one_in(8) ? end : one_in(2) ? FRAMES * below(20) : below(2 * FRAMES);
	if (one_in(10))
		*gfn = 0;
	if (*gfn + *n > end)
		*n = end - *gfn;
}

/* Every dead table is ours, and out of reach: it can be freed, once each. */
static void take_dead(void)
{
	u64 *dead[EPT_DEAD_MAX];
	int n = ept_take_dead(&ept, dead);

	CHECK_EQ(n, buried);
	while (n)
		table_free(dead[--n]);
	buried = 0;
}

static void random_change(void)
{
	bool clear = one_in(2);
	u64 gfn, n, mask;

	random_range(&gfn, &n);
	switch (below(16)) {
	case 0: case 1: case 2:
		CHECK_EQ(ept_unmap(&ept, gfn, n), model_unmap(gfn, n));
		break;
	case 3:
		mask = any() & any();
		CHECK_EQ(ept_wrprotect(&ept, gfn, mask), model_wrprotect(gfn, mask));
		break;
	case 6:
		CHECK_EQ(ept_allow_write(&ept, gfn), model_allow_write(gfn));
		break;
	case 7:
		random_ahead();
		break;
	case 4:
		CHECK_EQ(ept_clear_young(&ept, gfn, n, clear),
			 model_range(gfn, n, clear ? model_make_old : model_is_young));
		break;
	case 5:
		take_dead();
		break;
	default:
		random_map();
	}
}

static void run_random(int levels)
{
	int i;

	start(levels);
	for (i = 0; i < 6000 && !unit_bad; i++) {
		random_change();
		compare();
	}
	finish();
}

static void four_levels_map_what_the_model_maps(void)
{
	run_random(4);
}

static void five_levels_map_what_the_model_maps(void)
{
	run_random(5);
}

/* ---- by hand */

static void a_range_of_no_pages_is_nothing(void)
{
	start(4);
	map(0, 1, 0x5000 | EPT_RWX);
	CHECK_EQ(ept_unmap(&ept, 0, 0), 0);
	CHECK_EQ(ept_wrprotect(&ept, 0, 0), 0);
	CHECK_EQ(ept_clear_young(&ept, 0, 0, true), false);
	compare();
	finish();
}

static void a_full_list_of_the_dead_leaves_tables_in_place(void)
{
	int i;

	start(4);
	for (i = 4; i < 24; i++)
		map(blocks[i].gfn + i, 1, 0x5000 | EPT_RWX);
	CHECK_EQ(ept_unmap(&ept, 0, 1ull << 36), model_unmap(0, 1ull << 36));
	CHECK_EQ(buried, EPT_DEAD_MAX);
	compare();
	take_dead();
	compare();
	CHECK_EQ(ept_unmap(&ept, 0, 1ull << 36), model_unmap(0, 1ull << 36));
	CHECK_EQ(buried, 20 - EPT_DEAD_MAX);
	compare();
	finish();		/* frees those, too */
}

static void one_mapping_needs_at_most_what_the_cache_holds(void)
{
	start(5);
	map((1ull << 45) - 1, 1, 0x5000 | EPT_RWX);
	CHECK_EQ(cache.n, 0);
	compare();
	finish();
}

int main(void)
{
	RUN(four_levels_map_what_the_model_maps);
	RUN(five_levels_map_what_the_model_maps);
	RUN(a_range_of_no_pages_is_nothing);
	RUN(a_full_list_of_the_dead_leaves_tables_in_place);
	RUN(one_mapping_needs_at_most_what_the_cache_holds);
	return unit_end();
}
