/* SPDX-License-Identifier: GPL-2.0 */
/* What is to be started. */
#ifndef BOOT_H
#define BOOT_H

#include "config.h"
#include "linux.h"
#include "vcpu.h"

struct guest {
	bool is_linux;
	struct linux_guest linux_guest;
	struct image flat;
	uint64_t load;		/* where the flat binary goes */
};

/* Looks at all that the command line names, or does not return. */
void guest_open(struct guest *g, const struct config *c, const struct memory *m);
/* Into memory, and into the registers of the first vCPU. */
void guest_load(const struct guest *g, const struct vcpu *vcpu);

#endif
