/* SPDX-License-Identifier: GPL-2.0 */
/* The walk under test, and a guest whose page tables it walks. */
#ifndef UNIT_WALK_GUEST_H
#define UNIT_WALK_GUEST_H

#include <string.h>

#include "unit.h"
#include "../../module/cpu/walk.c"

#define PAGES	16
#define CR0	0x80000011ul
#define LONG	(EFER_LMA_BIT | 1 << 8)
#define NX	EFER_NX_BIT
#define MODE32	0ul
#define PAE	CR4_PAE
#define LA57	(CR4_PAE | CR4_LA57)

/* ---- the guest's memory: PAGES frames from 0 on, nothing behind them */

static u64 mem[PAGES * 512];
static unsigned int reads;

static u64 walked[WALK_READS];	/* where the last walk has read its entries */
static size_t walked_size;
static int update_answer;	/* other than 0: the entry is left alone */

static int read_mem(void *arg, u64 gpa, void *data, size_t len)
{
	CHECK(len == 4 || len == 8);
	CHECK_EQ(gpa % len, 0);
	if (reads < WALK_READS)
		walked[reads] = gpa;
	walked_size = len;
	reads++;
	if (gpa >= sizeof(mem))
		return -ENXIO;
	memcpy(data, (char *)mem + gpa, len);
	return 0;
}

static int update_mem(void *arg, int i, u64 old, u64 new)
{
	u64 now = 0;

	CHECK(i >= 0 && i < (int)reads && new != old);
	memcpy(&now, (char *)mem + walked[i], walked_size);
	if (update_answer)
		return update_answer;
	if (now != old)		/* an entry may be its own table */
		return 1;
	memcpy((char *)mem + walked[i], &new, walked_size);
	return 0;
}

static struct walk machine(u64 efer, unsigned long cr4)
{
	return (struct walk) {
		.cr0 = CR0 | CR0_WP, .cr3 = 0x1000, .cr4 = cr4, .efer = efer,
		.maxphyaddr = 40, .read = read_mem, .update = update_mem,
	};
}

static int levels_of(const struct walk *w)
{
	if (w->efer & EFER_LMA_BIT)
		return w->cr4 & CR4_LA57 ? 5 : 4;
	return w->cr4 & CR4_PAE ? 3 : 2;
}

static int shift_of(int levels, int level)
{
	return 12 + (levels == 2 ? 10 : 9) * (level - 1);
}

/* The entry for @va in the table of this level; the root is in frame 1, the next in 2, ... */
static inline void set_pte(int levels, int level, u64 va, u64 entry)
{
	u64 table = 1 + levels - level, index = va >> shift_of(levels, level);

	if (levels > 2)
		mem[table * 512 + (index & 0x1ff)] = entry;
	else
		((u32 *)mem)[table * 1024 + (index & 0x3ff)] = entry;
}

/* Tables that lead to one leaf; their entries allow everything. */
static inline void build(const struct walk *w, u64 va, int leaf_level, u64 leaf)
{
	int levels = levels_of(w), level;

	memset(mem, 0, sizeof(mem));
	for (level = levels; level > leaf_level; level--)
		set_pte(levels, level, va, (2 + levels - level) << 12 |
		     (levels == 3 && level == 3 ? 1 : 7));
	set_pte(levels, leaf_level, va, leaf);
}

/* The address; or -1 minus the error code; or AGAIN; or ENDED by an error of memory's. */
#define AGAIN	(-(1ll << 32))
#define ENDED	(-(2ll << 32))

static s64 go(const struct walk *w, u64 va, unsigned int access)
{
	u64 gpa = 0x5a5a;
	u32 error = 0x5a5a;
	int ret;

	reads = 0;
	ret = walk_gva(w, va, access, &gpa, &error);
	if (ret == WALK_FAULT)
		return -1 - (s64)error;
	if (ret)
		return ret == WALK_AGAIN ? AGAIN : ENDED;
	CHECK(reads <= 5);
	return gpa;
}

#define FAULT(code)	(-1 - (s64)(code))

#endif
