// SPDX-License-Identifier: GPL-2.0
/* The time stamp counter over suspend: module/vmx/tsc.h. */
#include "unit.h"
#include "../../module/vmx/tsc.h"

u64 tsc_lost;

static void truth_table(void)
{
	static const struct { u64 before, now, lost; } rows[] = {
		{ 0, 0, 0 },
		{ 1000, 1000, 0 },
		{ 1000, 1001, 0 },
		{ 1000, 1ull << 62, 0 },
		{ 1000, 999, 1 },
		{ 1000, 0, 1000 },
		{ 3600ull * 3000000000u, 5000, 3600ull * 3000000000u - 5000 },
		{ ~0ull, 0, 0 },		/* it wrapped */
		{ 0, ~0ull, 1 },
	};
	size_t i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(tsc_lost_over(rows[i].before, rows[i].now), rows[i].lost);
}

/* Many nights, of each kind: a guest's TSC never goes back, and loses no more than the night. */
static void a_guest_never_goes_back(void)
{
	const u64 offset = -123456789ull;
	u64 counter = 1ull << 40, guest, last = 0;
	int night;

	for (night = 0; night < 1000; night++) {
		u64 before = counter += 1000000 + night;

		guest = counter + tsc_lost + offset;
		CHECK(guest > last);
		last = guest;
		switch (night % 3) {
		case 0: counter = night; break;			/* reset */
		case 1: counter += 5000000; break;		/* it went on */
		case 2: counter = before / 2; break;		/* another boot's, after hibernation */
		}
		tsc_lost += tsc_lost_over(before, counter);
		guest = counter + tsc_lost + offset;
		CHECK(guest >= last);
		CHECK(guest - last <= 5000000);
		last = guest;
	}
}

static void of_another_frequency(void)
{
	const u64 half = TSC_RATIO_ONE / 2, thrice = 3 * TSC_RATIO_ONE, tiny = 1 << 20;

	CHECK_EQ(tsc_scaled(0, ~0ull), ~0ull);
	CHECK_EQ(tsc_scaled(TSC_RATIO_ONE, ~0ull), ~0ull);
	CHECK_EQ(tsc_scaled(half, 1001), 500);
	CHECK_EQ(tsc_scaled(thrice, 1ull << 62), 3ull << 62);	/* it wraps, as the counter does */
	CHECK_EQ(tsc_unscaled(0, ~0ull), ~0ull);
	CHECK_EQ(tsc_unscaled(half, 500), 1001);
	CHECK_EQ(tsc_unscaled(thrice, 500), 167);
	/* After so many the guest's are over, and not much later; whatever is asked. */
	CHECK(tsc_scaled(thrice, tsc_unscaled(thrice, 1000001)) >= 1000001);
	CHECK(tsc_scaled(thrice, tsc_unscaled(thrice, 1000001)) <= 1000001 + 3);
	CHECK(tsc_unscaled(~0ull, 1) >= 1);
	CHECK(tsc_unscaled(tiny << 8, ~0ull) > 1ull << 40);
}

int main(void)
{
	RUN(of_another_frequency);
	RUN(truth_table);
	RUN(a_guest_never_goes_back);
	return unit_end();
}
