/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_MATH64_H
#define SHIM_LINUX_MATH64_H

#include <assert.h>
#include <linux/types.h>

#define S32_MAX			0x7fffffff
#define U32_MAX			0xffffffffU
#define U64_MAX			0xffffffffffffffffULL

static inline u64 div64_u64(u64 dividend, u64 divisor)
{
	return dividend / divisor;
}

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

/* As on x86-64: a quotient of more than 64 bits is a divide error. */
static inline u64 mul_u64_u32_div(u64 a, u32 mul, u32 divisor)
{
	unsigned __int128 quotient = (unsigned __int128)a * mul / divisor;

	assert(quotient >> 64 == 0);
	return quotient;
}

static inline u64 mul_u64_u32_shr(u64 a, u32 mul, unsigned int shift)
{
	return ((unsigned __int128)a * mul) >> shift;
}

static inline u64 mul_u64_u64_shr(u64 a, u64 mul, unsigned int shift)
{
	return ((unsigned __int128)a * mul) >> shift;
}

static inline u64 mul_u64_u64_div_u64(u64 a, u64 mul, u64 divisor)
{
	unsigned __int128 quotient = (unsigned __int128)a * mul / divisor;

	assert(quotient >> 64 == 0);
	return quotient;
}

#endif
