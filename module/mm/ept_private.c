// SPDX-License-Identifier: GPL-2.0
/*
 * Tables of one vCPU in which some frames are pages of the kernel: for io/step.c, which
 * lets the processor carry out an instruction on them instead of a device. No other vCPU
 * sees these pages; the VM's own tables do not change.
 *
 * The copy is a TLB in software. Who takes rights from the VM's tables bumps ept_gen and
 * then waits until no vCPU that published itself before is in the guest; so a vCPU that
 * publishes itself and then finds the generation of its copy may enter with it.
 */
#include <linux/gfp.h>
#include <linux/mm.h>

#include "../vmx/vmx.h"
#include "ept_private.h"
#include "mm.h"

/** ept_private_free - undo what all the others allocated */
void ept_private_free(struct ept_private *p)
{
	int i;

	for (i = 0; i < p->copy.n; i++)
		ept_table_free(p->copy.table[i]);
	for (i = 0; i < EPT_COPY_FRAMES; i++)
		free_page((unsigned long)p->page[i].data);
}

/** ept_private_clear - no frame differs any more */
void ept_private_clear(struct ept_private *p)
{
	p->n = 0;
	p->gen = 0;
}

/** ept_private_find - what stands in for a frame, or NULL */
struct private_page *ept_private_find(struct ept_private *p, gfn_t gfn)
{
	int i;

	for (i = 0; i < p->n; i++)
		if (p->page[i].gfn == gfn)
			return &p->page[i];
	return NULL;
}

/**
 * ept_private_add - a page of zeroes for a frame, without rights yet
 * @p: tables
 * @gfn: frame that has none
 *
 * Context: sleeps. Return: the page, or NULL: there are too many, or no memory.
 */
struct private_page *ept_private_add(struct ept_private *p, gfn_t gfn)
{
	struct private_page *page = &p->page[p->n];

	if (p->n == EPT_COPY_FRAMES)
		return NULL;
	if (!page->data)
		page->data = (u8 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	else
		clear_page(page->data);
	if (!page->data)
		return NULL;
	page->gfn = gfn;
	page->rights = 0;
	p->n++;
	p->gen = 0;
	return page;
}

/** ept_private_drop - undo the last ept_private_add() */
void ept_private_drop(struct ept_private *p)
{
	p->n--;
	p->gen = 0;
}

static int enough_tables(struct ept_copy *copy, int n)
{
	for (; copy->n < n; copy->n++) {
		copy->table[copy->n] = ept_table_alloc();
		if (!copy->table[copy->n])
			return -ENOMEM;
	}
	return 0;
}

/* Accessed and dirty already: the processor has nothing to set, nor to log. */
static u64 leaf_of(const struct private_page *page)
{
	return __pa(page->data) | page->rights | EPT_MEMTYPE_WB | EPT_IGNORE_PAT |
	       (vmx_caps.ept_ad ? EPT_ACCESSED | EPT_DIRTY : 0);
}

/**
 * ept_private_build - copy the VM's tables as they are now
 * @vm: the machine
 * @p: with its pages and their rights
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int ept_private_build(struct vm *vm, struct ept_private *p)
{
	int i, err = enough_tables(&p->copy, 1 + p->n * (vm->ept.levels - 1));

	if (err)
		return err;
	ept_lock(vm);
	p->gen = atomic64_read(&vm->ept_gen);	/* changes under the lock only */
	ept_copy_root(&p->copy, &vm->ept);
	for (i = 0; i < p->n; i++)
		WARN_ON_ONCE(!ept_copy_map(&p->copy, vm->ept.levels, p->page[i].gfn,
					   leaf_of(&p->page[i])));
	ept_unlock(vm);
	return 0;
}

/**
 * ept_private_holds - have the VM's tables lost nothing since they were copied?
 * @vm: the machine
 * @p: its copy
 *
 * Context: interrupts off, after vcpu->guest_cpu was published.
 */
bool ept_private_holds(const struct vm *vm, const struct ept_private *p)
{
	return p->gen == atomic64_read(&vm->ept_gen);
}

/** ept_private_eptp - the EPT pointer of the copy */
u64 ept_private_eptp(const struct vm *vm, const struct ept_private *p)
{
	return vmx_eptp(__pa(p->copy.table[0]), vm->ept.levels);
}
