// SPDX-License-Identifier: GPL-2.0
/* The IOAPIC: module/irqchip/ioapic.c, with a local APIC that only takes notes. */
#include <stdlib.h>

#include "unit.h"
#include "../../module/irqchip/ioapic.c"

static struct ioapic io;
static struct apic_msg last;
static int sent, answer = 1;
static bool busy;

int apic_deliver(struct vm *vm, struct lapic *src, const struct apic_msg *msg)
{
	(void)vm;
	(void)src;
	last = *msg;
	sent++;
	return answer;
}

bool apic_busy(struct vm *vm, const struct apic_msg *msg)
{
	(void)vm;
	(void)msg;
	return busy;
}

static void reset(void)
{
	memset(&io, 0, sizeof(io));
	ioapic_init(&io, NULL);
	sent = 0;
	answer = 1;
	busy = false;
}

static void put(u32 reg, u32 val)
{
	ioapic_write(&io, 0, reg);
	ioapic_write(&io, 0x10, val);
}

static u32 get(u32 reg)
{
	ioapic_write(&io, 0, reg);
	return ioapic_read(&io, 0x10);
}

#define LOW(pin)	(0x10 + 2 * (pin))
#define HIGH(pin)	(0x11 + 2 * (pin))
#define LEVEL		0x8000
#define MASKED		0x10000
#define REMOTE_IRR	0x4000

static void registers(void)
{
	reset();
	CHECK_EQ(get(1), 0x170011);
	put(1, 0xffffffff);
	CHECK_EQ(get(1), 0x170011);
	put(0, 0x5f000000);
	CHECK_EQ(get(0), 0x0f000000);
	CHECK_EQ(get(2), 0x0f000000);
	CHECK_EQ(get(LOW(23)), MASKED);
	CHECK_EQ(get(0x40), 0xffffffff);
	CHECK_EQ(get(3), 0xffffffff);
	CHECK_EQ(get(0xff), 0xffffffff);
	put(0xff, 0);
	put(0x40, 0);
	ioapic_write(&io, 0, 0x1ff);
	CHECK_EQ(ioapic_read(&io, 0), 0xff);
	CHECK_EQ(ioapic_read(&io, 0x20), 0);
	put(HIGH(4), 0xab000000);
	put(LOW(4), 0x10931);
	CHECK_EQ(get(HIGH(4)), 0xab000000);
	CHECK_EQ(get(LOW(4)), 0x10931);
}

static void read_only_bits_stay(void)
{
	reset();
	put(LOW(5), MASKED | LEVEL | REMOTE_IRR | 0x1040);
	CHECK_EQ(get(LOW(5)), MASKED | LEVEL | 0x40);
}

static void edge(void)
{
	reset();
	CHECK_EQ(ioapic_set_pin(&io, 4, true, true), -1);	/* masked: lost */
	ioapic_set_pin(&io, 4, false, true);
	put(HIGH(4), 3 << 24);
	put(LOW(4), 0x931);				/* lowest priority, logical */
	CHECK_EQ(sent, 0);
	answer = 2;
	CHECK_EQ(ioapic_set_pin(&io, 4, true, true), 2);
	CHECK_EQ(last.vector, 0x31);
	CHECK_EQ(last.dest, 3);
	CHECK_EQ(last.delivery, APIC_LOWEST);
	CHECK(last.logical && last.assert && !last.level && !last.exact);
	CHECK_EQ(ioapic_set_pin(&io, 4, true, true), 0);	/* no new edge */
	CHECK_EQ(ioapic_set_pin(&io, 4, false, true), 1);
	CHECK_EQ(ioapic_set_pin(&io, 4, true, true), 2);
	CHECK_EQ(sent, 2);
	CHECK(!ioapic_wants_eoi(&io, 0x31));
}

static void level(void)
{
	reset();
	put(LOW(10), LEVEL | 0x52);
	CHECK_EQ(ioapic_set_pin(&io, 10, true, true), 1);
	CHECK(last.level);
	CHECK_EQ(get(LOW(10)), LEVEL | REMOTE_IRR | 0x52);
	CHECK_EQ(ioapic_set_pin(&io, 10, true, true), -1);
	CHECK_EQ(sent, 1);
	CHECK(ioapic_wants_eoi(&io, 0x52));
	CHECK(!ioapic_wants_eoi(&io, 0x53));
	ioapic_eoi(&io, 0x53, true);
	CHECK_EQ(io.acked, 0);
	ioapic_eoi(&io, 0x52, true);			/* still high: once more */
	CHECK_EQ(sent, 2);
	CHECK_EQ(io.acked, 1 << 10);
	ioapic_set_pin(&io, 10, false, true);
	ioapic_eoi(&io, 0x52, true);
	CHECK_EQ(sent, 2);
	CHECK_EQ(get(LOW(10)), LEVEL | 0x52);
}

static void level_that_nobody_takes_is_not_in_flight(void)
{
	reset();
	answer = 0;
	put(LOW(10), LEVEL | 0x52);
	CHECK_EQ(ioapic_set_pin(&io, 10, true, true), 0);
	CHECK_EQ(get(LOW(10)), LEVEL | 0x52);
}

static void level_waits_behind_the_mask(void)
{
	reset();
	put(LOW(9), MASKED | LEVEL | 0x41);
	CHECK_EQ(ioapic_set_pin(&io, 9, true, true), -1);
	CHECK_EQ(io.unmasked, 0);
	put(LOW(9), LEVEL | 0x41);
	CHECK_EQ(io.unmasked, 1 << 9);
	CHECK_EQ(sent, 1);
	put(LOW(9), LEVEL | 0x41);
	CHECK_EQ(sent, 1);
	put(LOW(9), MASKED | 0x41);			/* edge for a moment: an EOI */
	put(LOW(9), LEVEL | 0x41);
	CHECK_EQ(sent, 2);
}

static void masked_level_is_not_sent_at_eoi(void)
{
	reset();
	put(LOW(9), LEVEL | 0x41);
	ioapic_set_pin(&io, 9, true, true);
	put(LOW(9), MASKED | LEVEL | 0x41);
	ioapic_eoi(&io, 0x41, true);
	CHECK_EQ(sent, 1);
	put(LOW(9), LEVEL | 0x41);
	CHECK_EQ(sent, 2);
}

static void two_pins_with_one_vector(void)
{
	reset();
	put(LOW(9), LEVEL | 0x41);
	put(LOW(11), LEVEL | 0x41);
	ioapic_set_pin(&io, 9, true, true);
	ioapic_set_pin(&io, 11, true, true);
	CHECK_EQ(sent, 2);
	ioapic_eoi(&io, 0x41, true);
	CHECK_EQ(sent, 4);
	CHECK_EQ(io.acked, 1 << 9 | 1 << 11);
}

static void an_eoi_that_is_listened_to_is_wanted(void)
{
	reset();
	put(LOW(0), 0x30);
	CHECK(!ioapic_wants_eoi(&io, 0x30));
	ioapic_listen(&io, 1);
	put(LOW(0), 0x30);
	CHECK(ioapic_wants_eoi(&io, 0x30));
	ioapic_set_pin(&io, 0, true, false);
	ioapic_eoi(&io, 0x30, false);
	CHECK_EQ(io.acked, 1);
	put(LOW(0), 0xff);
	CHECK(!ioapic_wants_eoi(&io, 0x30));
	CHECK(ioapic_wants_eoi(&io, 0xff));
	ioapic_listen(&io, 0);
	CHECK(!ioapic_wants_eoi(&io, 0xff));
}

static void sources_share_a_pin(void)
{
	reset();
	put(HIGH(9), 0);
	put(LOW(9), LEVEL | 0x41);
	CHECK_EQ(ioapic_drive_pin(&io, 9, SOURCE_RESAMPLE, true, false), 1);
	CHECK_EQ(ioapic_drive_pin(&io, 9, SOURCE_VMM, true, false), -1);
	ioapic_eoi(&io, 0x41, true);
	CHECK_EQ(sent, 2);		/* the VMM's level is left */
	ioapic_drive_pin(&io, 9, SOURCE_RESAMPLE, true, false);
	ioapic_drive_pin(&io, 9, SOURCE_VMM, false, false);
	CHECK_EQ(io.state.irr, 1 << 9);
	ioapic_eoi(&io, 0x41, true);
	CHECK_EQ(sent, 2);
	CHECK_EQ(io.state.irr, 0);
}

static void rtc_ticks_merge_when_asked(void)
{
	reset();
	put(LOW(8), 0x38);
	busy = true;
	CHECK_EQ(ioapic_set_pin(&io, 8, true, true), 0);
	CHECK_EQ(sent, 0);
	CHECK_EQ(ioapic_set_pin(&io, 8, true, false), 1);
	CHECK_EQ(sent, 1);
}

static void state_goes_round(void)
{
	struct minikvm_ioapic_state state, again;

	reset();
	put(LOW(4), 0x31);
	put(LOW(10), LEVEL | 0x52);
	put(LOW(11), LEVEL | 0x53);
	ioapic_set_pin(&io, 4, true, true);
	ioapic_set_pin(&io, 10, true, true);
	ioapic_set_pin(&io, 11, true, true);
	ioapic_get(&io, &state);
	CHECK_EQ(state.irr, 1 << 10 | 1 << 11);		/* the edge was sent */
	CHECK_EQ(state.base_address, 0xfec00000);
	state.redirtbl[11].fields.remote_irr = 0;
	reset();
	ioapic_set(&io, &state);
	CHECK_EQ(sent, 1);				/* pin 11 */
	CHECK_EQ(last.vector, 0x53);
	ioapic_get(&io, &again);
	state.redirtbl[11].fields.remote_irr = 1;
	CHECK(!memcmp(&state, &again, sizeof(state)));
	ioapic_eoi(&io, 0x52, true);
	CHECK_EQ(sent, 2);
}

static void any_state_is_safe(void)
{
	struct minikvm_ioapic_state state;
	unsigned int seed, i;

	for (seed = 0; seed < 3000; seed++) {
		u8 *byte = (u8 *)&state;

		for (i = 0; i < sizeof(state); i++)
			byte[i] = (seed * 2654435761u + i * 2246822519u) >> 13;
		if (seed == 0)
			memset(&state, 0xff, sizeof(state));
		reset();
		ioapic_set(&io, &state);
		ioapic_read(&io, 0x10);
		ioapic_write(&io, 0x10, ~seed);
		for (i = 0; i < 24; i++)
			ioapic_set_pin(&io, i, seed >> (i & 7) & 1, true);
		sent = 0;
		for (i = 0; i < 256; i++)
			ioapic_eoi(&io, i, true);
		CHECK(sent <= 24);
	}
}

int main(void)
{
	RUN(registers);
	RUN(read_only_bits_stay);
	RUN(edge);
	RUN(level);
	RUN(level_that_nobody_takes_is_not_in_flight);
	RUN(level_waits_behind_the_mask);
	RUN(masked_level_is_not_sent_at_eoi);
	RUN(two_pins_with_one_vector);
	RUN(an_eoi_that_is_listened_to_is_wanted);
	RUN(sources_share_a_pin);
	RUN(rtc_ticks_merge_when_asked);
	RUN(state_goes_round);
	RUN(any_state_is_safe);
	return unit_end();
}
