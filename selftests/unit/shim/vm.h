/* SPDX-License-Identifier: GPL-2.0 */
/*
 * In place of module/minikvm.h: what the files of mm/ use of struct vm and of the kernel's
 * locks, for one thread. The test hears of each moment that matters to readers.
 */
#ifndef MINIKVM_H
#define MINIKVM_H
#define MINIKVM_VMX_H		/* nor is there a processor: */
#define MINIKVM_VMX_KICK_H

#include <assert.h>
#include <errno.h>
#include <linux/atomic.h>
#include <linux/bitops.h>
#include <linux/kvm_types.h>
#include <linux/types.h>

#include "../../../uapi/linux/minikvm.h"
#include "../../../module/mm/ept.h"
#include "../../../module/vmx/check.h"

#define VM_MAX_SLOTS	512


struct vmx_caps { bool ept_ad, pml; };
static struct vmx_caps vmx_caps __attribute__((unused));
#define vmx_eptp(pa, levels)	(pa)
static const struct { u8 x86_phys_bits; } boot_cpu_data __attribute__((unused)) = { 48 };
enum { nr_cpu_ids = 1 };
#define __pa(p)			((u64)(unsigned long)(p))


struct mmu_notifier { const struct mmu_notifier_ops *ops; };
struct mm_struct { int users; };

typedef struct { bool held; } spinlock_t;
typedef struct { bool held; int readers; } rwlock_t;
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
	bool apic_page;
	spinlock_t ept_lock;
	struct ept ept;
	atomic64_t ept_gen;
	u64 *cpu_ept_gen, eptp;
	struct mm_struct *mm;
	struct mmu_notifier notifier;
	unsigned long invalidate_seq;
	int invalidate_active;
	hva_t invalidate_start, invalidate_end;
	u8 gpa_bits;
	struct vcpu *vcpus[1];
	u32 nr_vcpus;
};

int ept_create(struct vm *vm);
void ept_destroy_vm(struct vm *vm);
void ept_lock(struct vm *vm);
void ept_unlock(struct vm *vm);
bool ept_unmap_frames(struct vm *vm, gfn_t gfn, u64 npages, unsigned int flags,
		      bool (*between)(struct vm *vm));
u64 *ept_table_alloc(void);
void ept_table_free(u64 *table);

/*
 * The test's: new slots are visible and old ones unused; a flush; the end of a table; a
 * moment at which another thread may have ept_lock.
 */
static void shim_published(void);
void vm_sync_guests(struct vm *vm);
static void shim_table_freed(u64 *table);
static void shim_unlocked(void);

static bool shim_warned;

#define WARN_ON_ONCE(x)		({ bool shim_w = (x); shim_warned |= shim_w; shim_w; })
#define free_page(p)		shim_table_freed((u64 *)(p))

#define shim_lock(l)		do { assert(!(l)->held); (l)->held = true; } while (0)
#define shim_unlock(l)		do { assert((l)->held); (l)->held = false; } while (0)
#define spin_lock(l)		shim_lock(l)
#define spin_unlock(l)		do { shim_unlock(l); shim_unlocked(); } while (0)
#define __acquires(l)
#define __releases(l)
#define spin_lock_init(l)	((l)->held = false)
#define read_lock(l)		do { assert(!(l)->held); (l)->readers++; } while (0)
#define read_unlock(l)		do { assert((l)->readers); (l)->readers--; } while (0)
#define mutex_lock_killable(l)	({ shim_lock(l); 0; })
#define mutex_unlock(l)		shim_unlock(l)
#define mutex_init(l)		((l)->held = false)
#define lockdep_assert_held(l)	assert((l)->held)
#define rwlock_init(l)		(*(l) = (rwlock_t) { 0 })
#define write_lock(l)		do { assert(!(l)->readers); shim_lock(l); } while (0)
#define write_unlock(l)		do { shim_unlock(l); shim_published(); } while (0)

#define smp_load_acquire(p)	(*(p))
#define smp_store_release(p, v)	(*(p) = (v))
#define smp_mb()		((void)0)
#define schedule_timeout_idle(n) assert(!"a grace period under one's own lock")

#endif
