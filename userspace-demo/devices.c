// SPDX-License-Identifier: GPL-2.0
/* Which port is whose. What is nobody's reads as ones, and swallows writes. */
#include <string.h>

#include "vmm.h"

#define SERIAL_PORT	0x3f8

/* ACPI: sleep enable with the type of S5 is power-off. */
static void pm1_control_write(struct vmm *vmm, uint16_t value)
{
	if ((value & 1 << 13) && (value >> 10 & 7) == PM_SLEEP_TYPE)
		vmm_stop(vmm, ST_POWER_OFF);
}

static void write_port(struct vmm *vmm, uint16_t port, const uint8_t *data, int size)
{
	uint16_t value = data[0] | (size > 1 ? data[1] << 8 : 0);

	if (port >= SERIAL_PORT && port < SERIAL_PORT + 8)
		serial_write(vmm, port - SERIAL_PORT, data[0]);
	else if (port == PM1_CONTROL)
		pm1_control_write(vmm, value);
	else if ((port == RESET_PORT && (data[0] & 4)) || (port == 0x64 && data[0] == 0xfe))
		vmm_stop(vmm, ST_RESET);
}

static void read_port(struct vmm *vmm, uint16_t port, uint8_t *data, int size)
{
	if (port >= SERIAL_PORT && port < SERIAL_PORT + 8)
		data[0] = serial_read(vmm, port - SERIAL_PORT);
	else if (port >= PM1_EVENT && port < PM1_CONTROL + 2)
		memset(data, 0, size);
	else if (port == 0x64 || port == 0x71)
		memset(data, 0, size);	/* no keyboard waits; a clock that stands still */
	else
		memset(data, 0xff, size);
}

void device_io(struct vmm *vmm, bool out, uint16_t port, uint8_t *data, int size)
{
	if (out)
		write_port(vmm, port, data, size);
	else
		read_port(vmm, port, data, size);
}
