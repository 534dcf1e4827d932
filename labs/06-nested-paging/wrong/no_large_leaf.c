// SPDX-License-Identifier: GPL-2.0
/* A leaf of 2 MiB is taken for a table, and memory of the guest for entries. */
struct ept_leaf ept_find(const struct ept *ept, u64 gfn)
{
	u64 *table = ept->root;
	int level;

	for (level = ept->levels; level > 1; level--) {
		u64 *entry = &table[index_of(gfn, level)];

		if (!*entry)
			return (struct ept_leaf) { NULL, level };
		table = ept_va(*entry & EPT_ADDR);
	}
	if (!table[index_of(gfn, 1)])
		return (struct ept_leaf) { NULL, 1 };
	return (struct ept_leaf) { &table[index_of(gfn, 1)], 1 };
}
