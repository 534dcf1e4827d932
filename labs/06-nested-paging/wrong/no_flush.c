// SPDX-License-Identifier: GPL-2.0
/* Nobody hears that something was unmapped. */
static bool clear_leaf(struct ept *ept, u64 *entry)
{
	xchg(entry, 0);
	return true;
}
