/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The IOAPIC as a state machine: ioapic.c. irqchip.c owns it, locks it and acts
 * on the fields that say what happened. Compiles in userspace, too.
 */
#ifndef IRQCHIP_IOAPIC_H
#define IRQCHIP_IOAPIC_H

#include <linux/types.h>

#include "../../uapi/linux/minikvm.h"
#include "lines.h"

#define IOAPIC_PINS	MINIKVM_IOAPIC_NUM_PINS
#define IOAPIC_RTC_PIN	8
#define IOAPIC_SIZE	0x100	/* bytes of guest physical memory */

struct vm;

/**
 * struct ioapic - an 82093AA
 * @vm: whose local APICs get the messages
 * @state: registers, in the layout of GET_IRQCHIP; irr: asserted pins, as far
 *	   as no edge-triggered message was sent for them
 * @edge_sent: edge-triggered pins in irr whose message was sent
 * @holders: of each pin, as line_drive() has them
 * @listened: pins whose EOI somebody waits for, edges' too
 * @wanted: vectors whose EOI matters here; read without the lock
 * @wanted_seq: one more for each change of these
 * @wants_more: there are new ones since the last chip_unlock() in irqchip.c
 * @acked: pins whose interrupt ended; the owner clears them
 * @unmasked: pins whose mask was lifted; the owner clears them
 */
struct ioapic {
	struct vm *vm;
	struct minikvm_ioapic_state state;
	u32 edge_sent;
	u8 holders[IOAPIC_PINS];
	u32 listened;
	u64 wanted[4];
	u32 wanted_seq;
	bool wants_more;
	u32 acked;
	u32 unmasked;
};

void ioapic_init(struct ioapic *io, struct vm *vm);
int ioapic_set_pin(struct ioapic *io, unsigned int pin, bool level, bool report);
int ioapic_drive_pin(struct ioapic *io, unsigned int pin, enum irq_source source, bool level,
		     bool report);
void ioapic_listen(struct ioapic *io, u32 pins);
void ioapic_set_wanted(struct ioapic *io, const u64 wanted[4]);
bool ioapic_wants_eoi(const struct ioapic *io, u8 vector);
void ioapic_eoi(struct ioapic *io, u8 vector, bool level);
u32 ioapic_read(const struct ioapic *io, u32 offset);
void ioapic_write(struct ioapic *io, u32 offset, u32 val);
void ioapic_get(const struct ioapic *io, struct minikvm_ioapic_state *state);
void ioapic_set(struct ioapic *io, const struct minikvm_ioapic_state *state);

#endif
