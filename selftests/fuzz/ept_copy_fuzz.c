// SPDX-License-Identifier: GPL-2.0
/* module/mm/ept_copy.c: a copy maps what the VM's tables map, but for what was put into it. */
#include "fuzz.h"
#define main unit_main
#include "../unit/ept_copy_test.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int i;

	for (i = 0; i < EPT_COPY_TABLES && !copy.table[i]; i++)
		copy.table[i] = aligned_alloc(4096, 4096);
	fuzz_begin(data, size);
	round_of(4 + below(2));
	return 0;
}
