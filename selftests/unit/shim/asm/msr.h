/* SPDX-License-Identifier: GPL-2.0 */
/* A TSC of 2 GHz on the clock of <linux/hrtimer.h>. */
#ifndef SHIM_ASM_MSR_H
#define SHIM_ASM_MSR_H

#include <linux/hrtimer.h>

#define rdtsc()		((u64)shim_now * 2)

#define MSR_CORE_PERF_GLOBAL_CTRL	0x38f
#define MSR_IA32_PEBS_ENABLE		0x3f1
#define MSR_PEBS_DATA_CFG		0x3f2
#define MSR_IA32_DS_AREA		0x600

/* The test's processor. */
void native_wrmsrl(u32 msr, u64 value);

#endif
