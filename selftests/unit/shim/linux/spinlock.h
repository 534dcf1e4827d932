/* SPDX-License-Identifier: GPL-2.0 */
/* Locks for one thread: one that is taken twice would be a deadlock. */
#ifndef SHIM_LINUX_SPINLOCK_H
#define SHIM_LINUX_SPINLOCK_H

#include <assert.h>
#include <linux/types.h>

typedef struct { bool held; } spinlock_t;
typedef struct { bool held; } raw_spinlock_t;
typedef struct { bool held; int readers; } rwlock_t;

/* A test may define them first, to hear of each moment at which others come. */
#ifndef shim_unlocked
#define shim_unlocked()		((void)0)
#define shim_published()	((void)0)
#endif

#define shim_lock(l)		do { assert(!(l)->held); (l)->held = true; } while (0)
#define shim_unlock(l)		do { assert((l)->held); (l)->held = false; } while (0)
#define lockdep_assert_held(l)	assert((l)->held)
#define lockdep_is_held(l)	((l)->held)
#define __acquires(l)
#define __releases(l)

#define spin_lock_init(l)	((l)->held = false)
#define spin_lock(l)		shim_lock(l)
#define spin_unlock(l)		do { shim_unlock(l); shim_unlocked(); } while (0)

#define raw_spin_lock_init(l)	((l)->held = false)
#define raw_spin_lock(l)	shim_lock(l)
#define raw_spin_unlock(l)	shim_unlock(l)
#define raw_spin_lock_irqsave(l, flags) do { (flags) = 0; shim_lock(l); } while (0)
#define raw_spin_unlock_irqrestore(l, flags) do { (void)(flags); shim_unlock(l); } while (0)

#define rwlock_init(l)		(*(l) = (rwlock_t) { 0 })
#define read_lock(l)		do { assert(!(l)->held); (l)->readers++; } while (0)
#define read_unlock(l)		do { assert((l)->readers); (l)->readers--; } while (0)
#define write_lock(l)		do { assert(!(l)->readers); shim_lock(l); } while (0)
#define write_unlock(l)		do { shim_unlock(l); shim_published(); } while (0)

#endif
