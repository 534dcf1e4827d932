// SPDX-License-Identifier: GPL-2.0
/*
 * The PIT of a VM: registers (pit_regs.c), a host timer for channel 0, and the
 * interrupts on GSI 0, wherever that leads. Called by fd/vm.c, io/bus.c and, when the guest has
 * ended a tick, irqchip.c.
 *
 * Ticks are not merged: one that comes while the guest has not ended the
 * previous one waits and is sent when it has, up to a bound. A VMM may choose
 * that they are (REINJECT_CONTROL), for guests that make up for lost ones
 * themselves. Left out: NMIs through LINT0.
 */
#include <linux/hrtimer.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../compat.h"
#include "internal.h"
#include "lapic.h"
#include "pit_regs.h"

#define PIT_PORT	0x40
#define SPEAKER_PORT	0x61
#define MAX_WAITING	10000	/* ticks; a guest that slept longer has lost them */

/*
 * The PIT of a VM.
 *
 * @lock is a mutex because starting the timer over waits for its callback; the
 * callback and the guest's acknowledgment use @tick_lock only.
 */
struct pit {
	struct vm *vm;		/* [c] */
	bool speaker;		/* [c] port 0x61 is here */
	struct mutex lock;	/* @regs, starting and stopping @timer */
	struct pit_regs regs;
	struct hrtimer timer;
	u64 period;		/* ns; written while @timer is stopped */
	bool periodic;		/* same */
	raw_spinlock_t tick_lock; /* IRQs off; outside of the irqchip's lock, raw as that */
	u32 waiting;		/* ticks sent and not ended, or not sent; tick_lock */
	bool ready;		/* the guest ended the last tick; tick_lock */
	bool reinject;		/* a tick waits for the one before; routing_lock, READ_ONCE to read */
};

/* Send a tick if the guest is ready for it; tick_lock is held. */
static void send_tick(struct pit *pit)
{
	int status;

	if (!pit->ready || !pit->waiting)
		return;
	irqchip_set_irq(pit->vm, SOURCE_PIT, PIT_GSI, true, &status);
	irqchip_set_irq(pit->vm, SOURCE_PIT, PIT_GSI, false, NULL);
	if (!READ_ONCE(pit->reinject)) {
		pit->waiting = 0;
		return;
	}
	/* Nobody will end what nobody got: the next tick tries again. */
	pit->ready = status <= 0;
	if (status < 0)
		pit->waiting = 0;
}

/* Interrupt context. */
static enum hrtimer_restart pit_timer_fn(struct hrtimer *timer)
{
	struct pit *pit = container_of(timer, struct pit, timer);
	unsigned long flags;
	u64 ticks = 1;

	if (pit->periodic)
		ticks = hrtimer_forward_now(timer, ns_to_ktime(pit->period));
	raw_spin_lock_irqsave(&pit->tick_lock, flags);
	pit->waiting = min_t(u64, pit->waiting + ticks, MAX_WAITING);
	send_tick(pit);
	raw_spin_unlock_irqrestore(&pit->tick_lock, flags);
	return pit->periodic ? HRTIMER_RESTART : HRTIMER_NORESTART;
}

/**
 * pit_ack - the guest ended a tick: the next one that waits can be sent
 * @pit: the PIT
 *
 * Any context but NMI, without the irqchip's lock.
 */
void pit_ack(struct pit *pit)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pit->tick_lock, flags);
	if (!pit->ready && pit->waiting)
		pit->waiting--;
	pit->ready = true;
	send_tick(pit);
	raw_spin_unlock_irqrestore(&pit->tick_lock, flags);
}

/**
 * pit_forget_ticks - the guest begins anew with GSI 0: drop ticks that wait
 * @pit: the PIT
 *
 * Any context but NMI, without the irqchip's lock.
 */
void pit_forget_ticks(struct pit *pit)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&pit->tick_lock, flags);
	pit->waiting = 0;
	pit->ready = true;
	raw_spin_unlock_irqrestore(&pit->tick_lock, flags);
}

/** pit_wants_acks - does it matter when the guest ends a tick? */
bool pit_wants_acks(struct vm *vm)
{
	struct pit *pit = vm_pit(vm);

	return !pit || READ_ONCE(pit->reinject);
}

/**
 * pit_set_reinject - REINJECT_CONTROL
 * @vm: the VM
 * @reinject: ticks wait until the guest has ended the one before; else they merge with it
 *
 * Context: sleeps. Return: 0; -ENXIO: there is no PIT; -EINTR.
 */
int pit_set_reinject(struct vm *vm, bool reinject)
{
	struct irqchip *chip = vm_irqchip(vm);
	struct pit *pit = vm_pit(vm);

	if (!pit)
		return -ENXIO;
	if (mutex_lock_killable(&chip->routing_lock))
		return -EINTR;
	if (pit->reinject != reinject) {
		WRITE_ONCE(pit->reinject, reinject);
		routing_listen(chip);
		pit_forget_ticks(pit);
	}
	mutex_unlock(&chip->routing_lock);
	return 0;
}

/* Channel 0 has a new count: start its timer over, or stop it. @pit->lock is held. */
static void restart_timer(struct pit *pit)
{
	u64 interval = pit_regs_interval(&pit->regs);

	hrtimer_cancel(&pit->timer);
	pit_forget_ticks(pit);
	if (!interval || (pit->regs.flags & MINIKVM_PIT_FLAGS_HPET_LEGACY))
		return;
	pit->periodic = pit_regs_periodic(&pit->regs);
	if (pit->periodic)
		interval = max_t(u64, interval, CHIP_MIN_PERIOD_NS);
	pit->period = interval;
	hrtimer_start(&pit->timer, ktime_add_ns(ktime_get(), interval), HRTIMER_MODE_ABS);
}

static void get_now(struct pit *pit, struct pit_now *now)
{
	now->ns = ktime_get_ns();
	now->elapsed0 = 0;
	if (pit->period)
		now->elapsed0 = pit->period - ktime_to_ns(hrtimer_get_remaining(&pit->timer));
}

static void access_byte(struct pit *pit, bool write, u16 port, u8 *byte)
{
	struct pit_now now;

	mutex_lock(&pit->lock);
	get_now(pit, &now);
	if (port == SPEAKER_PORT && write)
		pit_regs_write_speaker(&pit->regs, *byte, now.ns);
	else if (port == SPEAKER_PORT)
		*byte = pit_regs_read_speaker(&pit->regs, &now);
	else if (!write)
		*byte = pit_regs_read(&pit->regs, port - PIT_PORT, &now);
	else if (pit_regs_write(&pit->regs, port - PIT_PORT, *byte, &now))
		restart_timer(pit);
	mutex_unlock(&pit->lock);
}

/**
 * pit_pio - a port access: the PIT's?
 * @vm: the VM
 * @write: direction
 * @port: first port
 * @data: @len bytes, in or out; only the first counts, the others read 0
 * @len: 1, 2 or 4
 *
 * Context: may sleep. Return: 0, or -EOPNOTSUPP: not the PIT's, or there is none.
 */
int pit_pio(struct vm *vm, bool write, u16 port, void *data, int len)
{
	struct pit *pit = vm_pit(vm);
	bool counter = port >= PIT_PORT && port + len <= PIT_PORT + 4;

	if (!pit || !(counter || (pit->speaker && port == SPEAKER_PORT)))
		return -EOPNOTSUPP;
	if (!write)
		memset(data, 0, len);
	access_byte(pit, write, port, data);
	return 0;
}

/**
 * pit_get - GET_PIT2
 * @vm: the VM
 * @state: filled
 *
 * Context: may sleep. Return: 0, or -ENXIO: there is no PIT.
 */
int pit_get(struct vm *vm, struct minikvm_pit_state2 *state)
{
	struct pit *pit = vm_pit(vm);

	if (!pit)
		return -ENXIO;
	memset(state, 0, sizeof(*state));
	mutex_lock(&pit->lock);
	memcpy(state->channels, pit->regs.channel, sizeof(state->channels));
	state->flags = pit->regs.flags;
	mutex_unlock(&pit->lock);
	return 0;
}

/**
 * pit_set - SET_PIT2
 * @vm: the VM
 * @state: any bytes; every channel begins its count
 *
 * Context: may sleep. Return: 0, or -ENXIO: there is no PIT.
 */
int pit_set(struct vm *vm, const struct minikvm_pit_state2 *state)
{
	struct pit *pit = vm_pit(vm);
	unsigned int i;
	s64 now;

	if (!pit)
		return -ENXIO;
	mutex_lock(&pit->lock);
	now = ktime_get_ns();
	memcpy(pit->regs.channel, state->channels, sizeof(pit->regs.channel));
	pit->regs.flags = state->flags;
	for (i = 0; i < PIT_CHANNELS; i++)
		pit_regs_load(&pit->regs, i, pit->regs.channel[i].count, now);
	restart_timer(pit);
	mutex_unlock(&pit->lock);
	return 0;
}

/**
 * pit_create - CREATE_PIT2
 * @vm: the VM; @vm->lock is held
 * @config: MINIKVM_PIT_SPEAKER_DUMMY puts port 0x61 here, too; other flags and
 *	    the pad are ignored
 *
 * Context: may sleep. Return: 0; -EEXIST: there is one; -ENOENT: no PIC; -ENOMEM.
 */
int pit_create(struct vm *vm, const struct minikvm_pit_config *config)
{
	struct pit *pit;

	lockdep_assert_held(&vm->lock);
	if (vm->pit)
		return -EEXIST;
	if (!vm_full_irqchip(vm))
		return -ENOENT;
	pit = kzalloc(sizeof(*pit), GFP_KERNEL_ACCOUNT);
	if (!pit)
		return -ENOMEM;
	pit->vm = vm;
	pit->speaker = config->flags & MINIKVM_PIT_SPEAKER_DUMMY;
	mutex_init(&pit->lock);
	raw_spin_lock_init(&pit->tick_lock);
	compat_hrtimer_setup(&pit->timer, pit_timer_fn, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	pit->ready = true;
	pit->reinject = true;
	pit_regs_init(&pit->regs, ktime_get_ns());
	smp_store_release(&vm->pit, pit);	/* seen complete, see vm_pit() */
	return 0;
}

/**
 * pit_destroy - undo pit_create()
 * @vm: the VM: its vCPUs do not run any more; the irqchip and the vCPUs still exist
 *
 * May sleep.
 */
void pit_destroy(struct vm *vm)
{
	struct pit *pit = vm->pit;

	if (!pit)
		return;
	hrtimer_cancel(&pit->timer);
	vm->pit = NULL;
	kfree(pit);
}
