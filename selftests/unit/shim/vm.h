/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of module/minikvm.h: what the files of mm/ use of struct vm and of the kernel's
 * locks and RCU, for one thread. The test hears of each moment that matters to readers.
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

#define __rcu
#define __acquires(lock)
#define __releases(lock)
#define __must_hold(lock)

typedef u64 gpa_t;
typedef u64 gfn_t;
typedef unsigned long hva_t;
typedef struct { bool held; } spinlock_t;
struct mutex { bool held; };
struct srcu_struct { int readers; };
struct memslots;

struct vm {
	struct mutex slots_lock;
	struct srcu_struct srcu;
	struct memslots *slots;
	spinlock_t ept_lock;
	struct ept ept;
	u8 gpa_bits;
};

/* The test's: new slots are visible and old ones unused; a flush; the end of a table. */
static void shim_published(struct srcu_struct *srcu);
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
#define lockdep_is_held(l)	((l)->held)

#define init_srcu_struct(s)	((s)->readers = 0)
#define cleanup_srcu_struct(s)	assert(!(s)->readers)
#define srcu_read_lock(s)	((s)->readers++)
#define srcu_read_unlock(s, i)	((s)->readers--, (void)(i))
#define rcu_dereference_protected(p, c) ({ assert(c); (p); })
#define rcu_assign_pointer(p, v) ((p) = (v))
#define RCU_INIT_POINTER(p, v)	((p) = (v))

/* A grace period never ends under one's own read lock. */
static inline void synchronize_srcu_expedited(struct srcu_struct *srcu)
{
	assert(!srcu->readers);
	shim_published(srcu);
}

#endif
