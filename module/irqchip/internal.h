/* SPDX-License-Identifier: GPL-2.0 */
/* The chips of a VM that its vCPUs share, as the files of this folder see them. */
#ifndef MINIKVM_IRQCHIP_INTERNAL_H
#define MINIKVM_IRQCHIP_INTERNAL_H

#include "ioapic.h"
#include "irqchip.h"
#include "pic.h"

#define NR_GSIS		IOAPIC_PINS
#define PIT_GSI		0

/**
 * struct irqchip - PIC pair and IOAPIC
 * @vm: the VM [c]
 * @lock: both chips. Taken with interrupts off, from any context but NMI, and
 *	  inside the PIT's tick_lock; local APICs are woken under it. Raw: PREEMPT_RT
 *	  must not make it sleep where the run loop has interrupts off
 * @pic: the 8259 pair
 * @ioapic: the IOAPIC
 */
struct irqchip {
	struct vm *vm;
	raw_spinlock_t lock;	/* @pic and @ioapic */
	struct pic pic;
	struct ioapic ioapic;
};

/* irqchip.c */
void irqchip_eoi(struct vm *vm, u8 vector, bool level);

/* pit.c */
void pit_ack(struct pit *pit);
void pit_forget_ticks(struct pit *pit);

#endif
