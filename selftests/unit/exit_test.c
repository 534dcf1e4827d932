// SPDX-License-Identifier: GPL-2.0
/* What no emulator shows of exits: module/run/exit_rules.h. */
#include "unit.h"
#include "../../module/run/exit_rules.h"

static void exit_reasons(void)
{
	static const struct { u32 reason; enum exit_kind kind; } table[] = {
		{ 0, EXIT_OF_TABLE },
		{ 10, EXIT_OF_TABLE },		/* CPUID */
		{ 76, EXIT_OF_TABLE },		/* SEAMCALL */
		{ 77, EXIT_OF_TABLE },		/* TDCALL */
		{ 78, EXIT_UNHEARD_OF },
		{ 0xffff, EXIT_UNHEARD_OF },
		{ 1u << 16, EXIT_UNHEARD_OF },
		{ 1u << 27 | 10, EXIT_UNHEARD_OF },	/* out of an enclave */
		{ 1u << 28 | 37, EXIT_UNHEARD_OF },
		{ 0x7fffffff, EXIT_UNHEARD_OF },
		{ 1u << 31 | 33, EXIT_OF_ENTRY },	/* guest state */
		{ 1u << 31 | 34, EXIT_OF_ENTRY },	/* MSR loading */
		{ 1u << 31 | 41, EXIT_OF_ENTRY },	/* machine check */
		{ 1u << 31 | 76, EXIT_OF_ENTRY },
		{ 1u << 31 | 999, EXIT_OF_ENTRY },
		{ ~0u, EXIT_OF_ENTRY },		/* VMfail */
	};
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_EQ(exit_kind(table[i].reason), table[i].kind);
}

/* All 32 rows: a host that detects, CPL 0 to 3, CR0.AM, RFLAGS.AC. */
static void split_locks_are_the_hosts(void)
{
	int detect, cpl, am, ac;

	for (detect = 0; detect < 2; detect++)
		for (cpl = 0; cpl < 4; cpl++)
			for (am = 0; am < 2; am++)
				for (ac = 0; ac < 2; ac++)
					CHECK_EQ(exit_ac_is_guests(detect, cpl, am << 18 | 0x80000011,
								   ac << 18 | 2),
						 !detect || (cpl == 3 && am && ac));
	/* Neighbours of the two bits say nothing. */
	CHECK(!exit_ac_is_guests(true, 3, ~(1ull << 18), ~0ull));
	CHECK(!exit_ac_is_guests(true, 3, ~0ull, ~(1ull << 18)));
}

int main(void)
{
	RUN(exit_reasons);
	RUN(split_locks_are_the_hosts);
	return unit_end();
}
