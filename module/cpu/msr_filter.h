/* SPDX-License-Identifier: GPL-2.0 */
/* Which MSRs a VMM leaves to its guest: X86_SET_MSR_FILTER. Pure. */
#ifndef MINIKVM_CPU_MSR_FILTER_H
#define MINIKVM_CPU_MSR_FILTER_H

#include <linux/bitops.h>
#include <linux/nospec.h>

#include "../../uapi/linux/minikvm.h"
#include "msr_table.h"

struct msr_range {
	u32 base, nmsrs;
	u32 flags;		/* MINIKVM_MSR_FILTER_READ, _WRITE: which accesses it is about */
	u32 word;		/* where its bits begin */
};

/**
 * struct msr_filter - as the VMM gave it; never changed
 * @deny: those that are in no range
 * @n: ranges in use
 * @range: the first one that has the MSR decides
 * @bits: of all ranges; 1: allowed
 */
struct msr_filter {
	bool deny;
	u32 n;
	struct msr_range range[MINIKVM_MSR_FILTER_MAX_RANGES];
	unsigned long bits[];
};

/*
 * msr_filter_allows - may the guest access an MSR? The x2APIC's it always may, as with KVM:
 * a local APIC in half is of no use.
 */
static inline bool msr_filter_allows(const struct msr_filter *f, u32 index, bool write)
{
	u32 flag = write ? MINIKVM_MSR_FILTER_WRITE : MINIKVM_MSR_FILTER_READ, i;

	if (index - X2APIC_FIRST < X2APIC_COUNT)
		return true;
	for (i = 0; i < f->n; i++) {
		const struct msr_range *r = &f->range[i];
		u32 at = index - r->base;

		if ((r->flags & flag) && index >= r->base && at < r->nmsrs)
			return test_bit(array_index_nospec(at, r->nmsrs), f->bits + r->word);
	}
	return !f->deny;
}

#endif
