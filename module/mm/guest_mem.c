// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel reads and writes guest physical memory, through the VMM's own
 * mapping: the slot is looked up each time, no kernel pointer is kept.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "memslot.h"

/* One piece inside one page; slots read-locked. */
static int copy_piece(struct vm *vm, gpa_t gpa, void *data, size_t len, bool write)
{
	const struct memslot *slot = memslot_find(srcu_dereference(vm->slots, &vm->srcu),
						  gpa >> PAGE_SHIFT);
	void __user *hva;

	if (!slot || slot->dying)
		return -EFAULT;
	hva = (void __user *)(memslot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa));
	if (!write)
		return copy_from_user(data, hva, len) ? -EFAULT : 0;
	if ((slot->flags & MINIKVM_MEM_READONLY) || copy_to_user(hva, data, len))
		return -EFAULT;
	dirty_log_mark(slot, gpa >> PAGE_SHIFT);
	return 0;
}

static int copy_all(struct vm *vm, gpa_t gpa, void *data, size_t len, bool write)
{
	int err = 0, idx;

	if (current->mm != vm->mm)
		return -EFAULT;
	idx = slots_read_lock(vm);
	while (len && !err) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));

		err = copy_piece(vm, gpa, data, n, write);
		gpa += n;
		data += n;
		len -= n;
	}
	slots_read_unlock(vm, idx);
	return err;
}

/**
 * guest_read - copy from guest physical memory
 * @vm: the machine
 * @gpa: where
 * @data: to
 * @len: bytes; may cross pages and slots
 *
 * Context: a thread of the VM's mm; sleeps. Return: 0 or -EFAULT.
 */
int guest_read(struct vm *vm, gpa_t gpa, void *data, size_t len)
{
	return copy_all(vm, gpa, data, len, false);
}

/** guest_write - copy to guest physical memory; as guest_read(), and marks it dirty */
int guest_write(struct vm *vm, gpa_t gpa, const void *data, size_t len)
{
	return copy_all(vm, gpa, (void *)data, len, true);
}
