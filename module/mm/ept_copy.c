// SPDX-License-Identifier: GPL-2.0
/*
 * Extended page tables that are a VM's but for a few frames; see ept_copy.h.
 *
 * Called by mm/ept_private.c. Such a copy is right as long as the VM's tables have lost
 * nothing since: the caller compares vm->ept_gen, as a processor does for its TLB.
 */
#ifdef __KERNEL__
#include <linux/string.h>
#else
#include <string.h>
#endif

#include "ept_copy.h"

#define INDEX_BITS	9

static u64 *copy_entry_of(u64 *table, u64 gfn, int level)
{
	return &table[gfn >> (INDEX_BITS * (level - 1)) & (EPT_ENTRIES - 1)];
}

static bool is_own(const struct ept_copy *copy, const u64 *table)
{
	int i;

	for (i = 0; i < copy->used; i++)
		if (copy->table[i] == table)
			return true;
	return false;
}

/* What was below an entry, in a table of 4 KiB leaves: the processor sees no difference. */
static void copy_fill_split(u64 *table, u64 huge)
{
	int i;

	for (i = 0; i < EPT_ENTRIES; i++)
		table[i] = (huge & ~EPT_HUGE) + ((u64)i << 12);
}

/* The copy's own table behind an entry, made from what is there. NULL: none is left. */
static u64 *own_table(struct ept_copy *copy, u64 *entry)
{
	u64 *old = *entry && !(*entry & EPT_HUGE) ? ept_va(*entry & EPT_ADDR) : NULL, *table;

	if (old && is_own(copy, old))
		return old;
	if (copy->used == copy->n)
		return NULL;
	table = copy->table[copy->used++];
	if (old)
		memcpy(table, old, EPT_ENTRIES * sizeof(u64));
	else if (*entry)
		copy_fill_split(table, *entry);
	else
		memset(table, 0, EPT_ENTRIES * sizeof(u64));
	*entry = ept_pa(table) | EPT_RWX;
	return table;
}

/**
 * ept_copy_root - start anew: all is as in the VM's tables
 * @copy: with one table at least
 * @ept: the VM's
 */
void ept_copy_root(struct ept_copy *copy, const struct ept *ept)
{
	memcpy(copy->table[0], ept->root, EPT_ENTRIES * sizeof(u64));
	copy->used = 1;
}

/**
 * ept_copy_map - let one frame be another page in the copy
 * @copy: after ept_copy_root()
 * @levels: of the VM's tables
 * @gfn: frame
 * @leaf: host physical address and EPT_* bits
 *
 * Leaves of 2 MiB on the way are split in the copy alone.
 *
 * Return: false if there are not enough tables; levels - 1 for each frame are.
 */
bool ept_copy_map(struct ept_copy *copy, int levels, u64 gfn, u64 leaf)
{
	u64 *table = copy->table[0];
	int level;

	for (level = levels; level > 1; level--) {
		table = own_table(copy, copy_entry_of(table, gfn, level));
		if (!table)
			return false;
	}
	*copy_entry_of(table, gfn, 1) = leaf;
	return true;
}
