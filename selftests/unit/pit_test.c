// SPDX-License-Identifier: GPL-2.0
/* The 8254's counting and access rules: module/irqchip/pit_regs.c. */
#include <stdint.h>
#include <string.h>

#include "unit.h"
#include "../../module/irqchip/pit_regs.c"

static struct pit_regs pit;
static struct pit_now now;

/* A moment after @d clocks: in the middle of the clock, so that rounding does not matter. */
static void at(u64 d)
{
	now.ns = (d * 2 + 1) * 1000000000ULL / (2 * PIT_HZ);
	now.elapsed0 = now.ns;
}

static void reset(void)
{
	memset(&pit, 0, sizeof(pit));
	pit_regs_init(&pit, 0);
	now = (struct pit_now) {};
}

static bool out(unsigned int port, u8 val)
{
	return pit_regs_write(&pit, port, val, &now);
}

static u8 in(unsigned int port)
{
	return pit_regs_read(&pit, port, &now);
}

static u16 in_word(unsigned int port)
{
	u16 low = in(port);

	return low | in(port) << 8;
}

/* Program a channel with a two-byte count at time 0. */
static bool program(unsigned int index, u8 mode, u16 count)
{
	bool loaded;

	now = (struct pit_now) {};
	out(3, index << 6 | 0x30 | mode << 1);
	loaded = out(index, count);
	return out(index, count >> 8) && !loaded;
}

static bool out_pin(unsigned int index)
{
	out(3, 0xe0 | 2 << index);	/* latch the status only */
	return in(index) >> 7;
}

static void channel_0_starts_its_timer(void)
{
	reset();
	CHECK_EQ(pit_regs_interval(&pit), 0);
	CHECK(program(0, 2, 1193));
	CHECK(pit_regs_periodic(&pit));
	CHECK_EQ(pit_regs_interval(&pit), 999847);
	CHECK(program(0, 0, 0));
	CHECK(!pit_regs_periodic(&pit));
	CHECK_EQ(pit.channel[0].count, 65536);
	CHECK_EQ(pit_regs_interval(&pit) / 1000, 54925);
	CHECK(program(0, 3, 1));
	CHECK(pit_regs_periodic(&pit));
	CHECK(pit_regs_interval(&pit) > 0);
	program(0, 5, 100);
	CHECK_EQ(pit_regs_interval(&pit), 0);
	program(0, 7, 100);		/* is mode 3 */
	CHECK_EQ(pit.channel[0].mode, 3);
	CHECK(!program(1, 2, 18));
	CHECK(!program(2, 0, 18));
}

static void mode_0(void)
{
	reset();
	program(2, 0, 1000);
	at(0);
	CHECK_EQ(in_word(2), 1000);
	CHECK(!out_pin(2));
	at(999);
	CHECK_EQ(in_word(2), 1);
	CHECK(!out_pin(2));
	at(1000);
	CHECK_EQ(in_word(2), 0);
	CHECK(out_pin(2));
	at(1001);
	CHECK_EQ(in_word(2), 0xffff);
	CHECK(out_pin(2));
}

static void mode_2(void)
{
	reset();
	program(0, 2, 5);
	for (u64 d = 0; d < 50; d++) {
		at(d);
		CHECK_EQ(in_word(0), 5 - d % 5);
		CHECK_EQ(out_pin(0), d % 5 != 4);
	}
}

static void mode_3_even(void)
{
	static const u16 count[] = { 6, 4, 2, 6, 4, 2 };

	reset();
	program(0, 3, 6);
	for (u64 d = 0; d < 60; d++) {
		at(d);
		CHECK_EQ(in_word(0), count[d % 6]);
		CHECK_EQ(out_pin(0), d % 6 < 3);
	}
}

static void mode_3_odd(void)
{
	static const u16 count[] = { 4, 2, 0, 4, 2 };

	reset();
	program(0, 3, 5);
	for (u64 d = 0; d < 50; d++) {
		at(d);
		CHECK_EQ(in_word(0), count[d % 5]);
		CHECK_EQ(out_pin(0), d % 5 < 3);
	}
}

static void latch_holds(void)
{
	reset();
	program(2, 2, 0x1234);
	at(4);
	out(3, 2 << 6);
	at(100);
	out(3, 2 << 6);			/* a second latch before the read does nothing */
	CHECK_EQ(in_word(2), 0x1230);
	CHECK_EQ(in_word(2), 0x1234 - 100);
}

static void read_back_command(void)
{
	reset();
	program(2, 3, 0x1000);
	at(0);
	out(3, 0xc0 | 8);		/* channel 2: count and status */
	CHECK_EQ(in(2), 0x80 | 0x30 | 3 << 1);
	CHECK_EQ(in_word(2), 0x1000);
	out(3, 0xd0 | 8);		/* count only */
	at(8);
	CHECK_EQ(in_word(2), 0x1000);
	CHECK_EQ(in_word(2), 0x1000 - 16);
	CHECK_EQ(pit.channel[0].count_latched, 0);
}

static void one_byte_accesses(void)
{
	reset();
	out(3, 2 << 6 | 0x10 | 2 << 1);
	out(2, 0x34);
	CHECK_EQ(pit.channel[2].count, 0x34);
	CHECK_EQ(in(2), 0x34);
	CHECK_EQ(in(2), 0x34);
	out(3, 2 << 6 | 0x20 | 2 << 1);
	out(2, 0x12);
	CHECK_EQ(pit.channel[2].count, 0x1200);
	CHECK_EQ(in(2), 0x12);
	out(3, 2 << 6);
	CHECK_EQ(in(2), 0x12);
	CHECK_EQ(pit.channel[2].count_latched, 0);
	CHECK_EQ(in(3), 0);
}

static void speaker_port(void)
{
	reset();
	CHECK_EQ(pit_regs_read_speaker(&pit, &now) & 0x0f, 0);
	pit_regs_write_speaker(&pit, 1, 0);
	program(2, 0, 100);
	at(99);
	CHECK_EQ(pit_regs_read_speaker(&pit, &now) & 0x2f, 1);
	at(100);
	CHECK_EQ(pit_regs_read_speaker(&pit, &now) & 0x2f, 0x21);
	pit_regs_write_speaker(&pit, 2, now.ns);
	CHECK_EQ(pit_regs_read_speaker(&pit, &now) & 0x0f, 2);
	program(2, 3, 1000);
	at(500);
	CHECK_EQ(in_word(2), 1000);
	at(501);
	CHECK_EQ(in_word(2), 998);
	pit_regs_write_speaker(&pit, 1, now.ns);	/* a rising gate starts over */
	CHECK_EQ(in_word(2), 1000);
	now.ns = 1 << 14;
	CHECK(pit_regs_read_speaker(&pit, &now) & 0x10);
}

static void any_state_is_safe(void)
{
	unsigned int seed, i;

	for (seed = 0; seed < 20000; seed++) {
		u8 *byte = (u8 *)&pit;

		for (i = 0; i < sizeof(pit); i++)
			byte[i] = (seed * 2654435761u + i * 2246822519u) >> 13;
		if (!seed)
			memset(&pit, 0xff, sizeof(pit));
		now.ns = seed & 1 ? INT64_MAX : seed;
		now.elapsed0 = seed & 2 ? INT64_MAX : seed & 4 ? INT64_MIN : seed;
		for (i = 0; i < PIT_CHANNELS; i++)
			pit_regs_load(&pit, i, pit.channel[i].count, now.ns);
		for (i = 0; i < 32; i++) {
			in(i & 3);
			out_pin(i % 3);
			out((seed + i) & 3, (seed ^ i * 37) & 0xff);
			pit_regs_read_speaker(&pit, &now);
			pit_regs_interval(&pit);
		}
	}
}

int main(void)
{
	RUN(channel_0_starts_its_timer);
	RUN(mode_0);
	RUN(mode_2);
	RUN(mode_3_even);
	RUN(mode_3_odd);
	RUN(latch_holds);
	RUN(read_back_command);
	RUN(one_byte_accesses);
	RUN(speaker_port);
	RUN(any_state_is_safe);
	return unit_end();
}
