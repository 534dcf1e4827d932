// SPDX-License-Identifier: GPL-2.0
/*
 * The EPT of a VM: its life, its lock, and who makes sure that everybody notices a change.
 *
 * An entry that lost rights may still be cached by a processor, on which the guest goes on
 * using a page that the host is about to give to somebody else. So nobody but ept_unlock()
 * lets go of ept_lock, and it flushes first: who finds an entry gone, under the lock, knows
 * that every processor has forgotten it. The IPIs may be sent under the lock, since nobody
 * takes it with interrupts off.
 */
#include <linux/cpumask.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmstat.h>

#include "../vmx/kick.h"
#include "../vmx/vmx.h"
#include "mm.h"

/** ept_table_alloc - an empty table, counted where the host counts such. Return: it or NULL. */
u64 *ept_table_alloc(void)
{
	u64 *table = (u64 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (table)
		mod_lruvec_page_state(virt_to_page(table), NR_SECONDARY_PAGETABLE, 1);
	return table;
}

/** ept_table_free - undo ept_table_alloc(); no processor walks it any more */
void ept_table_free(u64 *table)
{
	mod_lruvec_page_state(virt_to_page(table), NR_SECONDARY_PAGETABLE, -1);
	free_page((unsigned long)table);
}

/*
 * Each entry compares the generation with the one that its CPU has flushed at; who is in
 * the guest now leaves it, and will.
 */
static void ept_flush(struct vm *vm)
{
	u64 gen = check_flush_begin(vm);

	atomic64_inc(&vm->ept_gen);
	vm_sync_guests(vm);
	check_flush_end(vm, gen);
	vm->ept.stale = false;
}

/**
 * ept_lock - keep others from vm->ept and vm->invalidate_*
 * @vm: the machine
 *
 * Context: interrupts on. Undone by ept_unlock().
 */
void ept_lock(struct vm *vm)
	__acquires(&vm->ept_lock)
{
	spin_lock(&vm->ept_lock);
	check_unflushed(vm, "taken");
}

/**
 * ept_unlock - undo ept_lock()
 * @vm: the machine
 *
 * When this returns, no translation is used through an entry that lost rights meanwhile,
 * and tables that were unlinked are free.
 *
 * Context: interrupts on. SDM "Invalidating Cached Translation Information".
 */
void ept_unlock(struct vm *vm)
	__releases(&vm->ept_lock)
{
	u64 *dead = NULL;

	if (unlikely(vm->ept.stale))
		ept_flush(vm);
	check_unflushed(vm, "released");
	if (unlikely(vm->ept.retired))
		dead = ept_take_retired(&vm->ept);
	spin_unlock(&vm->ept_lock);
	if (unlikely(dead))
		ept_free_list(dead, ept_table_free);
}

/**
 * ept_unmap_frames - take a range of frames from the guest
 * @vm: the machine
 * @gfn: first frame
 * @npages: how many
 * @flags: EPT_TRIM or 0
 * @between: called after each step, that is some ten microseconds; false: stop
 *
 * Context: interrupts on, ept_lock not held; else @between's.
 * Return: true: nobody uses these frames any more; false: @between said stop.
 */
bool ept_unmap_frames(struct vm *vm, gfn_t gfn, u64 npages, unsigned int flags,
		      bool (*between)(struct vm *vm))
{
	u64 done = 0;

	while (done < npages) {
		ept_lock(vm);
		done += ept_unmap(&vm->ept, gfn + done, npages - done, flags);
		ept_unlock(vm);
		if (!between(vm))
			return false;
	}
	return true;
}

/** ept_create - an empty EPT for a VM. Return: 0 or -ENOMEM. */
int ept_create(struct vm *vm)
{
	spin_lock_init(&vm->ept_lock);
	/* The CPUs have seen generation 0: an older VM may have had this root page. */
	atomic64_set(&vm->ept_gen, 1);
	vm->cpu_ept_gen = kcalloc(nr_cpu_ids, sizeof(u64), GFP_KERNEL_ACCOUNT);
	vm->in_guest = kzalloc(cpumask_size(), GFP_KERNEL_ACCOUNT);
	vm->ept.levels = 4;
	vm->ept.root = ept_table_alloc();
	if (!vm->cpu_ept_gen || !vm->in_guest || !vm->ept.root) {
		kfree(vm->cpu_ept_gen);
		kfree(vm->in_guest);
		if (vm->ept.root)
			ept_table_free(vm->ept.root);
		return -ENOMEM;
	}
	vm->gpa_bits = min_t(u8, vmx_caps.phys_bits, PAGE_SHIFT + 9 * vm->ept.levels);
	vm->eptp = vmx_eptp(__pa(vm->ept.root), vm->ept.levels);
	return 0;
}

/** ept_destroy_vm - free all tables; no vCPU is left */
void ept_destroy_vm(struct vm *vm)
{
	ept_free_all(&vm->ept, ept_table_free);
	kfree(vm->in_guest);
	kfree(vm->cpu_ept_gen);
}
