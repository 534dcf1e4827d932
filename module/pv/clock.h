/* SPDX-License-Identifier: GPL-2.0 */
/* The arithmetic of a VM's clock, as its guest does it, too. Pure. */
#ifndef MINIKVM_PV_CLOCK_H
#define MINIKVM_PV_CLOCK_H

#include <linux/math64.h>
#include <linux/types.h>

#include "../parts.h"

/* Nanoseconds of ticks: (ticks << shift) * mul >> 32. A negative shift is one to the right. */
struct clock_scale {
	u32 mul;
	s8 shift;
};

/* clock_scale_of - for a counter of so many kHz, which are not 0: @mul has its highest bit set */
static inline struct clock_scale clock_scale_of(u32 khz)
{
	u64 unit = 1000000ull << 32, ticks = khz;
	struct clock_scale scale = { };

	for (; unit / ticks >> 32; scale.shift++)
		ticks *= 2;
	for (; !(unit / ticks >> 31); scale.shift--)
		unit *= 2;
	scale.mul = unit / ticks;
	return scale;
}

static inline u64 clock_scale_ns(struct clock_scale scale, u64 ticks)
{
	ticks = scale.shift < 0 ? ticks >> -scale.shift : ticks << scale.shift;
	return mul_u64_u32_shr(ticks, scale.mul, 32);
}

/*
 * What the clock shows when the TSC shows @tsc. A processor whose counter is a little behind
 * does not turn it back.
 */
static inline u64 vm_clock_at(const struct vm_clock *c, u64 tsc, u32 tsc_khz)
{
	u64 ticks = tsc - c->tsc;

	return (s64)ticks < 0 ? c->ns : c->ns + clock_scale_ns(clock_scale_of(tsc_khz), ticks);
}

/* What it is set to: @clock was right at @then; the time since counts, but never backwards. */
static inline u64 vm_clock_since(u64 clock, u64 then, u64 now)
{
	return now > then ? clock + (now - then) : clock;
}

#endif
