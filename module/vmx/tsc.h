/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The host's time stamp counter, as guests may rely on it: it never goes back.
 *
 * Suspend and hibernation may reset the processors' counters. What they lost is
 * added up, and everything that is said of a guest's TSC is said of this sum.
 */
#ifndef MINIKVM_VMX_TSC_H
#define MINIKVM_VMX_TSC_H

#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/types.h>
#include <asm/msr.h>
#include <asm/tsc.h>

extern u64 tsc_lost;	/* tsc.c; changes only while every thread is frozen */
extern unsigned int tsc_epoch;	/* tsc.c; bumped after anything changed by which guests see time */

/* tsc.c */
int host_tsc_init(void);
void host_tsc_exit(void);
void host_tsc_suspend(void);
void host_tsc_resume(void);

/* host_tsc - the counter of this processor, and what it lost since the module was loaded */
static inline u64 host_tsc(void)
{
	return rdtsc() + READ_ONCE(tsc_lost);
}

/*
 * tsc_lost_over - how much a counter lost that was @before and is @now. Pure.
 *
 * Counters wrap: the difference decides. One that went on counting lost nothing.
 */
static inline u64 tsc_lost_over(u64 before, u64 now)
{
	return (s64)(now - before) < 0 ? before - now : 0;
}

/* SDM "TSC multiplier": 48 bits of a ratio are behind the point. */
#define TSC_RATIO_BITS	48
#define TSC_RATIO_ONE	(1ull << TSC_RATIO_BITS)

/* tsc_scaled - ticks of the guest in so many of the host; @ratio 0 is none. Pure. */
static inline u64 tsc_scaled(u64 ratio, u64 ticks)
{
	return unlikely(ratio) ? mul_u64_u64_shr(ticks, ratio, TSC_RATIO_BITS) : ticks;
}

/*
 * tsc_unscaled - ticks of the host after which so many of the guest's are over. Pure.
 *
 * At most 2^40, which is minutes: the quotient has at most 64 bits for each ratio of a frequency.
 */
static inline u64 tsc_unscaled(u64 ratio, u64 ticks)
{
	if (likely(!ratio))
		return ticks;
	return mul_u64_u64_div_u64(min_t(u64, ticks, 1ull << 40), TSC_RATIO_ONE, ratio) + 1;
}

#endif
