/* SPDX-License-Identifier: GPL-2.0 */
/* The host's performance counters around a row of entries; perf.c. */
#ifndef MINIKVM_VMX_PERF_H
#define MINIKVM_VMX_PERF_H

#include <linux/build_bug.h>
#include <linux/types.h>

#include "../parts.h"

extern bool perf_there;

void perf_init(void);
void perf_begin(struct perf_switch *p);
void perf_end(const struct perf_switch *p);

#endif
