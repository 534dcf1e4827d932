// SPDX-License-Identifier: GPL-2.0
/*
 * The table of SET_GSI_ROUTING, and what a message-signalled interrupt says. Called by
 * routing.c only. Pure: it compiles in userspace, too.
 *
 * Left out: routes to Hyper-V's and Xen's interrupt controllers.
 */
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/nospec.h>

#include "lapic_regs.h"
#include "route.h"

#define MSI_DATA_LEVEL	BIT(15)

/**
 * routing_size - GSIs that a table must have room for
 * @entries: of the caller
 * @nr: how many
 *
 * Return: the highest GSI plus 1, or 0: one is too high.
 */
u32 routing_size(const struct minikvm_irq_routing_entry *entries, u32 nr)
{
	u32 size = 1, i;

	for (i = 0; i < nr; i++) {
		if (entries[i].gsi >= MAX_ROUTES)
			return 0;
		size = max(size, entries[i].gsi + 1);
	}
	return size;
}

/* The pins of a chip, or 0: no such chip. */
static u64 chip_pins(u32 irqchip)
{
	switch (irqchip) {
	case MINIKVM_IRQCHIP_PIC_MASTER:
		return GENMASK_ULL(7, 0);
	case MINIKVM_IRQCHIP_PIC_SLAVE:
		return GENMASK_ULL(15, 8);
	case MINIKVM_IRQCHIP_IOAPIC:
		return GENMASK_ULL(PIN_END - 1, PIN_IOAPIC);
	default:
		return 0;
	}
}

/* A GSI may lead to one pin of each chip. */
static int route_to_pin(struct route *route, const struct minikvm_irq_routing_entry *e)
{
	u64 pins = chip_pins(e->u.irqchip.irqchip), pin;

	if (!pins || e->flags || e->u.irqchip.pin >= MINIKVM_IOAPIC_NUM_PINS)
		return -EINVAL;
	pin = (pins & -pins) << e->u.irqchip.pin;	/* from the chip's first */
	if (!(pin & pins))
		return -EINVAL;
	if (route->type == ROUTE_MSI || (route->to & pins))
		return -EINVAL;
	route->type = ROUTE_PINS;
	route->to |= pin;
	return 0;
}

/* A GSI that leads to a message leads nowhere else. */
static int route_to_msi(struct route *route, const struct minikvm_irq_routing_entry *e, bool wide)
{
	u64 address = (u64)e->u.msi.address_hi << 32 | e->u.msi.address_lo;

	if ((e->flags & ~MINIKVM_MSI_VALID_DEVID) || route->type != ROUTE_NONE)
		return -EINVAL;
	if (!msi_is_valid(address, wide))
		return -EINVAL;
	*route = (struct route) { .type = ROUTE_MSI, .to = address, .data = e->u.msi.data };
	return 0;
}

/**
 * routing_fill - build a table
 * @r: zeroed, with room for routing_size() GSIs, which @r->nr says
 * @entries: of the caller; any bytes, but for the GSIs, which routing_size() has checked
 * @nr: how many
 * @wide: MSIs have APIC IDs of 32 bits
 * @pins: there are chips with pins
 *
 * Return: 0; -EINVAL: an entry that cannot be, or contradicts another.
 */
int routing_fill(struct routing *r, const struct minikvm_irq_routing_entry *entries, u32 nr,
		 bool wide, bool pins)
{
	u32 i;

	for (i = 0; i < nr; i++) {
		const struct minikvm_irq_routing_entry *e = &entries[i];
		struct route *route = &r->route[array_index_nospec(e->gsi, r->nr)];
		int err = -EINVAL;

		if (e->type == MINIKVM_IRQ_ROUTING_IRQCHIP && pins)
			err = route_to_pin(route, e);
		else if (e->type == MINIKVM_IRQ_ROUTING_MSI)
			err = route_to_msi(route, e, wide);
		if (err)
			return err;
	}
	return 0;
}

/**
 * routing_find - where a GSI leads
 * @r: the table
 * @gsi: any number
 *
 * Return: NULL if it leads nowhere.
 */
const struct route *routing_find(const struct routing *r, u32 gsi)
{
	const struct route *route;

	if (gsi >= r->nr)
		return NULL;
	route = &r->route[array_index_nospec(gsi, r->nr)];
	return route->type == ROUTE_NONE ? NULL : route;
}

/** routing_pins - the pins to which a GSI leads, a bit for each */
u64 routing_pins(const struct routing *r, u32 gsi)
{
	const struct route *route = routing_find(r, gsi);

	return route && route->type == ROUTE_PINS ? route->to : 0;
}

/**
 * routing_levels - the vectors that an IOAPIC of the VMM's sends for levels
 * @r: the table
 * @nr: its pins are the first so many GSIs
 * @vectors: a bit per vector; set, and none cleared
 */
void routing_levels(const struct routing *r, u32 nr, u64 vectors[4])
{
	u32 i;

	for (i = 0; i < min(nr, r->nr); i++) {
		const struct route *route = &r->route[i];
		u8 vector = route->data;

		if (route->type == ROUTE_MSI && (route->data & MSI_DATA_LEVEL))
			vectors[vector / 64] |= BIT_ULL(vector % 64);
	}
}

/**
 * msi_is_valid - may a VMM send a message there?
 * @address: of the message
 * @wide: APIC IDs have 32 bits: what lies between their two parts must be 0
 */
bool msi_is_valid(u64 address, bool wide)
{
	return !wide || !(address >> 32 & 0xff);
}

/**
 * msi_message - what a message-signalled interrupt says
 * @address: of the message; without @wide the upper half is not looked at
 * @data: of the message
 * @wide: bits 63:40 of @address are bits 31:8 of the APIC ID
 * @msg: filled
 *
 * SDM "Message Signalled Interrupts"; the wide form is KVM's own.
 */
void msi_message(u64 address, u32 data, bool wide, struct apic_msg *msg)
{
	*msg = (struct apic_msg) {
		.dest = address >> 12 & 0xff,
		.redirect = address & BIT(3),
		.logical = address & BIT(2),
		.vector = data & 0xff,
		.delivery = data >> 8 & 7,
		.level = data & MSI_DATA_LEVEL,
		.assert = true,
	};
	if (wide)
		msg->dest |= address >> 32 & ~0xffU;
}
