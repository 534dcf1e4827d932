/* SPDX-License-Identifier: GPL-2.0 */
/* Small devices behind ports. */
#ifndef PORTS_H
#define PORTS_H

#include "bus.h"
#include "stop.h"

/* ACPI's power management: the event block (status, enable) and the control block. */
#define PM_PORT		0x600
#define PM1_EVENT	PM_PORT
#define PM1_CONTROL	(PM_PORT + 4)
#define PM_PORTS	6
#define PM_SLEEP_TYPE	5		/* that means power-off */

#define RESET_PORT	0xcf9
#define RESET_VALUE	6

struct pm {
	struct device device;
	struct stop *stop;
	uint8_t enable[2];	/* of events; none ever happens */
};

/* A port to which one value, or some bits of it, asks for a reset. */
struct reset_port {
	struct device device;
	struct stop *stop;
	uint8_t mask, value;
	uint8_t reads;		/* what it reads as */
};

/* A port that reads as always the same. */
struct quiet_port {
	struct device device;
	uint8_t reads;
};

void pm_create(struct pm *pm, struct stop *stop);
void reset_port_create(struct reset_port *p, struct stop *stop, uint8_t mask, uint8_t value,
		       uint8_t reads);
void quiet_port_create(struct quiet_port *p, uint8_t reads);

#endif
