// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: module/mm/memslot.c accepts and refuses what a table of slots in 128-bit arithmetic
 * does, and while a slot changes no reader finds freed memory, and no page of a slot stays
 * mapped that the notifiers cannot find.
 */
#include "memslot_model.h"

static void arguments_without_sense_are_refused(void)
{
	static const struct { u32 slot, flags; u64 gpa, size, hva; int result; } rows[] = {
		{ 0, 0, 0, P, HVA, 0 },
		{ 0, 0, 0, P, HVA, 0 },				/* the same again */
		{ 0, 0, 0, 2 * P, HVA, -EINVAL },		/* size */
		{ 0, 0, 0, P, HVA + P, -EINVAL },		/* memory */
		{ 0, RO, 0, P, HVA, -EINVAL },
		{ 0, 0, 0, 0, ~0ull << 12, -EINVAL },		/* no user's address */
		{ 0, RO, 1ull << 40, 0, 0, 0 },			/* a deletion needs no more */
		{ 0, 0, 0, 0, HVA, -EINVAL },			/* of nothing */
		{ 1, 0, 1, P, HVA, -EINVAL },
		{ 1, 0, 0x800, P, HVA, -EINVAL },
		{ 1, 0, 0, P - 1, HVA, -EINVAL },
		{ 1, 0, 0, P, HVA + 1, -EINVAL },
		{ 1, 0, 0, P, 1ull << 57 | HVA, -EINVAL },	/* tagged */
		{ 1, 4, 0, P, HVA, -EINVAL },
		{ 1, 1u << 31, 0, P, HVA, -EINVAL },
		{ 511, 0, 0, P, HVA, 0 },
		{ 512, 0, P, P, HVA, -EINVAL },
		{ 0x10000, 0, P, P, HVA, -EINVAL },
		{ 0xffffffff, 0, P, P, HVA, -EINVAL },
		{ 1, 0, -P, P, HVA, -EINVAL },			/* ends at 2^64 */
		{ 1, 0, -P, 2 * P, HVA, -EINVAL },
		{ 1, 0, P, 1ull << 63, 0, -EINVAL },
		{ 1, 0, 1ull << 63, 1ull << 63, 0, -EINVAL },
		{ 1, 0, P, -P, 0, -EINVAL },
		{ 1, 0, P, (1ull << 63) - P, 0, -EINVAL },
		{ 1, 0, 1ull << GPA_BITS, P, HVA, -EINVAL },
		{ 1, 0, (1ull << GPA_BITS) - P, 2 * P, HVA, -EINVAL },
		{ 1, 0, (1ull << GPA_BITS) - P, P, HVA, 0 },
		{ 1, 0, 0, 0, 0, 0 },
		{ 1, 0, P, (MAX_PAGES + 1) * P, P, -EINVAL },
		{ 1, 0, P, MAX_PAGES * P, P, 0 },
		{ 2, 0, 1ull << 46, P, 0xffff888000000000, -EINVAL },
		{ 2, 0, 1ull << 46, 2 * P, (1ull << 63) - P, -EINVAL },
		{ 1, 0, 0, 0, 1, -EINVAL },			/* unaligned even to delete */
		{ 1, 0, 0, 0, 0, 0 },
	};

	start();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		CHECK_EQ(set(rows[i].slot, rows[i].flags, rows[i].gpa, rows[i].size, rows[i].hva),
			 rows[i].result);
	finish();
}

static void overlap_is_what_two_ranges_have_in_common(void)
{
	u64 first, n;

	start();
	set(0, 0, 0, 4 * P, HVA);
	set(1, 0, 8 * P, 4 * P, HVA);
	for (first = 0; first < 16; first++)
		for (n = 1; n < 16; n++)
			if (!set(2, 0, first * P, n * P, HVA))
				set(2, 0, 0, 0, HVA);
	finish();
}

/* Small numbers collide; now and then a strange one. */
static void random_set(void)
{
	static const u64 odd[] = { 1ull << 47, 1ull << 31, (1ull << 30) - P, -P, 1, 0x800, 1ull << 63 };
	u32 id = below(6);
	u64 gpa = below(24) * P, size = below(8) * P, hva = HVA + below(3) * 64 * P;
	u32 flags = below(4);

	if (model[id].used && one_in(2)) {
		size = model[id].size;
		hva = model[id].hva;
		flags = (model[id].flags & RO) | (flags & LOG);
		gpa = one_in(3) ? model[id].gpa : gpa;
	}
	if (one_in(20))
		gpa = odd[below(6)] + (one_in(2) ? 0 : gpa);
	if (one_in(20))
		size = one_in(10) ? odd[below(7)] : size + (1ull << 30);
	if (one_in(60))
		hva = odd[below(7)];
	set(one_in(60) ? id << 8 : id, one_in(60) ? 4 : flags, gpa, size, hva);
	compare_find(below(40) * P);
	compare_find(gpa);
	compare_find(gpa + size - 1);
	compare_find(gpa + size);
}

static void random_changes_leave_what_the_model_has(void)
{
	int i;

	start();
	for (i = 0; i < 5000 && !unit_bad; i++)
		random_set();
	finish();
}

static void a_change_that_lacks_memory_changes_nothing(void)
{
	int i;

	start();
	for (i = 0; i < 5000 && !unit_bad; i++) {
		fail_in = below(7);
		random_set();
	}
	finish();
}

static void every_slot_can_be_used(void)
{
	int i;

	start();
	for (i = 0; i < VM_MAX_SLOTS; i++)
		set(i, 0, i * 77 % VM_MAX_SLOTS * 2 * P, P, HVA);
	CHECK_EQ(vm.slots->n, VM_MAX_SLOTS);
	for (i = 0; i < 2 * VM_MAX_SLOTS; i++)
		compare_find(i * P);
	finish();
}

int main(void)
{
	RUN(arguments_without_sense_are_refused);
	RUN(overlap_is_what_two_ranges_have_in_common);
	RUN(random_changes_leave_what_the_model_has);
	RUN(a_change_that_lacks_memory_changes_nothing);
	RUN(every_slot_can_be_used);
	return unit_end();
}
