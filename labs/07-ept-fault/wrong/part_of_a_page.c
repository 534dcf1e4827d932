// SPDX-License-Identifier: GPL-2.0
/* The number of whole pages. */
static bool frames_in(const struct memslot *slot, hva_t start, hva_t end, gfn_t *gfn, u64 *n)
{
	hva_t slot_end = slot->hva + (slot->npages << PAGE_SHIFT);
	hva_t first = max(start, slot->hva), last = min(end, slot_end);

	if (first >= last)
		return false;
	*gfn = slot->base_gfn + ((first - slot->hva) >> PAGE_SHIFT);
	*n = (last - first) >> PAGE_SHIFT;
	return true;
}
