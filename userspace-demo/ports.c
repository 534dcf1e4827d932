// SPDX-License-Identifier: GPL-2.0
/*
 * Small devices behind ports: what ends the run (power-off by ACPI, two ways to ask
 * for a reset), and what only has to be there.
 */
#include <string.h>

#include "die.h"
#include "ports.h"

#define device_in(type, d) ((struct type *)((char *)(d) - offsetof(struct type, device)))

/* ---- ACPI's power management */

/* A byte of the enable register, which Linux wants to read as it has written it; or NULL. */
static uint8_t *pm_enable(struct device *d, uint64_t offset)
{
	uint64_t at = offset - (PM1_EVENT + 2 - PM_PORT);

	return at < 2 ? &device_in(pm, d)->enable[at] : NULL;
}

static void pm_read(struct device *d, uint64_t offset, uint8_t *data, unsigned int size)
{
	for (; size--; offset++, data++)
		*data = pm_enable(d, offset) ? *pm_enable(d, offset) : 0;
}

/* Sleep enable with the type of S5 is power-off. */
static void pm_write(struct device *d, uint64_t offset, const uint8_t *data, unsigned int size)
{
	uint16_t value = data[0] | (size > 1 ? data[1] << 8 : 0);

	if (offset == PM1_CONTROL - PM_PORT && (value & 1 << 13) &&
	    (value >> 10 & 7) == PM_SLEEP_TYPE)
		stop_ask(device_in(pm, d)->stop, ST_POWER_OFF);
	for (; size--; offset++, data++)
		if (pm_enable(d, offset))
			*pm_enable(d, offset) = *data;
}

static void pm_reset(struct device *d)
{
	memset(device_in(pm, d)->enable, 0, sizeof(device_in(pm, d)->enable));
}

static size_t pm_save(const struct device *d, void *state)
{
	memcpy(state, device_in(pm, d)->enable, sizeof(device_in(pm, d)->enable));
	return sizeof(device_in(pm, d)->enable);
}

static bool pm_load(struct device *d, const void *state, size_t size)
{
	struct pm *pm = device_in(pm, d);

	if (size != sizeof(pm->enable))
		return false;
	memcpy(pm->enable, state, size);
	return true;
}

static const struct device_ops pm_ops = {
	.name = "pm", .read = pm_read, .write = pm_write, .reset = pm_reset,
	.save = pm_save, .load = pm_load,
};

void pm_create(struct pm *pm, struct stop *stop)
{
	pm->stop = stop;
	device_init(&pm->device, &pm_ops);
}

/* ---- a reset */

static void reset_port_read(struct device *d, uint64_t offset, uint8_t *data, unsigned int size)
{
	memset(data, device_in(reset_port, d)->reads, size);
}

static void reset_port_write(struct device *d, uint64_t offset, const uint8_t *data,
			     unsigned int size)
{
	struct reset_port *p = device_in(reset_port, d);

	if ((data[0] & p->mask) == p->value)
		stop_ask(p->stop, ST_RESET);
}

static const struct device_ops reset_port_ops = {
	.name = "reset", .read = reset_port_read, .write = reset_port_write,
};

void reset_port_create(struct reset_port *p, struct stop *stop, uint8_t mask, uint8_t value,
		       uint8_t reads)
{
	*p = (struct reset_port) { .stop = stop, .mask = mask, .value = value, .reads = reads };
	device_init(&p->device, &reset_port_ops);
}

/* ---- what only has to be there */

static void quiet_port_read(struct device *d, uint64_t offset, uint8_t *data, unsigned int size)
{
	memset(data, device_in(quiet_port, d)->reads, size);
}

static const struct device_ops quiet_port_ops = { .name = "quiet", .read = quiet_port_read };

void quiet_port_create(struct quiet_port *p, uint8_t reads)
{
	p->reads = reads;
	device_init(&p->device, &quiet_port_ops);
}
