/* SPDX-License-Identifier: GPL-2.0 */
/* A 16550. */
#ifndef SERIAL_H
#define SERIAL_H

#include "bus.h"
#include "vm.h"

#define SERIAL_PORTS	8
#define SERIAL_INPUT	4096	/* bytes that wait for the guest, at most */

struct serial {
	struct device device;
	struct irq_line irq;
	void (*put)(uint8_t byte);	/* where its output goes */
	struct serial_state {
		uint8_t ier, lcr, mcr, scratch, divisor[2];
		uint8_t output_done;	/* an interrupt says that more can be written */
		uint8_t input[SERIAL_INPUT];
		uint32_t in, out;	/* count up, used modulo the size */
	} state;
	bool level;			/* of the interrupt line */
};

void serial_create(struct serial *s, struct irq_line irq, void (*put)(uint8_t byte));
/* From any thread. What does not fit is lost, as on a real line. */
void serial_input(struct serial *s, const uint8_t *data, size_t n);

#endif
