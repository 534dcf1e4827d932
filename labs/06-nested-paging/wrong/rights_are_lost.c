// SPDX-License-Identifier: GPL-2.0
/* The new leaf takes the place of the old one, whatever that had. */
static void replace_leaf(struct ept *ept, u64 *entry, u64 old, u64 leaf)
{
	if ((old ^ leaf) & EPT_ADDR)
		ept->stale = true;
	WRITE_ONCE(*entry, leaf);
}
