// SPDX-License-Identifier: GPL-2.0
/*
 * The VM's clock: nanoseconds since its creation, or since what a VMM has set. A VMM saves it with
 * the VM's state and sets it where the VM goes on. Called by the clock ioctls.
 *
 * Where the host's own time comes from the TSC, so does the clock: clock, TSC and the time of day
 * are then of one moment, to the tick. Elsewhere it goes with CLOCK_BOOTTIME.
 *
 * Left out: a page from which the guest reads it (kvmclock).
 */
#include <linux/ktime.h>
#include <linux/timekeeping.h>
#include <asm/tsc.h>

#include "../vmx/tsc.h"
#include "clock.h"
#include "vm.h"

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

	ktime_get_snapshot(&s);
	m.tsc = rdtsc_ordered();
	/* No other counter shows a number between the two. */
	m.by_tsc = s.cycles - before <= m.tsc - before;
	if (m.by_tsc)
		m.tsc = s.cycles;
	m.real = ktime_to_ns(s.real);
	m.boot = ktime_get_boottime_ns();
	return m;
}

static u64 clock_ns(const struct vm_clock *c, const struct moment *m)
{
	if (m->by_tsc)
		return vm_clock_at(c, m->tsc + READ_ONCE(tsc_lost), tsc_khz);
	return c->ns + (m->boot - c->boot);
}

static void clock_start(struct vm *vm, const struct moment *m, u64 ns)
{
	raw_spin_lock(&vm->clock_lock);
	vm->clock = (struct vm_clock) {
		.ns = ns,
		.tsc = m->tsc + READ_ONCE(tsc_lost),
		.boot = m->boot,
	};
	raw_spin_unlock(&vm->clock_lock);
}

/** vm_clock_init - it begins at 0; @vm new */
void vm_clock_init(struct vm *vm)
{
	struct moment m = clock_moment();

	raw_spin_lock_init(&vm->clock_lock);
	clock_start(vm, &m, 0);
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
	m = clock_moment();
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
 * Return: 0; -EINVAL: a flag that is not known.
 */
int vm_clock_set(struct vm *vm, const struct minikvm_clock_data *data)
{
	struct moment m = clock_moment();
	u64 ns = data->clock;

	if (data->flags & ~MINIKVM_CLOCK_VALID_FLAGS)
		return -EINVAL;
	if (data->flags & MINIKVM_CLOCK_REALTIME)
		ns = vm_clock_since(ns, data->realtime, m.real);
	clock_start(vm, &m, ns);
	return 0;
}
