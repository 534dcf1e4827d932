/* SPDX-License-Identifier: GPL-2.0 */
/* The VM: its file descriptors, memory and buses. */
#ifndef VM_H
#define VM_H

#include <stdint.h>

#include "bus.h"
#include "config.h"
#include "memory.h"
#include "stop.h"

struct vm {
	int device, fd;		/* descriptors */
	struct memory memory;
	struct bus ports, mmio;
	struct stop stop;
	pthread_mutex_t hold_lock;	/* see hold.h */
	pthread_cond_t hold_changed;
	int told;		/* eventfd: a vCPU has something to tell; -1: nobody debugs */
};

/* An interrupt line of the chips in the kernel, in the hands of a device. */
struct irq_line {
	struct vm *vm;
	uint32_t gsi;
};

/* vm->memory is split already. */
void vm_create(struct vm *vm, const struct config *c);
void irq_set(const struct irq_line *line, bool level);

#endif
