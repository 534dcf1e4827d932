// SPDX-License-Identifier: GPL-2.0
/* The table of ioeventfds, as in its unit test: against a list that is looked through. */
#include "fuzz.h"
#define main unit_main
#include "../unit/ioeventfd_test.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	nr = 0;
	table = calloc(1, sizeof(*table));
	fuzz_begin(data, size);
	while (fuzz_left) {
		if (below(3))
			look();
		else if (below(5) < 3)
			add();
		else
			drop();
		CHECK_EQ(table->nr, nr);
	}
	free(table);
	return 0;
}
