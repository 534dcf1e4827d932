/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's own page tables: from a linear address to a guest physical one.
 * Pure: the caller hands in the control registers and a way to read memory.
 */
#ifndef MINIKVM_WALK_H
#define MINIKVM_WALK_H

#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/types.h>
#else
#include "shim.h"
#endif

#include "../access.h"
#include "../parts.h"

/* Error code of #PF: SDM "Page-Fault Exceptions". */
#define PF_PRESENT	(1u << 0)
#define PF_WRITE	(1u << 1)
#define PF_USER		(1u << 2)
#define PF_RESERVED	(1u << 3)
#define PF_FETCH	(1u << 4)
#define PF_PKEY		(1u << 5)

struct walk {
	unsigned long cr0, cr3, cr4;
	u64 efer;
	bool ac;		/* RFLAGS.AC: SMAP does not apply */
	u32 pkru;		/* counts with CR4.PKE */
	int maxphyaddr;
	/* 0; -ENXIO: no memory there; another error ends the walk */
	int (*read)(void *arg, u64 gpa, void *data, size_t len);
	/*
	 * Entry @i of those that were read becomes @new if it is still @old. 0: it is, or is
	 * not to be written; 1: somebody changed it; an error ends the walk. NULL: the walk
	 * leaves no trace.
	 */
	int (*update)(void *arg, int i, u64 old, u64 new);
	void *arg;
};

enum { WALK_FAULT = 1, WALK_AGAIN = 2 };

int walk_gva(const struct walk *w, u64 gva, unsigned int access, u64 *gpa, u32 *error);

#endif
