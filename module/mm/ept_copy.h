/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A second set of extended page tables that differs from a VM's in a few frames: its root
 * and the tables on the way to those frames are copies, all others are shared.
 * Pure; the caller holds vm->ept_lock around every call.
 */
#ifndef MINIKVM_EPT_COPY_H
#define MINIKVM_EPT_COPY_H

#include "ept.h"

#define EPT_COPY_FRAMES	16	/* that differ, at most */
#define EPT_COPY_TABLES	(1 + EPT_COPY_FRAMES * EPT_CACHE_MAX)

struct ept_copy {
	u64 *table[EPT_COPY_TABLES];	/* of the caller; the root first */
	int n;				/* tables there are */
	int used;
};

void ept_copy_root(struct ept_copy *copy, const struct ept *ept);
bool ept_copy_map(struct ept_copy *copy, int levels, u64 gfn, u64 leaf);

#endif
