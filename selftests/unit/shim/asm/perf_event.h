/* SPDX-License-Identifier: GPL-2.0 */
/* The kernel's perf: the test says what it wants. */
#ifndef SHIM_ASM_PERF_EVENT_H
#define SHIM_ASM_PERF_EVENT_H

#include <linux/types.h>

struct perf_guest_switch_msr {
	unsigned int msr;
	u64 host, guest;
};

struct x86_pmu_capability { int version; };

static inline void perf_get_x86_pmu_capability(struct x86_pmu_capability *cap)
{
	cap->version = 2;
}

struct perf_guest_switch_msr *perf_guest_get_msrs(int *nr, void *data);

#endif
