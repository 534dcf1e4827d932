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
static int for_frames(struct vm *vm, hva_t start, hva_t end,
		      int (*fn)(struct ept *ept, u64 gfn, u64 npages))
{
	const struct memslots *slots = vm->slots;
	int i, ret = 0;
	gfn_t gfn;
	u64 n;

	for (i = 0; i < slots->n; i++)
		if (frames_in(slots->slot[i], start, end, &gfn, &n))
			ret |= fn(&vm->ept, gfn, n);
	return ret;
}

/* A range of one slot, in pieces, so that nobody spins long on the lock. */
static void unmap_frames(struct vm *vm, gfn_t gfn, u64 npages, int *flush)
{
	u64 *dead[EPT_DEAD_MAX];
	u64 done, step = 1ul << 18;	/* 1 GiB at a time */
	int n;

	for (done = 0; done < npages; done += step) {
		spin_lock(&vm->ept_lock);
		*flush |= ept_unmap(&vm->ept, gfn + done, min(step, npages - done));
		n = ept_take_dead(&vm->ept, dead);
		spin_unlock(&vm->ept_lock);
		if (!n)
			continue;
		ept_flush(vm);
		*flush = 0;
		while (n)
			free_page((unsigned long)dead[--n]);
	}
}

/* No allocation, no sleep but for the flush's IPIs: fits any caller. notifier_lock held. */
static void unmap_hva(struct vm *vm, hva_t start, hva_t end)
{
	const struct memslots *slots = vm->slots;
	int i, flush = 0;
	gfn_t gfn;
	u64 n;

	for (i = 0; i < slots->n; i++)
		if (frames_in(slots->slot[i], start, end, &gfn, &n))
			unmap_frames(vm, gfn, n, &flush);
	if (flush)
		ept_flush(vm);
}

/* From here to range_end() a fault in the range starts anew. */
static void invalidate_begin(struct vm *vm, hva_t start, hva_t end)
{
	spin_lock(&vm->ept_lock);
	if (!vm->invalidate_active++) {
		vm->invalidate_start = start;
		vm->invalidate_end = end;
	} else {
		vm->invalidate_start = min(vm->invalidate_start, start);
		vm->invalidate_end = max(vm->invalidate_end, end);
	}
	spin_unlock(&vm->ept_lock);
}

static struct vm *vm_of(struct mmu_notifier *mn)
{
	return container_of(mn, struct vm, notifier);
}

static int range_start(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct vm *vm = vm_of(mn);

	read_lock(&vm->notifier_lock);
	invalidate_begin(vm, range->start, range->end);
	unmap_hva(vm, range->start, range->end);
	read_unlock(&vm->notifier_lock);
	return 0;
}

static void range_end(struct mmu_notifier *mn, const struct mmu_notifier_range *range)
{
	struct vm *vm = vm_of(mn);

	spin_lock(&vm->ept_lock);
	vm->invalidate_seq++;
	/* Both changes under one lock: a fault sees at least one of them. */
	vm->invalidate_active--;
	spin_unlock(&vm->ept_lock);
}

static int clear_young_fn(struct ept *ept, u64 gfn, u64 n)
{
	return ept_clear_young(ept, gfn, n, true);
}

static int test_young_fn(struct ept *ept, u64 gfn, u64 n)
{
	return ept_clear_young(ept, gfn, n, false);
}

static int is_mapped_fn(struct ept *ept, u64 gfn, u64 n)
{
	return ept_find(ept, gfn).entry != NULL;
}

/*
 * Without accessed bits a mapped page counts as accessed, and unmapping it is
 * how to find out whether it is accessed again.
 */
static int young(struct mmu_notifier *mn, hva_t start, hva_t end, bool clear, bool flush)
{
	struct vm *vm = vm_of(mn);
	int ret;

	read_lock(&vm->notifier_lock);
	spin_lock(&vm->ept_lock);
	if (!vmx_caps.ept_ad)
		ret = for_frames(vm, start, end, clear ? ept_unmap : is_mapped_fn);
	else
		ret = for_frames(vm, start, end, clear ? clear_young_fn : test_young_fn);
	spin_unlock(&vm->ept_lock);
	if (ret && clear && (flush || !vmx_caps.ept_ad))
		ept_flush(vm);
	read_unlock(&vm->notifier_lock);
	return !!ret;
}

static int clear_flush_young(struct mmu_notifier *mn, struct mm_struct *mm,
			     unsigned long start, unsigned long end)
{
	return young(mn, start, end, true, true);
}

static int clear_young(struct mmu_notifier *mn, struct mm_struct *mm,
		       unsigned long start, unsigned long end)
{
	return young(mn, start, end, true, false);
}

static int test_young(struct mmu_notifier *mn, struct mm_struct *mm, unsigned long address)
{
	return young(mn, address, address + PAGE_SIZE, false, false);
}

/* The process is gone: nobody can RUN, but the pages are about to be freed. */
static void release(struct mmu_notifier *mn, struct mm_struct *mm)
{
	struct vm *vm = vm_of(mn);

	read_lock(&vm->notifier_lock);
	unmap_hva(vm, 0, ULONG_MAX);
	read_unlock(&vm->notifier_lock);
}

static const struct mmu_notifier_ops notifier_ops = {
	.invalidate_range_start	= range_start,
	.invalidate_range_end	= range_end,
	.clear_flush_young	= clear_flush_young,
	.clear_young		= clear_young,
	.test_young		= test_young,
	.release		= release,
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
