// SPDX-License-Identifier: GPL-2.0
/*
 * An 8254 programmable interval timer: three counters at 1.193182 MHz, ports
 * 0x40 to 0x43, and the gate of channel 2 in port 0x61. Counters are not
 * stepped: what they show is computed from the time since they were loaded.
 * Called by pit.c only, with its lock held.
 *
 * Left out, as in KVM: BCD counting (remembered, counts in binary), the null
 * count flag, a low gate that stops a counter (a rising one restarts it).
 */
#include <linux/bits.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/nospec.h>

#include "pit_regs.h"

#define NS_PER_SEC	1000000000U
#define MAX_COUNT	0x10000		/* what a count of 0 stands for */
#define MODE_NONE	0xff		/* not programmed yet */

/* Bits 5:4 of the control word, and where a two-byte access stands. */
enum { ACCESS_LATCH = 0, ACCESS_LOW = 1, ACCESS_HIGH = 2, ACCESS_WORD = 3, ACCESS_WORD_HIGH = 4 };

/* Port 0x61. */
#define SPEAKER_GATE	BIT(0)
#define SPEAKER_DATA	BIT(1)
#define SPEAKER_REFRESH	BIT(4)
#define SPEAKER_OUT	BIT(5)

/* The guest chooses @index; who calls has compared it. */
static struct minikvm_pit_channel_state *pit_channel(struct pit_regs *pit, unsigned int index)
{
	return &pit->channel[array_index_nospec(index, PIT_CHANNELS)];
}

/* Clocks since the channel was loaded. */
static u64 pit_clocks(const struct pit_regs *pit, unsigned int index, const struct pit_now *now)
{
	s64 ns = index ? now->ns - pit->channel[index].count_load_time : now->elapsed0;

	return ns > 0 ? mul_u64_u32_div(ns, PIT_HZ, NS_PER_SEC) : 0;
}

/* Mode 3 counts down by two, twice per period; an odd count's high half is one longer. */
static u32 square_count(u32 count, u64 d)
{
	u32 half = count / 2 + count % 2;
	u32 phase = d % count;

	if (phase >= half)
		phase -= half;
	return (count & ~1U) - 2 * phase;
}

/* What the counting element holds. */
static u16 count_now(const struct pit_regs *pit, unsigned int index, const struct pit_now *now)
{
	const struct minikvm_pit_channel_state *c = &pit->channel[index];
	u64 d = pit_clocks(pit, index, now);

	switch (c->mode) {
	case 0:
	case 1:
	case 4:
	case 5:
		return c->count - d;
	case 3:
		return square_count(c->count, d);
	default:
		return c->count - d % c->count;
	}
}

/* The OUT pin. SDM has none of this: see the 8254's data sheet, "Mode Definitions". */
static bool out_now(const struct pit_regs *pit, unsigned int index, const struct pit_now *now)
{
	const struct minikvm_pit_channel_state *c = &pit->channel[index];
	u64 d = pit_clocks(pit, index, now);

	switch (c->mode) {
	case 1:
		return d < c->count;
	case 2:
		return d % c->count != c->count - 1;
	case 3:
		return d % c->count < c->count / 2 + c->count % 2;
	case 4:
	case 5:
		return d != c->count;
	default:
		return d >= c->count;
	}
}

/**
 * pit_regs_load - a new count begins
 * @pit: the PIT
 * @index: channel 0..2
 * @count: 0 stands for 65536
 * @ns: now
 */
void pit_regs_load(struct pit_regs *pit, unsigned int index, u32 count, s64 ns)
{
	struct minikvm_pit_channel_state *c = pit_channel(pit, index);

	c->count = count ?: MAX_COUNT;
	if (index)
		c->count_load_time = ns;
}

/**
 * pit_regs_init - power-up state
 * @pit: zeroed memory
 * @ns: now
 */
void pit_regs_init(struct pit_regs *pit, s64 ns)
{
	unsigned int i;

	for (i = 0; i < PIT_CHANNELS; i++) {
		pit_channel(pit, i)->mode = MODE_NONE;
		pit_channel(pit, i)->gate = i != 2;
		pit_regs_load(pit, i, 0, ns);
	}
}

static void latch_count(struct pit_regs *pit, unsigned int index, const struct pit_now *now)
{
	struct minikvm_pit_channel_state *c = pit_channel(pit, index);

	if (c->count_latched)
		return;
	c->latched_count = count_now(pit, index, now);
	c->count_latched = c->rw_mode;
}

static void latch_status(struct pit_regs *pit, unsigned int index, const struct pit_now *now)
{
	struct minikvm_pit_channel_state *c = pit_channel(pit, index);

	if (c->status_latched)
		return;
	c->status = out_now(pit, index, now) << 7 | c->rw_mode << 4 | c->mode << 1 | c->bcd;
	c->status_latched = 1;
}

/* Read-back command: bits 3:1 choose channels, low bits 5 and 4 what to latch. */
static void read_back(struct pit_regs *pit, u8 val, const struct pit_now *now)
{
	unsigned int i;

	for (i = 0; i < PIT_CHANNELS; i++) {
		if (!(val & BIT(i + 1)))
			continue;
		if (!(val & BIT(5)))
			latch_count(pit, i, now);
		if (!(val & BIT(4)))
			latch_status(pit, i, now);
	}
}

static void write_control(struct pit_regs *pit, u8 val, const struct pit_now *now)
{
	unsigned int index = val >> 6, access = val >> 4 & 3;
	struct minikvm_pit_channel_state *c;

	if (index == PIT_CHANNELS) {
		read_back(pit, val, now);
		return;
	}
	if (access == ACCESS_LATCH) {
		latch_count(pit, index, now);
		return;
	}
	c = pit_channel(pit, index);
	c->rw_mode = access;
	c->read_state = access;
	c->write_state = access;
	c->mode = val >> 1 & 7;
	if (c->mode > 5)	/* bit 2 does not count for modes 2 and 3 */
		c->mode -= 4;
	c->bcd = val & 1;
}

/**
 * pit_regs_write - OUT to a port
 * @pit: the PIT
 * @port: 0..3
 * @val: one byte
 * @now: the time
 *
 * Return: true if channel 0 got a new count: its timer has to start over.
 */
bool pit_regs_write(struct pit_regs *pit, unsigned int port, u8 val, const struct pit_now *now)
{
	struct minikvm_pit_channel_state *c;
	u32 count = val;

	if (port >= PIT_CHANNELS) {
		write_control(pit, val, now);
		return false;
	}
	c = pit_channel(pit, port);
	switch (c->write_state) {
	case ACCESS_HIGH:
		count = val << 8;
		break;
	case ACCESS_WORD:
		c->write_latch = val;
		c->write_state = ACCESS_WORD_HIGH;
		return false;
	case ACCESS_WORD_HIGH:
		count = val << 8 | c->write_latch;
		c->write_state = ACCESS_WORD;
		break;
	}
	pit_regs_load(pit, port, count, now->ns);
	return port == 0;
}

static u8 read_latched(struct minikvm_pit_channel_state *c)
{
	u8 access = c->count_latched;

	c->count_latched = access == ACCESS_WORD ? ACCESS_HIGH : 0;
	return access == ACCESS_HIGH ? c->latched_count >> 8 : c->latched_count;
}

/**
 * pit_regs_read - IN from a port
 * @pit: the PIT
 * @port: 0..3; the control port reads 0
 * @now: the time
 */
u8 pit_regs_read(struct pit_regs *pit, unsigned int port, const struct pit_now *now)
{
	struct minikvm_pit_channel_state *c;
	u16 count;

	if (port >= PIT_CHANNELS)
		return 0;
	c = pit_channel(pit, port);
	if (c->status_latched) {
		c->status_latched = 0;
		return c->status;
	}
	if (c->count_latched)
		return read_latched(c);
	count = count_now(pit, port, now);
	switch (c->read_state) {
	case ACCESS_HIGH:
		return count >> 8;
	case ACCESS_WORD:
		c->read_state = ACCESS_WORD_HIGH;
		return count;
	case ACCESS_WORD_HIGH:
		c->read_state = ACCESS_WORD;
		return count >> 8;
	default:
		return count;
	}
}

/**
 * pit_regs_write_speaker - OUT to port 0x61
 * @pit: the PIT
 * @val: gate of channel 2 in bit 0, the speaker in bit 1
 * @ns: now
 *
 * A rising gate starts the count over, except in modes 0 and 4.
 */
void pit_regs_write_speaker(struct pit_regs *pit, u8 val, s64 ns)
{
	struct minikvm_pit_channel_state *c = pit_channel(pit, 2);
	bool gate = val & SPEAKER_GATE;

	if (val & SPEAKER_DATA)
		pit->flags |= MINIKVM_PIT_FLAGS_SPEAKER_DATA_ON;
	else
		pit->flags &= ~MINIKVM_PIT_FLAGS_SPEAKER_DATA_ON;
	if (gate && !c->gate && c->mode <= 5 && c->mode % 4)
		c->count_load_time = ns;
	c->gate = gate;
}

/**
 * pit_regs_read_speaker - IN from port 0x61
 * @pit: the PIT
 * @now: the time; the refresh bit toggles every 16 us
 */
u8 pit_regs_read_speaker(const struct pit_regs *pit, const struct pit_now *now)
{
	u8 val = 0;

	if (pit->channel[2].gate)
		val |= SPEAKER_GATE;
	if (pit->flags & MINIKVM_PIT_FLAGS_SPEAKER_DATA_ON)
		val |= SPEAKER_DATA;
	if (now->ns & BIT(14))
		val |= SPEAKER_REFRESH;
	if (out_now(pit, 2, now))
		val |= SPEAKER_OUT;
	return val;
}

/**
 * pit_regs_periodic - does channel 0 interrupt again and again?
 * @pit: the PIT
 */
bool pit_regs_periodic(const struct pit_regs *pit)
{
	return pit->channel[0].mode == 2 || pit->channel[0].mode == 3;
}

/**
 * pit_regs_interval - time from a load of channel 0 to its interrupt
 * @pit: the PIT
 *
 * Return: ns, or 0 if channel 0 does not interrupt: not programmed, or mode 5.
 * Mode 1 counts from the load, too: channel 0's gate never rises.
 */
u64 pit_regs_interval(const struct pit_regs *pit)
{
	if (pit->channel[0].mode > 4)
		return 0;
	return mul_u64_u32_div(pit->channel[0].count, NS_PER_SEC, PIT_HZ);
}
