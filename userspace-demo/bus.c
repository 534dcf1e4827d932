// SPDX-License-Identifier: GPL-2.0
/*
 * A bus: ranges of addresses, each of one device. There is one for ports and one
 * for memory; run.c brings the guest's accesses, board.c the devices. All ranges
 * are added before the first vCPU runs, so that nobody locks the list.
 */
#include <string.h>

#include "bus.h"

void device_init(struct device *d, const struct device_ops *ops)
{
	d->ops = ops;
	pthread_mutex_init(&d->lock, NULL);
}

static bool range_overlaps(const struct bus_range *r, uint64_t start, uint64_t size)
{
	return start < r->start + r->size && r->start < start + size;
}

bool bus_add(struct bus *bus, uint64_t start, uint64_t size, struct device *d)
{
	unsigned int i;

	if (!size || start + size < start || bus->nr == BUS_RANGES)
		return false;
	for (i = 0; i < bus->nr; i++)
		if (range_overlaps(&bus->ranges[i], start, size))
			return false;
	bus->ranges[bus->nr++] = (struct bus_range) { start, size, d };
	return true;
}

static const struct bus_range *bus_find(const struct bus *bus, uint64_t address)
{
	unsigned int i;

	for (i = 0; i < bus->nr; i++)
		if (address >= bus->ranges[i].start &&
		    address - bus->ranges[i].start < bus->ranges[i].size)
			return &bus->ranges[i];
	return NULL;
}

/* Bytes of an access that are in the range in which it begins. */
static unsigned int range_clip(const struct bus_range *r, uint64_t offset, unsigned int size)
{
	return size < r->size - offset ? size : r->size - offset;
}

void bus_read(const struct bus *bus, uint64_t address, uint8_t *data, unsigned int size)
{
	const struct bus_range *r = bus_find(bus, address);
	uint64_t offset;

	memset(data, 0xff, size);
	if (!r)
		return;
	offset = address - r->start;
	pthread_mutex_lock(&r->device->lock);
	r->device->ops->read(r->device, offset, data, range_clip(r, offset, size));
	pthread_mutex_unlock(&r->device->lock);
}

void bus_write(const struct bus *bus, uint64_t address, const uint8_t *data, unsigned int size)
{
	const struct bus_range *r = bus_find(bus, address);
	uint64_t offset;

	if (!r || !r->device->ops->write)
		return;
	offset = address - r->start;
	pthread_mutex_lock(&r->device->lock);
	r->device->ops->write(r->device, offset, data, range_clip(r, offset, size));
	pthread_mutex_unlock(&r->device->lock);
}

/* ---- all devices */

/* The device of the bus's range @i, if no range before has it; else NULL. */
static struct device *bus_device(const struct bus *bus, unsigned int i)
{
	unsigned int j;

	for (j = 0; j < i; j++)
		if (bus->ranges[j].device == bus->ranges[i].device)
			return NULL;
	return bus->ranges[i].device;
}

void bus_reset(const struct bus *bus)
{
	unsigned int i;

	for (i = 0; i < bus->nr; i++) {
		struct device *d = bus_device(bus, i);

		if (!d || !d->ops->reset)
			continue;
		pthread_mutex_lock(&d->lock);
		d->ops->reset(d);
		pthread_mutex_unlock(&d->lock);
	}
}

/* In a file each device's state has this before it. Both buses have their own file's part. */
struct record {
	char name[16];
	uint64_t start;		/* of the device's first range: which one of its kind */
	uint64_t size;
};

static struct record record_of(const struct bus_range *r, size_t size)
{
	struct record record = { .start = r->start, .size = size };

	strncpy(record.name, r->device->ops->name, sizeof(record.name) - 1);
	return record;
}

static bool range_save(const struct bus_range *r, FILE *file)
{
	uint8_t state[DEVICE_STATE];
	struct record record;
	size_t size;

	pthread_mutex_lock(&r->device->lock);
	size = r->device->ops->save(r->device, state);
	pthread_mutex_unlock(&r->device->lock);
	record = record_of(r, size);
	return fwrite(&record, sizeof(record), 1, file) == 1 &&
	       fwrite(state, 1, size, file) == size;
}

static bool range_load(const struct bus_range *r, FILE *file)
{
	uint8_t state[DEVICE_STATE];
	struct record record, own;
	bool done;

	if (fread(&record, sizeof(record), 1, file) != 1 || record.size > sizeof(state))
		return false;
	own = record_of(r, record.size);
	if (memcmp(&record, &own, sizeof(record)) ||
	    fread(state, 1, record.size, file) != record.size)
		return false;
	pthread_mutex_lock(&r->device->lock);
	done = r->device->ops->load(r->device, state, record.size);
	pthread_mutex_unlock(&r->device->lock);
	return done;
}

bool bus_save(const struct bus *bus, FILE *file)
{
	unsigned int i;

	for (i = 0; i < bus->nr; i++)
		if (bus_device(bus, i) && bus->ranges[i].device->ops->save &&
		    !range_save(&bus->ranges[i], file))
			return false;
	return true;
}

/* Into the devices that bus_save() found; false: the file is of another machine. */
bool bus_load(const struct bus *bus, FILE *file)
{
	unsigned int i;

	for (i = 0; i < bus->nr; i++)
		if (bus_device(bus, i) && bus->ranges[i].device->ops->load &&
		    !range_load(&bus->ranges[i], file))
			return false;
	return true;
}
