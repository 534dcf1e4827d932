// SPDX-License-Identifier: GPL-2.0
/* What is switched at run time begins as on, and a control that is always on will do. */
static inline const char *control_choose(u64 cap, const struct control *c, u32 *value)
{
	u32 may = cap >> 32;

	*value = cap;
	for (; c->bit; c++) {
		if (c->use != OPTIONAL && !(may & c->bit))
			return c->name;
		*value |= may & c->bit;
	}
	return NULL;
}
