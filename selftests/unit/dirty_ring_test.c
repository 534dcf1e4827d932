// SPDX-License-Identifier: GPL-2.0
/* The ring of written pages: module/mm/dirty_ring.h. */
#include <stdlib.h>
#include <string.h>

#include "unit.h"
#include <linux/types.h>
#include "../../module/mm/dirty_ring.h"

#define N	8

static struct dirty_ring r;
static u32 slot;
static u64 offset;

static void setup(u32 soft)
{
	free(r.entry);
	r = (struct dirty_ring) { .size = N, .soft = soft };
	r.entry = calloc(N, sizeof(*r.entry));
}

static void take(u32 at)
{
	r.entry[at % N].flags |= MINIKVM_DIRTY_GFN_F_RESET;
}

static void in_turn_and_round(void)
{
	u32 i;

	setup(N - 2);
	for (i = 0; i < 5 * N; i++) {
		CHECK(dirty_ring_push(&r, i, 100 + i));
		CHECK_EQ(r.entry[i % N].flags, MINIKVM_DIRTY_GFN_F_DIRTY);
		CHECK(!dirty_ring_pop(&r, &slot, &offset));
		take(i);
		CHECK(dirty_ring_pop(&r, &slot, &offset));
		CHECK_EQ(slot, i);
		CHECK_EQ(offset, 100 + i);
		CHECK_EQ(r.entry[i % N].flags, 0);
	}
}

static void full(void)
{
	u32 i;

	setup(N - 2);
	r.pushed = r.reset = ~0u - 3;	/* the counters go round, too */
	for (i = 0; i < N; i++) {
		CHECK_EQ(dirty_ring_full(&r), i >= N - 2);
		CHECK(dirty_ring_push(&r, 1, i));
	}
	CHECK(!dirty_ring_push(&r, 1, 99));
	for (i = 0; i < N; i++)
		CHECK_EQ(r.entry[i].flags, MINIKVM_DIRTY_GFN_F_DIRTY);
	for (i = 0; i < N; i++) {
		take(i);
	}
	for (i = 0; i < N; i++)
		CHECK(dirty_ring_pop(&r, &slot, &offset) && offset == i);
	CHECK(!dirty_ring_pop(&r, &slot, &offset));
	CHECK(!dirty_ring_full(&r));
}

static void the_oldest_comes_first(void)
{
	setup(N);
	dirty_ring_push(&r, 1, 0);
	dirty_ring_push(&r, 1, 1);
	take(1);
	CHECK(!dirty_ring_pop(&r, &slot, &offset));
	take(0);
	CHECK(dirty_ring_pop(&r, &slot, &offset));
	CHECK(dirty_ring_pop(&r, &slot, &offset));
}

static void marks_that_nobody_gave_out(void)
{
	u32 i;

	setup(N);
	for (i = 0; i < N; i++)
		take(i);
	CHECK(!dirty_ring_pop(&r, &slot, &offset));
	dirty_ring_push(&r, 1, 7);
	CHECK(!dirty_ring_pop(&r, &slot, &offset));
	take(0);
	CHECK(dirty_ring_pop(&r, &slot, &offset));
	CHECK(!dirty_ring_pop(&r, &slot, &offset));
	CHECK_EQ(r.reset, 1);
}

int main(void)
{
	RUN(in_turn_and_round);
	RUN(full);
	RUN(the_oldest_comes_first);
	RUN(marks_that_nobody_gave_out);
	return unit_end();
}
