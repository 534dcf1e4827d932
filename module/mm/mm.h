/* SPDX-License-Identifier: GPL-2.0 */
/* Guest physical memory: slots, EPT, the host's side of it, and the kernel's own accesses. */
#ifndef MINIKVM_MM_H
#define MINIKVM_MM_H

#include "../access.h"
#include "../minikvm.h"
#include "ept.h"

/* memslot.c: guest physical memory as the VMM declares it */
struct memslot;
int memslots_create(struct vm *vm);
void memslots_destroy(struct vm *vm);
int memslot_set(struct vm *vm, const struct minikvm_userspace_memory_region *region);
int memslots_spare_apic(struct vm *vm);
const struct memslot *memslot_find(const struct memslots *slots, gfn_t gfn);

/* notifier.c: the host takes memory back */
int notifier_create(struct vm *vm);
void notifier_destroy(struct vm *vm);

/*
 * ept_fault.c: a guest access that EPT stopped.
 * ept_fault() sleeps. 0: mapped, enter again; EPT_FAULT_MMIO: no slot there, or
 * a write to a read-only one; -EAGAIN: the slot or the page changes;
 * -EFAULT, -EHWPOISON, -EINTR, -ENOMEM.
 */
#define EPT_FAULT_MMIO 1
int ept_fault(struct vcpu *vcpu, gpa_t gpa, unsigned int access);
void ept_fault_free(struct vcpu *vcpu);

/* vm_ept.c: the EPT of a VM; who takes rights away lets go of it by ept_unlock() */
int ept_create(struct vm *vm);
void ept_destroy_vm(struct vm *vm);
void ept_lock(struct vm *vm);
void ept_unlock(struct vm *vm);
bool ept_unmap_frames(struct vm *vm, gfn_t gfn, u64 npages, unsigned int flags,
		      bool (*between)(struct vm *vm));
u64 *ept_table_alloc(void);
void ept_table_free(u64 *table);

/* dirty_log.c */
void dirty_log_mark(struct vcpu *vcpu, const struct memslot *slot, gfn_t gfn);
int dirty_log_get(struct vm *vm, struct minikvm_dirty_log *log);
int dirty_log_clear(struct vm *vm, struct minikvm_clear_dirty_log *log);
void dirty_log_flush(struct vcpu *vcpu);
int dirty_ring_create(struct vcpu *vcpu);
int dirty_rings_enable(struct vm *vm, u64 bytes);
long dirty_rings_reset(struct vm *vm);

/*
 * guest_mem.c: the kernel reads and writes guest memory; sleeps.
 * 0; -ENXIO (no slot, or a write to a read-only one); -EFAULT (host page gone).
 */
hva_t guest_hva(struct vcpu *vcpu, gpa_t gpa);	/* Clever: walk-cache */
int guest_read_word(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len);
int guest_read(struct vcpu *vcpu, gpa_t gpa, void *data, size_t len);
int guest_write(struct vcpu *vcpu, gpa_t gpa, const void *data, size_t len);
int guest_cmpxchg(struct vcpu *vcpu, gpa_t gpa, u64 old, u64 new, size_t len);

#endif
