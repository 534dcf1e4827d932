// SPDX-License-Identifier: GPL-2.0
/*
 * A Linux bzImage by the 64-bit boot protocol (the kernel's
 * Documentation/arch/x86/boot.rst). The registers are boot.c's.
 */
#include <asm/bootparam.h>
#include <string.h>

#include "die.h"
#include "linux.h"

#define HEADER		0x1f1		/* the setup header's place in the file */
#define JUMP_LENGTH	0x201		/* of its jump instruction, which gives its length */
#define LEAST_SIZE	4096
#define LEAST_VERSION	0x20c
#define SECTOR		512
#define CMDLINE_MAX	(PAGE_TABLES - CMDLINE - 1)	/* our room for it */
#define ENTRY_64	0x200		/* from the start of what is loaded */

static const struct setup_header *linux_header(const struct image *image)
{
	return (const struct setup_header *)(image->data + HEADER);
}

static void linux_check(const struct image *image)
{
	const struct setup_header *h = linux_header(image);

	if (image->size < LEAST_SIZE || h->boot_flag != 0xaa55 || memcmp(&h->header, "HdrS", 4))
		refuse("%s is no bzImage", image->path);
	if (h->version < LEAST_VERSION || !(h->xloadflags & XLF_KERNEL_64))
		refuse("%s has no 64-bit entry point", image->path);
}

/* Bytes of boot sector and real-mode code, before what is loaded. */
static size_t linux_setup_size(const struct setup_header *h)
{
	return ((h->setup_sects ? h->setup_sects : 4) + 1) * SECTOR;
}

void linux_open(struct linux_guest *l, const struct config *c, const struct memory *m)
{
	const struct setup_header *h;
	struct linux_needs needs;
	unsigned int line;

	image_open(&l->kernel, c->kernel);
	linux_check(&l->kernel);
	if (c->initrd)
		image_open(&l->initrd, c->initrd);
	h = linux_header(&l->kernel);
	if (linux_setup_size(h) >= l->kernel.size)
		refuse("%s is cut off", c->kernel);
	line = h->cmdline_size < CMDLINE_MAX ? h->cmdline_size : CMDLINE_MAX;
	if (strlen(c->cmdline) > line)
		refuse("the command line is longer than %u bytes", line);
	l->cmdline = c->cmdline;
	needs = (struct linux_needs) {
		.pref_address = h->pref_address, .init_size = h->init_size,
		.image_size = l->kernel.size - linux_setup_size(h),
		.initrd_size = l->initrd.size, .initrd_max = h->initrd_addr_max,
	};
	if (!linux_place_kernel(&l->layout, &needs, m))
		refuse("%s does not fit into --mem %lu", c->kernel, (unsigned long)(c->mem >> 20));
	if (c->initrd && !linux_place_initrd(&l->layout, &needs, m))
		refuse("%s does not fit into --mem %lu", c->initrd, (unsigned long)(c->mem >> 20));
}

/* The memory map, as the boot parameters have it. */
static void linux_write_e820(struct boot_params *bp, const struct memory *m)
{
	struct e820_range ranges[E820_MAX];
	unsigned int i;

	bp->e820_entries = e820_fill(ranges, m);
	for (i = 0; i < bp->e820_entries; i++)
		bp->e820_table[i] = (struct boot_e820_entry) {
			.addr = ranges[i].start, .size = ranges[i].size, .type = ranges[i].type,
		};
}

static void linux_write_params(const struct linux_guest *l, const struct memory *m)
{
	struct boot_params *bp = memory_at(m, BOOT_PARAMS, sizeof(*bp));
	size_t header = 0x202 + l->kernel.data[JUMP_LENGTH] - HEADER;

	/* An older kernel's header is shorter than we know it, a newer one's longer. */
	if (header > sizeof(bp->hdr))
		header = sizeof(bp->hdr);
	memset(bp, 0, sizeof(*bp));
	memcpy(&bp->hdr, l->kernel.data + HEADER, header);
	bp->hdr.type_of_loader = 0xff;
	bp->hdr.loadflags |= CAN_USE_HEAP;
	bp->hdr.cmd_line_ptr = CMDLINE;
	bp->hdr.ramdisk_image = l->layout.initrd;
	bp->hdr.ramdisk_size = l->initrd.size;
	bp->acpi_rsdp_addr = ACPI_TABLES;
	linux_write_e820(bp, m);
}

uint64_t linux_load(const struct linux_guest *l, const struct memory *m)
{
	size_t setup = linux_setup_size(linux_header(&l->kernel));
	size_t size = l->kernel.size - setup, line = strlen(l->cmdline) + 1;

	memcpy(memory_at(m, l->layout.kernel, size), l->kernel.data + setup, size);
	if (l->initrd.data)
		memcpy(memory_at(m, l->layout.initrd, l->initrd.size), l->initrd.data,
		       l->initrd.size);
	memcpy(memory_at(m, CMDLINE, line), l->cmdline, line);
	linux_write_params(l, m);
	return l->layout.kernel + ENTRY_64;
}
