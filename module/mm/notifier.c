// SPDX-License-Identifier: GPL-2.0
/*
 * The host takes memory back: swap, KSM, THP, migration, munmap, mprotect.
 *
 * Guest memory is never pinned, so before the host changes a page it tells us,
 * and EPT gives it up. A fault that runs at the same time sees invalidate_active
 * or a new invalidate_seq under ept_lock, and starts anew.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>

#include "../compat.h"
#include "../vmx/vmx.h"
#include "memslot.h"

/* The frames of a slot that a range of host addresses backs; false: none. */
static bool frames_in(const struct memslot *slot, hva_t start, hva_t end, gfn_t *gfn, u64 *n)
{
	hva_t slot_end = slot->hva + (slot->npages << PAGE_SHIFT);
	hva_t first = max(start, slot->hva), last = min(end, slot_end);

	if (first >= last)
		return false;
	*gfn = slot->base_gfn + ((first - slot->hva) >> PAGE_SHIFT);
	*n = ((last - 1 - slot->hva) >> PAGE_SHIFT) - ((first - slot->hva) >> PAGE_SHIFT) + 1;
	return true;
}

/* Call @fn for the frames of every slot in the range; ept_lock and notifier_lock held. */
static bool for_frames(struct vm *vm, hva_t start, hva_t end,
		       bool (*fn)(struct ept *ept, u64 gfn, u64 npages))
{
	const struct memslots *slots = vm->slots;
	bool ret = false;
	gfn_t gfn;
	int i;
	u64 n;

	for (i = 0; i < slots->n; i++)
		if (frames_in(slots->slot[i], start, end, &gfn, &n))
			ret |= fn(&vm->ept, gfn, n);
	return ret;
}

/*
 * May others go first? Of who may sleep; and after a change of the slots those in
 * hand are gone. What was unmapped stays so: faults in the range start anew until its end.
 * Who waits for the lock does so with preemption off, and need_resched() knows nothing of it.
 */
static bool let_others_go(struct vm *vm)
{
	u64 slots_gen = vm->slots_gen;

	if (!(need_resched() || rwlock_is_contended(&vm->notifier_lock)))
		return true;
	read_unlock(&vm->notifier_lock);
	cond_resched();
	read_lock(&vm->notifier_lock);
	return slots_gen == vm->slots_gen;
}

static bool must_not_sleep(struct vm *vm)
{
	return true;
}

/* False: the slots changed meanwhile. */
static bool unmap_slots(struct vm *vm, hva_t start, hva_t end, bool (*between)(struct vm *vm))
{
	const struct memslots *slots = vm->slots;
	int i;
	gfn_t gfn;
	u64 n;

	for (i = 0; i < slots->n; i++)
		if (frames_in(slots->slot[i], start, end, &gfn, &n) &&
		    !ept_unmap_frames(vm, gfn, n, 0, between))
			return false;
	return true;
}

/* When this returns, nobody uses the host's pages in the range. No allocation. */
static void unmap_hva(struct vm *vm, hva_t start, hva_t end, bool may_sleep)
{
	read_lock(&vm->notifier_lock);
	while (!unmap_slots(vm, start, end, may_sleep ? let_others_go : must_not_sleep))
		;
	read_unlock(&vm->notifier_lock);
}

/* From here to range_end() a fault in the range starts anew. */
static void invalidate_begin(struct vm *vm, hva_t start, hva_t end)
{
	ept_lock(vm);
	if (!vm->invalidate_active++) {
		vm->invalidate_start = start;
		vm->invalidate_end = end;
	} else {
		vm->invalidate_start = min(vm->invalidate_start, start);
		vm->invalidate_end = max(vm->invalidate_end, end);
	}
	ept_unlock(vm);
}

static struct vm *vm_of(struct mmu_notifier *mn)
{
	return container_of(mn, struct vm, notifier);
}

static int range_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct vm *vm = vm_of(mn);

	invalidate_begin(vm, range->start, range->end);
	unmap_hva(vm, range->start, range->end, mmu_notifier_range_blockable(range));
	return 0;
}

static void range_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct vm *vm = vm_of(mn);

	ept_lock(vm);
	vm->invalidate_seq++;
	/* Both changes under one lock: a fault sees at least one of them. */
	vm->invalidate_active--;
	ept_unlock(vm);
}

static bool clear_young_fn(struct ept *ept, u64 gfn, u64 n)
{
	return ept_clear_young(ept, gfn, n, true);
}

static bool test_young_fn(struct ept *ept, u64 gfn, u64 n)
{
	return ept_clear_young(ept, gfn, n, false);
}

static bool is_mapped_fn(struct ept *ept, u64 gfn, u64 n)
{
	return ept_find(ept, gfn).entry;
}

/* All of it: these ranges are a page or a huge one. Whether any was mapped: it was taken away. */
static bool unmap_fn(struct ept *ept, u64 gfn, u64 n)
{
	u64 done = 0;

	while (done < n)
		done += ept_unmap(ept, gfn + done, n - done, 0);
	return ept->stale;
}

/*
 * Without accessed bits a mapped page counts as accessed, and unmapping it is
 * how to find out whether it is accessed again.
 */
static int notifier_young(struct mmu_notifier *mn, hva_t start, hva_t end, bool clear, bool flush)
{
	struct vm *vm = vm_of(mn);
	bool ret;

	read_lock(&vm->notifier_lock);
	ept_lock(vm);
	if (!vmx_caps.ept_ad)
		ret = for_frames(vm, start, end, clear ? unmap_fn : is_mapped_fn);
	else
		ret = for_frames(vm, start, end, clear ? clear_young_fn : test_young_fn);
	if (ret && flush)
		vm->ept.stale = true;	/* the next access is to be seen */
	ept_unlock(vm);
	read_unlock(&vm->notifier_lock);
	return ret;
}

static compat_young clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
			     unsigned long start, unsigned long end)
{
	return notifier_young(mn, start, end, true, true);
}

static compat_young clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
		       unsigned long start, unsigned long end)
{
	return notifier_young(mn, start, end, true, false);
}

static compat_young test_young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long address)
{
	return notifier_young(mn, address, address + PAGE_SIZE, false, false);
}

/* The process is gone: nobody can RUN, but the pages are about to be freed. */
static void notifier_release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct vm *vm = vm_of(mn);

	unmap_hva(vm, 0, ULONG_MAX, true);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start	= range_start,
	.invalidate_range_end	= range_end,
	.clear_flush_young	= clear_flush_young,
	.clear_young		= clear_young,
	.test_young		= test_young,
	.release		= notifier_release,
};

/** notifier_create - listen to vm->mm. Return: 0 or -errno. */
int notifier_create(struct vm *vm)
{
	vm->notifier.ops = &notifier_ops;
	return mmu_notifier_register(&vm->notifier, vm->mm);
}

/** notifier_destroy - stop listening; returns when no callback runs */
void notifier_destroy(struct vm *vm)
{
	mmu_notifier_unregister(&vm->notifier, vm->mm);
}
