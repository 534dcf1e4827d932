// SPDX-License-Identifier: GPL-2.0
/* Random numbers that a seed decides, and values that are likely to be a border of something. */
#include "oracle.h"
#include "../selftests/unit/random.h"

void rnd_seed(u64 seed)
{
	int i;

	random_state = (seed + 1) * 0x9e3779b97f4a7c15;
	for (i = 0; i < 4; i++)
		any();		/* neighbours part */
}

u64 rnd(void)
{
	return any();
}

u64 rnd_below(u64 n)
{
	return below(n);
}

bool rnd_one_in(u64 n)
{
	return one_in(n);
}

u64 rnd_edge(void)
{
	u64 bit = 1ull << rnd_below(64);

	switch (rnd_below(9)) {
	case 0:	return 0;
	case 1:	return bit;
	case 2:	return bit - 1;
	case 3:	return ~bit;
	case 4:	return -bit;		/* from here up; canonical or not */
	case 5:	return rnd_below(256);
	case 6:	return bit | 1ull << rnd_below(64);
	case 7:	return (u32)rnd();
	default: return rnd();
	}
}
