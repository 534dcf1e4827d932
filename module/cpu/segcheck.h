/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a segment and the form of an address allow.
 * Pure: the caller hands in what the VMCS has of the segment.
 */
#ifndef MINIKVM_SEGCHECK_H
#define MINIKVM_SEGCHECK_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include "shim.h"
#endif

#include "../access.h"

#define SEG_ROOM_ALL	(1ull << 32)	/* no end in sight: offsets wrap at 4 GiB */

u64 segcheck_room(u32 ar, u32 limit, bool protected, u32 offset, unsigned int access);

/* SDM "Canonical Addressing": the bits above the linear address's repeat its highest one. */
static inline bool is_canonical(u64 addr, bool la57)
{
	int unused = la57 ? 64 - 57 : 64 - 48;

	return (u64)((s64)(addr << unused) >> unused) == addr;
}

#endif
