/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_BITOPS_H
#define SHIM_LINUX_BITOPS_H

#include <linux/bits.h>
#include <linux/types.h>

#define BITS_TO_LONGS(n)	(((n) + 63) / 64)
#define hweight8(n)		__builtin_popcount((n) & 0xff)

static inline void set_bit(unsigned int nr, unsigned long *word)
{
	__atomic_fetch_or(word + nr / 64, 1UL << nr % 64, __ATOMIC_SEQ_CST);
}

static inline void clear_bit(unsigned int nr, unsigned long *word)
{
	__atomic_fetch_and(word + nr / 64, ~(1UL << nr % 64), __ATOMIC_SEQ_CST);
}

static inline bool test_and_clear_bit(unsigned int nr, unsigned long *word)
{
	unsigned long bit = 1UL << nr % 64;

	return __atomic_fetch_and(word + nr / 64, ~bit, __ATOMIC_SEQ_CST) & bit;
}

static inline bool test_bit(u64 nr, const unsigned long *word)
{
	return word[nr / 64] >> nr % 64 & 1;
}

static inline void __set_bit(unsigned int nr, unsigned long *word)
{
	word[nr / 64] |= 1UL << nr % 64;
}

static inline void __clear_bit(unsigned int nr, unsigned long *word)
{
	word[nr / 64] &= ~(1UL << nr % 64);
}

static inline int __fls(unsigned long word)
{
	return 63 - __builtin_clzl(word);
}

static inline int __ffs(unsigned long word)
{
	return __builtin_ctzl(word);
}

#endif
