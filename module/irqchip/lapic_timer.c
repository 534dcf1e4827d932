// SPDX-License-Identifier: GPL-2.0
/*
 * The timer of a local APIC: one-shot, periodic, TSC deadline. One count is 1 ns
 * before the divider (KVM's default bus clock), or what the VMM chose.
 *
 * A TSC deadline that the VMX-preemption timer can watch is the run loop's: it looks
 * at vcpu->timer_deadline before each entry, and has no timer interrupt of the host's
 * to pay for. Only while the vCPU sleeps does a host hrtimer run for it. The other
 * modes always have one, and so have deadlines where the preemption timer is no good.
 *
 * The hrtimer's callback only notes the expiry and wakes the vCPU; the vCPU
 * thread turns it into an interrupt (lapic_timer_expired()), so that LVTT is
 * read by its owner. Expiries that were not delivered yet count once.
 *
 * Every function but the callback runs in the vCPU thread, with interrupts on
 * or off: hrtimer_cancel() waits for the callback on another CPU, which takes
 * no lock that the caller could hold. See SDM "APIC Timer".
 */
#include <linux/hrtimer.h>
#include <linux/math64.h>
#include <asm/msr.h>
#include <asm/tsc.h>

#include "../compat.h"
#include "../vmx/guest_tsc.h"
#include "../vmx/kick.h"
#include "lapic.h"

/* No timer runs longer: what is left of it, times a divider, is no overflow. */
#define MAX_PERIOD_NS	BIT_ULL(55)
#define MAX_DIVIDE	128

/* Far deadlines are looked at again after this; it also bounds the arithmetic. */
#define MAX_SLEEP_MS	(24 * 3600 * 1000ULL)

static void note_expiry(struct lapic *lapic)
{
	WRITE_ONCE(lapic->expired, 1);
	vcpu_make_request(lapic->vcpu, REQ_TIMER);
}

/* Hard interrupt context. */
static enum hrtimer_restart lapic_timer_fn(struct hrtimer *timer)
{
	struct lapic *lapic = container_of(timer, struct lapic, timer);
	u64 period = READ_ONCE(lapic->period);

	note_expiry(lapic);
	vcpu_kick(lapic->vcpu);
	if (READ_ONCE(lapic->timer_mode) != LAPIC_PERIODIC || !period)
		return HRTIMER_NORESTART;
	/* Missed periods are skipped, not made up for: bounded work after any stall. */
	hrtimer_forward_now(timer, ns_to_ktime(max_t(u64, period, CHIP_MIN_PERIOD_NS)));
	WRITE_ONCE(lapic->target, hrtimer_get_expires(timer));
	return HRTIMER_RESTART;
}

/**
 * lapic_timer_init - prepare the timer; it is not running
 * @lapic: zeroed but for its registers
 */
void lapic_timer_init(struct lapic *lapic)
{
	compat_hrtimer_setup(&lapic->timer, lapic_timer_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_HARD);
	lapic->divide = 2;	/* what TDCR == 0 means */
}

static void timer_start(struct lapic *lapic, ktime_t when)
{
	lapic->timer_started = true;
	hrtimer_start(&lapic->timer, when, HRTIMER_MODE_ABS_HARD);
}

/* Was it running? */
static bool timer_cancel(struct lapic *lapic)
{
	if (!lapic->timer_started)
		return false;
	lapic->timer_started = false;
	return hrtimer_cancel(&lapic->timer);
}

/**
 * lapic_timer_stop - stop, and forget an expiry that was not delivered
 * @lapic: the APIC
 */
void lapic_timer_stop(struct lapic *lapic)
{
	timer_cancel(lapic);
	lapic->vcpu->timer_deadline = 0;
	WRITE_ONCE(lapic->expired, 0);
}

static bool timer_counts(const struct lapic *lapic)
{
	return lapic->timer_mode == LAPIC_ONESHOT || lapic->timer_mode == LAPIC_PERIODIC;
}

/* Of one count; SDM "APIC Timer". */
static u64 count_ns(const struct lapic *lapic)
{
	return (u64)lapic->vcpu->vm->apic_bus_ns * lapic->divide;
}

static u64 counts_to_ns(const struct lapic *lapic, u32 count)
{
	return min(count * count_ns(lapic), MAX_PERIOD_NS);
}

/**
 * lapic_set_bus_cycle - ENABLE_CAP(X86_APIC_BUS_CYCLES_NS): how fast timers count
 * @vm: the VM; @vm->lock is held
 * @ns: of a cycle
 *
 * Return: 0; -EINVAL: no time, or the longest period is no number of 64 bits, or there are vCPUs
 * already; -ENXIO: no local APICs here.
 */
int lapic_set_bus_cycle(struct vm *vm, u64 ns)
{
	lockdep_assert_held(&vm->lock);
	if (!ns || ns > U64_MAX / ((u64)U32_MAX * MAX_DIVIDE))
		return -EINVAL;
	if (!vm->irqchip)
		return -ENXIO;
	if (vm->nr_vcpus)
		return -EINVAL;
	vm->apic_bus_ns = ns;
	return 0;
}

static void set_period(struct lapic *lapic, enum lapic_timer_mode mode, u64 period)
{
	if (mode == LAPIC_PERIODIC && period)
		period = max_t(u64, period, CHIP_MIN_PERIOD_NS);
	WRITE_ONCE(lapic->period, period);
}

/* Expire @ns from now; 0 is at once. */
static void timer_arm(struct lapic *lapic, u64 ns)
{
	ktime_t now = ktime_get();

	WRITE_ONCE(lapic->target, ktime_add_ns(now, ns));
	if (!ns) {
		note_expiry(lapic);
		if (lapic->timer_mode != LAPIC_PERIODIC)
			return;
		WRITE_ONCE(lapic->target, ktime_add_ns(now, lapic->period));
	}
	timer_start(lapic, lapic->target);
}

/* For @lapic->deadline, on the host's clock. */
static void start_deadline(struct lapic *lapic)
{
	u64 now = vcpu_tsc(lapic->vcpu), delta;
	u32 khz = vcpu_tsc_rate(lapic->vcpu);

	if (!khz)
		return;
	if (lapic->deadline <= now) {
		note_expiry(lapic);
		return;
	}
	/* Bounded, so that neither the product nor the quotient overflows. */
	delta = min_t(u64, lapic->deadline - now, MAX_SLEEP_MS * khz);
	timer_start(lapic, ktime_add_ns(ktime_get(), mul_u64_u32_div(delta, 1000000, khz) + 1));
}

/**
 * lapic_timer_arm_deadline - start for @lapic->deadline, if there is one
 * @lapic: the APIC, in TSC-deadline mode, its timer stopped
 */
void lapic_timer_arm_deadline(struct lapic *lapic)
{
	if (lapic->hv_timer)
		lapic->vcpu->timer_deadline = lapic->deadline;
	else if (lapic->deadline)
		start_deadline(lapic);
}

/**
 * lapic_timer_sleep - the vCPU is about to wait: somebody must wake it in time
 * @vcpu: any vCPU
 *
 * Context: the vCPU thread; undone by lapic_timer_awake().
 */
void lapic_timer_sleep(struct vcpu *vcpu)
{
	if (vcpu->timer_deadline)
		start_deadline(vcpu->lapic);
}

/** lapic_timer_awake - the run loop looks at the deadline again */
void lapic_timer_awake(struct vcpu *vcpu)
{
	if (vcpu->timer_deadline)
		timer_cancel(vcpu->lapic);
}

/**
 * lapic_timer_start - the initial count was written: start over
 * @lapic: the APIC
 */
void lapic_timer_start(struct lapic *lapic)
{
	u64 period = counts_to_ns(lapic, lapic_reg(&lapic->regs, LAPIC_TMICT));

	lapic_timer_stop(lapic);
	if (!timer_counts(lapic))
		return;
	WRITE_ONCE(lapic->target, 0);
	set_period(lapic, lapic->timer_mode, period);
	if (period)
		timer_arm(lapic, lapic->period);
}

/**
 * lapic_timer_restore - all registers were replaced: go on from the current count
 * @lapic: the APIC, its timer stopped
 *
 * As in KVM, a one-shot timer whose current count is 0 expires now: GET_LAPIC does not say
 * whether its interrupt was delivered. A deadline comes with its own MSR.
 */
void lapic_timer_restore(struct lapic *lapic)
{
	u32 count = lapic_reg(&lapic->regs, LAPIC_TMCCT);
	u64 period, left;

	lapic_timer_mode_changed(lapic);
	lapic->divide = lapic_regs_divide(&lapic->regs);
	lapic_reg_set(&lapic->regs, LAPIC_TMCCT, 0);
	if (!timer_counts(lapic)) {
		lapic_timer_arm_deadline(lapic);
		return;
	}
	period = counts_to_ns(lapic, lapic_reg(&lapic->regs, LAPIC_TMICT));
	WRITE_ONCE(lapic->target, 0);
	set_period(lapic, lapic->timer_mode, period);
	if (!period)
		return;
	left = min(counts_to_ns(lapic, count), lapic->period);
	if (!left && lapic->timer_mode == LAPIC_PERIODIC)
		left = lapic->period;
	timer_arm(lapic, left);
}

/**
 * lapic_timer_mode_changed - LVTT may have changed
 * @lapic: the APIC
 *
 * To and from TSC deadline disarms; between one-shot and
 * periodic a timer that is running goes on, and the new mode counts when it expires.
 */
void lapic_timer_mode_changed(struct lapic *lapic)
{
	enum lapic_timer_mode mode = lapic_regs_timer_mode(&lapic->regs);

	if (mode == lapic->timer_mode)
		return;
	if (mode >= LAPIC_DEADLINE || lapic->timer_mode >= LAPIC_DEADLINE) {
		lapic_timer_stop(lapic);
		lapic_reg_set(&lapic->regs, LAPIC_TMICT, 0);
		WRITE_ONCE(lapic->target, 0);
		WRITE_ONCE(lapic->period, 0);
		lapic->deadline = 0;
	}
	set_period(lapic, mode, lapic->period);
	WRITE_ONCE(lapic->timer_mode, mode);
}

static u64 ns_left(const struct lapic *lapic)
{
	s64 left = ktime_to_ns(ktime_sub(READ_ONCE(lapic->target), ktime_get()));

	return left > 0 ? left : 0;
}

/**
 * lapic_timer_divide_changed - the divider was written
 * @lapic: the APIC
 *
 * What is left of the count goes on at the new speed.
 */
void lapic_timer_divide_changed(struct lapic *lapic)
{
	u32 old = lapic->divide;
	u32 new = lapic_regs_divide(&lapic->regs);
	bool running;
	u64 left;

	lapic->divide = new;
	if (new == old || !lapic->period || !timer_counts(lapic))
		return;
	running = timer_cancel(lapic);
	left = ns_left(lapic) * new / old;
	set_period(lapic, lapic->timer_mode,
		   counts_to_ns(lapic, lapic_reg(&lapic->regs, LAPIC_TMICT)));
	if (running)
		timer_arm(lapic, left);
}

/**
 * lapic_timer_count - what the current count register reads now
 * @lapic: the APIC
 */
u32 lapic_timer_count(const struct lapic *lapic)
{
	u64 count;

	if (!timer_counts(lapic) || !lapic->period)
		return 0;
	count = div64_u64(ns_left(lapic), count_ns(lapic));
	/* A period that was stretched to the minimum is longer than the count. */
	return min_t(u64, count, lapic_reg(&lapic->regs, LAPIC_TMICT));
}

/**
 * lapic_timer_expired - deliver the timer interrupt, if it is due
 * @vcpu: any vCPU; REQ_TIMER was set
 *
 * Context: the vCPU thread, interrupts on or off. A TSC deadline that the guest
 * TSC has not reached (it was far away, or the clocks disagree) is armed again.
 */
void lapic_timer_expired(struct vcpu *vcpu)
{
	struct lapic *lapic = vcpu->lapic;

	if (!lapic || !READ_ONCE(lapic->expired))
		return;
	WRITE_ONCE(lapic->expired, 0);
	if (lapic->timer_mode == LAPIC_DEADLINE && lapic->deadline > vcpu_tsc(lapic->vcpu)) {
		lapic_timer_arm_deadline(lapic);
		return;
	}
	lapic_deliver_lvtt(lapic);
	vcpu->timer_deadline = 0;
	if (lapic->timer_mode == LAPIC_DEADLINE)
		lapic->deadline = 0;
	else if (lapic->timer_mode == LAPIC_ONESHOT)
		WRITE_ONCE(lapic->target, 0);
}

/**
 * lapic_timer_due - vcpu->timer_deadline is reached
 * @vcpu: whose
 *
 * Context: the vCPU thread, interrupts on or off.
 */
void lapic_timer_due(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->lapic->expired, 1);
	lapic_timer_expired(vcpu);
}
