// SPDX-License-Identifier: GPL-2.0
/* The MSRs in memory: module/cpu/msr_table.c. */
#include <string.h>

#include "unit.h"
#include "../../module/cpu/msr_table.c"

static struct msr_state s;

static void setup(u32 has)
{
	memset(&s, 0, sizeof(s));
	s.rules = (struct msr_rules) { .has = has, .maxphyaddr = 36, .va_bits = 48 };
	msr_state_reset(&s);
}

enum { GUEST, HOST };

static int wr(u32 index, u64 data, int who)
{
	return msr_state_write(&s, index, data, who);
}

static u64 rd(u32 index, int who)
{
	u64 data = 0x5a5a;

	return msr_state_read(&s, index, &data, who) ? 0xbadull << 32 : data;
}
#define NONE	(0xbadull << 32)

static void tables_are_in_order(void)
{
	size_t i;

	for (i = 1; i < ARRAY_SIZE(stored); i++)
		CHECK(stored[i - 1].index < stored[i].index);
	for (i = 1; i < ARRAY_SIZE(answers); i++)
		CHECK(answers[i - 1].index < answers[i].index);
	for (i = 0; i < ARRAY_SIZE(stored); i++)
		CHECK(!find_answer(stored[i].index));
}

static bool is_known(u32 index)
{
	return find_stored(index) || find_answer(index) || mtrr_var(&s, index) ||
	       mce_bank(&s, index) || is_mce_ctl2(&s, index);
}

/* Every index and some more: what is not known is #GP, for everybody, and writes change nothing. */
static void sweep(void)
{
	static const u64 values[] = { 0, 1, ~0ull, 1ull << 63, 0x0000800000000000, 0x0606060606060606 };
	static const u32 bases[] = { 0, 0x40000000, 0x4b564d00, 0xc0000000, 0xc0010000 };
	size_t b, v;
	u32 i;

	for (b = 0; b < ARRAY_SIZE(bases); b++) {
		for (i = 0; i < 0x2000; i++) {
			u32 index = bases[b] + i;

			for (v = 0; v < ARRAY_SIZE(values); v++) {
				struct msr_state before;
				int who;

				setup(~0u);
				before = s;
				for (who = GUEST; who <= HOST; who++) {
					int ret = wr(index, values[v], who);

					CHECK(ret >= 0 && ret <= MSR_UNKNOWN);
					if (!is_known(index)) {
						u64 data;

						CHECK(ret == MSR_UNKNOWN && rd(index, who) == NONE);
						CHECK_EQ(msr_state_read(&s, index, &data, who), MSR_UNKNOWN);
					}
					if (ret)
						CHECK(!memcmp(&s, &before, sizeof(s)));
					s = before;
				}
			}
		}
	}
}

/* What a VMM saves it can restore; msr.c has the others of the list. */
static void listed_ones_round_trip(void)
{
	u32 i;

	setup(0);
	for (i = 0; i < msr_index_count; i++) {
		u32 index = msr_index_list[i];

		if (!find_stored(index))
			continue;
		CHECK(rd(index, HOST) != NONE);
		CHECK_EQ(wr(index, rd(index, HOST), HOST), 0);
	}
}

static void power_up_values(void)
{
	setup(0);
	CHECK_EQ(rd(0x1a0, GUEST), 0x1800);
	CHECK_EQ(rd(0x8b, GUEST), 1ull << 32);
	CHECK_EQ(rd(0x179, GUEST), 32);
	CHECK_EQ(rd(0xfe, GUEST), 0x508);
	CHECK_EQ(rd(0x2ff, GUEST), 0);
	CHECK_EQ(rd(0x3a, GUEST), 0);
}

static void feature_bits_gate_the_guest_only(void)
{
	setup(0);
	CHECK_EQ(wr(0xc0000103, 1, GUEST), 1);
	CHECK_EQ(rd(0xc0000103, GUEST), NONE);
	CHECK_EQ(wr(0xc0000103, 1, HOST), 0);
	CHECK_EQ(rd(0xc0000103, HOST), 1);
	CHECK_EQ(rd(0x10a, GUEST), NONE);
	CHECK_EQ(rd(0x345, GUEST), NONE);
	CHECK_EQ(rd(0x345, HOST), 0);
	setup(MSR_HAS_TSC_AUX | MSR_HAS_ARCH_CAPS | MSR_HAS_PDCM);
	CHECK_EQ(wr(0xc0000103, 1, GUEST), 0);
	CHECK_EQ(rd(0xc0000103, GUEST), 1);
	CHECK_EQ(wr(0xc0000103, 1ull << 32, GUEST), 1);
	CHECK_EQ(rd(0x10a, GUEST), 0);
	CHECK_EQ(wr(0x10a, 1, GUEST), 1);
	CHECK_EQ(wr(0x10a, 1, HOST), 0);
	CHECK_EQ(rd(0x345, GUEST), 0);
}

static void addresses_are_canonical(void)
{
	static const u32 index[] = { 0xc0000082, 0xc0000083 };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(index); i++) {
		setup(0);
		CHECK_EQ(wr(index[i], 0x00007fffffffffff, GUEST), 0);
		CHECK_EQ(wr(index[i], 0x0000800000000000, GUEST), 1);
		CHECK_EQ(wr(index[i], 0x0000800000000000, HOST), 1);
		CHECK_EQ(wr(index[i], 0xffff800000000000, GUEST), 0);
		CHECK_EQ(wr(index[i], 0xfffe800000000000, GUEST), 1);
		s.rules.va_bits = 57;
		CHECK_EQ(wr(index[i], 0x0000800000000000, GUEST), 0);
		CHECK_EQ(wr(index[i], 0x0100000000000000, GUEST), 1);
	}
	CHECK_EQ(msr_canonicalize(0x0000800000000000, 48), 0xffff800000000000);
	CHECK_EQ(msr_canonicalize(0xabcd000000001234, 48), 0x1234);
	CHECK_EQ(wr(0xc0000084, 1ull << 32, GUEST), 1);
	CHECK_EQ(wr(0xc0000084, 0xffffffff, GUEST), 0);
}

static void pat_types(void)
{
	u32 type, slot;

	CHECK(msr_pat_valid(0x0007040600070406));
	for (slot = 0; slot < 8; slot++)
		for (type = 0; type < 256; type++)
			CHECK_EQ(msr_pat_valid((u64)type << 8 * slot),
				 type < 8 && type != 2 && type != 3);
}

static void mtrr_values(void)
{
	u32 type, i;

	setup(0);
	for (type = 0; type < 256; type++) {
		bool ok = type == 0 || type == 1 || (type >= 4 && type <= 6);

		CHECK_EQ(wr(0x2ff, type, GUEST), !ok);
		CHECK_EQ(wr(0x250, (u64)type << 56, GUEST), !ok);
		CHECK_EQ(wr(0x200, type, GUEST), !ok);
	}
	for (i = 0; i < 64; i++) {
		CHECK_EQ(wr(0x2ff, BIT_ULL(i) & ~0xffull, GUEST), i >= 8 && i != 10 && i != 11);
		CHECK_EQ(wr(0x200, BIT_ULL(i) & ~0xffull, GUEST), i >= 36 || (i >= 8 && i < 12));
		CHECK_EQ(wr(0x201, BIT_ULL(i), GUEST), i >= 36 || i < 11);
	}
	for (i = 0; i < 16; i++) {
		CHECK_EQ(wr(0x200 + i, 0xabc000000, GUEST), 0);
		CHECK_EQ(s.mtrr.var[i / 2][i % 2], 0xabc000000);
	}
	CHECK_EQ(rd(0x210, HOST), NONE);
	CHECK_EQ(rd(0x1ff, HOST), NONE);
	CHECK_EQ(rd(0x251, HOST), NONE);
	CHECK_EQ(wr(0xfe, 0x508, HOST), MSR_UNKNOWN);
}

static void mce_banks(void)
{
	setup(0);
	CHECK_EQ(rd(0x400, GUEST), 0);
	CHECK_EQ(rd(0x47f, GUEST), 0);
	CHECK_EQ(rd(0x480, HOST), NONE);
	CHECK_EQ(wr(0x400, ~0ull, GUEST), 0);
	CHECK_EQ(wr(0x400, ~BIT_ULL(10), GUEST), 0);
	CHECK_EQ(wr(0x400, 5, GUEST), 1);
	CHECK_EQ(wr(0x401, 5, GUEST), 1);
	CHECK_EQ(wr(0x401, 5, HOST), 0);
	CHECK_EQ(wr(0x401, 0, GUEST), 0);
	CHECK_EQ(wr(0x47e, 5, GUEST), 0);
	CHECK_EQ(s.mce_banks[31][2], 5);
	CHECK_EQ(rd(0x280, GUEST), NONE);
	CHECK_EQ(rd(0x280, HOST), 0);
	CHECK_EQ(wr(0x280, 1, HOST), 1);
	CHECK_EQ(rd(0x17b, GUEST), NONE);
	CHECK_EQ(rd(0x17b, HOST), 0);
	CHECK_EQ(wr(0x17b, ~0ull, HOST), 1);
	CHECK_EQ(wr(0x179, 1, HOST), 1);
	s.mcg_cap = 0x102;
	CHECK_EQ(wr(0x17b, ~0ull, GUEST), 0);
	CHECK_EQ(wr(0x17b, 1, GUEST), 1);
	CHECK_EQ(rd(0x407, GUEST), 0);
	CHECK_EQ(rd(0x408, GUEST), NONE);
	s.mcg_cap = 0xff;
	CHECK_EQ(rd(0x480, GUEST), NONE);
}

static void who_may_write(void)
{
	setup(0);
	CHECK_EQ(wr(0x34, 1, GUEST), 1);
	CHECK_EQ(wr(0x34, 1, HOST), 0);
	CHECK_EQ(wr(0x8b, 7, GUEST), 0);
	CHECK_EQ(rd(0x8b, GUEST), 1ull << 32);
	CHECK_EQ(wr(0x8b, 7, HOST), 0);
	CHECK_EQ(rd(0x8b, GUEST), 7);
	CHECK_EQ(wr(0xce, 0, GUEST), 1);
	CHECK_EQ(wr(0xce, BIT_ULL(31), HOST), 1);
	CHECK_EQ(wr(0x140, 1, HOST), 1);
	CHECK_EQ(wr(0x140, 0, GUEST), 0);
	CHECK_EQ(wr(0xda0, 0, HOST), 0);
	CHECK_EQ(wr(0xda0, 0, GUEST), 1);
}

static void feature_control_locks(void)
{
	setup(0);
	CHECK_EQ(wr(0x3a, 5, GUEST), 1);
	CHECK_EQ(wr(0x3a, 0, GUEST), 0);
	CHECK_EQ(wr(0x3a, 1, GUEST), 0);
	CHECK_EQ(wr(0x3a, 0, GUEST), 1);
	CHECK_EQ(rd(0x3a, GUEST), 1);
	CHECK_EQ(wr(0x3a, 0, HOST), 0);
}

static void misc_enable_keeps_what_is_read_only(void)
{
	setup(0);
	CHECK_EQ(wr(0x1a0, 0x1800 | BIT(7) | BIT_ULL(34), GUEST), 0);
	CHECK_EQ(rd(0x1a0, GUEST), 0x1800 | BIT_ULL(34));
	CHECK_EQ(wr(0x1a0, 0x0801, GUEST), 1);
	CHECK_EQ(wr(0x1a0, 1, HOST), 0);
	CHECK_EQ(rd(0x1a0, GUEST), 1);
}

static void answers_that_drop_writes(void)
{
	static const u32 dropped[] = { 0xc1, 0xc2, 0x186, 0x187, 0x11e, 0xc0010000, 0xc0010007 };
	u64 data;
	size_t i;

	setup(0);
	for (i = 0; i < ARRAY_SIZE(dropped); i++) {
		u64 old = rd(dropped[i], GUEST);

		CHECK(old != NONE);
		CHECK_EQ(wr(dropped[i], 0x1234, GUEST), 0);
		CHECK_EQ(rd(dropped[i], GUEST), old);
	}
	CHECK_EQ(wr(0x1d9, 3, GUEST), 0);
	CHECK_EQ(wr(0x1d9, 4, GUEST), 1);
	CHECK_EQ(rd(0x79, GUEST), NONE);
	CHECK_EQ(wr(0x79, 0x1234, GUEST), 0);
	/* What goes one way only is nobody's the other way. */
	CHECK_EQ(msr_state_read(&s, 0x79, &data, GUEST), MSR_UNKNOWN);
	CHECK_EQ(wr(0x17, 0, GUEST), MSR_UNKNOWN);
	CHECK_EQ(wr(0xc0010015, 0x148, GUEST), 0);
	CHECK_EQ(rd(0xc0010015, GUEST), 0);
	CHECK_EQ(wr(0xc0010015, 1, GUEST), 1);
}

int main(void)
{
	RUN(tables_are_in_order);
	RUN(sweep);
	RUN(listed_ones_round_trip);
	RUN(power_up_values);
	RUN(feature_bits_gate_the_guest_only);
	RUN(addresses_are_canonical);
	RUN(pat_types);
	RUN(mtrr_values);
	RUN(mce_banks);
	RUN(who_may_write);
	RUN(feature_control_locks);
	RUN(misc_enable_keeps_what_is_read_only);
	RUN(answers_that_drop_writes);
	return unit_end();
}
