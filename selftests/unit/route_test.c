// SPDX-License-Identifier: GPL-2.0
/* The routing table: module/irqchip/route.c, against the rules said once more, entry by entry. */
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "unit.h"
#include "../../module/irqchip/route.c"

#define MAX_ENTRIES	12

static struct minikvm_irq_routing_entry entry[MAX_ENTRIES];
static struct routing *table;

static int fill(u32 nr, bool wide)
{
	u32 size = routing_size(entry, nr);
	int err;

	free(table);
	table = NULL;
	if (!size)
		return -EINVAL;
	table = calloc(1, sizeof(*table) + size * sizeof(table->route[0]));
	table->nr = size;
	err = routing_fill(table, entry, nr, wide, true);
	return err;
}

static struct minikvm_irq_routing_entry pin_of(u32 gsi, u32 irqchip, u32 pin)
{
	return (struct minikvm_irq_routing_entry) {
		.gsi = gsi, .type = MINIKVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = { irqchip, pin },
	};
}

static struct minikvm_irq_routing_entry msi_of(u32 gsi, u32 low, u32 high, u32 data)
{
	return (struct minikvm_irq_routing_entry) {
		.gsi = gsi, .type = MINIKVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = low, .address_hi = high, .data = data },
	};
}

static int one(struct minikvm_irq_routing_entry e, bool wide)
{
	entry[0] = e;
	return fill(1, wide);
}

static void pins_of_each_chip(void)
{
	CHECK_EQ(one(pin_of(5, MINIKVM_IRQCHIP_PIC_MASTER, 7), false), 0);
	CHECK_EQ(routing_pins(table, 5), 1 << 7);
	CHECK_EQ(one(pin_of(5, MINIKVM_IRQCHIP_PIC_SLAVE, 0), false), 0);
	CHECK_EQ(routing_pins(table, 5), 1 << 8);
	CHECK_EQ(one(pin_of(4095, MINIKVM_IRQCHIP_IOAPIC, 23), false), 0);
	CHECK_EQ(routing_pins(table, 4095), 1ll << 39);
	CHECK_EQ(one(pin_of(5, MINIKVM_IRQCHIP_PIC_MASTER, 8), false), -EINVAL);
	CHECK_EQ(one(pin_of(5, MINIKVM_IRQCHIP_PIC_SLAVE, 8), false), -EINVAL);
	CHECK_EQ(one(pin_of(5, MINIKVM_IRQCHIP_IOAPIC, 24), false), -EINVAL);
	CHECK_EQ(one(pin_of(5, MINIKVM_IRQCHIP_IOAPIC, 0xffffffff), false), -EINVAL);
	CHECK_EQ(one(pin_of(5, MINIKVM_IRQCHIP_IOAPIC, 64), false), -EINVAL);
	CHECK_EQ(one(pin_of(5, 3, 0), false), -EINVAL);
	CHECK_EQ(one(pin_of(4096, MINIKVM_IRQCHIP_IOAPIC, 0), false), -EINVAL);
	CHECK_EQ(one(pin_of(0xffffffff, MINIKVM_IRQCHIP_IOAPIC, 0), false), -EINVAL);
}

static void messages(void)
{
	struct minikvm_irq_routing_entry e = msi_of(30, 0xfee00000, 0, 0x55);

	CHECK_EQ(one(e, true), 0);
	CHECK(!routing_find(table, 29));
	CHECK(!routing_find(table, 31));
	CHECK_EQ(routing_find(table, 30)->data, 0x55);
	CHECK_EQ(routing_pins(table, 30), 0);
	e.flags = MINIKVM_MSI_VALID_DEVID;
	CHECK_EQ(one(e, true), 0);
	e.flags = 2;
	CHECK_EQ(one(e, true), -EINVAL);
	CHECK_EQ(one(msi_of(30, 0xfee00000, 1, 0), true), -EINVAL);
	CHECK_EQ(one(msi_of(30, 0xfee00000, 1, 0), false), 0);
	CHECK_EQ(one(msi_of(30, 0xfee00000, 0x100, 0), true), 0);
	e = pin_of(3, MINIKVM_IRQCHIP_IOAPIC, 3);
	e.flags = MINIKVM_MSI_VALID_DEVID;
	CHECK_EQ(one(e, false), -EINVAL);
	e.flags = 0;
	e.type = 4;
	CHECK_EQ(one(e, false), -EINVAL);
}

static void nothing_leads_nowhere(void)
{
	CHECK_EQ(fill(0, false), 0);
	CHECK(!routing_find(table, 0));
	CHECK(!routing_find(table, 1));
	CHECK(!routing_find(table, 0xffffffff));
}

static void what_a_message_says(void)
{
	struct apic_msg msg;

	msi_message(0x12345600fee7800c, 0xc5a3, true, &msg);
	CHECK_EQ(msg.dest, 0x12345678);
	CHECK(msg.redirect && msg.logical && msg.level && msg.assert && !msg.exact);
	CHECK_EQ(msg.vector, 0xa3);
	CHECK_EQ(msg.delivery, 5);
	msi_message(0x12345600fee78000, 0x25a3, false, &msg);
	CHECK_EQ(msg.dest, 0x78);
	CHECK(!msg.redirect && !msg.logical && !msg.level);
}

static bool is_in(const u64 vectors[4], u8 vector)
{
	return vectors[vector / 64] >> (vector % 64) & 1;
}

/* Of a VMM's IOAPIC with 3 pins. */
static void levels_among_the_first(void)
{
	u64 vectors[4] = { [2] = 1 };

	entry[0] = msi_of(0, 0xfee00000, 0, 0x8041);
	entry[1] = msi_of(1, 0xfee00000, 0, 0x42);
	entry[2] = msi_of(2, 0xfee00000, 0, 0x81ff);
	entry[3] = msi_of(3, 0xfee00000, 0, 0x8044);
	CHECK_EQ(fill(4, false), 0);
	routing_levels(table, 3, vectors);
	CHECK(is_in(vectors, 0x41) && is_in(vectors, 0xff) && is_in(vectors, 0x80));
	CHECK_EQ(__builtin_popcountll(vectors[0]) + __builtin_popcountll(vectors[1]) +
		 __builtin_popcountll(vectors[2]) + __builtin_popcountll(vectors[3]), 3);
	routing_levels(table, 4096, vectors);
	CHECK(is_in(vectors, 0x44));
	CHECK_EQ(routing_fill(table, entry, 0, false, false), 0);
	entry[0] = pin_of(0, MINIKVM_IRQCHIP_IOAPIC, 0);
	CHECK_EQ(routing_fill(table, entry, 1, false, false), -EINVAL);
}

/* May entry @i follow the ones before it? A GSI has one message, or a pin of each chip. */
static bool fits(u32 i)
{
	u32 k;

	for (k = 0; k < i; k++) {
		if (entry[k].gsi != entry[i].gsi)
			continue;
		if (entry[k].type == MINIKVM_IRQ_ROUTING_MSI ||
		    entry[i].type == MINIKVM_IRQ_ROUTING_MSI ||
		    entry[k].u.irqchip.irqchip == entry[i].u.irqchip.irqchip)
			return false;
	}
	return true;
}

static void contradictions(void)
{
	u32 good = 0, i, nr, round;

	for (round = 0; round < 100000; round++) {
		int expect = 0;
		u64 pins = 0;

		nr = below(MAX_ENTRIES + 1);
		for (i = 0; i < nr; i++) {
			u32 chip = below(3);

			entry[i] = below(4) ?
				   pin_of(below(8), chip, below(8)) :
				   msi_of(below(8), 0xfee00000, 0, i);
			if (!fits(i))
				expect = -EINVAL;
		}
		CHECK_EQ(fill(nr, false), expect);
		good += !expect && nr > 3;
		if (expect)
			continue;
		for (i = 0; i < nr; i++)
			if (entry[i].gsi == 0 && entry[i].type == MINIKVM_IRQ_ROUTING_IRQCHIP)
				pins |= 1ull << (entry[i].u.irqchip.irqchip * 8 + entry[i].u.irqchip.pin);
		CHECK_EQ(routing_pins(table, 0), pins);
	}
	CHECK(good > 1000);
}

int main(void)
{
	RUN(pins_of_each_chip);
	RUN(messages);
	RUN(nothing_leads_nowhere);
	RUN(what_a_message_says);
	RUN(levels_among_the_first);
	RUN(contradictions);
	free(table);
	return unit_end();
}
