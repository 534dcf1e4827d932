// SPDX-License-Identifier: GPL-2.0
/*
 * Which pages of a slot were written since somebody last asked. With page-modification
 * logging the processor notes each page whose dirty bit it sets in the EPT; the vCPU's
 * thread takes its notes over whenever it has left the guest. Without, pages are
 * write-protected, and fault.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "../vmx/kick.h"
#include "../vmx/vmx.h"
#include "memslot.h"

/** dirty_log_mark - a page of a slot was written; any context, slots read-locked */
void dirty_log_mark(const struct memslot *slot, gfn_t gfn)
{
	if (slot->dirty)
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
			dirty_log_mark(slot, gfn);
	}
	slots_read_unlock(vcpu);
}

/* Words of the log that are taken under one lock, and with one flush. */
#define HARVEST_WORDS	256

/* Take one word of the log, and make its pages be noted again when written. */
static void harvest_word(struct vm *vm, const struct memslot *slot, u64 word, unsigned long *bits)
{
	gfn_t gfn = slot->base_gfn + word * BITS_PER_LONG;

	*bits = xchg(&slot->dirty[word], 0);
	if (vmx_caps.pml)
		ept_make_clean(&vm->ept, gfn, *bits);
	else
		ept_wrprotect(&vm->ept, gfn, *bits);
}

static void dirty_harvest(struct vm *vm, const struct memslot *slot, unsigned long *bits)
{
	u64 word = 0, end, n = BITS_TO_LONGS(slot->npages);

	while (word < n) {
		ept_lock(vm);
		for (end = min(word + HARVEST_WORDS, n); word < end; word++)
			if (READ_ONCE(slot->dirty[word]))
				harvest_word(vm, slot, word, &bits[word]);
		ept_unlock(vm);
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

/**
 * dirty_log_get - copy the log of a slot to the VMM and start it anew
 * @vm: the machine
 * @log: slot and destination
 *
 * Context: the VM's own mm; sleeps.
 * Return: 0; -EINVAL (no such slot number), -ENOENT (slot not logged), -ENOMEM, -EFAULT (the
 * log is as it was), -EINTR (killed).
 */
int dirty_log_get(struct vm *vm, struct minikvm_dirty_log *log)
{
	const struct memslot *slot;
	unsigned long *bits;
	size_t size;
	int err = 0;

	if (log->slot >= VM_MAX_SLOTS)
		return -EINVAL;
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	slot = logged_slot(vm, log->slot);
	if (!slot) {
		err = -ENOENT;
		goto unlock;
	}
	size = BITS_TO_LONGS(slot->npages) * sizeof(long);
	bits = kvzalloc(size, GFP_KERNEL_ACCOUNT);
	if (!bits) {
		err = -ENOMEM;
		goto unlock;
	}
	if (vmx_caps.pml) {
		ept_lock(vm);
		vm_sync_guests(vm);	/* who leaves the guest flushes */
		ept_unlock(vm);
	}
	dirty_harvest(vm, slot, bits);
	ept_check_slots(vm);
	if (copy_to_user((void __user *)log->dirty_bitmap, bits, size)) {
		put_back(slot, bits);
		err = -EFAULT;
	}
	kvfree(bits);
unlock:
	mutex_unlock(&vm->slots_lock);
	return err;
}
