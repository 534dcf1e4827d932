// SPDX-License-Identifier: GPL-2.0
/*
 * Extended page tables: map, unmap, write-protect, look. See ept.h.
 *
 * Who calls: mm/ept_fault.c maps; mm/notifier.c, mm/memslot.c, mm/dirty_log.c
 * take rights away. Left out: 1 GiB leaves, and merging 4 KiB leaves to 2 MiB
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

static void set_entry(u64 *entry, u64 value)
{
	*(volatile u64 *)entry = value;
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

/*
 * A 2 MiB leaf becomes a table. Where @leaf, of the frame @gfn, is the same memory with
 * no right less, the other frames keep theirs and may be executed like it; else they go.
 */
static void split(struct ept *ept, u64 *entry, u64 gfn, u64 leaf, struct ept_cache *cache)
{
	u64 old = *entry & ~EPT_HUGE, *table = cache->table[--cache->n];
	u64 same = old + (gfn % EPT_ENTRIES << 12);
	int i;

	if (!((same ^ leaf) & EPT_ADDR) && !(old & ~leaf & EPT_RWX))
		for (i = 0; i < EPT_ENTRIES; i++)
			set_entry(&table[i], (old | (leaf & EPT_EXEC)) + ((u64)i << 12));
	ept->tables++;
	set_entry(entry, ept_pa(table) | EPT_RWX);
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
 * where a 2 MiB leaf may not be.
 *
 * Return: 0 or EPT_NEED_FLUSH.
 */
int ept_map(struct ept *ept, u64 gfn, int level, u64 leaf, struct ept_cache *cache)
{
	u64 *table = ept->root, *entry;
	int l, flush = 0;
	u64 old;

	for (l = ept->levels; l > level; l--) {
		entry = &table[index_of(gfn, l)];
		if (*entry && is_leaf(*entry, l)) {
			split(ept, entry, gfn, leaf, cache);
			flush = EPT_NEED_FLUSH;
		}
		table = table_below(ept, entry, cache);
	}
	entry = &table[index_of(gfn, level)];
	old = *entry;
	set_entry(entry, leaf | (level > 1 ? EPT_HUGE : 0));
	/* Another page, or fewer rights than before: stale translations may exist. */
	if ((old & EPT_RWX) && (((old ^ leaf) & EPT_ADDR) || (old & ~leaf & EPT_RWX)))
		flush = EPT_NEED_FLUSH;
	return flush;
}

/**
 * ept_map_ahead - install the 4 KiB leaves behind one that ept_map() installed
 * @ept: tables
 * @gfn: of that one
 * @leaf: for the frames that follow; a frame that is mapped keeps what it has
 * @n: how many; none is in another table
 */
void ept_map_ahead(struct ept *ept, u64 gfn, const u64 *leaf, int n)
{
	u64 *entry = ept_find(ept, gfn).entry;

	for (; n; n--, leaf++)
		if (!*++entry)
			set_entry(entry, *leaf);
}

/* Unlink a table of 4 KiB leaves whose every entry is gone. */
static void bury(struct ept *ept, u64 *entry)
{
	if (ept->ndead == EPT_DEAD_MAX)
		return;
	ept->dead[ept->ndead++] = ept_va(*entry & EPT_ADDR);
	set_entry(entry, 0);
}

/*
 * What a range operation does to one leaf. Returns EPT_NEED_FLUSH or 0.
 */
typedef int (*leaf_fn)(u64 *entry);

static int walk_range(struct ept *ept, u64 *table, int level, u64 base, u64 first, u64 last,
		      leaf_fn fn, bool bury_tables)
{
	u64 span = span_of(level), start;
	int i, flush = 0;

	i = first > base ? (first - base) / span : 0;
	for (; i < EPT_ENTRIES; i++) {
		start = base + i * span;
		if (start > last)
			break;
		if (!table[i])
			continue;
		if (is_leaf(table[i], level)) {
			flush |= fn(&table[i]);
			continue;
		}
		flush |= walk_range(ept, ept_va(table[i] & EPT_ADDR), level - 1, start, first,
				    last, fn, bury_tables);
		if (bury_tables && level == 2 && first <= start && last >= start + span - 1)
			bury(ept, &table[i]);
	}
	return flush;
}

static int range(struct ept *ept, u64 gfn, u64 npages, leaf_fn fn, bool bury_tables)
{
	if (!npages)
		return 0;
	return walk_range(ept, ept->root, ept->levels, 0, gfn, gfn + npages - 1, fn, bury_tables);
}

static int clear_leaf(u64 *entry)
{
	set_entry(entry, 0);
	return EPT_NEED_FLUSH;
}

/**
 * ept_unmap - remove all leaves that touch a range
 * @ept: tables
 * @gfn: first frame
 * @npages: how many; a 2 MiB leaf that is partly inside goes whole
 *
 * Return: EPT_NEED_FLUSH if something was there.
 */
int ept_unmap(struct ept *ept, u64 gfn, u64 npages)
{
	int dead = ept->ndead;
	int flush = range(ept, gfn, npages, clear_leaf, true);

	return ept->ndead != dead ? EPT_NEED_FLUSH : flush;
}

/* The 4 KiB leaf of a frame, found from that of the one before if they share a table. */
static u64 *next_leaf(struct ept *ept, u64 gfn, u64 *before, u64 before_gfn)
{
	struct ept_leaf leaf;

	if (before && gfn / EPT_ENTRIES == before_gfn / EPT_ENTRIES)
		return before + (gfn - before_gfn);
	leaf = ept_find(ept, gfn);
	return leaf.level == 1 ? leaf.entry : NULL;
}

/* Take a bit from 4 KiB leaves. */
static int take(struct ept *ept, u64 gfn, u64 mask, u64 what)
{
	u64 *entry = NULL, before = 0, bit;
	int flush = 0;

	for (; mask; mask &= mask - 1) {
		bit = gfn + __builtin_ctzll(mask);
		entry = next_leaf(ept, bit, entry, before);
		before = bit;
		if (!entry || !(*entry & what))
			continue;
		set_entry(entry, *entry & ~what);
		flush = EPT_NEED_FLUSH;
	}
	return flush;
}

/**
 * ept_wrprotect - take the write right from 4 KiB leaves
 * @ept: tables
 * @gfn: first frame
 * @mask: bit n stands for frame gfn + n
 *
 * Return: EPT_NEED_FLUSH if one was writable.
 */
int ept_wrprotect(struct ept *ept, u64 gfn, u64 mask)
{
	return take(ept, gfn, mask, EPT_WRITE);
}

/**
 * ept_make_clean - clear the dirty bit of 4 KiB leaves
 * @ept: tables of a processor with dirty bits
 * @gfn: first frame
 * @mask: bit n stands for frame gfn + n
 *
 * The processor sets it concurrently, but not where it is set already, nor the
 * accessed bit of such a leaf: nothing is lost.
 *
 * Return: EPT_NEED_FLUSH if one was dirty.
 */
int ept_make_clean(struct ept *ept, u64 gfn, u64 mask)
{
	return take(ept, gfn, mask, EPT_DIRTY);
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
	set_entry(leaf.entry, *leaf.entry | EPT_WRITE);
	return true;
}

static int test_young_leaf(u64 *entry)
{
	return !!(*entry & EPT_ACCESSED);
}

static int clear_young_leaf(u64 *entry)
{
	/* The processor sets the bit concurrently; losing one set is harmless here. */
	if (!(*entry & EPT_ACCESSED))
		return 0;
	set_entry(entry, *entry & ~EPT_ACCESSED);
	return 1;
}

/**
 * ept_clear_young - was the range accessed since the last call?
 * @ept: tables of a processor with accessed bits
 * @gfn: first frame
 * @npages: how many
 * @clear: start anew
 *
 * The processor may have cached the bit: without a flush the answer is a hint.
 */
bool ept_clear_young(struct ept *ept, u64 gfn, u64 npages, bool clear)
{
	return range(ept, gfn, npages, clear ? clear_young_leaf : test_young_leaf, false);
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
 * ept_take_dead - hand over unlinked tables; free them after a flush
 * @ept: tables
 * @dead: filled
 *
 * Return: how many.
 */
int ept_take_dead(struct ept *ept, u64 *dead[EPT_DEAD_MAX])
{
	int i, n = ept->ndead;

	for (i = 0; i < n; i++)
		dead[i] = ept->dead[i];
	ept->tables -= n;
	ept->ndead = 0;
	return n;
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
	int i;

	for (i = 0; i < ept->ndead; i++)
		free(ept->dead[i]);
	free_below(ept->root, ept->levels, free);
	ept->root = NULL;
	ept->tables = 0;
	ept->ndead = 0;
}
