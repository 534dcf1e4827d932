// SPDX-License-Identifier: GPL-2.0
/* The mark is in memory that the VMM writes as it likes. */
static inline bool dirty_ring_pop(struct dirty_ring *r, u32 *slot, u64 *offset)
{
	struct minikvm_dirty_gfn *e = &r->entry[r->reset & (r->size - 1)];

	if (!(smp_load_acquire(&e->flags) & MINIKVM_DIRTY_GFN_F_RESET))
		return false;
	*slot = READ_ONCE(e->slot);
	*offset = READ_ONCE(e->offset);
	WRITE_ONCE(e->flags, 0);
	smp_store_release(&r->reset, r->reset + 1);
	return true;
}
