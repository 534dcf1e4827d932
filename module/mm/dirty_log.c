// SPDX-License-Identifier: GPL-2.0
/* Which pages of a slot were written since somebody last asked. */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "memslot.h"

/** dirty_log_mark - a page of a slot was written; any context, slots read-locked */
void dirty_log_mark(const struct memslot *slot, gfn_t gfn)
{
	if (slot->dirty)
		set_bit(gfn - slot->base_gfn, slot->dirty);
}

/* Take one word of the log, and make its pages fault again when written. */
static int harvest_word(struct vm *vm, const struct memslot *slot, u64 word, unsigned long *bits)
{
	*bits = xchg(&slot->dirty[word], 0);
	return ept_wrprotect(&vm->ept, slot->base_gfn + word * BITS_PER_LONG, *bits);
}

static int harvest(struct vm *vm, const struct memslot *slot, unsigned long *bits)
{
	u64 word, n = BITS_TO_LONGS(slot->npages);
	int flush = 0;

	for (word = 0; word < n; word++) {
		spin_lock(&vm->ept_lock);
		if (slot->dirty[word])
			flush |= harvest_word(vm, slot, word, &bits[word]);
		spin_unlock(&vm->ept_lock);
		if (!(word & 0xfff))
			cond_resched();
	}
	return flush;
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
 * Return: 0; -EINVAL (no such slot number), -ENOENT (slot not logged), -ENOMEM, -EFAULT.
 */
int dirty_log_get(struct vm *vm, struct minikvm_dirty_log *log)
{
	const struct memslot *slot;
	unsigned long *bits;
	size_t size;
	int err = 0;

	if (log->slot >= VM_MAX_SLOTS)
		return -EINVAL;
	mutex_lock(&vm->slots_lock);
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
	if (harvest(vm, slot, bits))
		ept_flush(vm);
	if (copy_to_user((void __user *)log->dirty_bitmap, bits, size))
		err = -EFAULT;
	kvfree(bits);
unlock:
	mutex_unlock(&vm->slots_lock);
	return err;
}
