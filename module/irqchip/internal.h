/* SPDX-License-Identifier: GPL-2.0 */
/* The chips of a VM that its vCPUs share, as the files of this folder see them. */
#ifndef MINIKVM_IRQCHIP_INTERNAL_H
#define MINIKVM_IRQCHIP_INTERNAL_H

#include <linux/irq_work.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/srcu.h>

#include "ioapic.h"
#include "irqchip.h"
#include "pic.h"
#include "route.h"

#define PIT_GSI		0

/**
 * struct irqchip - PIC pair and IOAPIC, and what leads to them
 * @vm: the VM [c]
 * @lock: both chips. Taken with interrupts off, from any context but NMI, and
 *	  inside the PIT's tick_lock; local APICs are woken under it. Raw: PREEMPT_RT
 *	  must not make it sleep where the run loop has interrupts off
 * @pic: the 8259 pair
 * @ioapic: the IOAPIC. Where these two are the VMM's, only @ioapic.wanted is used
 * @vmm_pins: how many GSIs, from 0, are the pins of the VMM's IOAPIC [c]
 * @pit_pins: where the PIT's GSI leads: it is told of what happens there
 * @resample_pins: where the GSIs of irqfds with RESAMPLE lead
 * @resample_due: those of them whose interrupt ended; @resample_work looks
 * @resample_work: irqfd.c
 * @routing: where the GSIs lead; written under @routing_lock, read under routing_srcu
 * @routing_lock: a mutex: routing and irqfds change one at a time. Outside of @lock
 * @irqfds: of irqfd.c; @routing_lock
 * @resamplers: those with RESAMPLE; @routing_lock to write, routing_srcu to read
 * @nr_resamplers: how many; @routing_lock
 */
struct irqchip {
	struct vm *vm;
	raw_spinlock_t lock;	/* @pic and @ioapic */
	struct pic pic;
	struct ioapic ioapic;
	u32 vmm_pins;
	u64 pit_pins, resample_pins, resample_due;	/* @lock, a bit per pin as in route.h */
	struct irq_work resample_work;
	struct routing __rcu *routing;
	struct mutex routing_lock;
	struct list_head irqfds;
	struct list_head resamplers;
	u32 nr_resamplers;
};

/* irqchip.c */
int irqchip_drive_pins(struct irqchip *chip, u64 pins, enum irq_source source, bool level,
		       bool report);
void irqchip_pulse_pins(struct irqchip *chip, u64 pins, enum irq_source source);
void irqchip_listen(struct irqchip *chip, u64 pit_pins, u64 resample_pins);
u64 irqchip_take_resample_due(struct irqchip *chip);
int irqchip_take_pic(struct irqchip *chip);
void irqchip_eoi(struct vcpu *vcpu, u8 vector, bool level);
bool irqchip_wants_eoi(const struct vcpu *vcpu, u8 vector);
void irqchip_forward(struct irqchip *chip, const struct routing *r);
u32 irqchip_eoi_seq(struct vm *vm);
u64 irqchip_eoi_exits(struct vm *vm, unsigned int word);

/* routing.c */
extern struct srcu_struct routing_srcu;
int routing_create(struct irqchip *chip);
void routing_destroy(struct irqchip *chip);
void routing_listen(struct irqchip *chip);
void routing_pulse(struct irqchip *chip, u32 gsi);

/* irqfd.c */
u64 irqfd_resample_pins(struct irqchip *chip, const struct routing *r);
void irqfd_resample(struct irq_work *work);

/* pit.c */
void pit_ack(struct pit *pit);
void pit_forget_ticks(struct pit *pit);
bool pit_wants_acks(struct vm *vm);

#endif
