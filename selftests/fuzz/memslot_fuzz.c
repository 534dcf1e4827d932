// SPDX-License-Identifier: GPL-2.0
/*
 * module/mm/memslot.c: after any row of changes, some of which lack memory, the slots are a
 * table's in 128-bit arithmetic, and no page is mapped that a notifier would not find.
 */
#include "fuzz.h"
#define main unit_main
#include "../unit/memslot_test.c"
#undef main

/* As random_set(), and now and then numbers as they come. */
static void some_set(void)
{
	if (one_in(8)) {
		u64 gpa = any(), size = any(), hva = any();

		/*
		 * A larger bitmap is a question of the machine's memory; an address that no user
		 * can have, but that passes, does not fit into the model's leaves.
		 */
		size |= size >> 36 ? 1ull << 62 : 0;
		hva &= hva >> 63 ? ~0ull : (1ull << 51) - 1;
		set(below(1 << 10), below(8), gpa, size, hva);
		return;
	}
	random_set();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int i;

	fuzz_begin(data, size);
	start();
	for (i = 0; i < 40 && fuzz_left; i++) {
		fail_in = one_in(4) ? below(7) : 0;
		some_set();
	}
	fail_in = 0;
	finish();
	return 0;
}
