/* SPDX-License-Identifier: GPL-2.0 */
/* The command line. */
#ifndef CONFIG_H
#define CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#define MAX_CPUS	64

struct config {
	const char *device;	/* NULL: the default */
	const char *kernel, *initrd, *cmdline;
	const char *flat;
	const char *gdb;	/* where a debugger comes from; NULL: there is none */
	uint64_t load;		/* guest physical address of the flat binary */
	bool irqchip;		/* interrupt chips in the kernel */
	bool stats;
	bool populate;		/* no fault of the host while the guest runs */
	unsigned int cpus;
	uint64_t mem;		/* bytes */
	unsigned int timeout;	/* seconds, 0: none */
};

/* Does not return when there is something wrong, or --help. Opens nothing. */
void config_parse(struct config *c, int argc, char **argv);

#endif
