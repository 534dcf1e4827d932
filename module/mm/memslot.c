// SPDX-License-Identifier: GPL-2.0
/*
 * Guest physical memory as the VMM declares it.
 *
 * Readers look at an immutable snapshot: a vCPU's thread (faults, guest_read())
 * between slots_read_lock() and slots_read_unlock(), in which it may sleep; MMU
 * notifiers, which may not, under notifier_lock. A change, one at a time under
 * slots_lock, publishes new snapshots, and waits for those who use the old one: a
 * slot that goes away is first marked dying, so that nothing maps it any more
 * while the notifiers still find it; then its EPT entries go; then it does.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>

#include "memslot.h"

/*
 * No vCPU's thread uses an older snapshot than the current one. Nothing is waited
 * for unless one is in the middle of a fault or of an access for the guest. It may be
 * there as long as its user fault handler pleases; a signal that kills the process ends
 * that, and so this.
 */
static void wait_for_readers(struct vm *vm)
{
	u32 i, n;

	smp_mb();	/* the new snapshot before the look at who reads */
	n = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */
	for (i = 0; i < n; i++) {
		u32 *seq = &vm->vcpus[i]->slots_seq;
		u32 seen = smp_load_acquire(seq);	/* its looks before what the caller does */

		while ((seen & 1) && smp_load_acquire(seq) == seen)	/* as above */
			schedule_timeout_idle(1);
	}
}

/**
 * memslot_find - the slot that holds a frame
 * @slots: snapshot
 * @gfn: frame
 *
 * Context: slots_read_lock(), notifier_lock or slots_lock. Return: the slot or NULL.
 */
const struct memslot *memslot_find(const struct memslots *slots, gfn_t gfn)
{
	int low = 0, high = slots->n;

	while (low < high) {
		int mid = (low + high) / 2;
		const struct memslot *slot = slots->slot[mid];

		if (gfn < slot->base_gfn)
			high = mid;
		else if (gfn - slot->base_gfn >= slot->npages)
			low = mid + 1;
		else
			return slot;
	}
	return NULL;
}

static struct memslots *slots_of(struct vm *vm)
{
	lockdep_assert_held(&vm->slots_lock);
	return vm->slots;
}

static struct memslot *slot_by_id(const struct memslots *slots, u16 id)
{
	int i;

	for (i = 0; i < slots->n; i++)
		if (slots->slot[i]->id == id)
			return slots->slot[i];
	return NULL;
}

static bool slots_overlap(const struct memslots *slots, const struct memslot *new)
{
	int i;

	for (i = 0; i < slots->n; i++) {
		const struct memslot *s = slots->slot[i];

		if (s->id != new->id && new->base_gfn < s->base_gfn + s->npages &&
		    s->base_gfn < new->base_gfn + new->npages)
			return true;
	}
	return false;
}

/* Where local APICs are after power-up: a slot there would hide them in silence. */
#define APIC_GFN	(0xfee00000 >> PAGE_SHIFT)

static bool hides_apic(const struct vm *vm, const struct memslot *new)
{
	return vm->apic_page && new->base_gfn <= APIC_GFN &&
	       APIC_GFN - new->base_gfn < new->npages;
}

/**
 * memslots_spare_apic - from now on no slot may be where the local APICs are
 * @vm: with chips here; its first vCPU is about to be made
 *
 * Context: sleeps. Return: 0; -EEXIST: there is one already; -EINTR: a fatal signal.
 */
int memslots_spare_apic(struct vm *vm)
{
	int err = 0;

	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	if (memslot_find(slots_of(vm), APIC_GFN))
		err = -EEXIST;
	else
		vm->apic_page = true;
	mutex_unlock(&vm->slots_lock);
	return err;
}

/**
 * memslot_check - what can be said of a request without looking at the VM
 * @r: from the VMM
 * @gpa_bits: width of guest physical addresses
 *
 * Return: 0 or -EINVAL.
 */
int memslot_check(const struct minikvm_userspace_memory_region *r, u8 gpa_bits)
{
	if (r->flags & ~(MINIKVM_MEM_LOG_DIRTY_PAGES | MINIKVM_MEM_READONLY))
		return -EINVAL;
	if ((r->memory_size | r->guest_phys_addr | r->userspace_addr) & ~PAGE_MASK)
		return -EINVAL;
	if (!access_ok((void __user *)(unsigned long)r->userspace_addr, r->memory_size))
		return -EINVAL;
	/* LAM: notifiers speak of addresses without a tag. */
	if (untagged_addr(r->userspace_addr) != r->userspace_addr)
		return -EINVAL;
	/* The upper half of the number is an address space: there is one. */
	if (r->slot >= VM_MAX_SLOTS)
		return -EINVAL;
	if (r->guest_phys_addr + r->memory_size < r->guest_phys_addr)
		return -EINVAL;
	if (r->memory_size >> PAGE_SHIFT > MEMSLOT_MAX_PAGES)
		return -EINVAL;
	/* What the tables cannot map, nothing would ever unmap. */
	if (r->memory_size && (r->guest_phys_addr + r->memory_size - 1) >> gpa_bits)
		return -EINVAL;
	return 0;
}

static void slot_free(struct memslot *slot)
{
	if (!slot)
		return;
	kvfree(slot->dirty);
	kfree(slot);
}

/* Room for the next snapshot: one slot more than now. Taken before anything changes. */
static struct memslots *snapshot_alloc(struct vm *vm)
{
	struct memslots *to;

	return kvmalloc(struct_size(to, slot, slots_of(vm)->n + 1), GFP_KERNEL_ACCOUNT);
}

static bool is_logging(const struct memslots *slots)
{
	bool logging = false;
	int i;

	for (i = 0; i < slots->n; i++)
		logging |= !!slots->slot[i]->dirty;
	return logging;
}

/* Publish in @to: @old (if any) is replaced by @new (if any). Waits for the readers. */
static void slots_publish(struct vm *vm, struct memslots *to, const struct memslot *old,
		    struct memslot *new)
{
	struct memslots *from = slots_of(vm);
	int i, n = 0;

	for (i = 0; i < from->n; i++) {
		struct memslot *s = from->slot[i];

		if (s == old)
			continue;
		if (new && new->base_gfn < s->base_gfn) {
			to->slot[n++] = new;
			new = NULL;
		}
		to->slot[n++] = s;
	}
	if (new)
		to->slot[n++] = new;
	to->n = n;
	if (is_logging(to))
		WRITE_ONCE(vm->logging, true);	/* its end: memslot_set() */
	write_lock(&vm->notifier_lock);
	smp_store_release(&vm->slots, to);	/* what is in it before it */
	/* Who sees the new number sees the new slots. */
	smp_store_release(&vm->slots_gen, vm->slots_gen + 1);
	write_unlock(&vm->notifier_lock);
	wait_for_readers(vm);
	kvfree(from);
}

static bool slot_may_wait(struct vm *vm)
{
	cond_resched();
	return true;
}

/* Nothing of the slot stays mapped; pages may be freed when this returns. */
static void unmap_slot(struct vm *vm, const struct memslot *slot, unsigned int flags)
{
	ept_unmap_frames(vm, slot->base_gfn, slot->npages, flags, slot_may_wait);
}

/*
 * Replace a slot by @new, or by nothing: a moved or a deleted slot. What moves takes its log
 * along. The two steps are also what makes notes of walks safe, see note_begin().
 */
static int slot_replace(struct vm *vm, struct memslot *old, struct memslot *new)
{
	struct memslot *dying = kmemdup(old, sizeof(*old), GFP_KERNEL_ACCOUNT);
	struct memslots *first = snapshot_alloc(vm), *second = snapshot_alloc(vm);

	if (!dying || !first || !second) {
		kfree(dying);
		kvfree(first);
		kvfree(second);
		return -ENOMEM;
	}
	dying->dying = true;
	slots_publish(vm, first, old, dying);
	unmap_slot(vm, old, EPT_TRIM);
	if (new && new->dirty && old->dirty)
		swap(new->dirty, old->dirty);
	slots_publish(vm, second, dying, new);
	kfree(dying);
	slot_free(old);
	return 0;
}

/*
 * Dirty logging begins with nothing mapped, so that every first write is seen. It ends
 * so, too: what is mapped from now on is not noted any more, and may be huge.
 */
static int slot_reflag(struct vm *vm, struct memslot *old, struct memslot *new)
{
	struct memslots *to = snapshot_alloc(vm);

	if (!to)
		return -ENOMEM;
	slots_publish(vm, to, old, new);
	unmap_slot(vm, new, 0);
	slot_free(old);
	return 0;
}

/* All of it is to be named once, if the VMM would ask for that first anyway. */
static void log_begin(const struct vm *vm, struct memslot *new)
{
	if (new->dirty && (READ_ONCE(vm->manual_log) & MINIKVM_DIRTY_LOG_INITIALLY_SET) &&
	    !READ_ONCE(vm->dirty_ring))
		bitmap_set(new->dirty, 0, new->npages);
}

static struct memslot *slot_new(const struct minikvm_userspace_memory_region *r)
{
	struct memslot *new = kzalloc(sizeof(*new), GFP_KERNEL_ACCOUNT);

	if (!new)
		return NULL;
	new->id = r->slot;
	new->flags = r->flags;
	new->base_gfn = r->guest_phys_addr >> PAGE_SHIFT;
	new->npages = r->memory_size >> PAGE_SHIFT;
	new->hva = r->userspace_addr;
	if (r->flags & MINIKVM_MEM_LOG_DIRTY_PAGES) {
		new->dirty = kvcalloc(BITS_TO_LONGS(new->npages), sizeof(long),
				      GFP_KERNEL_ACCOUNT);
		if (!new->dirty) {
			kfree(new);
			return NULL;
		}
	}
	return new;
}

/* A slot that exists keeps its memory, its size and its READONLY. */
static bool change_allowed(const struct memslot *old, const struct memslot *new)
{
	return new->hva == old->hva && new->npages == old->npages &&
	       !((new->flags ^ old->flags) & MINIKVM_MEM_READONLY);
}

static int slot_add(struct vm *vm, struct memslot *new)
{
	struct memslots *to = snapshot_alloc(vm);

	if (!to)
		return -ENOMEM;
	new->log_reads = new->dirty;
	slots_publish(vm, to, NULL, new);
	return 0;
}

static int slot_change(struct vm *vm, struct memslot *old, struct memslot *new)
{
	if (old && !change_allowed(old, new))
		return -EINVAL;
	if ((!old || new->base_gfn != old->base_gfn) &&
	    (slots_overlap(slots_of(vm), new) || hides_apic(vm, new)))
		return -EEXIST;
	if (!old)
		return slot_add(vm, new);
	if (new->base_gfn != old->base_gfn)
		return slot_replace(vm, old, new);
	return slot_reflag(vm, old, new);
}

static int memslot_set_locked(struct vm *vm, const struct minikvm_userspace_memory_region *r)
{
	struct memslot *old = slot_by_id(slots_of(vm), r->slot), *new;
	int err;

	if (!r->memory_size)
		return old ? slot_replace(vm, old, NULL) : -EINVAL;
	if (old && old->base_gfn == r->guest_phys_addr >> PAGE_SHIFT && old->flags == r->flags &&
	    old->npages == r->memory_size >> PAGE_SHIFT && old->hva == r->userspace_addr)
		return 0;
	new = slot_new(r);
	if (!new)
		return -ENOMEM;
	log_begin(vm, new);
	err = slot_change(vm, old, new);
	if (err)
		slot_free(new);
	return err;
}

/**
 * memslot_set - create, delete, move or re-flag a slot
 * @vm: the machine
 * @r: from the VMM
 *
 * When this returns, no vCPU and no handler uses the old slot.
 *
 * Context: the VM's own mm; sleeps.
 * Return: 0; -EINVAL (arguments, delete of nothing, change of size, memory or
 * READONLY), -EEXIST (overlap), -ENOMEM, -EINTR (killed).
 */
int memslot_set(struct vm *vm, const struct minikvm_userspace_memory_region *r)
{
	int err = memslot_check(r, vm->gpa_bits);

	if (err)
		return err;
	if (mutex_lock_killable(&vm->slots_lock))
		return -EINTR;
	err = memslot_set_locked(vm, r);
	/* Every vCPU has left the guest since a log went: none has notes that it did not give. */
	WRITE_ONCE(vm->logging, is_logging(vm->slots));
	ept_check_slots(vm);
	mutex_unlock(&vm->slots_lock);
	return err;
}

/** memslots_create - a VM starts without memory. Return: 0 or -ENOMEM. */
int memslots_create(struct vm *vm)
{
	vm->slots = kzalloc(sizeof(*vm->slots), GFP_KERNEL_ACCOUNT);
	if (!vm->slots)
		return -ENOMEM;
	mutex_init(&vm->slots_lock);
	rwlock_init(&vm->notifier_lock);
	return 0;
}

/** memslots_destroy - undo memslots_create() and every memslot_set(); nobody looks any more */
void memslots_destroy(struct vm *vm)
{
	struct memslots *slots = vm->slots;
	int i;

	for (i = 0; i < slots->n; i++)
		slot_free(slots->slot[i]);
	kvfree(slots);
}
