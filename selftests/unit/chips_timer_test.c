// SPDX-License-Identifier: GPL-2.0
/* The local APIC's timer, on a clock that the test moves. */
#include "chips_model.h"

static void timer_setup(u32 lvtt, u32 divide)
{
	enable(&cpu[0]);
	apic_write(&cpu[0], LAPIC_TDCR, divide);
	apic_write(&cpu[0], LAPIC_LVTT, lvtt);
	apic_write(&cpu[0], LAPIC_LINT0, 0x10000);
	heard[0].woken = 0;
}

static bool test_timer_request(void)
{
	return cpu[0].requests & BIT(REQ_TIMER);
}

static bool lapic_timer_armed(void)
{
	return cpu[0].lapic->timer.active;
}

static void one_shot(void)
{
	create();
	timer_setup(0xe0, 3);			/* divide by 16 */
	apic_write(&cpu[0], LAPIC_TMICT, 1000);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 1000);
	shim_advance(4000, false);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 750);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(11999, false);
	CHECK_EQ(heard[0].woken, 0);
	shim_advance(1, false);
	CHECK_EQ(heard[0].woken, 1);
	CHECK(test_timer_request());
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	shim_advance(1000000, false);
	CHECK_EQ(take(&cpu[0]), -1);
	apic_write(&cpu[0], LAPIC_TDCR, 0);	/* nothing runs: nothing expires */
	CHECK_EQ(take(&cpu[0]), -1);
	destroy();
}

static void one_shot_on_a_slow_bus(void)
{
	create();
	vm.apic_bus_ns = 40;
	timer_setup(0xe0, 3);
	apic_write(&cpu[0], LAPIC_TMICT, 1000);
	shim_advance(160000, false);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 750);
	shim_advance(479999, false);
	CHECK_EQ(heard[0].woken, 0);
	shim_advance(1, false);
	CHECK_EQ(heard[0].woken, 1);
	destroy();
}

static void divider_changes_while_running(void)
{
	create();
	timer_setup(0xe0, 3);
	apic_write(&cpu[0], LAPIC_TMICT, 1000);
	shim_advance(8000, false);
	apic_write(&cpu[0], LAPIC_TDCR, 0xb);	/* 500 counts left, 1 ns each now */
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 500);
	shim_advance(499, false);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(1, false);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	destroy();
}

static void periodic(void)
{
	int i;

	create();
	timer_setup(0x200e0, 0xb);
	apic_write(&cpu[0], LAPIC_TMICT, 1000000);
	for (i = 0; i < 5; i++) {
		shim_advance(999999, false);
		CHECK_EQ(take(&cpu[0]), -1);
		shim_advance(1, false);
		CHECK_EQ(take(&cpu[0]), 0xe0);
		apic_write(&cpu[0], LAPIC_EOI, 0);
	}
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 1000000);
	shim_advance(250000, false);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 750000);
	shim_advance(10000000000, true);	/* the host was away for 10 s */
	CHECK_EQ(take(&cpu[0]), 0xe0);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[0]), -1);
	apic_write(&cpu[0], LAPIC_TMICT, 0);
	shim_advance(10000000, false);
	CHECK_EQ(take(&cpu[0]), -1);
	destroy();
}

static void periodic_rate_is_bounded(void)
{
	create();
	timer_setup(0x200e0, 0xb);
	apic_write(&cpu[0], LAPIC_TMICT, 1);
	CHECK(apic_read(&cpu[0], LAPIC_TMCCT) <= 1);
	shim_advance(CHIP_MIN_PERIOD_NS - 1, false);
	CHECK_EQ(take(&cpu[0]), -1);		/* the first expiry is no earlier, either */
	apic_write(&cpu[0], LAPIC_TMICT, 1);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 50);
	timer_setup(0xe0, 0xb);			/* one-shot, then periodic while it runs */
	apic_write(&cpu[0], LAPIC_TMICT, 1);
	apic_write(&cpu[0], LAPIC_LVTT, 0x200e0);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK(shim_fired <= 51);
	apic_write(&cpu[0], LAPIC_TDCR, 0);	/* a new divider does not lift it */
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK(shim_fired <= 51);
	destroy();
}

static void deadline(void)
{
	create();
	cpu[0].tsc_offset = -(u64)rdtsc();	/* the guest's TSC starts at 0 */
	lapic_set_tscdeadline(&cpu[0], 5000);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);	/* not in this mode */
	timer_setup(0x400e0, 0xb);
	apic_write(&cpu[0], LAPIC_TMICT, 5);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMICT), 0);
	lapic_set_tscdeadline(&cpu[0], 5000);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 5000);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 0);
	shim_advance(2499, false);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(2, false);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 1);		/* in the past */
	CHECK(test_timer_request());
	CHECK_EQ(take(&cpu[0]), 0xe0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 100000);
	lapic_set_tscdeadline(&cpu[0], 0);		/* disarmed */
	shim_advance(1000000, false);
	CHECK_EQ(take(&cpu[0]), -1);

	lapic_set_tscdeadline(&cpu[0], 1ULL << 63);
	shim_fired = 0;
	shim_advance(30ULL * 86400 * 1000000000, false);
	CHECK(shim_fired <= 1);
	CHECK_EQ(take(&cpu[0]), -1);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 1ULL << 63);
	CHECK(lapic_timer_armed());
	lapic_set_tscdeadline(&cpu[0], ~0ULL);
	apic_write(&cpu[0], LAPIC_LVTT, 0xe0);		/* leaving the mode disarms */
	apic_write(&cpu[0], LAPIC_LVTT, 0x400e0);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);
	CHECK(!lapic_timer_armed());
	destroy();
}

/* The run loop gets the deadline; the host's clock only while the vCPU sleeps. */
static void watched_deadline(void)
{
	create();
	cpu[0].lapic->hv_timer = true;
	cpu[0].tsc_offset = -(u64)rdtsc();
	timer_setup(0x400e0, 0xb);
	lapic_set_tscdeadline(&cpu[0], 5000);
	CHECK_EQ(cpu[0].timer_deadline, 5000);
	shim_advance(10000, false);
	CHECK(!test_timer_request());
	CHECK(!lapic_timer_armed());
	lapic_timer_due(&cpu[0]);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	CHECK_EQ(lapic_get_tscdeadline(&cpu[0]), 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 100000);
	lapic_set_tscdeadline(&cpu[0], 0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	lapic_timer_sleep(&cpu[0]);		/* nothing to wake it for */
	CHECK(!lapic_timer_armed());
	lapic_timer_awake(&cpu[0]);

	lapic_set_tscdeadline(&cpu[0], 100000);
	lapic_timer_sleep(&cpu[0]);
	CHECK(lapic_timer_armed());
	lapic_timer_awake(&cpu[0]);		/* woken by something else */
	CHECK(!lapic_timer_armed());
	CHECK_EQ(cpu[0].timer_deadline, 100000);
	lapic_timer_sleep(&cpu[0]);
	shim_advance(100000, false);
	CHECK(test_timer_request());
	lapic_timer_awake(&cpu[0]);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);

	lapic_set_tscdeadline(&cpu[0], 1);	/* in the past: too late to sleep */
	lapic_timer_sleep(&cpu[0]);
	CHECK(test_timer_request());
	apic_write(&cpu[0], LAPIC_LVTT, 0xe0);
	CHECK_EQ(cpu[0].timer_deadline, 0);
	destroy();
}

static void timer_state_goes_round(void)
{
	struct minikvm_lapic_state state;

	create();
	timer_setup(0xe0, 3);
	apic_write(&cpu[0], LAPIC_TMICT, 1000);
	shim_advance(4000, false);
	lapic_get_state(&cpu[0], &state);
	lapic_reset(&cpu[0], false);
	shim_advance(1000000, false);
	CHECK_EQ(take(&cpu[0]), -1);
	lapic_set_state(&cpu[0], &state);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMCCT), 750);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_TMICT), 1000);
	shim_advance(12000, false);
	CHECK_EQ(take(&cpu[0]), 0xe0);
	/* Any page at all: no more than the rate limit, no fault. */
	memset(&state, 0xff, sizeof(state));
	lapic_set_state(&cpu[0], &state);
	shim_advance(1000000000, false);
	memset(&state, 0x0f, sizeof(state));
	state.regs[LAPIC_LVTT + 2] = 2;
	memset(state.regs + LAPIC_TMICT, 0, 4);
	state.regs[LAPIC_TMICT] = 1;
	lapic_set_state(&cpu[0], &state);
	shim_fired = 0;
	shim_advance(100000000, false);
	CHECK(shim_fired <= 501);
	destroy();
}

int main(void)
{
	RUN(one_shot);
	RUN(one_shot_on_a_slow_bus);
	RUN(divider_changes_while_running);
	RUN(periodic);
	RUN(periodic_rate_is_bounded);
	RUN(deadline);
	RUN(watched_deadline);
	RUN(timer_state_goes_round);
	return unit_end();
}
