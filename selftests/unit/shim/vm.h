/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of module/minikvm.h: what the files of mm/ use of struct vm and of the kernel's
 * locks, for one thread. The test hears of each moment that matters to readers.
 */
#ifndef MINIKVM_H
#define MINIKVM_H

#include <assert.h>
#include <errno.h>
#include <linux/bitops.h>
#include <linux/types.h>

#include "../../../uapi/linux/minikvm.h"
#include "../../../module/mm/ept.h"

#define VM_MAX_SLOTS	512


typedef u64 gpa_t;
typedef u64 gfn_t;
typedef unsigned long hva_t;
typedef struct { bool held; } spinlock_t, rwlock_t;
struct mutex { bool held; };
struct memslots;

struct vcpu {
	u32 slots_seq, slots_depth;
	const struct memslot *slot_hit;
};

struct vm {
	struct mutex slots_lock;
	rwlock_t notifier_lock;
	struct memslots *slots;
	u64 slots_gen;
	bool logging;
	spinlock_t ept_lock;
	struct ept ept;
	u8 gpa_bits;
	struct vcpu *vcpus[1];
	u32 nr_vcpus;
};

/* The test's: new slots are visible and old ones unused; a flush; the end of a table. */
static void shim_published(void);
static void shim_table_freed(u64 *table);
void ept_flush(struct vm *vm);

static bool shim_warned;
static unsigned long shim_ept_changes;	/* times that ept_lock was released */

#define WARN_ON_ONCE(x)		({ bool shim_w = (x); shim_warned |= shim_w; shim_w; })
#define free_page(p)		shim_table_freed((u64 *)(p))

#define shim_lock(l)		do { assert(!(l)->held); (l)->held = true; } while (0)
#define shim_unlock(l)		do { assert((l)->held); (l)->held = false; } while (0)
#define spin_lock(l)		shim_lock(l)
#define spin_unlock(l)		do { shim_unlock(l); shim_ept_changes++; } while (0)
#define mutex_lock(l)		shim_lock(l)
#define mutex_unlock(l)		shim_unlock(l)
#define mutex_init(l)		((l)->held = false)
#define lockdep_assert_held(l)	assert((l)->held)
#define rwlock_init(l)		((l)->held = false)
#define write_lock(l)		shim_lock(l)
#define write_unlock(l)		do { shim_unlock(l); shim_published(); } while (0)

#define READ_ONCE(x)		(*(volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v)	(*(volatile typeof(x) *)&(x) = (v))
#define smp_load_acquire(p)	(*(p))
#define smp_store_release(p, v)	(*(p) = (v))
#define smp_mb()		((void)0)
#define schedule_timeout_uninterruptible(n) assert(!"a grace period under one's own lock")

#endif
