// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel reads and writes guest physical memory, through the VMM's own
 * mapping: the slot is looked up each time, no kernel pointer is kept.
 */
#include <linux/mm.h>
#include <linux/uaccess.h>

#include "memslot.h"

/* Operands, page-table entries and instructions without the checks of a large copy. */
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
	case 16:
		return get_user(((u64 *)data)[0], (const u64 __user *)hva) ?:
		       get_user(((u64 *)data)[1], (const u64 __user *)hva + 1);
	default:
		return copy_from_user(data, hva, len) ? -EFAULT : 0;
	}
}

/* One access after the other goes to the same slot, mostly; slots read-locked. */
static const struct memslot *find_slot(struct vcpu *vcpu, gfn_t gfn)
{
	const struct memslot *slot = vcpu->slot_hit;

	if (!slot || gfn - slot->base_gfn >= slot->npages)
		slot = vcpu->slot_hit = memslot_find(READ_ONCE(vcpu->vm->slots), gfn);
	return slot;
}

/* One piece inside one page; slots read-locked. */
static int copy_piece(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len, bool write)
{
	const struct memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);
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

/**
 * guest_hva - where the VMM has a frame's byte
 * @vcpu: after slots_read_lock(); the answer holds as long as vm->slots_gen does
 * @gpa: of memory that guest_read_word() has just read
 */
hva_t guest_hva(struct vcpu *vcpu, gpa_t gpa)
{
	const struct memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);

	return slot ? memslot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa) : 0;
}

/**
 * guest_read_word - guest_read() of 4 or 8 aligned bytes: an entry of a page table
 * @vcpu: mutex held, after slots_read_lock()
 * @gpa: aligned to @len
 * @data: result
 * @len: 4 or 8
 *
 * Context: a thread of the VM's mm; sleeps. Return: 0 or -EFAULT.
 */
int guest_read_word(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len)
{
	if (WARN_ON_ONCE(!vcpu->slots_depth) || current->mm != vcpu->vm->mm)
		return -EFAULT;
	return copy_piece(vcpu, gpa, data, len, false);
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
