// SPDX-License-Identifier: GPL-2.0
/* A vCPU among others: INIT, SIPI, and what a wait ends for: module/cpu/mp_state.c. */
#include <string.h>

/* The instructions stay where they are: nobody executes one. */
#define vmx_vmwrite		insn_vmwrite
#include <linux/bitops.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include "../../module/vmx/insn.h"
#undef vmx_vmwrite

static u64 rip;

static void vmx_vmwrite(unsigned long enc, unsigned long value)
{
	if (enc == 0x681e)
		rip = value;
}

#include "unit.h"
#include "../../module/cpu/mp_state.c"

#define BOOTS	0xfee00900	/* IA32_APIC_BASE of who boots, and of another one */
#define WAITS	0xfee00800

static struct vm vm;
static struct vcpu vcpu;
static struct minikvm_segment cs;
static int resets, apic_resets;
static bool event, takes;
static unsigned long meanwhile;		/* starts that arrive while an INIT is carried out */

void vcpu_reset(struct vcpu *v, bool init)
{
	CHECK(v == &vcpu && init);
	resets++;
	rip = 0xfff0;
	cs = (struct minikvm_segment) {
		.base = 0xffff0000, .selector = 0xf000, .limit = 0xffff, .type = 11, .present = 1,
		.s = 1,
	};
	vcpu.starts |= meanwhile;
	meanwhile = 0;
}

void lapic_reset(struct vcpu *v, bool init)
{
	CHECK(v == &vcpu && init);
	CHECK_EQ(resets, apic_resets + 1);
	apic_resets++;
}

void vmx_get_segment(int seg, struct minikvm_segment *s)
{
	CHECK_EQ(seg, SEG_CS);
	*s = cs;
}

void vmx_set_segment(int seg, const struct minikvm_segment *s)
{
	CHECK_EQ(seg, SEG_CS);
	cs = *s;
}

bool event_waiting(struct vcpu *v)
{
	(void)v;
	return event;
}

bool event_takes_interrupts(struct vcpu *v)
{
	(void)v;
	return takes;
}

static void begin(u32 state)
{
	static struct lapic *const some = (void *)1;	/* nobody looks into it */

	memset(&vcpu, 0, sizeof(vcpu));
	resets = apic_resets = 0;
	event = takes = false;
	vcpu.events.extint = -1;
	meanwhile = 0;
	rip = 0x1234;
	cs = (struct minikvm_segment) { .selector = 8 };
	vcpu.vm = &vm;
	vcpu.lapic = some;
	vcpu.apic_base = WAITS;
	vcpu.mp_state = state;
}

static void arrive(unsigned long starts, u8 vector)
{
	vcpu.sipi_vector = vector;
	vcpu.starts |= starts;
	mp_take_starts(&vcpu);
}

static void who_boots_begins_by_itself(void)
{
	begin(99);
	vm.boot_id = 3;
	vcpu.id = 3;
	mp_power_up(&vcpu);
	CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_RUNNABLE);
	vcpu.id = 0;
	mp_power_up(&vcpu);
	CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_UNINITIALIZED);
	vcpu.lapic = NULL;		/* the VMM starts it */
	mp_power_up(&vcpu);
	CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_RUNNABLE);
}

static void init_and_sipi_in_turn(void)
{
	u32 state;

	for (state = MINIKVM_MP_STATE_RUNNABLE; state <= MINIKVM_MP_STATE_HALTED; state++) {
		begin(state);
		arrive(BIT(START_INIT), 0);
		CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_INIT_RECEIVED);
		CHECK_EQ(apic_resets, 1);
		CHECK_EQ(vcpu.starts, 0);
		arrive(BIT(START_SIPI), 0x9a);
		CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_RUNNABLE);
		CHECK_EQ(resets, 1);
		CHECK_EQ(vcpu.starts, 0);
	}
}

static void a_sipi_names_a_page(void)
{
	begin(MINIKVM_MP_STATE_INIT_RECEIVED);
	vcpu_reset(&vcpu, true);
	arrive(BIT(START_SIPI), 0x9a);
	CHECK_EQ(rip, 0);
	CHECK_EQ(cs.selector, 0x9a00);
	CHECK_EQ(cs.base, 0x9a000);
	CHECK_EQ(cs.limit, 0xffff);	/* the rest is as the INIT left it */
	CHECK_EQ(cs.type, 11);
}

static void a_sipi_without_an_init_is_nothing(void)
{
	static const u32 states[] = {
		MINIKVM_MP_STATE_RUNNABLE, MINIKVM_MP_STATE_UNINITIALIZED, MINIKVM_MP_STATE_HALTED,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		begin(states[i]);
		arrive(BIT(START_SIPI), 0x9a);
		CHECK_EQ(vcpu.mp_state, states[i]);
		CHECK_EQ(rip, 0x1234);
		CHECK_EQ(cs.selector, 8);
		CHECK_EQ(vcpu.starts, 0);	/* nor later */
	}
	begin(MINIKVM_MP_STATE_INIT_RECEIVED);
	arrive(BIT(START_SIPI), 0x9a);
	arrive(BIT(START_SIPI), 0x9b);		/* the second one of Linux' */
	CHECK_EQ(cs.selector, 0x9a00);
}

static void both_at_once(void)
{
	begin(MINIKVM_MP_STATE_HALTED);
	arrive(BIT(START_INIT) | BIT(START_SIPI), 0x9a);
	CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_RUNNABLE);
	CHECK_EQ(resets, 1);
	CHECK_EQ(cs.selector, 0x9a00);
	CHECK_EQ(rip, 0);
}

static void an_init_of_who_boots(void)
{
	begin(MINIKVM_MP_STATE_HALTED);
	vcpu.apic_base = BOOTS;
	arrive(BIT(START_INIT), 0);
	CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_RUNNABLE);
	CHECK_EQ(rip, 0xfff0);
}

static void a_start_that_comes_meanwhile_stays(void)
{
	begin(MINIKVM_MP_STATE_RUNNABLE);
	meanwhile = BIT(START_SIPI);
	arrive(BIT(START_INIT), 0x9a);
	CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_INIT_RECEIVED);
	CHECK_EQ(vcpu.starts, BIT(START_SIPI));
	mp_take_starts(&vcpu);
	CHECK_EQ(vcpu.mp_state, MINIKVM_MP_STATE_RUNNABLE);
}

static bool may_run(u32 state, unsigned long starts, unsigned long requests, bool has_event)
{
	begin(state);
	vcpu.starts = starts;
	vcpu.requests = requests;
	event = has_event;
	return mp_may_run(&vcpu);
}

/* Who would sleep through one of these waits for ever: nobody tells it twice. */
static void each_reason_ends_a_wait(void)
{
	static const u32 states[] = {
		MINIKVM_MP_STATE_HALTED, MINIKVM_MP_STATE_INIT_RECEIVED,
		MINIKVM_MP_STATE_UNINITIALIZED,
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(states); i++) {
		CHECK(may_run(states[i], BIT(START_INIT), 0, false));
		CHECK(may_run(states[i], BIT(START_SIPI), 0, false));
		CHECK(may_run(states[i], 0, BIT(REQ_KILL), false));
		CHECK(may_run(states[i], 0, BIT(REQ_TIMER) | BIT(REQ_EVENT), false));
	}
	CHECK(may_run(MINIKVM_MP_STATE_HALTED, 0, 0, true));
	CHECK(may_run(MINIKVM_MP_STATE_RUNNABLE, 0, 0, false));
}

static void nothing_else_does(void)
{
	CHECK(!may_run(MINIKVM_MP_STATE_HALTED, 0, 0, false));
	CHECK(!may_run(MINIKVM_MP_STATE_HALTED, 0, BIT(REQ_EVENT), false));
	CHECK(!may_run(MINIKVM_MP_STATE_INIT_RECEIVED, 0, 0, true));	/* SDM: only a SIPI does */
	CHECK(!may_run(MINIKVM_MP_STATE_UNINITIALIZED, 0, BIT(REQ_EVENT), true));
	CHECK(may_run(MINIKVM_MP_STATE_RUNNABLE, 0, 0, false));
}

/* One that a LAPIC has is saved with it. */
static void what_ended_a_hlt_is_told(void)
{
	begin(MINIKVM_MP_STATE_HALTED);
	event = takes = true;
	CHECK_EQ(vcpu_get_mp_state(&vcpu), MINIKVM_MP_STATE_HALTED);
	vcpu.events.extint = 0;
	CHECK_EQ(vcpu_get_mp_state(&vcpu), MINIKVM_MP_STATE_RUNNABLE);
	takes = false;
	CHECK_EQ(vcpu_get_mp_state(&vcpu), MINIKVM_MP_STATE_HALTED);
	begin(MINIKVM_MP_STATE_UNINITIALIZED);
	takes = true;
	vcpu.events.extint = 0x30;
	CHECK_EQ(vcpu_get_mp_state(&vcpu), MINIKVM_MP_STATE_UNINITIALIZED);
}

int main(void)
{
	RUN(who_boots_begins_by_itself);
	RUN(init_and_sipi_in_turn);
	RUN(a_sipi_names_a_page);
	RUN(a_sipi_without_an_init_is_nothing);
	RUN(both_at_once);
	RUN(an_init_of_who_boots);
	RUN(a_start_that_comes_meanwhile_stays);
	RUN(each_reason_ends_a_wait);
	RUN(nothing_else_does);
	RUN(what_ended_a_hlt_is_told);
	return unit_end();
}
