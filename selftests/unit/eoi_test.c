// SPDX-License-Identifier: GPL-2.0
/* An end of interrupt without an exit: module/pv/eoi.c. */
#include <string.h>
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/uaccess.h>
#include "unit.h"
#include "../../module/pv/eoi.c"

#define PLACE	0x4000
#define OTHER	0x5000		/* an even one, and another's */

static struct vcpu vcpu;
static u8 memory[2];		/* at PLACE, at OTHER */
static bool is_there, quiet;
static int ends, sleeps;

bool lapic_eoi_is_quiet(const struct vcpu *v)
{
	CHECK(v == &vcpu);
	return quiet;
}

void lapic_eoi(struct vcpu *v)
{
	CHECK(v == &vcpu);
	ends++;
}

static u8 *at(gpa_t gpa, size_t len)
{
	CHECK_EQ(len, 1);
	CHECK(gpa == PLACE || gpa == OTHER);
	sleeps += !shim_no_faults;
	return is_there ? &memory[gpa == OTHER] : NULL;
}

int guest_read(struct vcpu *v, gpa_t gpa, void *data, size_t len)
{
	u8 *from = at(gpa, len);

	CHECK(v == &vcpu);
	if (!from)
		return -EFAULT;
	*(u8 *)data = *from;
	return 0;
}

int guest_write(struct vcpu *v, gpa_t gpa, const void *data, size_t len)
{
	u8 *to = at(gpa, len);

	CHECK(v == &vcpu);
	if (!to)
		return -EFAULT;
	*to = *(const u8 *)data;
	return 0;
}

static void begin(void)
{
	static struct lapic *const some = (void *)1;	/* nobody looks into it */

	memset(&vcpu, 0, sizeof(vcpu));
	vcpu.lapic = some;
	memory[0] = memory[1] = 0;
	is_there = quiet = true;
	ends = sleeps = 0;
	CHECK_EQ(pv_eoi_write(&vcpu, PLACE | KVM_MSR_ENABLED), 0);
}

static void an_end_that_concerns_nobody_is_offered(void)
{
	begin();
	pv_eoi_offer(&vcpu);
	CHECK(vcpu.pv.eoi_offered);
	CHECK_EQ(memory[0], KVM_PV_EOI_ENABLED);
	CHECK_EQ(sleeps, 0);		/* interrupts are off */
	begin();
	quiet = false;
	pv_eoi_offer(&vcpu);
	CHECK(!vcpu.pv.eoi_offered);
	CHECK_EQ(memory[0], 0);
}

static void an_offer_that_was_taken_is_the_end(void)
{
	begin();
	pv_eoi_offer(&vcpu);
	memory[0] = 0;			/* the guest's handler */
	pv_eoi_after_exit(&vcpu);
	CHECK_EQ(ends, 1);
	CHECK(!vcpu.pv.eoi_offered);
	CHECK_EQ(sleeps, 0);
	CHECK_EQ(vcpu.requests, 0);
}

static void one_that_was_not_is_gone(void)
{
	begin();
	pv_eoi_offer(&vcpu);
	CHECK_EQ(memory[0], KVM_PV_EOI_ENABLED);
	pv_eoi_after_exit(&vcpu);
	CHECK_EQ(ends, 0);
	CHECK_EQ(memory[0], 0);		/* the handler, when it goes on, writes to its APIC */
	CHECK(!vcpu.pv.eoi_offered);
}

static void an_offer_is_where_it_was_made(void)
{
	begin();
	pv_eoi_offer(&vcpu);
	CHECK_EQ(pv_eoi_write(&vcpu, OTHER | KVM_MSR_ENABLED), 0);
	pv_eoi_after_exit(&vcpu);
	CHECK_EQ(ends, 0);
	CHECK_EQ(memory[0], 0);
	begin();
	pv_eoi_offer(&vcpu);
	CHECK_EQ(pv_eoi_write(&vcpu, 0), 0);
	memory[0] = 0;
	pv_eoi_after_exit(&vcpu);
	CHECK_EQ(ends, 1);
}

static void no_offer_where_no_page_is(void)
{
	begin();
	is_there = false;
	pv_eoi_offer(&vcpu);
	CHECK(!vcpu.pv.eoi_offered);
	is_there = true;
	pv_eoi_offer(&vcpu);
	CHECK(vcpu.pv.eoi_offered);
}

/* The host has taken the page since: it can be waited for later, not now. */
static void a_look_that_is_put_off(void)
{
	int taken;

	for (taken = 0; taken < 2; taken++) {
		begin();
		pv_eoi_offer(&vcpu);
		if (taken)
			memory[0] = 0;
		is_there = false;
		pv_eoi_after_exit(&vcpu);
		CHECK_EQ(ends, 0);
		CHECK_EQ(vcpu.requests, BIT(REQ_EOI));
		is_there = true;
		pv_eoi_settle(&vcpu);
		CHECK_EQ(ends, taken);
		CHECK_EQ(vcpu.requests, 0);
		pv_eoi_settle(&vcpu);
		CHECK_EQ(ends, taken);
	}
	/* It is gone for good: an interrupt that never ends would block all others. */
	begin();
	pv_eoi_offer(&vcpu);
	is_there = false;
	pv_eoi_after_exit(&vcpu);
	pv_eoi_settle(&vcpu);
	CHECK_EQ(ends, 1);
}

int main(void)
{
	RUN(an_end_that_concerns_nobody_is_offered);
	RUN(an_offer_that_was_taken_is_the_end);
	RUN(one_that_was_not_is_gone);
	RUN(an_offer_is_where_it_was_made);
	RUN(no_offer_where_no_page_is);
	RUN(a_look_that_is_put_off);
	return unit_end();
}
