// SPDX-License-Identifier: GPL-2.0
/*
 * What happens to the host's time stamp counter, and to the host's time: what the counter loses
 * over suspend, and whether Linux keeps its time by it.
 *
 * Both are told to the vCPUs by a number, which each compares with its own when it comes to a
 * processor. That is enough. Linux changes its clocksource while it has stopped all processors
 * (stop_machine()), which takes every thread off; suspend freezes them. Linux tells of it with
 * each tick: while it keeps its time by anything else, each tick is a change, and who is
 * scheduled in looks again.
 */
#include <linux/clocksource.h>
#include <linux/notifier.h>
#include <linux/pvclock_gtod.h>
#include <linux/timekeeper_internal.h>

#include "tsc.h"

u64 tsc_lost;
unsigned int tsc_epoch;
static u64 tsc_at_suspend;

/* Linux' timekeeping is locked: interrupts are off, and nothing may be asked of it. */
static int timekeeping_tick(struct notifier_block *nb, unsigned long set, void *timekeeper)
{
	static bool was_tsc;
	const struct timekeeper *tk = timekeeper;
	bool is_tsc = tk->tkr_mono.clock->vdso_clock_mode == VDSO_CLOCKMODE_TSC;

	if (!is_tsc || !was_tsc)
		WRITE_ONCE(tsc_epoch, tsc_epoch + 1);
	was_tsc = is_tsc;
	return NOTIFY_OK;
}

static struct notifier_block timekeeping = { .notifier_call = timekeeping_tick };

/** host_tsc_init - at module load; undone by host_tsc_exit(). 0 or -errno. */
int __init host_tsc_init(void)
{
	return pvclock_gtod_register_notifier(&timekeeping);
}

/** host_tsc_exit - nothing is told any more */
void host_tsc_exit(void)
{
	pvclock_gtod_unregister_notifier(&timekeeping);
}

/** host_tsc_suspend - the last moment before the machine sleeps: one CPU, interrupts off */
void host_tsc_suspend(void)
{
	tsc_at_suspend = rdtsc_ordered();
}

/** host_tsc_resume - the first one after: the others are not up yet, their counters are as this one's */
void host_tsc_resume(void)
{
	u64 lost = tsc_lost_over(tsc_at_suspend, rdtsc_ordered());

	tsc_lost += lost;
	if (lost)
		WRITE_ONCE(tsc_epoch, tsc_epoch + 1);
}
