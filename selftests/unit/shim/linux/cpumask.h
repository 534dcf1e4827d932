/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_LINUX_CPUMASK_H
#define SHIM_LINUX_CPUMASK_H

#include <linux/bitops.h>

struct cpumask { unsigned long bits; };

#define cpumask_size()			sizeof(struct cpumask)
#define cpumask_clear(mask)		((mask)->bits = 0)
#define __cpumask_set_cpu(cpu, mask)	__set_bit(cpu, &(mask)->bits)

#endif
