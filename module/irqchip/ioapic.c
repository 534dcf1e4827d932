// SPDX-License-Identifier: GPL-2.0
/*
 * The IOAPIC, an 82093AA: 24 pins in, interrupt messages to the local APICs
 * out. Called by irqchip.c only, with the lock held unless said otherwise.
 *
 * Left out, as in KVM: the EOI register at offset 0x40, which version 0x11
 * does not have; polarity (pins are active high); an edge that arrives while
 * its pin is masked is lost. Unlike KVM there is no pause in a level-triggered
 * interrupt that a guest ends and never serves: that guest hurts itself only.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/kernel.h>
#include <linux/nospec.h>
#include <linux/string.h>

#include "ioapic.h"
#include "lapic_regs.h"

#define BASE		0xfec00000ULL
#define VERSION		(0x11 | (IOAPIC_PINS - 1) << 16)
#define ALL_PINS	GENMASK(IOAPIC_PINS - 1, 0)

/* Offsets in memory, and what the window shows. */
enum { SELECT = 0x00, WINDOW = 0x10 };
enum { REG_ID = 0, REG_VERSION = 1, REG_ARBITRATION = 2, REG_TABLE = 0x10 };

/**
 * ioapic_set_wanted - say which EOIs matter
 * @io: the IOAPIC
 * @wanted: a bit per vector; those that stay set do not blink for a reader without the lock
 */
void ioapic_set_wanted(struct ioapic *io, const u64 wanted[4])
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(io->wanted); i++) {
		if (wanted[i] & ~io->wanted[i])
			io->wants_more = true;
		WRITE_ONCE(io->wanted[i], wanted[i]);
	}
	smp_store_release(&io->wanted_seq, io->wanted_seq + 1);	/* after the vectors */
}

/* Which EOIs to pass on: level-triggered ones, and those that somebody waits for. */
static void update_wanted(struct ioapic *io)
{
	u64 wanted[4] = {};
	unsigned int i;

	for (i = 0; i < IOAPIC_PINS; i++) {
		u8 vector = io->state.redirtbl[i].fields.vector;

		if (io->state.redirtbl[i].fields.trig_mode || (io->listened & BIT(i)))
			wanted[vector / 64] |= BIT_ULL(vector % 64);
	}
	ioapic_set_wanted(io, wanted);
}

/**
 * ioapic_init - power-up state: all pins masked
 * @io: zeroed memory
 * @vm: whose local APICs get the messages
 */
void ioapic_init(struct ioapic *io, struct vm *vm)
{
	unsigned int i;

	io->vm = vm;
	io->state.base_address = BASE;
	for (i = 0; i < IOAPIC_PINS; i++)
		io->state.redirtbl[i].fields.mask = 1;
	update_wanted(io);
}

static void entry_message(const struct ioapic *io, unsigned int pin, struct apic_msg *msg)
{
	const typeof(io->state.redirtbl[0]) *e = &io->state.redirtbl[pin];

	*msg = (struct apic_msg) {
		.dest = e->fields.dest_id,
		.logical = e->fields.dest_mode,
		.vector = e->fields.vector,
		.delivery = e->fields.delivery_mode,
		.level = e->fields.trig_mode,
		.assert = true,
	};
}

/* Send a pin's message. -1: masked, or the level's EOI is still to come. */
static int ioapic_send(struct ioapic *io, unsigned int pin)
{
	typeof(io->state.redirtbl[0]) *e = &io->state.redirtbl[pin];
	struct apic_msg msg;
	int taken;

	if (e->fields.mask || (e->fields.trig_mode && e->fields.remote_irr))
		return -1;
	entry_message(io, pin, &msg);
	if (!msg.level)
		io->edge_sent |= BIT(pin);
	taken = apic_deliver(io->vm, NULL, &msg);
	if (taken && msg.level)
		e->fields.remote_irr = 1;
	return taken;
}

/* A VMM that makes up for lost RTC ticks asks whether this one would merge. */
static bool rtc_merges(const struct ioapic *io, unsigned int pin)
{
	struct apic_msg msg;

	if (pin != IOAPIC_RTC_PIN)
		return false;
	entry_message(io, pin, &msg);
	return apic_busy(io->vm, &msg);
}

/**
 * ioapic_set_pin - a device moves its interrupt line
 * @io: the IOAPIC
 * @pin: 0..23
 * @level: high or low
 * @report: the caller wants to know whether a guest saw it
 *
 * Return: how many local APICs took the interrupt (1 for a falling line), 0 if
 * it merged with one that waits, -1 if the pin is masked.
 */
int ioapic_set_pin(struct ioapic *io, unsigned int pin, bool level, bool report)
{
	bool edge = !io->state.redirtbl[pin].fields.trig_mode;
	u32 bit = BIT(pin);
	bool was = io->state.irr & bit;

	if (!level) {
		io->state.irr &= ~bit;
		return 1;
	}
	if (report && rtc_merges(io, pin))
		return 0;
	io->state.irr |= bit;
	if (edge) {
		io->edge_sent &= ~bit;
		if (was)
			return 0;
	}
	return ioapic_send(io, pin);
}

/**
 * ioapic_drive_pin - ioapic_set_pin() for one of the sources that share the pin
 * @io: the IOAPIC
 * @pin: 0..23
 * @source: which
 * @level: high or low
 * @report: as ioapic_set_pin()
 *
 * Return: as ioapic_set_pin().
 */
int ioapic_drive_pin(struct ioapic *io, unsigned int pin, enum irq_source source, bool level,
		     bool report)
{
	pin = array_index_nospec(pin, IOAPIC_PINS);
	return ioapic_set_pin(io, pin, line_drive(&io->holders[pin], source, level), report);
}

/**
 * ioapic_listen - say whose EOI is waited for
 * @io: the IOAPIC
 * @pins: a bit for each
 */
void ioapic_listen(struct ioapic *io, u32 pins)
{
	io->listened = pins;
	update_wanted(io);
}

/**
 * ioapic_wants_eoi - would ioapic_eoi() do something?
 * @io: the IOAPIC
 * @vector: what a local APIC ended
 *
 * Any context, without the lock.
 */
bool ioapic_wants_eoi(const struct ioapic *io, u8 vector)
{
	return READ_ONCE(io->wanted[vector / 64]) >> (vector % 64) & 1;
}

/* Who resamples lets go of the pin, and says whether it is still so. */
static void resample_pin(struct ioapic *io, unsigned int pin)
{
	if (!(io->holders[pin] & BIT(SOURCE_RESAMPLE)))
		return;
	io->acked |= BIT(pin);
	ioapic_drive_pin(io, pin, SOURCE_RESAMPLE, false, false);
}

/**
 * ioapic_eoi - a local APIC ended an interrupt
 * @io: the IOAPIC
 * @vector: which
 * @level: it was level triggered
 *
 * Who resamples lets go of the pin first. One that is still asserted is sent once more: the
 * bound is one message per pin and EOI.
 */
void ioapic_eoi(struct ioapic *io, u8 vector, bool level)
{
	unsigned int i;

	for (i = 0; i < IOAPIC_PINS; i++) {
		typeof(io->state.redirtbl[0]) *e = &io->state.redirtbl[i];

		if (e->fields.vector != vector)
			continue;
		io->acked |= BIT(i);
		resample_pin(io, i);
		if (!level || !e->fields.trig_mode)
			continue;
		e->fields.remote_irr = 0;
		if (io->state.irr & BIT(i))
			ioapic_send(io, i);
	}
}

static u32 read_window(const struct ioapic *io)
{
	u32 reg = io->state.ioregsel, pin = (reg - REG_TABLE) / 2;

	switch (reg) {
	case REG_ID:
	case REG_ARBITRATION:
		return (io->state.id & 0xf) << 24;
	case REG_VERSION:
		return VERSION;
	}
	if (reg < REG_TABLE || pin >= IOAPIC_PINS)
		return ~0U;
	pin = array_index_nospec(pin, IOAPIC_PINS);
	return io->state.redirtbl[pin].bits >> (reg & 1 ? 32 : 0);
}

/*
 * Half of a redirection entry. An entry that becomes edge triggered loses its
 * remote IRR: guests without an EOI register to write use this to end a level.
 * What rose while the entry was masked may be over since, but who resamples cannot say so
 * before it is asked: a guest that acknowledges a device between the two would hear it twice.
 */
static void write_entry(struct ioapic *io, unsigned int pin, bool high, u32 val)
{
	typeof(io->state.redirtbl[0]) *e = &io->state.redirtbl[pin], old = *e;

	if (high)
		e->bits = (u32)old.bits | (u64)val << 32;
	else
		e->bits = (old.bits & ~0xffffffffULL) | val;
	e->fields.delivery_status = old.fields.delivery_status;
	e->fields.remote_irr = old.fields.remote_irr & e->fields.trig_mode;
	if (old.fields.mask && !e->fields.mask)
		io->unmasked |= BIT(pin);
	update_wanted(io);
	if (!e->fields.trig_mode || !(io->state.irr & BIT(pin)))
		return;
	if (!e->fields.mask && !e->fields.remote_irr)
		resample_pin(io, pin);
	if (io->state.irr & BIT(pin))
		ioapic_send(io, pin);
}

static void write_window(struct ioapic *io, u32 val)
{
	u32 reg = io->state.ioregsel, pin = (reg - REG_TABLE) / 2;

	if (reg == REG_ID)
		io->state.id = val >> 24 & 0xf;
	if (reg < REG_TABLE || pin >= IOAPIC_PINS)
		return;
	write_entry(io, array_index_nospec(pin, IOAPIC_PINS), reg & 1, val);
}

/**
 * ioapic_read - the guest reads
 * @io: the IOAPIC
 * @offset: from its base
 */
u32 ioapic_read(const struct ioapic *io, u32 offset)
{
	switch (offset) {
	case SELECT:
		return io->state.ioregsel;
	case WINDOW:
		return read_window(io);
	default:
		return 0;
	}
}

/**
 * ioapic_write - the guest writes
 * @io: the IOAPIC
 * @offset: from its base
 * @val: 32 bits
 */
void ioapic_write(struct ioapic *io, u32 offset, u32 val)
{
	if (offset == SELECT)
		io->state.ioregsel = val & 0xff;
	else if (offset == WINDOW)
		write_window(io, val);
}

/**
 * ioapic_get - the state in the format of GET_IRQCHIP
 * @io: the IOAPIC
 * @state: filled; an edge that was sent is not asserted: SET would send it again
 */
void ioapic_get(const struct ioapic *io, struct minikvm_ioapic_state *state)
{
	*state = io->state;
	state->irr &= ~io->edge_sent;
}

/**
 * ioapic_set - take over a state in the format of SET_IRQCHIP
 * @io: the IOAPIC
 * @state: any bytes; pins that it says are asserted are sent
 */
void ioapic_set(struct ioapic *io, const struct minikvm_ioapic_state *state)
{
	unsigned int i;

	io->state = *state;
	io->state.irr = 0;
	io->edge_sent = 0;
	io->unmasked = ALL_PINS;
	update_wanted(io);
	for (i = 0; i < IOAPIC_PINS; i++)
		if (state->irr & BIT(i))
			ioapic_set_pin(io, i, true, false);
}
