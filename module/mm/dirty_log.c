// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a slot were written since somebody last asked. With page-modification
 * logging the processor notes each page whose dirty bit it sets in the EPT; the vCPU's
 * thread takes its notes over whenever it has left the guest. Without, pages are
 * write-protected, and fault.
 */
#include <linux/bitmap.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "../vmx/kick.h"
#include "../vmx/vmx.h"
#include "dirty_ring.h"
#include "memslot.h"

/* A page is in a ring once: its bit in the log says so, until it is reset. */
static noinline void dirty_ring_mark(struct vcpu *vcpu, const struct memslot *slot, u64 page)
{
	if (test_and_set_bit(page, slot->dirty))
		return;
	dirty_ring_push(&vcpu->dirty_ring, slot->id, page);
	if (dirty_ring_full(&vcpu->dirty_ring))
		vcpu_make_request(vcpu, REQ_DIRTY_RING);
}

/** dirty_log_mark - a page of a slot was written; by @vcpu's thread, slots read-locked */
void dirty_log_mark(struct vcpu *vcpu, const struct memslot *slot, gfn_t gfn)
{
	if (!slot->dirty)
		return;
	if (unlikely(vcpu->dirty_ring.size))
		dirty_ring_mark(vcpu, slot, gfn - slot->base_gfn);
	else
		set_bit(gfn - slot->base_gfn, slot->dirty);
}

/**
 * dirty_log_flush - take over what the processor has noted for a vCPU
 * @vcpu: loaded, with a log
 *
 * Context: the vCPU's thread, interrupts on or off. Pages of slots without a log do not
 * count. SDM "Page-Modification Logging".
 */
void dirty_log_flush(struct vcpu *vcpu)
{
	const struct memslot *slot = NULL;
	const u64 *gpa;
	unsigned int n;

	slots_read_lock(vcpu);
	for (gpa = vmx_pml_take(vcpu, &n); n; n--, gpa++) {
		gfn_t gfn = *gpa >> PAGE_SHIFT;

		if (!slot || gfn - slot->base_gfn >= slot->npages)
			slot = memslot_find(READ_ONCE(vcpu->vm->slots), gfn);
		if (slot)
			dirty_log_mark(vcpu, slot, gfn);
	}
	slots_read_unlock(vcpu);
}

/* Words of the log that are taken under one lock, and with one flush. */
#define HARVEST_WORDS	256

/* Of one word of the log, take what @mask has; these pages are noted again when written. */
static unsigned long harvest_word(struct vm *vm, const struct memslot *slot, u64 word,
				  unsigned long mask)
{
	gfn_t gfn = slot->base_gfn + word * BITS_PER_LONG;

	mask &= atomic_long_fetch_andnot(mask, (atomic_long_t *)&slot->dirty[word]);
	if (vmx_caps.pml)
		ept_make_clean(&vm->ept, gfn, mask);
	else
		ept_wrprotect(&vm->ept, gfn, mask);
	return mask;
}

/* @n words from the @first on: @bits has what to take, then what was taken. */
static void dirty_harvest(struct vm *vm, const struct memslot *slot, u64 first, u64 n,
			  unsigned long *bits)
{
	u64 i = 0, end;

	while (i < n) {
		ept_lock(vm);
		for (end = min(i + HARVEST_WORDS, n); i < end; i++) {
			if (!(bits[i] & READ_ONCE(slot->dirty[first + i])))
				bits[i] = 0;
			else
				bits[i] = harvest_word(vm, slot, first + i, bits[i]);
		}
		ept_unlock(vm);
		cond_resched();
	}
}

/* What there is; it stays. */
static void dirty_peek(const struct memslot *slot, u64 n, unsigned long *bits)
{
	u64 i;

	for (i = 0; i < n; i++) {
		bits[i] = READ_ONCE(slot->dirty[i]);
		if (i % HARVEST_WORDS == 0)
			cond_resched();
	}
}

/* The VMM did not get it: these pages are to be named again. */
static void put_back(const struct memslot *slot, const unsigned long *bits)
{
	u64 word, n = BITS_TO_LONGS(slot->npages);

	for (word = 0; word < n; word++) {
		if (bits[word])
			atomic_long_or(bits[word], (atomic_long_t *)&slot->dirty[word]);
		if (word % HARVEST_WORDS == 0)
			cond_resched();
	}
}

static const struct memslot *logged_slot(struct vm *vm, u32 id)
{
	const struct memslots *slots = vm->slots;
	int i;

	lockdep_assert_held(&vm->slots_lock);
	for (i = 0; i < slots->n; i++)
		if (slots->slot[i]->id == id && slots->slot[i]->dirty)
			return slots->slot[i];
	return NULL;
}

/* The log is as it was: the VMM has not got it. */
static int dirty_copy(struct vm *vm, const struct memslot *slot, void __user *to)
{
	u64 words = BITS_TO_LONGS(slot->npages);
	unsigned long *bits = kvmalloc_array(words, sizeof(long), GFP_KERNEL_ACCOUNT);
	bool keep = READ_ONCE(vm->manual_log);
	int err = 0;

	if (!bits)
		return -ENOMEM;
	if (vmx_caps.pml) {
		ept_lock(vm);
		vm_sync_guests(vm);	/* who leaves the guest flushes */
		ept_unlock(vm);
	}
	if (keep) {
		dirty_peek(slot, words, bits);
	} else {
		memset(bits, 0xff, words * sizeof(long));
		dirty_harvest(vm, slot, 0, words, bits);
		ept_check_slots(vm);
	}
	if (copy_to_user(to, bits, words * sizeof(long))) {
		if (!keep)
			put_back(slot, bits);
		err = -EFAULT;
	}
	kvfree(bits);
	return err;
}

/**
 * dirty_log_get - copy the log of a slot to the VMM and, unless it does that itself, start it anew
 * @vm: the machine
 * @log: slot and destination
 *
 * Context: the VM's own mm; sleeps.
 * Return: 0; -ENXIO (there are rings), -EINVAL (no such slot number), -ENOENT (slot not logged),
 * -ENOMEM, -EFAULT (the log is as it was), -EINTR (killed).
 */
int dirty_log_get(struct vm *vm, struct minikvm_dirty_log *log)
{
	const struct memslot *slot;
	int err;

	if (READ_ONCE(vm->dirty_ring))
		return -ENXIO;
	if (log->slot >= VM_MAX_SLOTS)
		return -EINVAL;
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	slot = logged_slot(vm, log->slot);
	err = slot ? dirty_copy(vm, slot, (void __user *)log->dirty_bitmap) : -ENOENT;
	mutex_unlock(&vm->slots_lock);
	return err;
}

static int clear_guest_pages(struct vm *vm, const struct memslot *slot, u64 first, u64 n,
			     const void __user *from)
{
	u64 words = BITS_TO_LONGS(n);
	unsigned long *bits;

	if (first > slot->npages || n > slot->npages - first ||
	    (n < slot->npages - first && n % BITS_PER_LONG))
		return -EINVAL;
	bits = kvmalloc_array(words, sizeof(long), GFP_KERNEL_ACCOUNT);
	if (!bits)
		return -ENOMEM;
	if (copy_from_user(bits, from, words * sizeof(long))) {
		kvfree(bits);
		return -EFAULT;
	}
	dirty_harvest(vm, slot, first / BITS_PER_LONG, words, bits);
	ept_check_slots(vm);
	kvfree(bits);
	return 0;
}

/**
 * dirty_log_clear - the VMM knows of some pages: they are to be noted again when written
 * @vm: the machine
 * @log: slot, pages and which of them
 *
 * Pages that the log does not have are left alone. What a processor has noted and not yet given,
 * comes into the log afterwards: once too often does no harm.
 *
 * Context: the VM's own mm; sleeps.
 * Return: 0; -ENXIO (there are rings), -EINVAL (no such slot number, pages), -ENOENT (slot not
 * logged), -ENOMEM, -EFAULT, -EINTR (killed).
 */
int dirty_log_clear(struct vm *vm, struct minikvm_clear_dirty_log *log)
{
	const struct memslot *slot;
	int err = -ENOENT;

	if (READ_ONCE(vm->dirty_ring))
		return -ENXIO;
	if (log->slot >= VM_MAX_SLOTS || log->first_page % BITS_PER_LONG)
		return -EINVAL;
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	slot = logged_slot(vm, log->slot);
	if (slot)
		err = clear_guest_pages(vm, slot, log->first_page, log->num_pages,
				  (void __user *)log->dirty_bitmap);
	mutex_unlock(&vm->slots_lock);
	return err;
}

/* ---- rings */

static u32 ring_reserved(void)
{
	return DIRTY_RING_RESERVED + (vmx_caps.pml ? VMX_PML_ENTRIES : 0);
}

/* A log that has begun may have bits of pages that no ring has named. */
static int choose_rings(struct vm *vm, u32 entries)
{
	int err = -EINVAL;

	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	if (!vm->logging) {
		WRITE_ONCE(vm->dirty_ring, entries);
		err = 0;
	}
	mutex_unlock(&vm->slots_lock);
	return err;
}

/**
 * dirty_rings_enable - ENABLE_CAP of MINIKVM_CAP_DIRTY_LOG_RING: vCPUs get a ring each
 * @vm: without vCPUs, and without a slot that is logged
 * @bytes: of a ring
 *
 * Context: sleeps. Return: 0; -EINVAL, -E2BIG, -EINTR.
 */
int dirty_rings_enable(struct vm *vm, u64 bytes)
{
	u64 entries = bytes / sizeof(struct minikvm_dirty_gfn);
	int err = -EINVAL;

	if (!is_power_of_2(bytes) || bytes < PAGE_SIZE || entries < ring_reserved())
		return -EINVAL;
	if (entries > DIRTY_RING_MAX)
		return -E2BIG;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (!vm->dirty_ring && !vm->nr_vcpus)
		err = choose_rings(vm, entries);
	mutex_unlock(&vm->lock);
	return err;
}

/** dirty_ring_create - a new vCPU's ring, if its VM has them; vfree() undoes it. 0 or -ENOMEM */
int dirty_ring_create(struct vcpu *vcpu)
{
	struct dirty_ring *ring = &vcpu->dirty_ring;
	u32 n = vcpu->vm->dirty_ring;

	if (!n)
		return 0;
	ring->entry = __vmalloc(n * sizeof(*ring->entry), GFP_KERNEL_ACCOUNT | __GFP_ZERO);
	if (!ring->entry)
		return -ENOMEM;
	ring->size = n;
	ring->soft = n - ring_reserved();
	return 0;
}

/* The VMM may have written anything there. */
static void reset_page(struct vm *vm, u32 id, u64 page)
{
	const struct memslot *slot = logged_slot(vm, id);

	if (!slot || page >= slot->npages)
		return;
	page = array_index_nospec(page, slot->npages);
	harvest_word(vm, slot, page / BITS_PER_LONG, BIT(page % BITS_PER_LONG));
}

/* At most once round: meanwhile the vCPU goes on, and the VMM may mark what it likes. */
static u32 ring_reset(struct vm *vm, struct dirty_ring *ring)
{
	u32 count = 0, slot, end;
	bool more = true;
	u64 page;

	while (more && count < ring->size) {
		ept_lock(vm);
		for (end = count + HARVEST_WORDS; count < end; count++) {
			more = dirty_ring_pop(ring, &slot, &page);
			if (!more)
				break;
			reset_page(vm, slot, page);
		}
		ept_unlock(vm);
		cond_resched();
	}
	return count;
}

/**
 * dirty_rings_reset - RESET_DIRTY_RINGS: entries that the VMM has taken are free again
 * @vm: the machine
 *
 * When this returns, their pages are noted again when they are written.
 *
 * Context: sleeps. Return: how many; -EINVAL: there are no rings; -EINTR.
 */
long dirty_rings_reset(struct vm *vm)
{
	u32 i, n, count = 0;

	if (!READ_ONCE(vm->dirty_ring))
		return -EINVAL;
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	n = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */
	for (i = 0; i < n; i++)
		count += ring_reset(vm, &vm->vcpus[i]->dirty_ring);
	ept_check_slots(vm);
	mutex_unlock(&vm->slots_lock);
	return count;
}
