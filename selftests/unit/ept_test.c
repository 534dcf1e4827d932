// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: after any sequence of changes the tables of module/mm/ept.c map what a flat array
 * says, note whenever a right was lost, keep what the processor writes, and no table page is
 * lost or freed twice.
 */

/* Who looks at an entry and then changes it: between the two the processor may write it. */
static void processor(const volatile void *entry);
#undef READ_ONCE
#undef WRITE_ONCE
#define READ_ONCE(x)	({						\
	typeof(x) shim_value = *(const volatile typeof(x) *)&(x);	\
	processor(&(x));						\
	shim_value;							\
})
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#include "ept_model.h"

static u64 *to_write, bits_to_write;

static void processor(const volatile void *entry)
{
	if (entry != to_write)
		return;
	to_write = NULL;
	__atomic_fetch_or((u64 *)entry, bits_to_write, __ATOMIC_SEQ_CST);
}

static void processor_writes(u64 gfn, u64 bits)
{
	to_write = ept_find(&ept, gfn).entry;
	bits_to_write = bits;
}

/* ---- changes, to both */

/* Call @fn for each leaf of the model that touches a range; the OR of what it says. */
static bool model_range(u64 gfn, u64 n, bool (*fn)(u64 *leaf))
{
	bool ret = false;
	int i, j;

	for (i = 0; i < BLOCKS; i++) {
		struct block *b = &blocks[i];

		for (j = 0; j < FRAMES; j++)
			if (b->gfn + j >= gfn && b->gfn + j - gfn < n && *leaf_of(b->gfn + j))
				ret |= fn(leaf_of(b->gfn + j));
	}
	return ret;
}

static bool model_clear(u64 *leaf)
{
	*leaf = 0;
	return true;
}

/* Has one of the 4 KiB leaves lost @bit? */
static bool model_take(u64 gfn, u64 mask, u64 bit)
{
	bool ret = false;
	struct block *b;
	int i;

	for (i = 0; i < 64; i++) {
		b = block_of(gfn + i);
		if (!(mask >> i & 1) || !b || b->huge || !(*leaf_of(gfn + i) & bit))
			continue;
		*leaf_of(gfn + i) &= ~bit;
		ret = true;
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

static bool model_is_young(u64 *leaf)
{
	return *leaf & EPT_ACCESSED;
}

static bool model_make_old(u64 *leaf)
{
	bool ret = model_is_young(leaf);

	*leaf &= ~EPT_ACCESSED;
	return ret;
}

static bool touches(u64 gfn, u64 n, u64 first, u64 span)
{
	return n && first < gfn + n && gfn < first + span;
}

/* Does a table of leaves go with a range? All of it does, or nobody needs it. */
static bool table_goes(const struct block *b, u64 gfn, u64 n, bool trim)
{
	int i;

	if (!b->table || !touches(gfn, n, b->gfn, FRAMES))
		return false;
	if (gfn <= b->gfn && b->gfn + FRAMES <= gfn + n)
		return true;
	for (i = 0; trim && i < FRAMES; i++)
		if (b->leaf[i])
			return false;
	return trim;
}

/* Then those above it that it leaves empty. */
static bool model_unlink(u64 gfn, u64 n, bool trim)
{
	bool went[BLOCKS] = { false }, ret = false;
	int i, level;

	for (i = 0; i < BLOCKS; i++) {
		went[i] = table_goes(&blocks[i], gfn, n, trim);
		blocks[i].table &= !went[i];
		ret |= went[i];
	}
	for (level = 2; level < ept.levels; level++)
		for (i = 0; i < BLOCKS; i++) {
			u64 span = 1ull << 9 * level, first = blocks[i].gfn & ~(span - 1);
			bool below = trim && touches(gfn, n, first, span);
			int j;

			for (j = 0; j < BLOCKS; j++)
				below |= went[j] && blocks[j].gfn / span == blocks[i].gfn / span;
			if (!below || !has_table(blocks[i].gfn, level) ||
			    !has_empty_table(blocks[i].gfn, level)) {
				continue;
			}
			lose_table(blocks[i].gfn, level);
			went[i] = ret = true;
		}
	return ret;
}

static bool model_unmap(u64 gfn, u64 n, bool trim)
{
	bool ret = model_range(gfn, n, model_clear);
	int i;

	for (i = 0; i < BLOCKS; i++)
		blocks[i].huge &= !!blocks[i].leaf[0];
	return model_unlink(gfn, n, trim) || ret;
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

/* Were rights lost? The same page keeps what it has; a table in place of a huge leaf counts. */
static bool model_map(u64 gfn, int level, u64 leaf)
{
	struct block *b = block_of(gfn);
	u64 old = *leaf_of(gfn);
	bool split = b->huge && level == 1;
	int i;

	if (split)
		model_split(b, gfn, leaf);
	for (i = 2; i < ept.levels; i++)
		b->above[i] = true;
	b->huge = level == 2;
	b->table = level == 1;
	if (level == 2)
		leaf |= EPT_HUGE;
	if (split)
		old = *leaf_of(gfn);
	*leaf_of(gfn) = old && !((old ^ leaf) & EPT_ADDR) ? old | leaf : leaf;
	return split || (old && ((old ^ leaf) & EPT_ADDR));
}

/* After each change, as ept_unlock(): what was stale is flushed, dead tables are freed. */
static void changed(bool stale)
{
	CHECK_EQ(ept.stale, stale);
	ept.stale = false;
	ept_free_list(ept_take_retired(&ept), table_free);
}

static void map(u64 gfn, int level, u64 leaf)
{
	int levels = ept.levels, had, tables = tables_expected();
	bool stale = model_map(gfn, level, leaf);

	while (cache.n < levels - 1)
		cache.table[cache.n++] = table_alloc();
	had = cache.n;
	ept_map(&ept, gfn, level, leaf, &cache);
	CHECK_EQ(had - cache.n, tables_expected() - tables);
	changed(stale);
}

static void unmap(u64 gfn, u64 n, bool trim)
{
	bool stale = model_unmap(gfn, n, trim);
	u64 done = 0;

	while (done < n)
		done += ept_unmap(&ept, gfn + done, n - done, trim ? EPT_TRIM : 0);
	CHECK_EQ(done, n);
	changed(stale);
}

static void random_map(void)
{
	struct block *b = &blocks[one_in(3) ? below(BLOCKS) : 4 + below(20)];
	u64 leaf = EPT_READ | EPT_MEMTYPE_WB | (any() & (EPT_WRITE | EPT_EXEC | EPT_ACCESSED | EPT_DIRTY | EPT_HOST_WRITE));
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
static void random_around(void)
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
	ept_map_around(&ept, b->gfn + i, leaf, n);
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

static void random_change(void)
{
	bool clear = one_in(2);
	u64 gfn, n, mask;

	random_range(&gfn, &n);
	switch (below(16)) {
	case 0: case 1: case 2:
		unmap(gfn, n, clear);
		break;
	case 3:
		mask = any() & any();
		ept_wrprotect(&ept, gfn, mask);
		changed(model_take(gfn, mask, EPT_WRITE));
		break;
	case 5:
		mask = any() & any();
		ept_make_clean(&ept, gfn, mask);
		changed(model_take(gfn, mask, EPT_DIRTY));
		break;
	case 6:
		CHECK_EQ(ept_allow_write(&ept, gfn), model_allow_write(gfn));
		break;
	case 7:
		random_around();
		break;
	case 4:
		CHECK_EQ(ept_clear_young(&ept, gfn, n, clear),
			 model_range(gfn, n, clear ? model_make_old : model_is_young));
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
	CHECK_EQ(ept_unmap(&ept, 0, 0, EPT_TRIM), 0);
	ept_wrprotect(&ept, 0, 0);
	CHECK_EQ(ept_clear_young(&ept, 0, 0, true), false);
	changed(false);
	compare();
	finish();
}

/* Tables of 4 KiB leaves for 1 GiB, full. */
static void map_gib(u64 first)
{
	u64 gfn;

	for (gfn = first; gfn < first + (1 << 18); gfn++) {
		while (cache.n < 3)
			cache.table[cache.n++] = table_alloc();
		ept_map(&ept, gfn, 1, gfn << 12 | EPT_RWX, &cache);
	}
}

static void a_step_is_bounded_and_all_steps_free_every_table(void)
{
	u64 first = 1 << 18, n = 3 << 17, done = 0;
	int steps = 0, before;

	start(4);
	map_gib(first);
	while (done < n) {
		before = ept.tables;
		done += ept_unmap(&ept, first + done, n - done, 0);
		CHECK(before - ept.tables <= (1 << 14) / FRAMES + 1);
		CHECK(ept.stale);
		changed(true);
		steps++;
	}
	CHECK_EQ(done, n);
	CHECK(steps >= 16);
	CHECK_EQ(ept.tables, 0);
	finish();
}

static void a_small_slot_that_goes_leaves_no_table(void)
{
	start(4);
	map(FRAMES + 7, 1, 0x5000 | EPT_RWX);
	map(FRAMES + 9, 1, 0x6000 | EPT_RWX);
	unmap(FRAMES + 7, 1, true);
	CHECK_EQ(ept.tables, 3);
	unmap(FRAMES + 9, 1, true);
	CHECK_EQ(ept.tables, 0);
	compare();
	finish();
}

/* A second vCPU's read fault comes late: the first one has written the page meanwhile. */
static void a_map_of_the_same_page_takes_nothing_from_it(void)
{
	const u64 read = 0x5000 | EPT_READ | EPT_EXEC;
	u64 *leaf;

	start(4);
	map(3, 1, read | EPT_WRITE | EPT_ACCESSED | EPT_DIRTY);
	map(3, 1, read);
	leaf = ept_find(&ept, 3).entry;
	CHECK_EQ(*leaf, read | EPT_WRITE | EPT_ACCESSED | EPT_DIRTY);
	ept_make_clean(&ept, 3, 1);
	changed(true);		/* or what is cached as dirty stays so */
	CHECK_EQ(*leaf, read | EPT_WRITE | EPT_ACCESSED);
	finish();
}

/* The processor sets bits of its own accord, here between a look at an entry and its change. */
static void bits_that_the_processor_sets_meanwhile_stay(void)
{
	const u64 small = 0x5000 | EPT_READ | EPT_WRITE | EPT_HOST_WRITE, huge = 0x200000 | EPT_RWX;
	const u64 ad = EPT_ACCESSED | EPT_DIRTY;

	start(4);
	map(3, 1, small | EPT_ACCESSED);
	processor_writes(3, EPT_DIRTY);
	ept_clear_young(&ept, 3, 1, true);
	CHECK_EQ(*ept_find(&ept, 3).entry, small | EPT_DIRTY);
	processor_writes(3, ad);
	ept_wrprotect(&ept, 3, 1);
	CHECK_EQ(*ept_find(&ept, 3).entry, (small & ~EPT_WRITE) | ad);
	ept_make_clean(&ept, 3, 1);
	ept_clear_young(&ept, 3, 1, true);
	processor_writes(3, EPT_ACCESSED);
	ept_allow_write(&ept, 3);
	CHECK_EQ(*ept_find(&ept, 3).entry, small | EPT_ACCESSED);
	processor_writes(3, ad);
	ept_map(&ept, 3, 1, small, &cache);
	CHECK_EQ(*ept_find(&ept, 3).entry, small | ad);
	changed(true);
	map(FRAMES, 2, huge);
	processor_writes(FRAMES, ad);
	map(FRAMES + 1, 1, huge + 0x1000);
	CHECK_EQ(*ept_find(&ept, FRAMES + 2).entry, (huge + 0x2000) | ad);
	finish();
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
	RUN(a_step_is_bounded_and_all_steps_free_every_table);
	RUN(a_small_slot_that_goes_leaves_no_table);
	RUN(a_map_of_the_same_page_takes_nothing_from_it);
	RUN(bits_that_the_processor_sets_meanwhile_stay);
	RUN(one_mapping_needs_at_most_what_the_cache_holds);
	return unit_end();
}
