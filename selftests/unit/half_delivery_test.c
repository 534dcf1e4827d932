// SPDX-License-Identifier: GPL-2.0
/* What tells half a delivery of an exception: module/run/half_delivery.h. */
#include <stdbool.h>
#include <linux/types.h>

#include "unit.h"
#include "../../module/run/half_delivery.h"

#define RIP	0xffffffff81000123ULL
#define STACK	0xffffc90000003f58ULL

static void with_and_without_an_error_code(void)
{
	const u64 plain[] = { RIP, 0x10, 0x10246, STACK, 0x18, 0x1234 };
	const u64 error[] = { 2, RIP, 0x33, 0x246, 0x7ffc0000, 0x2b };

	CHECK(half_delivery_seen(plain, RIP));
	CHECK(half_delivery_seen(error, RIP));
	CHECK(!half_delivery_seen(plain, RIP + 3));	/* the handler, or elsewhere */
	CHECK(!half_delivery_seen(error, RIP - 1));
}

static void other_stacks(void)
{
	const u64 called[] = { RIP, STACK, RIP, 0, 0x10, 0x246 };	/* a return address */
	const u64 numbers[] = { RIP, 0x10, 0, 0, 0, 0 };
	const u64 zeroes[6] = { 0 };

	CHECK(!half_delivery_seen(called, RIP));
	CHECK(!half_delivery_seen(numbers, RIP));
	CHECK(!half_delivery_seen(zeroes, 0));
}

int main(void)
{
	RUN(with_and_without_an_error_code);
	RUN(other_stacks);
	return unit_end();
}
