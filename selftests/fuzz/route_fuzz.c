// SPDX-License-Identifier: GPL-2.0
/*
 * module/irqchip/route.c: a table of routes is accepted if each entry is good by itself and with
 * those before it, and then leads where a list of the entries leads.
 */
#include "fuzz.h"
#define main unit_main
#include "../unit/route_test.c"
#undef main

static const u8 pins[3] = { 8, 8, 24 };

static bool is_good(const struct minikvm_irq_routing_entry *e, bool wide)
{
	if (e->gsi >= 4096)
		return false;
	if (e->type == MINIKVM_IRQ_ROUTING_IRQCHIP)
		return !e->flags && e->u.irqchip.irqchip < 3 &&
		       e->u.irqchip.pin < pins[e->u.irqchip.irqchip];
	return e->type == MINIKVM_IRQ_ROUTING_MSI && !(e->flags & ~MINIKVM_MSI_VALID_DEVID) &&
	       !(wide && e->u.msi.address_hi & 0xff);
}

static struct minikvm_irq_routing_entry some_entry(void)
{
	struct minikvm_irq_routing_entry e;

	if (one_in(8)) {
		fuzz_bytes(&e, sizeof(e));
		return e;
	}
	e = below(3) ? pin_of(below(8), below(3), below(26)) :
		       msi_of(below(8), 0xfee00000 | any(), below(1 << 9), any());
	e.flags = one_in(16) ? below(4) : 0;
	if (one_in(32))
		e.type = below(6);
	return e;
}

static const struct minikvm_irq_routing_entry *entry_of(u32 nr, u32 gsi, u32 type)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (entry[i].gsi == gsi && entry[i].type == type)
			return &entry[i];
	return NULL;
}

static u64 pins_of(u32 nr, u32 gsi)
{
	u64 set = 0;
	u32 i;

	for (i = 0; i < nr; i++)
		if (entry[i].gsi == gsi && entry[i].type == MINIKVM_IRQ_ROUTING_IRQCHIP)
			set |= 1ull << (entry[i].u.irqchip.irqchip * 8 + entry[i].u.irqchip.pin);
	return set;
}

static void compare(u32 nr, u32 gsi)
{
	const struct minikvm_irq_routing_entry *e = entry_of(nr, gsi, MINIKVM_IRQ_ROUTING_MSI);

	CHECK_EQ(routing_pins(table, gsi), pins_of(nr, gsi));
	if (!e)
		return;
	CHECK(routing_find(table, gsi));
	CHECK_EQ(routing_find(table, gsi)->data, e->u.msi.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	bool good = true, wide;
	u32 i, nr;

	fuzz_begin(data, size);
	wide = one_in(2);
	nr = below(MAX_ENTRIES + 1);
	for (i = 0; i < nr; i++) {
		entry[i] = some_entry();
		good &= is_good(&entry[i], wide);
	}
	for (i = 0; i < nr && good; i++)
		good = fits(i);
	CHECK_EQ(fill(nr, wide), good ? 0 : -EINVAL);
	for (i = 0; i < nr && good; i++) {
		compare(nr, entry[i].gsi);
		compare(nr, entry[i].gsi + 1);
	}
	return 0;
}
