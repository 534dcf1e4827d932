/* SPDX-License-Identifier: GPL-2.0 */
/* What notifier.c uses of it; the test calls the callbacks. */
#ifndef SHIM_LINUX_MMU_NOTIFIER_H
#define SHIM_LINUX_MMU_NOTIFIER_H

#include <linux/mm_types.h>

struct mmu_notifier { const struct mmu_notifier_ops *ops; };
struct mmu_notifier_range { unsigned long start, end; bool blockable; };
struct mmu_notifier_ops {
	int (*invalidate_range_start)(struct mmu_notifier *, const struct mmu_notifier_range *);
	void (*invalidate_range_end)(struct mmu_notifier *, const struct mmu_notifier_range *);
	int (*clear_flush_young)(struct mmu_notifier *, struct mm_struct *, unsigned long,
				 unsigned long);
	int (*clear_young)(struct mmu_notifier *, struct mm_struct *, unsigned long, unsigned long);
	int (*test_young)(struct mmu_notifier *, struct mm_struct *, unsigned long);
	void (*release)(struct mmu_notifier *, struct mm_struct *);
};
#define mmu_notifier_range_blockable(range)	((range)->blockable)
#define mmu_notifier_register(mn, mm)		((void)(mn), (void)(mm), 0)
#define mmu_notifier_unregister(mn, mm)		((void)(mn), (void)(mm))

#endif
