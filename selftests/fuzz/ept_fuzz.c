// SPDX-License-Identifier: GPL-2.0
/* module/mm/ept.c: after any row of changes the tables map what a flat array says. */
#include "fuzz.h"
#define main unit_main
#include "../unit/ept_test.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	start(4 + below(2));
	while (fuzz_left) {
		random_change();
		if (one_in(8))
			compare();
	}
	compare();
	finish();
	return 0;
}
