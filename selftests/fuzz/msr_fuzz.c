// SPDX-License-Identifier: GPL-2.0
/*
 * module/cpu/msr_table.c: whatever is written, a refusal changes nothing, what the host writes
 * it reads again, what a guest may write the host may, too, and unknown ones stay unknown.
 */
#include "fuzz.h"
#define main unit_main
#include "../unit/msr_test.c"
#undef main

static u32 some_index(void)
{
	static const u32 ranges[] = { 0, 0x170, 0x200, 0x280, 0x400, 0x40000000, 0x4b564d00, 0xc0000080, 0xc0010010 };
	u32 n = below(8);

	if (n < 3)
		return stored[below(ARRAY_SIZE(stored))].index;
	if (n < 4)
		return answers[below(ARRAY_SIZE(answers))].index;
	return n < 7 ? ranges[below(ARRAY_SIZE(ranges))] + below(256) : any();
}

static void one_write(void)
{
	struct msr_state was = s, as_host = s;
	u64 data = one_in(2) ? any() : 1ull << below(64), now = 0;
	u32 index = some_index();
	bool who = below(2);
	int ret = msr_state_write(&s, index, data, who);

	CHECK(ret >= 0 && ret <= MSR_UNKNOWN);
	if (ret)
		CHECK(!memcmp(&s, &was, sizeof(s)));
	if (!ret && !who)
		CHECK_EQ(msr_state_write(&as_host, index, data, true), 0);
	if (!ret && memcmp(&s, &was, sizeof(s))) {
		CHECK_EQ(msr_state_read(&s, index, &now, true), 0);
		was = s;
		/* As a VMM restores it: nothing is lost. */
		CHECK_EQ(msr_state_write(&s, index, now, true), 0);
		CHECK(!memcmp(&s, &was, sizeof(s)));
	}
	if (ret == MSR_UNKNOWN && !find_answer(index))	/* those go one way only */
		CHECK_EQ(msr_state_read(&s, index, &now, who), MSR_UNKNOWN);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_begin(data, size);
	setup(below(1 << 7));
	s.rules.maxphyaddr = 32 + below(21);
	s.rules.va_bits = below(2) ? 57 : 48;
	while (fuzz_left)
		one_write();
	return 0;
}
