/* SPDX-License-Identifier: GPL-2.0 */
/* Processors: the test is on one of them, and hears what is sent to others. */
#ifndef SHIM_LINUX_SMP_H
#define SHIM_LINUX_SMP_H

#include <linux/types.h>

struct cpumask;

int smp_processor_id(void);
void arch_smp_send_reschedule(int cpu);
#define smp_send_reschedule(cpu)	arch_smp_send_reschedule(cpu)
void smp_call_function_many(const struct cpumask *mask, void (*fn)(void *info), void *info,
			    bool wait);

#endif
