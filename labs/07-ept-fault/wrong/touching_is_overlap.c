// SPDX-License-Identifier: GPL-2.0
/* Where one ends the other may begin. */
static bool slots_overlap(const struct memslots *slots, const struct memslot *new)
{
	int i;

	for (i = 0; i < slots->n; i++) {
		const struct memslot *s = slots->slot[i];

		if (s->id != new->id && new->base_gfn <= s->base_gfn + s->npages &&
		    s->base_gfn <= new->base_gfn + new->npages)
			return true;
	}
	return false;
}
