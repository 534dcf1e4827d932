// SPDX-License-Identifier: GPL-2.0
/* The host's right to write is in the leaf, and not looked at. */
bool ept_allow_write(struct ept *ept, u64 gfn)
{
	struct ept_leaf leaf = ept_find(ept, gfn);

	if (!leaf.entry || leaf.level != 1)
		return false;
	add_bits(leaf.entry, EPT_WRITE);
	return true;
}
