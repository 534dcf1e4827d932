/* SPDX-License-Identifier: GPL-2.0 */
/* The host's performance counters around a row of entries; perf.c. */
#ifndef MINIKVM_VMX_PERF_H
#define MINIKVM_VMX_PERF_H

#include <linux/build_bug.h>
#include <linux/types.h>

#define PERF_MSRS	8	/* as many as perf names on any processor with EPT */

/* SDM "VM-Entry Controls for MSRs", "VM-Exit Controls for MSRs" */
struct msr_load {
	u32 index;
	u32 reserved;
	u64 value;
} __aligned(16);
static_assert(sizeof(struct msr_load) == 16);

/**
 * struct perf_switch - what an entry and an exit load, and what the end of the row gives back
 */
struct perf_switch {
	struct msr_load entry[PERF_MSRS];
	struct msr_load exit[PERF_MSRS];
	u8 entries, exits;	/* rows in use */
	bool pebs;		/* PEBS_ENABLE is 0 until perf_end() */
};

extern bool perf_there;

void perf_init(void);
void perf_begin(struct perf_switch *p);
void perf_end(const struct perf_switch *p);

#endif
