// SPDX-License-Identifier: GPL-2.0
/* module/cpu/walk.c: address, error code and flags are those of a model of the SDM's tables. */
#include "fuzz.h"
#define main unit_main
#include "../unit/walk_random_test.c"
#undef main

/* The tables are the fuzzer's, some of their entries its own bytes; what it does not say is 0. */
static void fill_some(const struct walk *w)
{
	unsigned int n = 1 + below(24);
	u64 entry;

	memset(mem, 0, sizeof(mem));
	while (n--) {
		u64 at = one_in(3) ? below(PAGES * 512) : below(PAGES) * 512 + below(4);

		entry = one_in(4) ? any() : random_entry(w);
		if (levels_of(w) == 2)
			entry |= random_entry(w) << 32;
		mem[at] = entry;
	}
}

/* Most lead to entries that there are. */
static u64 some_address(const struct walk *w)
{
	u64 va = 0;
	int level, levels = levels_of(w);

	if (one_in(4))
		va = any();
	else
		for (level = 1; level <= levels; level++)
			va |= below(4) << shift_of(levels, level);
	va |= below(4096);
	return levels > 3 ? (s64)(va << (levels > 4 ? 7 : 16)) >> (levels > 4 ? 7 : 16) : (u32)va;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int kinds[] = { ACCESS_READ, ACCESS_WRITE, ACCESS_FETCH };
	unsigned int access;
	struct walk w;
	s64 want;
	u64 va;
	int i;

	fuzz_begin(data, size);
	w = random_machine();
	fill_some(&w);
	for (i = 0; i < 4; i++) {
		va = some_address(&w);
		access = kinds[below(3)] | (one_in(2) ? ACCESS_USER : 0);
		want = model(&w, va, access);
		CHECK_EQ(go_on(&w, va, access), want);
		check_flags(&w, want >= 0);
	}
	return 0;
}
