/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where the GSIs of a VM lead: to pins of the chips, or to local APICs as a message. A table is
 * built as a whole and not changed afterwards: route.c. routing.c owns it. Compiles in
 * userspace, too.
 */
#ifndef IRQCHIP_ROUTE_H
#define IRQCHIP_ROUTE_H

#include <linux/bits.h>
#include <linux/types.h>

#include "../../uapi/linux/minikvm.h"

#define MAX_ROUTES	4096	/* entries of SET_GSI_ROUTING, and GSIs: as KVM */

/* The pins of all chips in a row: 16 lines of the PIC pair, 24 pins of the IOAPIC. */
#define PIN_IOAPIC	16
#define PIN_END		(PIN_IOAPIC + MINIKVM_IOAPIC_NUM_PINS)

enum route_type { ROUTE_NONE, ROUTE_PINS, ROUTE_MSI };

/**
 * struct route - of one GSI
 * @to: ROUTE_PINS: a bit per pin; ROUTE_MSI: the message's address
 * @data: ROUTE_MSI: the message's data
 * @type: enum route_type
 */
struct route {
	u64 to;
	u32 data;
	u32 type;
};

/**
 * struct routing - of all GSIs
 * @nr: GSIs that may have one
 * @route: by GSI
 */
struct routing {
	u32 nr;
	struct route route[];
};

struct apic_msg;

u32 routing_size(const struct minikvm_irq_routing_entry *entries, u32 nr);
int routing_fill(struct routing *r, const struct minikvm_irq_routing_entry *entries, u32 nr,
		 bool wide, bool pins);
const struct route *routing_find(const struct routing *r, u32 gsi);
u64 routing_pins(const struct routing *r, u32 gsi);
void routing_levels(const struct routing *r, u32 nr, u64 vectors[4]);
bool msi_is_valid(u64 address, bool wide);
void msi_message(u64 address, u32 data, bool wide, struct apic_msg *msg);

#endif
