// SPDX-License-Identifier: GPL-2.0
/* Machine checks for a guest: module/cpu/mce.c. */
#include <string.h>

#include "unit.h"
#include "../../module/cpu/mce.c"

static struct msr_state s;

static void setup(u64 cap)
{
	memset(&s, 0, sizeof(s));
	CHECK(!mce_setup(&s, cap));
}

static int report(u8 bank, u64 status, u64 mcg_status, bool cr4)
{
	struct minikvm_x86_mce mce = {
		.status = status, .addr = 0x1000 + bank, .misc = 0x8c, .mcg_status = mcg_status,
		.bank = bank,
	};

	return mce_report(&s, &mce, cr4);
}

static void what_there_is(void)
{
	static const u64 refused[] = { 0, 33, MCG_CTL_P, 10 | BIT_ULL(9), 10 | BIT_ULL(10),
				       10 | BIT_ULL(11), 10 | BIT_ULL(27), 10 | BIT_ULL(63) };
	size_t i;

	setup(10 | MCG_CTL_P | MCG_SER_P | 0x120000);
	CHECK(s.mcg_ctl == ~0ull && s.mce_banks[9][0] == ~0ull && !s.mce_banks[10][0]);
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		CHECK(mce_setup(&s, refused[i]) == -EINVAL);
	CHECK(s.mcg_cap == (10 | MCG_CTL_P | MCG_SER_P | 0x120000));
	setup(1);
	CHECK(!s.mcg_ctl);
	setup(32);
}

static void bounds(void)
{
	setup(10 | MCG_CTL_P);
	CHECK(report(10, STATUS_VAL, 0, true) == -EINVAL);
	CHECK(report(255, STATUS_VAL, 0, true) == -EINVAL);
	CHECK(report(9, STATUS_UC, 0, true) == -EINVAL);
	CHECK(report(9, STATUS_VAL, 0, true) == MCE_LOGGED);
}

static void corrected(void)
{
	setup(10 | MCG_CTL_P);
	CHECK(report(3, STATUS_VAL | 1, 7, false) == MCE_LOGGED);
	CHECK(s.mce_banks[3][1] == (STATUS_VAL | 1) && s.mce_banks[3][2] == 0x1003);
	CHECK(s.mce_banks[3][3] == 0x8c && !s.mcg_status);
	/* The newer one stays, unless the older one was worse. */
	CHECK(report(3, STATUS_VAL | 2, 0, false) == MCE_LOGGED);
	CHECK(s.mce_banks[3][1] == (STATUS_VAL | STATUS_OVER | 2));
	CHECK(report(3, STATUS_VAL | STATUS_UC | STATUS_PCC, 4, true) == MCE_RAISED);
	CHECK(report(3, STATUS_VAL | 3, 0, true) == MCE_LOGGED);
	CHECK(s.mce_banks[3][1] == (STATUS_VAL | STATUS_OVER | STATUS_UC | STATUS_PCC));
}

static void uncorrected(void)
{
	const u64 status = STATUS_VAL | STATUS_UC | STATUS_AR | STATUS_S;

	setup(10 | MCG_CTL_P);
	CHECK(report(1, status, 5, false) == MCE_SHUTDOWN && !s.mce_banks[1][1]);
	CHECK(report(1, status, 5, true) == MCE_RAISED);
	CHECK(s.mcg_status == 5 && s.mce_banks[1][1] == status);
	/* While one is being handled. */
	CHECK(report(2, status, 5, true) == MCE_SHUTDOWN);
	s.mcg_status = 0;
	CHECK(report(1, status, 5, true) == MCE_RAISED);
	CHECK(s.mce_banks[1][1] == (status | STATUS_OVER));
	/* The guest has switched them off. */
	s.mcg_status = 0;
	s.mce_banks[2][0] = 0;
	CHECK(report(2, status, 5, true) == MCE_LOGGED && !s.mce_banks[2][1]);
	s.mcg_ctl = 0;
	CHECK(report(4, status, 5, false) == MCE_LOGGED && !s.mce_banks[4][1]);
	s.mcg_cap &= ~MCG_CTL_P;
	CHECK(report(4, status, 5, true) == MCE_RAISED);
}

static void for_the_log_only(void)
{
	setup(10 | MCG_CTL_P);
	s.mcg_status = 4;
	s.mcg_ctl = 0;
	CHECK(report(7, STATUS_VAL | STATUS_UC, 0, false) == MCE_LOGGED);
	CHECK(s.mce_banks[7][1] == (STATUS_VAL | STATUS_UC) && !s.mcg_status);
}

int main(void)
{
	RUN(what_there_is);
	RUN(bounds);
	RUN(corrected);
	RUN(uncorrected);
	RUN(for_the_log_only);
	return unit_end();
}
