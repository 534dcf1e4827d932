/* SPDX-License-Identifier: GPL-2.0 */
/* Slots of guest physical memory, and the sorted array of them. */
#ifndef MINIKVM_MEMSLOT_H
#define MINIKVM_MEMSLOT_H

#include <linux/nospec.h>

#include "mm.h"

/* A slot never changes once it is in an array: a change makes a new one. */
struct memslot {
	gfn_t base_gfn;
	u64 npages;
	hva_t hva;
	u32 flags;		/* MINIKVM_MEM_* */
	u16 id;
	bool dying;		/* being deleted or moved: faults wait, nothing maps it */
	bool log_reads;		/* logged from the start: what is read first is in the log, too */
	unsigned long *dirty;	/* a bit per page written since the last harvest, or NULL */
};

/* Sorted by base_gfn, no overlap. */
struct memslots {
	int n;
	struct memslot *slot[];
};

/* The guest chooses @gfn: no speculation beyond the slot either. */
static inline hva_t memslot_hva(const struct memslot *slot, gfn_t gfn)
{
	u64 page = array_index_nospec(gfn - slot->base_gfn, slot->npages);

	return slot->hva + (page << PAGE_SHIFT);
}

/**
 * pages_are_stale - may the host have taken pages back since they were looked up?
 * @vm: the machine; ept_lock held
 * @hva: the first one's address
 * @n: pages
 * @seq: invalidate_seq before they were looked up
 */
static inline bool pages_are_stale(const struct vm *vm, hva_t hva, int n, unsigned long seq)
{
	if (vm->invalidate_active && hva + n * PAGE_SIZE > vm->invalidate_start &&
	    hva < vm->invalidate_end)
		return true;
	return vm->invalidate_seq != seq;
}

/**
 * slots_read_lock - keep slots and what they map from going away
 * @vcpu: mutex held; undone by slots_read_unlock()
 *
 * Nests, and may be slept under: memslot_set() waits.
 */
static inline void slots_read_lock(struct vcpu *vcpu)
{
	if (vcpu->slots_depth++)
		return;
	WRITE_ONCE(vcpu->slots_seq, vcpu->slots_seq + 1);
	smp_mb();	/* before the look at the slots; pairs with wait_for_readers() */
	vcpu->slot_hit = NULL;
}

/** slots_read_unlock - undo slots_read_lock() */
static inline void slots_read_unlock(struct vcpu *vcpu)
{
	if (!--vcpu->slots_depth)
		smp_store_release(&vcpu->slots_seq, vcpu->slots_seq + 1); /* after the looks */
}

#ifdef MINIKVM_DEBUG
/* ept_check.c */
const char *ept_check(const struct ept *ept, const struct memslots *slots, u64 *gfn, u64 *entry);
void ept_check_slots(struct vm *vm);
#else
static inline void ept_check_slots(struct vm *vm) { }
#endif

#define MEMSLOT_MAX_PAGES ((1ul << 31) - 1)

int memslot_check(const struct minikvm_userspace_memory_region *r, u8 gpa_bits);

#endif
