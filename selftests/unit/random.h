/* SPDX-License-Identifier: GPL-2.0 */
/* Random numbers that are the same in every run: xorshift64*. */
#ifndef UNIT_RANDOM_H
#define UNIT_RANDOM_H

#include <linux/types.h>

static u64 random_state = 0x9e3779b97f4a7c15;

static inline u64 any(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1d;
}

static inline u64 below(u64 n)
{
	return (any() >> 8) % n;
}

static inline bool one_in(u64 n)
{
	return !below(n);
}

#endif
