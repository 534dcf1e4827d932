/* SPDX-License-Identifier: GPL-2.0 */
/* Where things are in guest memory: arithmetic alone. */
#ifndef LAYOUT_H
#define LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "memory.h"

#define E820_MAX	4
enum { E820_USABLE = 1, E820_RESERVED = 2 };

struct e820_range {
	uint64_t start, size;
	uint32_t type;
};

/* What firmware would tell of the memory; returns how many ranges. */
unsigned int e820_fill(struct e820_range ranges[E820_MAX], const struct memory *m);

/* What a Linux kernel asks for: fields of its header, and sizes. */
struct linux_needs {
	uint64_t pref_address;		/* 0: it does not care */
	uint64_t init_size;		/* what it takes while it unpacks itself */
	uint64_t image_size;		/* of what is loaded */
	uint64_t initrd_size;		/* 0: none */
	uint64_t initrd_max;		/* the highest address for its last byte */
};

struct linux_layout {
	uint64_t kernel, initrd;	/* guest physical addresses */
};

/* Return false when there is not that much memory below the hole. */
bool linux_place_kernel(struct linux_layout *l, const struct linux_needs *n,
			const struct memory *m);
bool linux_place_initrd(struct linux_layout *l, const struct linux_needs *n,
			const struct memory *m);

#endif
