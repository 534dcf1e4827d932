// SPDX-License-Identifier: GPL-2.0
/* Which MSRs a filter lets a guest access: module/cpu/msr_filter.h. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include "../../module/cpu/msr_filter.h"

#define R	MINIKVM_MSR_FILTER_READ
#define W	MINIKVM_MSR_FILTER_WRITE

/* Exactly as long as its bits: a look beyond them is an error. */
static struct msr_filter *filter(bool deny, int words)
{
	struct msr_filter *f = calloc(1, sizeof(*f) + words * sizeof(long));

	f->deny = deny;
	return f;
}

static void add(struct msr_filter *f, u32 flags, u32 base, u32 nmsrs, u32 word)
{
	f->range[f->n++] = (struct msr_range) { base, nmsrs, flags, word };
}

static void without_ranges_the_default_counts(void)
{
	struct msr_filter *f = filter(false, 0);

	CHECK(msr_filter_allows(f, 0x10, false));
	f->deny = true;
	CHECK(!msr_filter_allows(f, 0x10, true));
	free(f);
}

static void the_bit_of_its_range_counts(void)
{
	struct msr_filter *f = filter(false, 4);
	u32 i;

	add(f, R, 0x100, 70, 0);
	add(f, R | W, 0xffffffc0, 64, 2);
	f->bits[0] = 1;
	f->bits[1] = 1ul << 5;
	f->bits[2] = 1ul << 63;
	for (i = 0x100; i < 0x100 + 70; i++) {
		CHECK_EQ(msr_filter_allows(f, i, false), i == 0x100 || i == 0x100 + 69);
		CHECK(msr_filter_allows(f, i, true));
	}
	CHECK(msr_filter_allows(f, 0xff, false));
	CHECK(msr_filter_allows(f, 0x100 + 70, false));
	CHECK(msr_filter_allows(f, 0xffffffff, true));
	CHECK(!msr_filter_allows(f, 0xfffffffe, true));
	CHECK(msr_filter_allows(f, 0, false));
	/* One that goes beyond the last MSR does not begin anew at the first. */
	f->range[1].nmsrs = 128;
	CHECK(msr_filter_allows(f, 0, false));
	CHECK(!msr_filter_allows(f, 0xfffffffe, true));
	free(f);
}

static void the_first_range_decides(void)
{
	struct msr_filter *f = filter(true, 2);

	add(f, W, 0x20, 1, 0);
	add(f, R | W, 0x20, 1, 1);
	f->bits[1] = 1;
	CHECK(!msr_filter_allows(f, 0x20, true));
	CHECK(msr_filter_allows(f, 0x20, false));
	free(f);
}

static void the_x2apic_is_not_filtered(void)
{
	struct msr_filter *f = filter(true, 8);

	add(f, R | W, 0x700, 512, 0);
	CHECK(!msr_filter_allows(f, 0x7ff, false));
	CHECK(msr_filter_allows(f, 0x800, false));
	CHECK(msr_filter_allows(f, 0x8ff, true));
	CHECK(!msr_filter_allows(f, 0x900, true));
	free(f);
}

int main(void)
{
	RUN(without_ranges_the_default_counts);
	RUN(the_bit_of_its_range_counts);
	RUN(the_first_range_decides);
	RUN(the_x2apic_is_not_filtered);
	return unit_end();
}
