// SPDX-License-Identifier: GPL-2.0
/*
 * Where things are in guest memory. Pure: nothing is read or written here. The
 * kernel's Documentation/arch/x86/boot.rst says what its header's fields mean.
 */
#include "layout.h"

#define MIB		0x100000ull
#define KERNEL_DEFAULT	(16 * MIB)	/* when the kernel does not care */
#define LEAST		(16 * MIB)	/* of memory */
#define PAGE_MASK	0xfffull

unsigned int e820_fill(struct e820_range ranges[E820_MAX], const struct memory *m)
{
	unsigned int n = 0, i;

	ranges[n++] = (struct e820_range) { 0, LOW_RAM_END, E820_USABLE };
	ranges[n++] = (struct e820_range) { ACPI_TABLES, FIRST_MIB_END - ACPI_TABLES, E820_RESERVED };
	ranges[n++] = (struct e820_range) { FIRST_MIB_END, memory_low_end(m) - FIRST_MIB_END,
					    E820_USABLE };
	for (i = 1; i < m->nr; i++)
		ranges[n++] = (struct e820_range) { m->range[i].start, m->range[i].size,
						    E820_USABLE };
	return n;
}

/* What the kernel takes from its start on. */
static uint64_t linux_size(const struct linux_needs *n)
{
	return n->init_size > n->image_size ? n->init_size : n->image_size;
}

bool linux_place_kernel(struct linux_layout *l, const struct linux_needs *n,
			const struct memory *m)
{
	uint64_t end = memory_low_end(m);

	l->kernel = n->pref_address ? n->pref_address : KERNEL_DEFAULT;
	return end >= LEAST && l->kernel <= end && linux_size(n) <= end - l->kernel;
}

/* The initrd goes as high as the kernel allows. */
bool linux_place_initrd(struct linux_layout *l, const struct linux_needs *n,
			const struct memory *m)
{
	uint64_t top = memory_low_end(m);

	if (top > n->initrd_max + 1)
		top = n->initrd_max + 1;
	if (n->initrd_size > top)
		return false;
	l->initrd = (top - n->initrd_size) & ~PAGE_MASK;
	return l->initrd >= l->kernel + linux_size(n);
}
