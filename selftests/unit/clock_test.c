// SPDX-License-Identifier: GPL-2.0
/* A VM's clock: module/vm/clock.h. */
#include "unit.h"
#include "../../module/vm/clock.h"

static void goes_with_the_tsc(void)
{
	const struct vm_clock c = { .ns = 1000, .tsc = 1ull << 63 };

	CHECK_EQ(vm_clock_at(&c, c.tsc, 3000000), 1000);
	CHECK_EQ(vm_clock_at(&c, c.tsc + 3, 3000000), 1001);
	CHECK_EQ(vm_clock_at(&c, c.tsc + 3000000000ull * 86400 * 365, 3000000),
		 1000 + 1000000000ull * 86400 * 365);
	CHECK_EQ(vm_clock_at(&c, c.tsc + 50000000, 50000), 1000 + 1000000000ull);
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
	RUN(never_backwards);
	RUN(time_since_then);
	return unit_end();
}
