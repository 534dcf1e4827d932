// SPDX-License-Identifier: GPL-2.0
/*
 * From a guest access that EPT stopped to a mapping: guest frame -> slot -> host
 * virtual address -> page -> EPT leaf.
 *
 * The page is looked up without the lock, may be taken away meanwhile, and is
 * mapped only if it was not; see notifier.c. Its reference is dropped at once:
 * nothing is pinned.
 */
#include <linux/cpu.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <asm/cpufeature.h>

#include "../compat.h"
#include "../vmx/vmx.h"
#include "memslot.h"

#define HUGE_PAGES	512	/* frames in a 2 MiB leaf, and of a table of 4 KiB leaves */

/* One fault on its way. */
struct fault {
	struct vcpu *vcpu;
	struct vm *vm;
	const struct memslot *slot;
	gfn_t gfn;
	hva_t hva;
	unsigned int access;
	unsigned long seq;	/* invalidate_seq before the page was looked up */
	struct page **page;	/* vcpu->around_page */
	int n;			/* pages: gfn, and those behind it */
	bool writable;		/* the host lets us write them */
};

static int cache_fill(struct ept_cache *cache, int levels)
{
	while (cache->n < levels - 1) {
		u64 *table = ept_table_alloc();

		if (!table)
			return -ENOMEM;
		cache->table[cache->n++] = table;
	}
	return 0;
}

/** ept_fault_free - what ept_fault() keeps for the next fault; the vCPU goes away */
void ept_fault_free(struct vcpu *vcpu)
{
	struct ept_cache *cache = &vcpu->ept_cache;

	while (cache->n)
		ept_table_free(cache->table[--cache->n]);
}

/*
 * Clever: fault-around: delete this and all still works, 1028 instructions slower (row T6as).
 * Who faults on one page after the other is about to want the next ones: twice as
 * many each time, as long as they have the same table of leaves. A logged slot
 * wants to see every page's first write, unless the processor notes it.
 */
static int fault_around(struct vcpu *vcpu, const struct fault *f)
{
	const struct memslot *slot = f->slot;
	u64 room = min(slot->base_gfn + slot->npages - f->gfn, HUGE_PAGES - f->gfn % HUGE_PAGES);

	if (slot->dirty && !vmx_caps.pml)
		return 1;
	vcpu->around = f->gfn == vcpu->around_gfn ?
		       clamp_t(u32, 2 * vcpu->around, 1, EPT_AROUND_MAX) : 1;
	return min_t(u64, vcpu->around, room);
}
/* Clever ends: fault-around */

/*
 * The pages behind hva, as many of those after it as the host has at hand. A read
 * fault takes write permission along if that costs nothing. Pages without a
 * struct page (VM_IO, VM_PFNMAP) give -EFAULT here.
 */
static int page_get(struct fault *f, int around)
{
	bool write = f->access & ACCESS_WRITE;
	long n;

	f->writable = true;
	if (!(f->slot->flags & MINIKVM_MEM_READONLY)) {
		f->n = get_user_pages_fast_only(f->hva, around, FOLL_WRITE, f->page);
		if (f->n > 0)
			return 0;
	}
	f->writable = write;
	f->n = 1;
	n = get_user_pages_unlocked(f->hva, 1, f->page,
				    (write ? FOLL_WRITE : 0) | FOLL_HWPOISON |
				    COMPAT_FOLL_INTERRUPTIBLE | COMPAT_FOLL_NUMA);
	if (n == 1)
		return 0;
	if (n == -EHWPOISON) {
		send_sig_mceerr(BUS_MCEERR_AR, (void __user *)f->hva, PAGE_SHIFT, current);
		return -EHWPOISON;
	}
	if (fatal_signal_pending(current))
		return -EINTR;
	return n == -EAGAIN || n == -EINTR ? -EINTR : n == -ENOMEM ? -ENOMEM : -EFAULT;
}

/* Is the host's own mapping of hva at least 2 MiB? Interrupts off keep tables alive. */
static bool host_is_huge(hva_t hva)
{
	unsigned long flags;
	bool huge = false;
	pgd_t *pgd;
	p4d_t *p4d, p4d_val;
	pud_t *pud, pud_val;
	pmd_t pmd_val;

	local_irq_save(flags);
	pgd = pgd_offset(current->mm, hva);
	if (pgd_none(READ_ONCE(*pgd)))
		goto out;
	p4d = p4d_offset(pgd, hva);
	p4d_val = READ_ONCE(*p4d);
	if (p4d_none(p4d_val) || !p4d_present(p4d_val))
		goto out;
	pud = pud_offset(&p4d_val, hva);
	pud_val = READ_ONCE(*pud);
	if (pud_none(pud_val) || !pud_present(pud_val))
		goto out;
	if (pud_leaf(pud_val)) {
		huge = true;
		goto out;
	}
	pmd_val = READ_ONCE(*pmd_offset(&pud_val, hva));
	huge = pmd_present(pmd_val) && pmd_leaf(pmd_val);
out:
	local_irq_restore(flags);
	return huge;
}

/* Executable 2 MiB leaves can hang a CPU with the iTLB multihit bug. */
static bool huge_must_not_exec(void)
{
	return boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT) && !cpu_mitigations_off();
}

static bool may_be_huge(const struct fault *f)
{
	const struct memslot *slot = f->slot;
	gfn_t first = f->gfn & ~(u64)(HUGE_PAGES - 1);

	if (!PageCompound(f->page[0]) || !vmx_caps.ept_2m || slot->dirty)
		return false;
	if ((slot->base_gfn ^ slot->hva >> PAGE_SHIFT) & (HUGE_PAGES - 1))
		return false;
	if (first < slot->base_gfn || first + HUGE_PAGES > slot->base_gfn + slot->npages)
		return false;
	if (huge_must_not_exec() && (f->access & ACCESS_FETCH))
		return false;
	/* A table of 4 KiB leaves stays until its whole range is unmapped. */
	if (ept_find(&f->vm->ept, f->gfn).level == 1)
		return false;
	return host_is_huge(f->hva);
}

/* The page that is accessed now, not those around it. */
static u64 accessed_bits(const struct fault *f)
{
	if (!vmx_caps.ept_ad)
		return 0;
	return EPT_ACCESSED | (f->access & ACCESS_WRITE ? EPT_DIRTY : 0);
}

static u64 leaf_bits(const struct fault *f, bool huge)
{
	u64 bits = EPT_READ | EPT_MEMTYPE_WB | EPT_IGNORE_PAT;

	if (!huge || !huge_must_not_exec())
		bits |= EPT_EXEC;
	if (f->writable)
		bits |= EPT_HOST_WRITE;
	if (!f->writable)
		return bits;
	/* In a logged slot only a write makes a page writable or dirty, so that it is seen. */
	if (!f->slot->dirty)
		bits |= EPT_WRITE | (vmx_caps.ept_ad ? EPT_DIRTY : 0);
	else if (vmx_caps.pml || (f->access & ACCESS_WRITE))
		bits |= EPT_WRITE;
	return bits;
}

static void map_huge(struct fault *f, struct ept_cache *cache)
{
	u64 pfn = page_to_pfn(f->page[0]) & ~(u64)(HUGE_PAGES - 1), bits = leaf_bits(f, true);

	ept_map(&f->vm->ept, f->gfn & ~(u64)(HUGE_PAGES - 1), 2,
		pfn << PAGE_SHIFT | bits | accessed_bits(f), cache);
}

/* Clever: fault-around */
static noinline_for_stack void fault_map_around(struct fault *f, u64 bits)
{
	u64 leaf[EPT_AROUND_MAX];
	int i;

	for (i = 1; i < f->n; i++)
		leaf[i] = (u64)page_to_pfn(f->page[i]) << PAGE_SHIFT | bits;
	ept_map_around(&f->vm->ept, f->gfn, leaf + 1, f->n - 1);
}
/* Clever ends: fault-around */

static void map_small(struct fault *f, struct ept_cache *cache)
{
	u64 bits = leaf_bits(f, false), pfn = page_to_pfn(f->page[0]);

	ept_map(&f->vm->ept, f->gfn, 1, pfn << PAGE_SHIFT | bits | accessed_bits(f), cache);
	/* Clever: fault-around */
	if (f->n > 1)
		fault_map_around(f, bits);
	/* Clever ends: fault-around */
}

/*
 * The guest writes it without the host's page tables hearing of it. ept_lock held: no
 * notifier has taken the page back yet, so that the host still looks at this. What needs
 * more than the flag, pages of a file with a disk behind it, is dirty while it is writable.
 */
static void mark_written(struct fault *f)
{
	int i;

	for (i = 0; i < f->n && f->writable; i++)
		if (!PageDirty(f->page[i]))
			SetPageDirty(f->page[i]);
}

/* 0: mapped; -EAGAIN: stale. */
static int map_pages(struct fault *f, struct ept_cache *cache)
{
	int ret = -EAGAIN;

	ept_lock(f->vm);
	if (!pages_are_stale(f->vm, f->hva, f->n, f->seq)) {
		if (may_be_huge(f))
			map_huge(f, cache);
		else
			map_small(f, cache);
		/* Of a slot made with a log KVM names what was read, and programs count on it. */
		if (f->access & ACCESS_WRITE || (f->slot->log_reads && f->writable))
			dirty_log_mark(f->vcpu, f->slot, f->gfn);
		mark_written(f);
		ret = 0;
	}
	ept_unlock(f->vm);
	return ret;
}

static void pages_put(struct fault *f)
{
	int i;

	for (i = 0; i < f->n; i++)
		put_page(f->page[i]);
}

/*
 * Clever: write-again: delete this and all still works, 664 instructions slower (row T11a).
 * The first write to a page since the log was harvested: only the right is missing.
 */
static bool write_again(struct fault *f)
{
	bool done;

	if (!f->slot->dirty || !(f->access & ACCESS_WRITE))
		return false;
	ept_lock(f->vm);
	done = ept_allow_write(&f->vm->ept, f->gfn);
	if (done)
		dirty_log_mark(f->vcpu, f->slot, f->gfn);
	ept_unlock(f->vm);
	return done;
}
/* Clever ends: write-again */

static noinline_for_stack int fault_in_slot(struct vcpu *vcpu, const struct memslot *slot,
					    gfn_t gfn, unsigned int access)
{
	struct vm *vm = vcpu->vm;
	struct fault fault = {
		.vcpu = vcpu, .vm = vm, .slot = slot, .gfn = gfn, .access = access,
		.page = vcpu->around_page,
	}, *f = &fault;
	int around = 1, ret;

	if (f->slot->dying)
		return -EAGAIN;
	if ((f->access & ACCESS_WRITE) && (f->slot->flags & MINIKVM_MEM_READONLY))
		return EPT_FAULT_MMIO;
	/* Clever: write-again */
	if (write_again(f))
		return 0;
	/* Clever ends: write-again */
	ret = cache_fill(&vcpu->ept_cache, vm->ept.levels);
	if (ret)
		return ret;
	f->hva = memslot_hva(f->slot, f->gfn);
	f->seq = READ_ONCE(vm->invalidate_seq);
	smp_rmb();	/* the sequence before the page; pairs with the lock in range_end() */
	around = fault_around(vcpu, f);	/* Clever: fault-around */
	ret = page_get(f, around);
	if (ret)
		return ret;
	ret = map_pages(f, &vcpu->ept_cache);
	pages_put(f);
	vcpu->around_gfn = f->gfn + f->n;	/* Clever: fault-around */
	return ret;
}

/**
 * ept_fault - make a guest access possible, or say that it is not memory
 * @vcpu: whose; mutex held, slots read-locked
 * @gpa: guest physical address
 * @access: ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH
 *
 * Context: a thread of the VM's mm; sleeps.
 * Return: 0: enter again; EPT_FAULT_MMIO: no slot there, or a write to a
 * read-only one; -EAGAIN: the slot or the host's page is changing; -EFAULT,
 * -EHWPOISON (SIGBUS sent), -EINTR, -ENOMEM.
 */
int ept_fault(struct vcpu *vcpu, gpa_t gpa, unsigned int access)
{
	gfn_t gfn = gpa >> PAGE_SHIFT;
	const struct memslot *slot = memslot_find(READ_ONCE(vcpu->vm->slots), gfn);

	return slot ? fault_in_slot(vcpu, slot, gfn, access) : EPT_FAULT_MMIO;
}
