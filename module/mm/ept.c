// SPDX-License-Identifier: GPL-2.0
/*
 * Extended page tables: map, unmap, write-protect, look. See ept.h.
 *
 * Who calls: mm/ept_fault.c maps; mm/vm_ept.c, mm/notifier.c, mm/dirty_log.c take rights
 * away. Left out: 1 GiB leaves, and merging 4 KiB leaves to 2 MiB
 * (the tables go when the whole range is unmapped, and come back huge).
 */
#include "ept.h"

#define INDEX_BITS	9
#define INDEX_MASK	(EPT_ENTRIES - 1)

static unsigned int index_of(u64 gfn, int level)
{
	return gfn >> (INDEX_BITS * (level - 1)) & INDEX_MASK;
}

/* Pages that one entry of this level spans. */
static u64 span_of(int level)
{
	return 1ull << (INDEX_BITS * (level - 1));
}

static bool is_leaf(u64 entry, int level)
{
	return level == 1 || (entry & EPT_HUGE);
}

/* Of an entry that no processor can be writing: it maps nothing, or nobody can reach it. */
static void set_entry(u64 *entry, u64 value)
{
	WRITE_ONCE(*entry, value);
}

/* Of any other the processor may set the accessed or the dirty bit at any moment. */
static void add_bits(u64 *entry, u64 bits)
{
	u64 old = READ_ONCE(*entry);

	while ((old & bits) != bits && !try_cmpxchg(entry, &old, old | bits))
		;
}

/* Those that were there. */
static u64 take_bits(u64 *entry, u64 bits)
{
	u64 old = READ_ONCE(*entry);

	while ((old & bits) && !try_cmpxchg(entry, &old, old & ~bits))
		;
	return old & bits;
}

/* The table behind an entry, made from the cache if there is none. */
static u64 *table_below(struct ept *ept, u64 *entry, struct ept_cache *cache)
{
	u64 *table;

	if (*entry)
		return ept_va(*entry & EPT_ADDR);
	table = cache->table[--cache->n];
	ept->tables++;
	set_entry(entry, ept_pa(table) | EPT_RWX);
	return table;
}

/* The 4 KiB leaves of a table that takes the place of a 2 MiB leaf. */
static void ept_fill_split(u64 *table, u64 old)
{
	int i;

	for (i = 0; i < EPT_ENTRIES; i++)
		set_entry(&table[i], old + ((u64)i << 12));
}

/*
 * A 2 MiB leaf becomes a table. Where @leaf, of the frame @gfn, is the same memory with
 * no right less, the other frames keep theirs and may be executed like it; else they go.
 */
static void ept_split(struct ept *ept, u64 *entry, u64 gfn, u64 leaf, struct ept_cache *cache)
{
	u64 *table = cache->table[--cache->n], old = READ_ONCE(*entry), small, same;

	do {
		small = (old & ~EPT_HUGE) | (leaf & EPT_EXEC);
		same = (old & EPT_ADDR) + (gfn % EPT_ENTRIES << 12);
		if (same == (leaf & EPT_ADDR) && !(old & ~leaf & EPT_RWX))
			ept_fill_split(table, small);
	} while (!try_cmpxchg(entry, &old, ept_pa(table) | EPT_RWX));
	ept_note_loss(ept, old, ept_pa(table) | EPT_RWX);
	ept->tables++;
	ept->stale = true;
}

/* Another page where one was, or the same with more rights: what it has it keeps. */
static void replace_leaf(struct ept *ept, u64 *entry, u64 old, u64 leaf)
{
	if (!((old ^ leaf) & EPT_ADDR)) {
		add_bits(entry, leaf);
		return;
	}
	ept_note_loss(ept, xchg(entry, leaf), leaf);
	ept->stale = true;
}

/**
 * ept_map - install a leaf
 * @ept: tables
 * @gfn: first guest frame, aligned to the level
 * @level: 1 for 4 KiB, 2 for 2 MiB
 * @leaf: host physical address and EPT_* bits, EPT_HUGE left to this function
 * @cache: at least levels - 1 zeroed tables; what is left stays there
 *
 * A 2 MiB leaf is not put over a table of 4 KiB leaves: the caller asks with
 * ept_find() first. A 4 KiB leaf splits a 2 MiB one: that is how code gets executable
 * where a 2 MiB leaf may not be. Where the same page is mapped already, it keeps its
 * rights and its accessed and dirty bits: another vCPU may be using them.
 */
void ept_map(struct ept *ept, u64 gfn, int level, u64 leaf, struct ept_cache *cache)
{
	u64 *table = ept->root, *entry, old;
	int l;

	for (l = ept->levels; l > level; l--) {
		entry = &table[index_of(gfn, l)];
		if (*entry && is_leaf(*entry, l))
			ept_split(ept, entry, gfn, leaf, cache);
		table = table_below(ept, entry, cache);
	}
	if (level > 1)
		leaf |= EPT_HUGE;
	entry = &table[index_of(gfn, level)];
	old = READ_ONCE(*entry);
	if (old)
		replace_leaf(ept, entry, old, leaf);
	else
		set_entry(entry, leaf);
}

/**
 * ept_map_around - install the 4 KiB leaves behind one that ept_map() installed
 * @ept: tables
 * @gfn: of that one
 * @leaf: for the frames that follow; a frame that is mapped keeps what it has
 * @n: how many; none is in another table
 */
void ept_map_around(struct ept *ept, u64 gfn, const u64 *leaf, int n)
{
	u64 *entry = ept_find(ept, gfn).entry;

	for (; n; n--, leaf++)
		if (!*++entry)
			set_entry(entry, *leaf);
}

/*
 * Unlink a table that maps nothing. Dead ones are linked by their first entries: an address
 * of a page, of which the processor sees that no right is given.
 */
static void ept_unlink(struct ept *ept, u64 *entry)
{
	u64 *table = ept_va(*entry & EPT_ADDR);

	ept_note_loss(ept, xchg(entry, 0), 0);
	ept->stale = true;
	set_entry(&table[0], (u64)(unsigned long)ept->retired);
	ept->retired = table;
	ept->tables--;
}

/* What a range operation does to one leaf; true if there was something to do. */
typedef bool (*leaf_fn)(struct ept *ept, u64 *entry);

/* One call's way through a range of frames. */
struct range_op {
	struct ept *ept;
	u64 first, last;
	leaf_fn fn;
	bool unmap, trim;
	int budget;	/* work that is left; asked before each table */
	u64 next;	/* where it ended early */
	bool hit;	/* @fn has said so */
};

/* A step is about 16,000 leaves, some ten microseconds: nobody waits longer for ept_lock. */
#define STEP_BUDGET	(1 << 14)
#define TABLE_COST	64

static bool is_empty(const u64 *table)
{
	int i;

	for (i = 0; i < EPT_ENTRIES; i++)
		if (table[i])
			return false;
	return true;
}

/* What became of a table. */
enum walked { WALK_ENDED_EARLY, WALKED, WALKED_AND_BURIED /* one below it */ };

/* A table below was gone through: does it go? One of leaves was, under one lock. */
static bool is_over(const struct range_op *r, const u64 *table, int level, u64 start,
		    enum walked walked)
{
	if (level == 2 && r->first <= start && r->last >= start + span_of(level) - 1)
		return true;
	return (r->trim || walked == WALKED_AND_BURIED) && is_empty(table);
}

static enum walked walk_range(struct range_op *r, u64 *table, int level, u64 base);

/* The table behind an entry whose frames begin at @start. */
static enum walked walk_below(struct range_op *r, u64 *entry, int level, u64 start)
{
	u64 *table = ept_va(*entry & EPT_ADDR);
	enum walked walked;

	if (r->budget < 0) {
		r->next = start > r->first ? start : r->first;
		return WALK_ENDED_EARLY;
	}
	r->budget -= TABLE_COST;
	walked = walk_range(r, table, level - 1, start);
	if (walked == WALK_ENDED_EARLY || !r->unmap ||
	    !is_over(r, table, level, start, walked))
		return walked ? WALKED : WALK_ENDED_EARLY;
	ept_unlink(r->ept, entry);
	return WALKED_AND_BURIED;
}

static enum walked walk_range(struct range_op *r, u64 *table, int level, u64 base)
{
	enum walked result = WALKED, below;
	u64 span = span_of(level), start;
	int i;

	for (i = r->first > base ? (r->first - base) / span : 0; i < EPT_ENTRIES; i++) {
		start = base + i * span;
		if (start > r->last)
			break;
		if (!table[i])
			continue;
		r->budget--;
		if (is_leaf(table[i], level)) {
			r->hit |= r->fn(r->ept, &table[i]);
			continue;
		}
		below = walk_below(r, &table[i], level, start);
		if (below == WALK_ENDED_EARLY)
			return below;
		if (below == WALKED_AND_BURIED)
			result = below;
	}
	return result;
}

static bool clear_leaf(struct ept *ept, u64 *entry)
{
	ept_note_loss(ept, xchg(entry, 0), 0);
	ept->stale = true;
	return true;
}

/**
 * ept_unmap - remove leaves that touch a range, as many as one may at a time
 * @ept: tables
 * @gfn: first frame
 * @npages: how many; a 2 MiB leaf that is partly inside goes whole
 * @flags: EPT_TRIM or 0
 *
 * Tables whose every leaf is in the range go with them, see ept_take_retired().
 *
 * Return: how many frames are done; the caller calls again for the rest.
 */
u64 ept_unmap(struct ept *ept, u64 gfn, u64 npages, unsigned int flags)
{
	struct range_op r = {
		.ept = ept, .first = gfn, .last = gfn + npages - 1, .fn = clear_leaf,
		.unmap = true, .trim = flags & EPT_TRIM, .budget = STEP_BUDGET,
	};

	if (!npages || walk_range(&r, ept->root, ept->levels, 0) != WALK_ENDED_EARLY)
		return npages;
	return r.next - gfn;
}

/* The 4 KiB leaf of a frame, or NULL. */
static u64 *small_leaf(struct ept *ept, u64 gfn)
{
	struct ept_leaf leaf = ept_find(ept, gfn);

	return leaf.level == 1 ? leaf.entry : NULL;
}

/* Take a bit from 4 KiB leaves. */
static void ept_take(struct ept *ept, u64 gfn, u64 mask, u64 what)
{
	u64 *entry = NULL, bit;
	u64 before = 0;			/* Clever: next-leaf */

	for (; mask; mask &= mask - 1) {
		bit = gfn + __builtin_ctzll(mask);
		/*
		 * Clever: next-leaf: delete this and all still works, 60 instructions slower (row
		 * T11b). Frames of one table: from one leaf to the next.
		 */
		if (entry && bit / EPT_ENTRIES == before / EPT_ENTRIES)
			entry += bit - before;
		else
		/* Clever ends: next-leaf */
			entry = small_leaf(ept, bit);
		before = bit;		/* Clever: next-leaf */
		if (entry && take_bits(entry, what)) {
			ept_note_loss(ept, what | EPT_READ, EPT_READ);
			ept->stale = true;
		}
	}
}

/**
 * ept_wrprotect - take the write right from 4 KiB leaves
 * @ept: tables
 * @gfn: first frame
 * @mask: bit n stands for frame gfn + n
 */
void ept_wrprotect(struct ept *ept, u64 gfn, u64 mask)
{
	ept_take(ept, gfn, mask, EPT_WRITE);
}

/**
 * ept_make_clean - clear the dirty bit of 4 KiB leaves
 * @ept: tables of a processor with dirty bits
 * @gfn: first frame
 * @mask: bit n stands for frame gfn + n
 *
 * A processor that has cached a leaf as dirty writes without a word until the flush.
 */
void ept_make_clean(struct ept *ept, u64 gfn, u64 mask)
{
	ept_take(ept, gfn, mask, EPT_DIRTY);
}

/**
 * ept_allow_write - give a 4 KiB leaf back what ept_wrprotect() took
 * @ept: tables
 * @gfn: frame
 *
 * Return: false if it is not mapped, or the host does not allow to write it.
 */
bool ept_allow_write(struct ept *ept, u64 gfn)
{
	struct ept_leaf leaf = ept_find(ept, gfn);

	if (!leaf.entry || leaf.level != 1 || !(*leaf.entry & EPT_HOST_WRITE))
		return false;
	add_bits(leaf.entry, EPT_WRITE);
	return true;
}

static bool test_young_leaf(struct ept *ept, u64 *entry)
{
	return READ_ONCE(*entry) & EPT_ACCESSED;
}

static bool clear_young_leaf(struct ept *ept, u64 *entry)
{
	return take_bits(entry, EPT_ACCESSED);
}

/**
 * ept_clear_young - was the range accessed since the last call?
 * @ept: tables of a processor with accessed bits
 * @gfn: first frame
 * @npages: how many
 * @clear: start anew
 *
 * The processor may have cached the bit: without a flush the next answer is a hint.
 */
bool ept_clear_young(struct ept *ept, u64 gfn, u64 npages, bool clear)
{
	struct range_op r = {
		.ept = ept, .first = gfn, .last = gfn + npages - 1,
		.fn = clear ? clear_young_leaf : test_young_leaf, .budget = INT_MAX,
	};

	if (npages)
		walk_range(&r, ept->root, ept->levels, 0);
	return r.hit;
}

/**
 * ept_find - what maps a frame
 * @ept: tables
 * @gfn: frame
 *
 * Return: the leaf, or .entry NULL and .level of the lowest table that exists
 * on the way (1: there is a table of 4 KiB leaves).
 */
struct ept_leaf ept_find(const struct ept *ept, u64 gfn)
{
	u64 *table = ept->root;
	int level = ept->levels;

	for (;; level--) {
		u64 *entry = &table[index_of(gfn, level)];

		if (!*entry)
			return (struct ept_leaf) { NULL, level };
		if (is_leaf(*entry, level))
			return (struct ept_leaf) { entry, level };
		table = ept_va(*entry & EPT_ADDR);
	}
}

/**
 * ept_take_retired - hand over unlinked tables
 * @ept: tables
 *
 * Return: a list for ept_free_list(), after a flush.
 */
u64 *ept_take_retired(struct ept *ept)
{
	u64 *dead = ept->retired;

	ept->retired = NULL;
	return dead;
}

/**
 * ept_free_list - free tables that ept_take_retired() handed over
 * @dead: no processor walks them any more
 * @free: called for each
 */
void ept_free_list(u64 *dead, void (*free)(u64 *table))
{
	while (dead) {
		u64 *next = (u64 *)(unsigned long)dead[0];

		free(dead);
		dead = next;
	}
}

static void free_below(u64 *table, int level, void (*free)(u64 *table))
{
	int i;

	for (i = 0; level > 1 && i < EPT_ENTRIES; i++)
		if (table[i] && !is_leaf(table[i], level))
			free_below(ept_va(table[i] & EPT_ADDR), level - 1, free);
	free(table);
}

/**
 * ept_free_all - free every table; no processor uses them any more
 * @ept: tables
 * @free: called for each, the root last
 */
void ept_free_all(struct ept *ept, void (*free)(u64 *table))
{
	ept_free_list(ept_take_retired(ept), free);
	free_below(ept->root, ept->levels, free);
	ept->root = NULL;
	ept->tables = 0;
}
