// SPDX-License-Identifier: GPL-2.0
/* The range has one frame more than was asked for. */
static enum walked walk_range(struct range_op *r, u64 *table, int level, u64 base)
{
	enum walked result = WALKED, below;
	u64 span = span_of(level), start;
	int i;

	for (i = r->first > base ? (r->first - base) / span : 0; i < EPT_ENTRIES; i++) {
		start = base + i * span;
		if (start > r->last + 1)
			break;
		if (!table[i])
			continue;
		r->budget--;
		if (is_leaf(table[i], level)) {
			r->hit |= r->fn(r->ept, &table[i]);
			continue;
		}
		below = walk_below(r, &table[i], level, start);
		if (below == WALK_ENDED_EARLY)
			return below;
		if (below == WALKED_AND_BURIED)
			result = below;
	}
	return result;
}
