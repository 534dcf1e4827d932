/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the files of mm/ need besides module/minikvm.h, for one thread. The test hears of each
 * moment that matters to readers.
 */
#ifndef SHIM_VM_H
#define SHIM_VM_H

/*
 * The test's: new slots are visible and old ones unused; a flush; the end of a table; a
 * moment at which another thread may have ept_lock.
 */
static void shim_published(void);
static void shim_unlocked(void);
#define shim_published		shim_published
#define shim_unlocked		shim_unlocked

#include <assert.h>
#include <errno.h>
#include <linux/types.h>

static void shim_table_freed(u64 *table);
#define free_page(p)		shim_table_freed((u64 *)(p))

#include <asm/processor.h>
#include "../../../module/minikvm.h"
#include "../../../module/mm/ept.h"
#include "../../../module/vmx/vmx.h"

struct vmx_caps vmx_caps = { .phys_bits = 48 };
enum { nr_cpu_ids = 1 };
#define __pa(p)			((u64)(unsigned long)(p))

u64 vmx_eptp(u64 root_pa, int levels)
{
	return root_pa;
}

static bool shim_warned;

#define WARN_ON_ONCE(x)		({ bool shim_w = (x); shim_warned |= shim_w; shim_w; })
#define schedule_timeout_idle(n) assert(!"a grace period under one's own lock")

#endif
