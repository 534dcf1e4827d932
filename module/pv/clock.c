// SPDX-License-Identifier: GPL-2.0
/*
 * The VM's clock: nanoseconds since its creation, or since what a VMM has set. A VMM saves it with
 * the VM's state and sets it where the VM goes on (the clock ioctls); the guest computes it from
 * its own TSC (guest_clock.c).
 *
 * Where the host's own time comes from the TSC, so does the clock: clock, TSC and the time of day
 * are then of one moment, to the tick; no correction of the host's time by NTP reaches it. Elsewhere
 * it goes with CLOCK_BOOTTIME. When the host goes from one to the other, or has slept and its
 * counters with it, the clock goes on at what either of them says, whichever is more.
 */
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <asm/tsc.h>

#include "../compat.h"
#include "../mm/mm.h"
#include "../vmx/kick.h"
#include "../vmx/tsc.h"
#include "clock.h"
#include "pv.h"

struct moment {
	u64 tsc;	/* as the processor has it */
	u64 real, boot;	/* ns */
	bool by_tsc;	/* the host's time comes from the TSC: @tsc and @real are one moment */
};

static struct moment clock_moment(void)
{
	struct system_time_snapshot s;
	struct moment m;
	u64 before = rdtsc_ordered();

	compat_get_snapshot(&s);
	m.tsc = rdtsc_ordered();
	/* No other counter shows a number between the two. */
	m.by_tsc = s.cycles - before <= m.tsc - before;
	if (m.by_tsc)
		m.tsc = s.cycles;
	m.real = ktime_to_ns(compat_snapshot_real(&s));
	m.boot = ktime_get_boottime_ns();
	return m;
}

static u64 clock_by_tsc(const struct vm_clock *c, const struct moment *m)
{
	return vm_clock_at(c, m->tsc + READ_ONCE(tsc_lost), tsc_khz);
}

static u64 clock_by_boot(const struct vm_clock *c, const struct moment *m)
{
	return c->ns + (m->boot - c->boot);
}

static u64 clock_ns(const struct vm_clock *c, const struct moment *m)
{
	return c->by_tsc ? clock_by_tsc(c, m) : clock_by_boot(c, m);
}

/* The clock shows @ns at this moment. vm->clock_lock held. */
static void clock_begin(struct vm_clock *c, const struct moment *m, u64 ns)
{
	*c = (struct vm_clock) {
		.ns = ns,
		.tsc = m->tsc + READ_ONCE(tsc_lost),
		.boot = m->boot,
		.lost = READ_ONCE(tsc_lost),
		.by_tsc = m->by_tsc,
	};
}

/* This moment, and the clock as the host now keeps its time. vm->clock_lock held. */
static struct moment clock_follow(struct vm_clock *c)
{
	struct moment m = clock_moment();

	if (c->by_tsc != m.by_tsc)
		clock_begin(c, &m, max(clock_ns(c, &m), clock_by_boot(c, &m)));
	else if (c->by_tsc && c->lost != READ_ONCE(tsc_lost))
		clock_begin(c, &m, max(clock_by_tsc(c, &m), clock_by_boot(c, &m)));
	return m;
}

/** vm_clock_init - it begins at 0; @vm new */
void vm_clock_init(struct vm *vm)
{
	struct moment m = clock_moment();

	raw_spin_lock_init(&vm->clock_lock);
	clock_begin(&vm->clock, &m, 0);
}

/**
 * vm_clock_now - a moment from which the guest can go on counting
 * @vm: whose
 * @now: filled: a TSC, and what the clock shows then; with @by_tsc the same whoever asks
 *
 * Context: interrupts on. Return: the time of day at which the clock was 0, in ns.
 */
u64 vm_clock_now(struct vm *vm, struct vm_clock *now)
{
	struct moment m;
	u64 ns;

	raw_spin_lock(&vm->clock_lock);
	m = clock_follow(&vm->clock);
	ns = clock_ns(&vm->clock, &m);
	*now = vm->clock;
	raw_spin_unlock(&vm->clock_lock);
	if (!now->by_tsc)
		clock_begin(now, &m, ns);
	return m.real - ns;
}

/**
 * vm_clock_get - GET_CLOCK
 * @vm: whose
 * @data: filled
 */
void vm_clock_get(struct vm *vm, struct minikvm_clock_data *data)
{
	struct moment m;

	memset(data, 0, sizeof(*data));
	/* With the lock: who sets it meanwhile has done so before this moment, or after it. */
	raw_spin_lock(&vm->clock_lock);
	m = clock_follow(&vm->clock);
	data->clock = clock_ns(&vm->clock, &m);
	raw_spin_unlock(&vm->clock_lock);
	if (!m.by_tsc)
		return;
	data->flags = MINIKVM_CLOCK_VALID_FLAGS;
	data->realtime = m.real;
	data->host_tsc = m.tsc;
}

/**
 * vm_clock_set - SET_CLOCK
 * @vm: whose
 * @data: what GET_CLOCK gave, here or elsewhere; with REALTIME the time since then counts
 *
 * When it returns, no vCPU computes the clock from what it was before.
 *
 * Context: sleeps. Return: 0; -EINVAL: a flag that is not known.
 */
int vm_clock_set(struct vm *vm, const struct minikvm_clock_data *data)
{
	struct moment m = clock_moment();
	u64 ns = data->clock;

	if (data->flags & ~MINIKVM_CLOCK_VALID_FLAGS)
		return -EINVAL;
	if (data->flags & MINIKVM_CLOCK_REALTIME)
		ns = vm_clock_since(ns, data->realtime, m.real);
	raw_spin_lock(&vm->clock_lock);
	clock_begin(&vm->clock, &m, ns);
	raw_spin_unlock(&vm->clock_lock);
	pv_clock_changed(vm);
	ept_lock(vm);
	vm_sync_guests(vm);
	ept_unlock(vm);
	return 0;
}
