/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's own page tables: from a linear address to a guest physical one.
 * Pure: the caller hands in the control registers and a way to read memory.
 */
#ifndef MINIKVM_WALK_H
#define MINIKVM_WALK_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include "shim.h"
#endif

enum { WALK_READ = 1, WALK_WRITE = 2, WALK_FETCH = 4, WALK_USER = 8 };

/* Error code of #PF: SDM "Page-Fault Exceptions". */
#define PF_PRESENT	(1u << 0)
#define PF_WRITE	(1u << 1)
#define PF_USER		(1u << 2)
#define PF_RESERVED	(1u << 3)
#define PF_FETCH	(1u << 4)

struct walk {
	unsigned long cr0, cr3, cr4;
	u64 efer;
	bool ac;		/* RFLAGS.AC: SMAP does not apply */
	int maxphyaddr;
	/* 0 or negative: no memory there */
	int (*read)(void *arg, u64 gpa, void *data, size_t len);
	void *arg;
};

#define WALK_READS	5	/* entries that a walk reads at most */

int walk_gva(const struct walk *w, u64 gva, unsigned int access, u64 *gpa, u32 *error);

#endif
