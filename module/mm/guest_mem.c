// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel reads and writes guest physical memory, through the VMM's own
 * mapping: the slot is looked up each time, no kernel pointer is kept.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "memslot.h"

/* Sizes of instructions' operands and of page-table entries, without a call. */
static int read_user(void *data, const void __user *hva, size_t len)
{
	switch (len) {
	case 1:
		return get_user(*(u8 *)data, (const u8 __user *)hva);
	case 2:
		return get_user(*(u16 *)data, (const u16 __user *)hva);
	case 4:
		return get_user(*(u32 *)data, (const u32 __user *)hva);
	case 8:
		return get_user(*(u64 *)data, (const u64 __user *)hva);
	default:
		return copy_from_user(data, hva, len) ? -EFAULT : 0;
	}
}

/* One piece inside one page; slots read-locked. */
static int copy_piece(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len, bool write)
{
	const struct memslot *slot = memslot_find(READ_ONCE(vcpu->vm->slots), gpa >> PAGE_SHIFT);
	void __user *hva;

	if (!slot || slot->dying)
		return -EFAULT;
	hva = (void __user *)(memslot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa));
	if (!write)
		return read_user(data, hva, len);
	if ((slot->flags & MINIKVM_MEM_READONLY) || copy_to_user(hva, data, len))
		return -EFAULT;
	dirty_log_mark(slot, gpa >> PAGE_SHIFT);
	return 0;
}

static int copy_all(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len, bool write)
{
	int err = 0;

	if (current->mm != vcpu->vm->mm)
		return -EFAULT;
	slots_read_lock(vcpu);
	while (len && !err) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(gpa));

		err = copy_piece(vcpu, gpa, data, n, write);
		gpa += n;
		data += n;
		len -= n;
	}
	slots_read_unlock(vcpu);
	return err;
}

/**
 * guest_read - copy from guest physical memory
 * @vcpu: mutex held
 * @gpa: where
 * @data: to
 * @len: bytes; may cross pages and slots
 *
 * Context: a thread of the VM's mm; sleeps. Return: 0 or -EFAULT.
 */
int guest_read(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len)
{
	return copy_all(vcpu, gpa, data, len, false);
}

/** guest_write - copy to guest physical memory; as guest_read(), and marks it dirty */
int guest_write(struct vcpu *vcpu, gpa_t gpa, const void *data, size_t len)
{
	return copy_all(vcpu, gpa, (void *)data, len, true);
}
