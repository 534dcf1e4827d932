// SPDX-License-Identifier: GPL-2.0
/*
 * What must be true of a VM's EPT whenever slots or logs have changed, in a DEBUG build: each
 * entry is well formed, each leaf is a page of a slot and gives no right that the slot, the
 * host or the log refuses, and the tables are as many as were counted.
 *
 * Called by memslot.c and dirty_log.c at the end of a change. SDM "EPT Misconfigurations".
 */
#include "../vmx/vmx.h"
#include "memslot.h"

/* Tables that are looked at; the lock must not be held for long. */
#define TABLES_MAX	512

/* One way through the tables. */
struct ept_walk {
	const struct ept *ept;
	const struct memslots *slots;
	unsigned long tables;	/* seen below the root */
	const char *rule;	/* the first that is broken, or NULL */
	u64 gfn, entry;		/* where */
};

static u64 span_at(int level)
{
	return 1ull << 9 * (level - 1);
}

static bool walk_broken(struct ept_walk *w, bool broken, const char *rule)
{
	if (broken && !w->rule)
		w->rule = rule;
	return broken;
}

/* Bits that no entry has: an address that is too wide, or not aligned to what it maps. */
static bool has_reserved(u64 entry, int level)
{
	u64 low = (span_at(level) - 1) << PAGE_SHIFT;

	return (entry & EPT_ADDR & low) || (entry & EPT_ADDR) >> vmx_caps.phys_bits;
}

static bool table_entry_broken(struct ept_walk *w, u64 entry)
{
	return walk_broken(w, (entry & EPT_RWX) != EPT_RWX, "a table must give all rights") ||
	       walk_broken(w, (entry & GENMASK_ULL(7, 3)) || has_reserved(entry, 1),
			   "reserved bits of a table's entry must be 0");
}

static bool leaf_form_broken(struct ept_walk *w, u64 entry, int level)
{
	return walk_broken(w, level > 2, "a leaf must be of 4 KiB or 2 MiB") ||
	       walk_broken(w, !(entry & EPT_READ), "a leaf must be readable") ||
	       walk_broken(w, (entry & (7ull << 3)) != EPT_MEMTYPE_WB,
			   "a leaf's memory type must be write-back") ||
	       walk_broken(w, has_reserved(entry, level), "reserved bits of a leaf must be 0");
}

static bool leaf_broken(struct ept_walk *w, u64 entry, int level, u64 gfn)
{
	const struct memslot *slot = memslot_find(w->slots, gfn);
	bool write = entry & EPT_WRITE;
	u64 page;

	if (leaf_form_broken(w, entry, level) ||
	    walk_broken(w, !slot || slot->dying, "a leaf must be in a slot"))
		return true;
	page = gfn - slot->base_gfn;
	return walk_broken(w, span_at(level) > slot->npages - page,
			   "a leaf must not reach beyond its slot") ||
	       walk_broken(w, write && (slot->flags & MINIKVM_MEM_READONLY),
			   "a leaf of a read-only slot must not be writable") ||
	       walk_broken(w, write && !(entry & EPT_HOST_WRITE),
			   "a leaf must not be writable where the host does not allow it") ||
	       walk_broken(w, slot->dirty && level > 1,
			   "a leaf of a logged slot must be of 4 KiB") ||
	       walk_broken(w, slot->dirty && write && !vmx_caps.pml && !test_bit(page, slot->dirty),
			   "a writable leaf of a logged slot must be in the log");
}

/* True: a rule is broken, or there are too many tables. */
static bool check_tables(struct ept_walk *w, const u64 *table, int level, u64 gfn)
{
	bool leaf;
	int i;

	for (i = 0; i < EPT_ENTRIES; i++, gfn += span_at(level)) {
		u64 entry = READ_ONCE(table[i]);

		if (!entry)
			continue;
		leaf = level == 1 || (entry & EPT_HUGE);
		if (leaf ? leaf_broken(w, entry, level, gfn) : table_entry_broken(w, entry)) {
			w->gfn = gfn;
			w->entry = entry;
			return true;
		}
		if (leaf)
			continue;
		if (++w->tables > TABLES_MAX ||
		    check_tables(w, ept_va(entry & EPT_ADDR), level - 1, gfn))
			return true;
	}
	return false;
}

/**
 * ept_check - is everything as it must be?
 * @ept: tables; ept_lock held
 * @slots: the current ones
 * @gfn: filled, where not
 * @entry: likewise
 *
 * Return: the rule that is broken, or NULL.
 */
const char *ept_check(const struct ept *ept, const struct memslots *slots, u64 *gfn, u64 *entry)
{
	struct ept_walk w = { .ept = ept, .slots = slots };

	if (!check_tables(&w, ept->root, ept->levels, 0))
		walk_broken(&w, w.tables != ept->tables, "the tables must be as many as were counted");
	*gfn = w.gfn;
	*entry = w.entry;
	return w.rule;
}

/** ept_check_slots - ept_check(), and the warning; slots or the log changed, slots_lock held */
void ept_check_slots(struct vm *vm)
{
	const char *rule;
	u64 gfn, entry;

	ept_lock(vm);
	rule = ept_check(&vm->ept, vm->slots, &gfn, &entry);
	ept_unlock(vm);
	if (rule)
		check_failed(vm, NULL, "EPT entry 0x%llx of frame 0x%llx: %s", entry, gfn, rule);
}
