/* SPDX-License-Identifier: GPL-2.0 */
/* Timers on a clock that the test moves: shim_advance(). */
#ifndef SHIM_LINUX_HRTIMER_H
#define SHIM_LINUX_HRTIMER_H

#include <assert.h>
#include <stddef.h>
#include <linux/types.h>

typedef s64 ktime_t;

enum hrtimer_restart { HRTIMER_NORESTART, HRTIMER_RESTART };
enum { HRTIMER_MODE_ABS, HRTIMER_MODE_ABS_HARD };

struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
	ktime_t expires;
	bool active;
	struct hrtimer *next;
};

static ktime_t shim_now __attribute__((unused));
static struct hrtimer *shim_timers __attribute__((unused));
static unsigned int shim_fired __attribute__((unused));

#define ktime_get()		shim_now
#define ktime_get_ns()		((u64)shim_now)
#define ktime_to_ns(t)		(t)
#define ns_to_ktime(t)		((ktime_t)(t))
#define ktime_sub(a, b)		((a) - (b))
#define ktime_add_ns(a, ns)	((ktime_t)((u64)(a) + (ns)))
#define hrtimer_get_expires(t)	((t)->expires)
#define hrtimer_get_remaining(t) ((t)->expires - shim_now)

static inline void hrtimer_init(struct hrtimer *timer, int clock, int mode)
{
	(void)clock;
	(void)mode;
	timer->next = shim_timers;
	shim_timers = timer;
}

static inline void hrtimer_start(struct hrtimer *timer, ktime_t expires, int mode)
{
	(void)mode;
	assert(expires >= 0);
	timer->expires = expires;
	timer->active = true;
}

static inline int hrtimer_cancel(struct hrtimer *timer)
{
	bool was = timer->active;

	timer->active = false;
	return was;
}

static inline u64 hrtimer_forward_now(struct hrtimer *timer, ktime_t interval)
{
	u64 n = (shim_now - timer->expires) / interval + 1;

	assert(interval > 0);
	timer->expires += n * interval;
	return n;
}

/* Let time pass; timers that are due fire in order. @late: they all fire at the end. */
static inline void shim_advance(u64 ns, bool late)
{
	ktime_t end = shim_now + ns;
	struct hrtimer *t, *due;

	for (;;) {
		due = NULL;
		for (t = shim_timers; t; t = t->next)
			if (t->active && t->expires <= end && (!due || t->expires < due->expires))
				due = t;
		if (!due)
			break;
		shim_now = late ? end : due->expires > shim_now ? due->expires : shim_now;
		due->active = false;
		shim_fired++;
		if (due->function(due) == HRTIMER_RESTART)
			due->active = true;
	}
	shim_now = end;
}

#endif
