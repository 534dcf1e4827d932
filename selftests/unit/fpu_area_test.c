// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: of an XSAVE area module/cpu/fpu_area.c takes what its header names and nothing else,
 * byte for byte; what it does not name is in its initial state, whatever stands there. It
 * refuses what XRSTOR refuses.
 */
#include <linux/types.h>
#include <linux/string.h>

#include "unit.h"
#include "random.h"
#include "../../module/cpu/fpu_area.c"

enum { X87 = 1, SSE = 2, AVX = 4, OPMASK = 0x20, ALL = X87 | SSE | AVX | OPMASK };

static const struct fpu_layout layout = {
	.mxcsr_mask = 0xffff,
	.part = { [2] = { 576, 256 }, [5] = { 1088, 64 } },
};
static union fpregs_state from, to;

static void noise(u64 parts)
{
	size_t i;

	for (i = 0; i < sizeof(from); i++)
		from.page[i] = any();
	memset(&from.xsave.header, 0, sizeof(from.xsave.header));
	from.fxsave.mxcsr &= layout.mxcsr_mask;
	from.xsave.header.xfeatures = parts;
}

/* The component that a byte of the area is of; 0: of none. */
static u64 part_of(size_t at)
{
	if (at >= 24 && at < 28)
		return SSE | AVX;
	if (at >= 28 && at < 32)
		return 0;		/* the mask is the processor's */
	if (at < 160)
		return X87;
	if (at < 416)
		return SSE;
	if (at >= 576 && at < 832)
		return AVX;
	return at >= 1088 && at < 1152 ? OPMASK : 0;
}

static void what_the_header_names(void)
{
	union fpregs_state initial;
	u64 there, asked, taken;
	size_t i;

	fpu_area_reset(&initial, &layout);
	CHECK_EQ(initial.fxsave.cwd, 0x37f);
	CHECK_EQ(initial.fxsave.mxcsr, 0x1f80);
	for (there = 0; there <= ALL; there++) {
		for (asked = 0; asked <= ALL; asked++) {
			taken = there & asked & ALL;
			noise(there & ALL);
			fpu_area_reset(&to, &layout);
			fpu_area_copy(&to, &from, asked & ALL, &layout);
			CHECK_EQ(to.xsave.header.xfeatures, taken);
			to.xsave.header.xfeatures = 0;
			for (i = 0; i < sizeof(to); i++)
				CHECK_EQ(to.page[i], part_of(i) & taken ? from.page[i] :
					 initial.page[i]);
		}
	}
}

#define REFUSED(change) do {					\
	noise(ALL);						\
	CHECK(fpu_area_valid(&from, ALL, &layout));		\
	change;							\
	CHECK(!fpu_area_valid(&from, ALL, &layout));		\
} while (0)

static void what_is_refused(void)
{
	int i;

	REFUSED(from.xsave.header.xfeatures |= 8);
	REFUSED(from.xsave.header.xfeatures |= 1ull << 63);
	REFUSED(from.xsave.header.xcomp_bv = 1ull << 63);
	for (i = 0; i < 6; i++)
		REFUSED(from.xsave.header.reserved[i] = 1ull << (i * 11));
	REFUSED(from.fxsave.mxcsr |= 0x10000);
	REFUSED((from.fxsave.mxcsr |= 0x10000, from.xsave.header.xfeatures = X87));
	REFUSED((from.fxsave.mxcsr |= 0x10000, from.xsave.header.xfeatures = SSE));
	REFUSED((from.fxsave.mxcsr |= 0x10000, from.xsave.header.xfeatures = AVX));
}

static void an_mxcsr_that_nobody_takes_is_not_looked_at(void)
{
	noise(0);
	from.fxsave.mxcsr = ~0u;
	CHECK(fpu_area_valid(&from, ALL, &layout));
	from.xsave.header.xfeatures = OPMASK;
	CHECK(fpu_area_valid(&from, ALL, &layout));
}

int main(void)
{
	RUN(what_the_header_names);
	RUN(what_is_refused);
	RUN(an_mxcsr_that_nobody_takes_is_not_looked_at);
	return unit_end();
}
