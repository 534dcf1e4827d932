/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The extended page tables of one VM: the structure and how it is changed.
 * Pure: no VM, no VMCS, no locks; compiles in userspace, too. The caller holds
 * vm->ept_lock around every call, and lets go of it by ept_unlock(), which flushes if an
 * entry has lost rights meanwhile: @stale says so. An entry that the processor may write
 * (accessed and dirty bits) is changed by atomic operations only.
 * SDM "EPT Translation Mechanism".
 */
#ifndef MINIKVM_EPT_H
#define MINIKVM_EPT_H

#ifdef __KERNEL__
#include <linux/atomic.h>
#include <linux/compiler.h>
#include <linux/limits.h>
#include <linux/types.h>
#include <asm/page.h>
static inline u64 ept_pa(const void *table) { return __pa(table); }
static inline u64 *ept_va(u64 pa) { return __va(pa); }
#else
#include "shim.h"
static inline u64 ept_pa(const void *table) { return (u64)(unsigned long)table; }
static inline u64 *ept_va(u64 pa) { return (u64 *)(unsigned long)pa; }
#endif

#include "../parts.h"

#define EPT_READ	0x1ull
#define EPT_WRITE	0x2ull
#define EPT_EXEC	0x4ull
#define EPT_RWX		0x7ull
#define EPT_MEMTYPE_WB	(6ull << 3)
#define EPT_IGNORE_PAT	(1ull << 6)
#define EPT_HUGE	(1ull << 7)
#define EPT_ACCESSED	(1ull << 8)
#define EPT_DIRTY	(1ull << 9)
#define EPT_HOST_WRITE	(1ull << 58)	/* ours: the host allows to write the page */
#define EPT_ADDR	0x000ffffffffff000ull

#define EPT_ENTRIES	512

/* In a DEBUG build: an entry was changed. Has it lost rights, or another page? */
static inline void ept_note_loss(struct ept *ept, u64 old, u64 new)
{
#ifdef MINIKVM_DEBUG
	if ((old & EPT_RWX) && ((old & ~new & (EPT_RWX | EPT_DIRTY)) || ((old ^ new) & EPT_ADDR)))
		ept->lost = true;
#endif
}

/* A leaf found by ept_find(). */
struct ept_leaf {
	u64 *entry;
	int level;		/* 1: 4 KiB, 2: 2 MiB */
};

/* What ept_unmap() does besides. */
#define EPT_TRIM	1	/* tables that it leaves empty go, too: nobody is about to come back */

void ept_map(struct ept *ept, u64 gfn, int level, u64 leaf, struct ept_cache *cache);
void ept_map_around(struct ept *ept, u64 gfn, const u64 *leaf, int n);
u64 ept_unmap(struct ept *ept, u64 gfn, u64 npages, unsigned int flags);
void ept_wrprotect(struct ept *ept, u64 gfn, u64 mask);
void ept_make_clean(struct ept *ept, u64 gfn, u64 mask);
bool ept_allow_write(struct ept *ept, u64 gfn);
bool ept_clear_young(struct ept *ept, u64 gfn, u64 npages, bool clear);
struct ept_leaf ept_find(const struct ept *ept, u64 gfn);
u64 *ept_take_retired(struct ept *ept);
void ept_free_list(u64 *dead, void (*free)(u64 *table));
void ept_free_all(struct ept *ept, void (*free)(u64 *table));

#endif
