/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The ring in which a vCPU names the pages that were written: CAP_DIRTY_LOG_RING. The vCPU's
 * thread puts entries in, the VMM marks those that it has taken, RESET_DIRTY_RINGS takes them
 * out. The VMM can write whatever it likes there: nothing is believed but the mark, and what an
 * entry names is looked up and checked. Pure.
 */
#ifndef MINIKVM_MM_DIRTY_RING_H
#define MINIKVM_MM_DIRTY_RING_H

#include <linux/compiler.h>
#include <asm/barrier.h>

#include "../../uapi/linux/minikvm.h"
#include "../parts.h"

#define DIRTY_RING_MAX_BYTES	1048576
#define DIRTY_RING_MAX		(DIRTY_RING_MAX_BYTES / sizeof(struct minikvm_dirty_gfn))
/* Entries for what comes between the moment in which the VMM should hear and the exit. */
#define DIRTY_RING_RESERVED	64

/* dirty_ring_full - is the VMM to take some before the guest goes on? */
static inline bool dirty_ring_full(const struct dirty_ring *r)
{
	return r->pushed - READ_ONCE(r->reset) >= r->soft;
}

/* dirty_ring_push - one more, by the vCPU's thread. False: the VMM has ignored all warnings. */
static inline bool dirty_ring_push(struct dirty_ring *r, u32 slot, u64 offset)
{
	struct minikvm_dirty_gfn *e = &r->entry[r->pushed & (r->size - 1)];

	if (r->pushed - smp_load_acquire(&r->reset) >= r->size)	/* pairs with dirty_ring_pop() */
		return false;
	WRITE_ONCE(e->slot, slot);
	WRITE_ONCE(e->offset, offset);
	smp_store_release(&e->flags, MINIKVM_DIRTY_GFN_F_DIRTY);	/* after the others */
	WRITE_ONCE(r->pushed, r->pushed + 1);
	return true;
}

/* dirty_ring_pop - the oldest, if the VMM has taken it; vm->slots_lock */
static inline bool dirty_ring_pop(struct dirty_ring *r, u32 *slot, u64 *offset)
{
	struct minikvm_dirty_gfn *e = &r->entry[r->reset & (r->size - 1)];

	if (r->reset == READ_ONCE(r->pushed))
		return false;
	if (!(smp_load_acquire(&e->flags) & MINIKVM_DIRTY_GFN_F_RESET))	/* before the others */
		return false;
	*slot = READ_ONCE(e->slot);
	*offset = READ_ONCE(e->offset);
	WRITE_ONCE(e->flags, 0);
	smp_store_release(&r->reset, r->reset + 1);	/* the entry is free */
	return true;
}

#endif
