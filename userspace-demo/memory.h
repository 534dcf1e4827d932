/* SPDX-License-Identifier: GPL-2.0 */
/* The guest's memory: which addresses it has, and where it is in our own. */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* From 3 to 4 GiB there is no memory: the APICs are there, and room for devices. */
#define LOW_MEMORY_MAX	0xc0000000ull
#define HIGH_MEMORY	0x100000000ull

/* Where things are in the first MiB. */
enum {
	BOOT_PARAMS	= 0x10000,
	CMDLINE		= 0x20000,
	PAGE_TABLES	= 0x30000,
	LOW_RAM_END	= 0x9f000,
	ACPI_TABLES	= 0xe0000,
	FIRST_MIB_END	= 0x100000,
};

struct memory_range {
	uint64_t start, size;	/* guest physical */
	uint8_t *host;		/* NULL: not mapped yet */
};

struct memory {
	struct memory_range range[2];	/* low, and high if it is that large */
	unsigned int nr;
};

/* Which addresses @size bytes have. */
void memory_split(struct memory *m, uint64_t size);
/* Where the low range ends. */
uint64_t memory_low_end(const struct memory *m);
/* Have our own address space hold it. */
void memory_map(struct memory *m, bool populate);
/* Our pointer to @size bytes at @start; NULL when they are not all in one range. */
void *memory_at(const struct memory *m, uint64_t start, uint64_t size);

#endif
