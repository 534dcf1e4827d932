// SPDX-License-Identifier: GPL-2.0
/* module/vmx/entry_rules*.c: any state gets a verdict that is whole, and the same one again. */
#include "fuzz.h"
#define main unit_main
#include "../unit/entry_rules_test.c"
#undef main

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct entry_caps any_caps = caps;
	struct entry_verdict v, again;
	struct entry_fields f;
	u64 *field = (u64 *)&f;
	int n;

	fuzz_begin(data, size);
	f = states[below(5)]();
	for (n = below(6); n > 0; n--)
		if (one_in(2))
			field[below(sizeof(f) / 8)] = any();
		else
			field[below(sizeof(f) / 8)] ^= 1ull << below(64);
	if (one_in(4)) {
		any_caps.phys_bits = 32 + below(21);
		any_caps.misc = any();
	}
	v = entry_rules(&f, &any_caps);
	again = entry_rules(&f, &any_caps);
	CHECK(!v.part == !v.rule && !v.rule == !v.what);
	CHECK(v.rule == again.rule && v.what == again.what);
	return 0;
}
