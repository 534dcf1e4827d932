/* SPDX-License-Identifier: GPL-2.0 */
/* Tables that tell the guest its APICs and how to power off. */
#ifndef ACPI_H
#define ACPI_H

#include "memory.h"

void acpi_write(const struct memory *m, unsigned int cpus);

#endif
