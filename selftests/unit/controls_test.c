// SPDX-License-Identifier: GPL-2.0
/* VMX controls by their capability MSR: module/vmx/controls.h. */
#include "unit.h"
#include "../../module/vmx/controls.h"

#define BIT_3		8u
#define CAP(must, may)	((u64)(may) << 32 | (must))

/* All that a processor can say of one bit, for each use. "Must" without "may" cannot be. */
static void truth_table(void)
{
	static const struct { bool may, must; bool refused[3]; bool on[3]; } rows[] = {
		/*		 OPTIONAL REQUIRED DYNAMIC */
		{ false, false, { false, true,  true  }, { false, false, false } },
		{ true,  false, { false, false, false }, { true,  true,  false } },
		{ true,  true,  { false, false, true  }, { true,  true,  true  } },
	};
	size_t i;
	int use;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		for (use = OPTIONAL; use <= DYNAMIC; use++) {
			struct control table[] = { { BIT_3, use, "it" }, { } };
			u64 cap = CAP(rows[i].must ? BIT_3 : 0, rows[i].may ? BIT_3 : 0);
			u32 value = 0;
			const char *missing = control_choose(cap, table, &value);

			CHECK_EQ(!!missing, rows[i].refused[use]);
			if (!missing)
				CHECK_EQ(!!(value & BIT_3), rows[i].on[use]);
		}
}

static void others_stay(void)
{
	static const struct control table[] = {
		{ 0x80000000, REQUIRED, "first" }, { 4, OPTIONAL, "second" }, { 8, REQUIRED, "third" }, { }
	};
	u32 value;

	CHECK(!control_choose(CAP(0x16, 0x8000ffff), table, &value));
	CHECK_EQ(value, 0x8000001e);
	CHECK(control_choose(CAP(0x16, 0x8000fff7), table, &value) == table[2].name);
}

int main(void)
{
	RUN(truth_table);
	RUN(others_stay);
	return unit_end();
}
