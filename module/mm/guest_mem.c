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

/* As the processor stores an operand: whole. Longer data by the byte. */
static int write_user(void __user *hva, const void *data, size_t len)
{
	switch (len) {
	case 1:
		return put_user(*(const u8 *)data, (u8 __user *)hva);
	case 2:
		return put_user(*(const u16 *)data, (u16 __user *)hva);
	case 4:
		return put_user(*(const u32 *)data, (u32 __user *)hva);
	case 8:
		return put_user(*(const u64 *)data, (u64 __user *)hva);
	default:
		return copy_to_user(hva, data, len) ? -EFAULT : 0;
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

static void __user *hva_of(const struct memslot *slot, gpa_t gpa)
{
	return (void __user *)(memslot_hva(slot, gpa >> PAGE_SHIFT) + offset_in_page(gpa));
}

/*
 * One piece inside one page; slots read-locked. A slot that is dying is there until the
 * ioctl that ends it returns, and it waits for us.
 */
static int copy_piece(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len, bool write)
{
	const struct memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);

	if (!slot || (write && (slot->flags & MINIKVM_MEM_READONLY)))
		return -ENXIO;
	if (!write)
		return read_user(data, hva_of(slot, gpa), len);
	if (write_user(hva_of(slot, gpa), data, len))
		return -EFAULT;
	dirty_log_mark(vcpu, slot, gpa >> PAGE_SHIFT);
	return 0;
}

/* Clever: walk-cache */
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
/* Clever ends: walk-cache */

/**
 * guest_read_word - guest_read() of 4 or 8 aligned bytes: an entry of a page table
 * @vcpu: mutex held, after slots_read_lock()
 * @gpa: aligned to @len
 * @data: result
 * @len: 4 or 8
 *
 * Context: a thread of the VM's mm; sleeps. Return: as guest_read().
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
 * Context: a thread of the VM's mm; sleeps.
 * Return: 0; -ENXIO: no slot there; -EFAULT: the host's page cannot be had.
 */
int guest_read(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len)
{
	return copy_all(vcpu, gpa, data, len, false);
}

/** guest_write - as guest_read(), the other way; marks it dirty; -ENXIO is read-only, too */
int guest_write(struct vcpu *vcpu, gpa_t gpa, const void *data, size_t len)
{
	return copy_all(vcpu, gpa, (void *)data, len, true);
}

static int cmpxchg_user(void __user *hva, u64 old, u64 new, size_t len)
{
	u32 old32 = old;

	if (len == 4)
		return __try_cmpxchg_user((u32 __user *)hva, &old32, (u32)new, fault32);
	return __try_cmpxchg_user((u64 __user *)hva, &old, new, fault64);
}

/**
 * guest_cmpxchg - change an entry of a page table, if nobody else has
 * @vcpu: mutex held, after slots_read_lock()
 * @gpa: aligned to @len, guest_read_word() has just read it
 * @old: what it was
 * @new: what it shall be
 * @len: 4 or 8
 *
 * Context: a thread of the VM's mm; sleeps. Marks the page dirty.
 * Return: 0; 1: it is not @old any more; -ENXIO: read-only; -EFAULT.
 */
int guest_cmpxchg(struct vcpu *vcpu, gpa_t gpa, u64 old, u64 new, size_t len)
{
	const struct memslot *slot = find_slot(vcpu, gpa >> PAGE_SHIFT);
	int ret;

	if (!slot)
		return 1;	/* it has just gone: who walks again finds out */
	if (slot->flags & MINIKVM_MEM_READONLY)
		return -ENXIO;
	ret = cmpxchg_user(hva_of(slot, gpa), old, new, len);
	if (!ret)
		dirty_log_mark(vcpu, slot, gpa >> PAGE_SHIFT);
	return ret;
}
