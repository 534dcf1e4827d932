/* SPDX-License-Identifier: GPL-2.0 */
/* The arithmetic of a VM's clock. Pure. */
#ifndef MINIKVM_VM_CLOCK_H
#define MINIKVM_VM_CLOCK_H

#include <linux/math64.h>
#include <linux/types.h>

#include "../parts.h"

/*
 * What the clock shows when the TSC shows @tsc. A processor whose counter is a little behind
 * does not turn it back.
 */
static inline u64 vm_clock_at(const struct vm_clock *c, u64 tsc, u32 tsc_khz)
{
	u64 ticks = tsc - c->tsc;

	return (s64)ticks < 0 ? c->ns : c->ns + mul_u64_u64_div_u64(ticks, 1000000, tsc_khz);
}

/* What it is set to: @clock was right at @then; the time since counts, but never backwards. */
static inline u64 vm_clock_since(u64 clock, u64 then, u64 now)
{
	return now > then ? clock + (now - then) : clock;
}

#endif
