// SPDX-License-Identifier: GPL-2.0
/* The 8259 pair: module/irqchip/pic.c. */
#include <string.h>

#include "unit.h"
#include "../../module/irqchip/pic.c"

static struct pic pic;

/* As Linux sets it up: vectors 0x30 and 0x38, nothing masked. */
static void setup(u8 icw4)
{
	memset(&pic, 0, sizeof(pic));
	pic_init(&pic);
	pic_write(&pic, 0x20, 0x11);
	pic_write(&pic, 0x21, 0x30);
	pic_write(&pic, 0x21, 0x04);
	pic_write(&pic, 0x21, icw4);
	pic_write(&pic, 0xa0, 0x11);
	pic_write(&pic, 0xa1, 0x38);
	pic_write(&pic, 0xa1, 0x02);
	pic_write(&pic, 0xa1, icw4);
	pic_write(&pic, 0x21, 0);
	pic_write(&pic, 0xa1, 0);
	pic.acked = 0;
	pic.unmasked = 0;
	pic.raised = false;
}

static int pulse(unsigned int line)
{
	int ret = pic_set_line(&pic, line, true);

	pic_set_line(&pic, line, false);
	return ret;
}

static void edge_on_every_line(void)
{
	unsigned int line;

	setup(1);
	for (line = 0; line < 16; line++) {
		if (line == 2)
			continue;
		CHECK(!pic.output);
		CHECK_EQ(pulse(line), 1);
		CHECK(pic.output && pic.raised);
		pic.raised = false;
		CHECK_EQ(pic_take(&pic), 0x30 + line);
		CHECK(!pic.output && !pic.raised);
		pic.acked = 0;
		if (line >= 8) {
			pic_write(&pic, 0xa0, 0x20);
			CHECK_EQ(pic.acked, 1 << line);
		}
		pic_write(&pic, 0x20, 0x20);
		CHECK(pic.acked & (line < 8 ? 1 << line : 4));
		CHECK_EQ(pic.chip[0].isr | pic.chip[1].isr, 0);
	}
}

static void edges_merge_and_levels_do_not_latch(void)
{
	setup(1);
	CHECK_EQ(pulse(3), 1);
	CHECK_EQ(pulse(3), 0);
	pic_take(&pic);
	CHECK_EQ(pulse(3), 1);		/* waits behind the one in service */
	CHECK(!pic.output);
	pic_write(&pic, 0x20, 0x20);
	CHECK(pic.output);
	pic_take(&pic);
	pic_write(&pic, 0x20, 0x20);
	pic_write(&pic, 0x4d0, 0xff);
	CHECK_EQ(pic_read(&pic, 0x4d0), 0xf8);
	pic_write(&pic, 0x4d1, 0xff);
	CHECK_EQ(pic_read(&pic, 0x4d1), 0xde);
	CHECK_EQ(pic_set_line(&pic, 5, true), 1);
	CHECK_EQ(pic_set_line(&pic, 5, true), 0);
	CHECK_EQ(pic_take(&pic), 0x35);
	pic_write(&pic, 0x20, 0x65);	/* specific EOI, line still high */
	CHECK(pic.output);
	pic_set_line(&pic, 5, false);
	CHECK(!pic.output);
}

static void mask(void)
{
	setup(1);
	pic_write(&pic, 0x21, 0x01);
	CHECK_EQ(pic_read(&pic, 0x21), 0x01);
	CHECK_EQ(pulse(0), -1);
	CHECK(!pic.output);
	CHECK_EQ(pic.unmasked, 0);
	pic_write(&pic, 0x21, 0x00);
	CHECK_EQ(pic.unmasked, 1);
	CHECK(pic.output);		/* the edge was remembered */
	pic_write(&pic, 0xa1, 0x81);
	pic_write(&pic, 0xa1, 0x01);
	CHECK_EQ(pic.unmasked, 0x8001);
}

static void priority_and_nesting(void)
{
	setup(1);
	pulse(5);
	pulse(3);
	CHECK_EQ(pic_take(&pic), 0x33);
	CHECK(!pic.output);
	pulse(1);
	CHECK(pic.output);
	CHECK_EQ(pic_take(&pic), 0x31);
	pic_write(&pic, 0x20, 0x20);
	CHECK_EQ(pic.chip[0].isr, 1 << 3);
	pic_write(&pic, 0x20, 0x20);
	CHECK_EQ(pic_take(&pic), 0x35);
}

static void rotation(void)
{
	setup(1);
	pic_write(&pic, 0x20, 0xc0 | 4);	/* line 4 becomes the lowest */
	pulse(4);
	pulse(5);
	CHECK_EQ(pic_take(&pic), 0x35);
	pic_write(&pic, 0x20, 0xa0);		/* EOI and rotate: now 6 is first */
	CHECK_EQ(pic.chip[0].priority_add, 6);
	CHECK_EQ(pic_take(&pic), 0x34);
	pic_write(&pic, 0x20, 0xe4);		/* specific EOI and rotate */
	CHECK_EQ(pic.chip[0].priority_add, 5);
	CHECK_EQ(pic.chip[0].isr, 0);
}

static void automatic_eoi(void)
{
	setup(3);
	pulse(6);
	CHECK_EQ(pic_take(&pic), 0x36);
	CHECK_EQ(pic.chip[0].isr, 0);
	CHECK_EQ(pic.acked, 1 << 6);
	pic_write(&pic, 0x20, 0x80);		/* rotate, too */
	pulse(6);
	pic_take(&pic);
	CHECK_EQ(pic.chip[0].priority_add, 7);
}

static void special_fully_nested(void)
{
	setup(0x11);
	pulse(12);
	CHECK_EQ(pic_take(&pic), 0x3c);
	pulse(10);
	CHECK(pic.output);
	CHECK_EQ(pic_take(&pic), 0x3a);
	setup(1);
	pulse(12);
	pic_take(&pic);
	pulse(10);
	CHECK(!pic.output);			/* without it the master blocks */
}

static void spurious(void)
{
	setup(1);
	CHECK_EQ(pic_take(&pic), 0x37);
	pic_write(&pic, 0x4d1, 0x02);
	pic_set_line(&pic, 9, true);
	pic_set_line(&pic, 9, false);		/* gone, but the master has latched it */
	CHECK(pic.output);
	CHECK_EQ(pic_take(&pic), 0x3f);
}

static void reads_and_poll(void)
{
	setup(1);
	pulse(4);
	CHECK_EQ(pic_read(&pic, 0x20), 1 << 4);
	pic_take(&pic);
	CHECK_EQ(pic_read(&pic, 0x20), 0);
	pic_write(&pic, 0x20, 0x0b);
	CHECK_EQ(pic_read(&pic, 0x20), 1 << 4);
	pic_write(&pic, 0x20, 0x0a);
	CHECK_EQ(pic_read(&pic, 0x20), 0);
	pic_write(&pic, 0x20, 0x20);
	pic.acked = 0;
	pulse(6);
	pic_write(&pic, 0x20, 0x0c);
	CHECK_EQ(pic_read(&pic, 0x20), 0x86);
	CHECK_EQ(pic.acked, 1 << 6);
	CHECK(!pic.output);
	pic_write(&pic, 0xa0, 0x0c);
	CHECK_EQ(pic_read(&pic, 0xa1), 7);
}

static void initialisation(void)
{
	setup(3);
	pulse(4);
	pic_write(&pic, 0x21, 0xff);
	pic.acked = 0;
	pic_write(&pic, 0x20, 0x10);		/* no ICW4 */
	CHECK_EQ(pic.acked, 1 << 4);		/* the edge is lost */
	CHECK(!pic.output);
	pic_write(&pic, 0x21, 0x5f);
	pic_write(&pic, 0x21, 0x04);
	CHECK_EQ(pic.chip[0].init_state, 0);
	CHECK_EQ(pic.chip[0].irq_base, 0x58);
	CHECK_EQ(pic.chip[0].auto_eoi, 0);
	CHECK_EQ(pic_read(&pic, 0x21), 0);

	/* What the slave asks for is not passed on amid it, but with the mask. */
	setup(1);
	pulse(10);
	pic_take(&pic);
	pulse(9);
	pic_write(&pic, 0x20, 0x11);
	CHECK(!pic.output);
	pic_write(&pic, 0x21, 0x30);
	pic_write(&pic, 0x21, 0x04);
	pic_write(&pic, 0x21, 1);
	CHECK(!pic.output);
	pic_write(&pic, 0x21, 0);
	CHECK(pic.output);
}

static void any_state_is_safe(void)
{
	static const u16 ports[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1 };
	struct minikvm_pic_state state;
	unsigned int seed, i;

	for (seed = 0; seed < 20000; seed++) {
		u8 *byte = (u8 *)&state;

		memset(&pic, 0, sizeof(pic));
		for (i = 0; i < 2 * sizeof(state); i++) {
			byte[i % sizeof(state)] = (seed * 2654435761u + i * 2246822519u) >> 13;
			if (i == sizeof(state) - 1)
				pic_set_chip(&pic, 0, &state);
		}
		if (!seed)
			memset(&state, 0xff, sizeof(state));
		pic_set_chip(&pic, 1, &state);
		for (i = 0; i < 64; i++) {
			pic_set_line(&pic, (seed + i) & 15, i & 1);
			pic_write(&pic, ports[(seed + i) % 6], seed >> (i & 7));
			pic_read(&pic, ports[(seed >> 3) % 6]);
			pic_take(&pic);
		}
	}
}

int main(void)
{
	RUN(edge_on_every_line);
	RUN(edges_merge_and_levels_do_not_latch);
	RUN(mask);
	RUN(priority_and_nesting);
	RUN(rotation);
	RUN(automatic_eoi);
	RUN(special_fully_nested);
	RUN(spurious);
	RUN(reads_and_poll);
	RUN(initialisation);
	RUN(any_state_is_safe);
	return unit_end();
}
