/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The chips of a VM that its vCPUs share, as the files of this folder see them.
 * Other folders use the prototypes in minikvm.h.
 */
#ifndef IRQCHIP_IRQCHIP_H
#define IRQCHIP_IRQCHIP_H

#include "../minikvm.h"
#include "ioapic.h"
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

/* The chips of a VM, or NULL; what was written before they were published is seen. */
static inline struct irqchip *vm_irqchip(struct vm *vm)
{
	/* Pairs with the release in irqchip_create(). */
	return smp_load_acquire(&vm->irqchip);
}

static inline struct pit *vm_pit(struct vm *vm)
{
	/* Pairs with the release in pit_create(). */
	return smp_load_acquire(&vm->pit);
}

/* May a chip in the kernel answer a port? */
static inline bool vm_has_ports(struct vm *vm)
{
	return vm_irqchip(vm) || vm_pit(vm);
}

/* irqchip.c */
void irqchip_eoi(struct vm *vm, u8 vector, bool level);

/* pit.c */
void pit_ack(struct pit *pit);
void pit_forget_ticks(struct pit *pit);

#endif
