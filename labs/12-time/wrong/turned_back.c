// SPDX-License-Identifier: GPL-2.0
/* A counter is never behind. */
static inline u64 vm_clock_at(const struct vm_clock *c, u64 tsc, u32 tsc_khz)
{
	return c->ns + clock_scale_ns(clock_scale_of(tsc_khz), tsc - c->tsc);
}
