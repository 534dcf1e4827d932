// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/mm/ept_check.c has nothing to say about tables as module/mm/ept.c makes them,
 * and one sentence about each entry that should not be there.
 */
#include <string.h>

#define shim_may_alloc()	1
#include "unit.h"
#include "vm.h"
#include <linux/gfp.h>
#include "../../module/mm/ept.c"
#include "../../module/mm/vm_ept.c"
#include "../../module/mm/memslot.c"

#define check_failed(...)
#define ept_check_slots		warn_of_slots	/* the other one does nothing */
const char *ept_check(const struct ept *ept, const struct memslots *slots, u64 *gfn, u64 *entry);
#include "../../module/mm/ept_check.c"

#define LEAF	(EPT_READ | EPT_EXEC | EPT_MEMTYPE_WB | EPT_IGNORE_PAT)
#define WRITE	(EPT_WRITE | EPT_HOST_WRITE)

/* Frames: 0x200 to 0x5ff plain, 0x600 to 0x7ff read-only, 0x800 to 0xbff logged; 0xa00 written. */
static unsigned long dirty[16];
static struct memslot plain = { .base_gfn = 0x200, .npages = 0x400 };
static struct memslot fixed = { .base_gfn = 0x600, .npages = 0x200, .flags = MINIKVM_MEM_READONLY };
static struct memslot logged = { .base_gfn = 0x800, .npages = 0x400, .dirty = dirty };
static struct { struct memslots s; struct memslot *slot[3]; } some = {
	{ 3 }, { &plain, &fixed, &logged },
};
static struct ept ept;

void vm_sync_guests(struct vm *vm)
{
}

static void shim_published(void)
{
}

static void shim_unlocked(void)
{
}

static void shim_table_freed(u64 *table)
{
	free(table);
}

static void map(u64 gfn, int level, u64 leaf)
{
	struct ept_cache cache = { .n = 0 };

	while (cache.n < 3)
		cache.table[cache.n++] = (u64 *)get_zeroed_page(0);
	ept_map(&ept, gfn, level, leaf, &cache);
	while (cache.n)
		free(cache.table[--cache.n]);
}

static const char *verdict(void)
{
	u64 gfn, entry;

	return ept_check(&ept, &some.s, &gfn, &entry);
}

static void check_leaf(u64 gfn, int level, u64 leaf, const char *rule)
{
	const char *said;

	ept = (struct ept) { .root = (u64 *)get_zeroed_page(0), .levels = 4 };
	map(gfn, level, leaf);
	said = verdict();
	if (said != rule && !(said && rule && !strcmp(said, rule))) {
		printf("# frame %#llx, leaf %#llx: %s, wanted %s\n", gfn, leaf, said ?: "-", rule ?: "-");
		unit_bad = 1;
	}
	ept_free_all(&ept, shim_table_freed);
}

static void each_leaf_is_what_its_slot_allows(void)
{
	const u64 pa = 0x40000000;

	vmx_caps.pml = false;
	dirty[0x200 / 64] = 1;
	check_leaf(0x200, 1, pa | LEAF | WRITE, NULL);
	check_leaf(0x5ff, 1, pa | LEAF, NULL);
	check_leaf(0x200, 2, pa | LEAF | WRITE, NULL);
	check_leaf(0x600, 1, pa | LEAF, NULL);
	check_leaf(0x801, 1, pa | LEAF, NULL);
	check_leaf(0xa00, 1, pa | LEAF | WRITE, NULL);
	check_leaf(0x1ff, 1, pa | LEAF, "a leaf must be in a slot");
	check_leaf(0xc00, 1, pa | LEAF, "a leaf must be in a slot");
	check_leaf(0x5ff, 2, pa | LEAF, NULL);
	check_leaf(0x600, 1, pa | LEAF | WRITE, "a leaf of a read-only slot must not be writable");
	check_leaf(0x200, 1, pa | LEAF | EPT_WRITE,
		   "a leaf must not be writable where the host does not allow it");
	check_leaf(0x800, 2, pa | LEAF, "a leaf of a logged slot must be of 4 KiB");
	check_leaf(0x801, 1, pa | LEAF | WRITE,
		   "a writable leaf of a logged slot must be in the log");
	vmx_caps.pml = true;
	check_leaf(0x801, 1, pa | LEAF | WRITE, NULL);
	plain.npages = 0x3ff;
	check_leaf(0x400, 2, pa | LEAF, "a leaf must not reach beyond its slot");
	plain.npages = 0x400;
	plain.dying = true;
	check_leaf(0x200, 1, pa | LEAF, "a leaf must be in a slot");
	plain.dying = false;
}

static void each_leaf_is_well_formed(void)
{
	const u64 pa = 0x40000000;

	check_leaf(0x200, 1, pa | (LEAF & ~EPT_READ), "a leaf must be readable");
	check_leaf(0x200, 1, pa | (LEAF & ~EPT_MEMTYPE_WB), "a leaf's memory type must be write-back");
	check_leaf(0x200, 1, pa | LEAF | 1ull << 48, "reserved bits of a leaf must be 0");
	check_leaf(0x200, 2, pa | LEAF | 0x1000, "reserved bits of a leaf must be 0");
	check_leaf(0x200, 3, pa | LEAF, "a leaf must be of 4 KiB or 2 MiB");
}

static void tables_give_all_and_are_counted(void)
{
	u64 *entry;

	ept = (struct ept) { .root = (u64 *)get_zeroed_page(0), .levels = 4 };
	CHECK(!verdict());
	map(0x200, 1, LEAF);
	entry = &ept.root[0];
	*entry &= ~EPT_WRITE;
	CHECK(!strcmp(verdict() ?: "", "a table must give all rights"));
	*entry |= EPT_WRITE | 8;
	CHECK(!strcmp(verdict() ?: "", "reserved bits of a table's entry must be 0"));
	*entry &= ~8ull;
	CHECK(!verdict());
	ept.tables++;
	CHECK(!strcmp(verdict() ?: "", "the tables must be as many as were counted"));
	ept.tables--;
	ept_free_all(&ept, shim_table_freed);
}

int main(void)
{
	RUN(each_leaf_is_what_its_slot_allows);
	RUN(each_leaf_is_well_formed);
	RUN(tables_give_all_and_are_counted);
	CHECK(!shim_warned);
	return unit_end();
}
