// SPDX-License-Identifier: GPL-2.0
/* The value begins with nothing. */
static inline const char *control_choose(u64 cap, const struct control *c, u32 *value)
{
	u32 must = cap, may = cap >> 32;

	*value = 0;
	for (; c->bit; c++) {
		bool on = may & c->bit, off = !(must & c->bit);

		if (c->use == DYNAMIC ? !on || !off : c->use == REQUIRED && !on)
			return c->name;
		if (on && c->use != DYNAMIC)
			*value |= c->bit;
	}
	return NULL;
}
