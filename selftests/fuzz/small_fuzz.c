// SPDX-License-Identifier: GPL-2.0
/*
 * Small pure files, each against what it should be in a few lines: MSR filter, dirty ring,
 * clocks and counters.
 */
#include <asm/barrier.h>
#include "fuzz.h"
#include "../../module/cpu/msr_filter.h"
#include "../../module/mm/dirty_ring.h"
#include "../../module/pv/clock.h"
#include "../../module/vmx/tsc.h"

typedef unsigned __int128 u128;

u64 tsc_lost;

/* ---- module/cpu/msr_filter.h */

static void msr_filter(void)
{
	u32 words = below(8), flags, i, index, k;
	struct msr_filter *f = calloc(1, sizeof(*f) + words * sizeof(long));
	bool write, want;

	f->deny = below(2);
	f->n = words ? below(ARRAY_SIZE(f->range) + 1) : 0;
	fuzz_bytes(f->bits, words * sizeof(long));
	for (i = 0; i < f->n; i++) {
		u32 word = below(words), base = one_in(2) ? any() : 0x7f0 + below(0x200);

		f->range[i] = (struct msr_range) { base, 1 + below(64 * (words - word)), below(4), word };
	}
	k = f->n ? below(f->n) : 0;
	index = one_in(4) ? any() : f->range[k].base - 2 + below(f->range[k].nmsrs + 4);
	write = below(2);
	flags = write ? MINIKVM_MSR_FILTER_WRITE : MINIKVM_MSR_FILTER_READ;
	want = !f->deny;
	for (i = f->n; i-- > 0;) {
		struct msr_range *r = &f->range[i];
		u64 bit = (u64)index - r->base;

		if (r->flags & flags && index >= r->base && bit < r->nmsrs)
			want = f->bits[r->word + bit / 64] >> bit % 64 & 1;
	}
	if (index >= 0x800 && index <= 0x8ff)
		want = true;
	CHECK_EQ(msr_filter_allows(f, index, write), want);
	free(f);
}

/* ---- module/mm/dirty_ring.h: a queue, whose marks and contents a VMM writes as it likes */

#define N	8

static void dirty_ring(void)
{
	struct dirty_ring r = { .size = N, .soft = below(N + 1) };
	struct { u32 slot; u64 offset; bool taken; } q[N];
	u32 first = 0, n = 0, slot;
	u64 offset;

	r.pushed = r.reset = one_in(2) ? ~0u - below(16) : below(16);
	r.entry = calloc(N, sizeof(*r.entry));
	while (fuzz_left) {
		u32 at = below(N), place = (r.reset + at) % N;

		CHECK_EQ(dirty_ring_full(&r), n >= r.soft);
		switch (below(4)) {
		case 0:
			slot = any();
			offset = any();
			CHECK_EQ(dirty_ring_push(&r, slot, offset), n < N);
			if (n < N) {
				q[(first + n) % N].slot = slot;
				q[(first + n) % N].offset = offset;
				q[(first + n++) % N].taken = false;
			}
			break;
		case 1:
			r.entry[place].flags = MINIKVM_DIRTY_GFN_F_RESET | any();
			if (at < n)
				q[(first + at) % N].taken = true;
			break;
		case 2:
			r.entry[place].slot = any();
			if (at < n)
				q[(first + at) % N].slot = r.entry[place].slot;
			break;
		default:
			if (!n || !(r.entry[r.reset % N].flags & MINIKVM_DIRTY_GFN_F_RESET)) {
				CHECK(!dirty_ring_pop(&r, &slot, &offset));
				break;
			}
			CHECK(dirty_ring_pop(&r, &slot, &offset));
			CHECK(q[first].taken && q[first].slot == slot && q[first].offset == offset);
			first = (first + 1) % N;
			n--;
		}
		CHECK_EQ(r.pushed - r.reset, n);
	}
	free(r.entry);
}

/* ---- module/pv/clock.h, module/vmx/tsc.h: in 128 bits */

static void clocks(void)
{
	u32 khz = 1 + below(0x7fffffff);
	struct clock_scale scale = clock_scale_of(khz);
	u64 ticks = any() >> (8 + below(56)), ratio, a, b;
	u128 exact = (u128)ticks * 1000000 / khz;
	u64 got;

	CHECK(scale.mul >> 31);
	/* The multiplier has 31 exact bits; the shift to the right loses less than a tick of 2^n. */
	if (scale.shift <= 0 || !(ticks >> (63 - scale.shift))) {
		got = clock_scale_ns(scale, ticks);
		if (!(exact >> 64)) {
			CHECK(got <= exact);
			CHECK(exact - got <= (exact >> 31) + 2 + (scale.shift < 0 ? 1000000 / khz + 1 : 0));
		}
	}
	/* A guest's counter has at least 1 kHz, the host's at most 16 GHz. */
	ratio = any();
	ratio = one_in(4) && ratio >> 25 ? ratio : TSC_RATIO_ONE / 16 + ratio % (TSC_RATIO_ONE * 16);
	a = any();
	CHECK_EQ(tsc_scaled(ratio, a), ratio ? (u64)((u128)a * ratio >> TSC_RATIO_BITS) : a);
	a = any() >> 24;
	b = tsc_unscaled(ratio, a);
	if (ratio >= TSC_RATIO_ONE / 16 && a <= 1ull << 40)
		CHECK(ratio >> 52 || tsc_scaled(ratio, b) >= a);
	a = any();
	b = any();
	CHECK((s64)(b + tsc_lost_over(a, b) - a) >= 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	switch (below(3)) {
	case 0: msr_filter(); break;
	case 1: dirty_ring(); break;
	default: clocks();
	}
	return 0;
}
