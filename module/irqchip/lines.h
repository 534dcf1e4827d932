/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An interrupt line that several sources share: it is high while one of them holds it. Pure.
 */
#ifndef IRQCHIP_LINES_H
#define IRQCHIP_LINES_H

#include <linux/bits.h>
#include <linux/types.h>

/* Who may hold a line. An irqfd without resampling has no level of its own: it is the VMM's. */
enum irq_source {
	SOURCE_VMM,		/* IRQ_LINE, and irqfds, which raise and lower it at once */
	SOURCE_PIT,
	SOURCE_RESAMPLE,	/* irqfds with RESAMPLE: raise it; the guest's EOI lowers it */
};

/**
 * line_drive - a source raises or lowers a line
 * @holders: a bit per source that holds it
 * @source: which
 * @level: high or low
 *
 * Return: the level of the line.
 */
static inline bool line_drive(u8 *holders, enum irq_source source, bool level)
{
	if (level)
		*holders |= BIT(source);
	else
		*holders &= ~BIT(source);
	return *holders;
}

#endif
