/* SPDX-License-Identifier: GPL-2.0 */
/* Which of a set of VMX controls are on: pure, called by caps.c for each set. */
#ifndef MINIKVM_VMX_CONTROLS_H
#define MINIKVM_VMX_CONTROLS_H

#include <linux/types.h>

enum control_use {
	OPTIONAL,		/* on if it can be */
	REQUIRED,		/* on, or the processor is refused */
	DYNAMIC,		/* off at first, on and off at run time: both must be possible */
};

/* One VMX control, as SDM "VMX Capability Reporting Facility" reports it. */
struct control {
	u32 bit;
	enum control_use use;
	const char *name;
};

/*
 * control_choose - the value of a set of controls
 * @cap: its capability MSR: the low half has the bits that must be 1, the high half
 *	those that may be
 * @c: the table, up to a row without a bit
 *
 * Return: NULL with the value in *value, or the name of a control that is missing.
 */
static inline const char *control_choose(u64 cap, const struct control *c, u32 *value)
{
	u32 must = cap, may = cap >> 32;

	*value = must;
	for (; c->bit; c++) {
		bool on = may & c->bit, off = !(must & c->bit);

		if (c->use == DYNAMIC ? !on || !off : c->use == REQUIRED && !on)
			return c->name;
		if (on && c->use != DYNAMIC)
			*value |= c->bit;
	}
	return NULL;
}

#endif
