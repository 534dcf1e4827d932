/* SPDX-License-Identifier: GPL-2.0 */
/* Devices, and buses: which addresses are whose. */
#ifndef BUS_H
#define BUS_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define BUS_RANGES	16
#define DEVICE_STATE	8192	/* bytes, at most */

struct device;

/*
 * What a kind of device can do. The device's lock is held over each of these. An
 * access does not leave the device's range; @offset is from its start. Left out
 * (NULL): write, what is written is lost; save and load, there is no state.
 */
struct device_ops {
	const char *name;
	void (*read)(struct device *d, uint64_t offset, uint8_t *data, unsigned int size);
	void (*write)(struct device *d, uint64_t offset, const uint8_t *data, unsigned int size);
	void (*reset)(struct device *d);			/* as after power-up */
	size_t (*save)(const struct device *d, void *state);	/* returns its size */
	bool (*load)(struct device *d, const void *state, size_t size);	/* false: not one of ours */
};

/* The head of each instance. */
struct device {
	const struct device_ops *ops;
	pthread_mutex_t lock;	/* of all that is in the instance */
};

struct bus_range {
	uint64_t start, size;
	struct device *device;
};

struct bus {
	struct bus_range ranges[BUS_RANGES];
	unsigned int nr;
};

void device_init(struct device *d, const struct device_ops *ops);
/* False: there is something in this range, or no room. */
bool bus_add(struct bus *bus, uint64_t start, uint64_t size, struct device *d);
/* An access of a vCPU. What is nobody's reads as ones, and swallows writes. */
void bus_read(const struct bus *bus, uint64_t address, uint8_t *data, unsigned int size);
void bus_write(const struct bus *bus, uint64_t address, const uint8_t *data, unsigned int size);
/* All devices: to their state after power-up; their state into a file and out of it. */
void bus_reset(const struct bus *bus);
bool bus_save(const struct bus *bus, FILE *file);
bool bus_load(const struct bus *bus, FILE *file);

#endif
