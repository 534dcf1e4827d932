// SPDX-License-Identifier: GPL-2.0
/* A processor that has the page in its TLB writes on, and no round of the migration notices. */
static void ept_take(struct ept *ept, u64 gfn, u64 mask, u64 what)
{
	u64 *entry;

	for (; mask; mask &= mask - 1) {
		entry = small_leaf(ept, gfn + __builtin_ctzll(mask));
		if (entry)
			take_bits(entry, what);
	}
}
