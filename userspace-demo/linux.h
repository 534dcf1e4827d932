/* SPDX-License-Identifier: GPL-2.0 */
/* A Linux kernel (bzImage), and how it is loaded. */
#ifndef MINIVMM_LINUX_H
#define MINIVMM_LINUX_H

#include "config.h"
#include "image.h"
#include "layout.h"
#include "memory.h"

struct linux_guest {
	struct image kernel, initrd;	/* initrd.data NULL: none */
	const char *cmdline;
	struct linux_layout layout;
};

/* Looks at the files and finds places for them, or does not return. */
void linux_open(struct linux_guest *l, const struct config *c, const struct memory *m);
/* Into mapped memory, with the boot parameters. Returns the 64-bit entry point. */
uint64_t linux_load(const struct linux_guest *l, const struct memory *m);

#endif
