// SPDX-License-Identifier: GPL-2.0
/* A VM's clock: module/pv/clock.h. */
#include "unit.h"
#include "../../module/pv/clock.h"

static void goes_with_the_tsc(void)
{
	const struct vm_clock c = { .ns = 1000, .tsc = 1ull << 63 };
	const u64 year_of_ns = 1000000000ull * 86400 * 365, year_of_ticks = 3 * year_of_ns;

	CHECK_EQ(vm_clock_at(&c, c.tsc, 3000000), 1000);
	CHECK_EQ(vm_clock_at(&c, c.tsc + 3000, 3000000), 1999);	/* 2/3 is a little less */
	/* In a year it is less than 10 ms behind, and nothing overflows. */
	CHECK(vm_clock_at(&c, c.tsc + year_of_ticks, 3000000) <= 1000 + year_of_ns);
	CHECK(vm_clock_at(&c, c.tsc + year_of_ticks, 3000000) > year_of_ns - 10000000);
	CHECK_EQ(vm_clock_at(&c, c.tsc + 50000000, 50000), 1000 + 1000000000ull);
}

/* With the arithmetic of every guest: what it computes is what GET_CLOCK says. */
static void scale_of_every_frequency(void)
{
	static const u32 khz[] = { 1, 999, 50000, 999999, 1000000, 1000001, 1999999, 2000000,
				   2400000, 3000000, 4294967, 0x7fffffff };
	size_t i;

	for (i = 0; i < sizeof(khz) / sizeof(khz[0]); i++) {
		struct clock_scale scale = clock_scale_of(khz[i]);
		u64 second = clock_scale_ns(scale, khz[i] * 1000ull);

		CHECK(scale.mul >> 31);
		CHECK(second <= 1000000000 && second >= 1000000000 - 2);
	}
	CHECK_EQ(clock_scale_of(1000000).mul, 1u << 31);
	CHECK_EQ(clock_scale_of(1000000).shift, 1);
	CHECK_EQ(clock_scale_of(2000000).shift, 0);
	CHECK_EQ(clock_scale_of(3000000).shift, -1);
}

static void never_backwards(void)
{
	const struct vm_clock c = { .ns = 1000, .tsc = 500 };
	u64 tsc, last = 0;

	for (tsc = 400; tsc < 2000; tsc++) {
		CHECK(vm_clock_at(&c, tsc, 2400000) >= last);
		last = vm_clock_at(&c, tsc, 2400000);
	}
	/* Past the counter's wrap. */
	CHECK_EQ(vm_clock_at(&(struct vm_clock){ .tsc = ~0ull }, 999, 1000000), 1000);
}

static void time_since_then(void)
{
	CHECK_EQ(vm_clock_since(5, 100, 130), 35);
	CHECK_EQ(vm_clock_since(5, 130, 100), 5);
	CHECK_EQ(vm_clock_since(~0ull, 0, 2), 1);
}

int main(void)
{
	RUN(goes_with_the_tsc);
	RUN(scale_of_every_frequency);
	RUN(never_backwards);
	RUN(time_since_then);
	return unit_end();
}
