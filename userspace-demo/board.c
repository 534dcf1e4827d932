// SPDX-License-Identifier: GPL-2.0
/* The board: which device is where. A PC has them there, and acpi.c tells of some. */
#include "board.h"
#include "die.h"

#define SERIAL_PORT	0x3f8
#define SERIAL_GSI	4
#define KEYBOARD_PORT	0x64
#define CLOCK_PORT	0x71

static void board_place(struct bus *bus, uint64_t start, uint64_t size, struct device *d)
{
	if (!bus_add(bus, start, size, d))
		die("no place on the bus at 0x%llx", (unsigned long long)start);
}

void board_create(struct board *b, struct vm *vm, void (*put)(uint8_t byte))
{
	serial_create(&b->serial, (struct irq_line) { vm, SERIAL_GSI }, put);
	board_place(&vm->ports, SERIAL_PORT, SERIAL_PORTS, &b->serial.device);

	pm_create(&b->pm, &vm->stop);
	board_place(&vm->ports, PM_PORT, PM_PORTS, &b->pm.device);

	reset_port_create(&b->reset, &vm->stop, 4, 4, 0xff);
	board_place(&vm->ports, RESET_PORT, 1, &b->reset.device);

	/* No keyboard waits; the controller's line to the processor's reset pin. */
	reset_port_create(&b->keyboard, &vm->stop, 0xff, 0xfe, 0);
	board_place(&vm->ports, KEYBOARD_PORT, 1, &b->keyboard.device);

	quiet_port_create(&b->clock, 0);	/* it stands still */
	board_place(&vm->ports, CLOCK_PORT, 1, &b->clock.device);

	bus_reset(&vm->ports);
	bus_reset(&vm->mmio);
}
