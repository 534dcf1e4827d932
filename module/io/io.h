/* SPDX-License-Identifier: GPL-2.0 */
/* How an access reaches a device: in the kernel, or by an exit to the VMM. */
#ifndef MINIKVM_IO_H
#define MINIKVM_IO_H

#include <linux/rcupdate.h>

#include "../cpu/cpu.h"
#include "../minikvm.h"

/*
 * bus.c: accesses that a device in the kernel answers. 0, or -EOPNOTSUPP: the VMM's.
 * Never sleeps except for locks that IRQs may not hold; called with IRQs on.
 */
int io_bus_pio(struct vcpu *vcpu, bool write, u16 port, void *data, int len);
int io_bus_mmio(struct vcpu *vcpu, bool write, gpa_t gpa, void *data, int len);

/* ioeventfd.c: writes that signal an eventfd; 0 or -EOPNOTSUPP */
int ioeventfd_write(struct vm *vm, bool pio, u64 addr, const void *data, int len);
int ioeventfd_set(struct vm *vm, const struct minikvm_ioeventfd *args);
void ioeventfd_destroy(struct vm *vm);

static inline bool vm_has_ioeventfds(const struct vm *vm)
{
	return unlikely(rcu_access_pointer(vm->ioeventfds));
}

/* coalesced.c: writes that are noted in a ring */
int coalesced_create(struct vm *vm);
void coalesced_destroy(struct vm *vm);
int coalesced_register(struct vm *vm, const struct minikvm_coalesced_mmio_zone *zone);
int coalesced_unregister(struct vm *vm, const struct minikvm_coalesced_mmio_zone *zone);
bool coalesced_write(struct vm *vm, bool pio, u64 addr, u64 data, int len);

/* Is a write noted, so that it need not be an exit? Asked just before that: the order is kept. */
static inline bool io_coalesces(struct vcpu *vcpu, bool pio, u64 addr, u64 data, int len)
{
	return unlikely(READ_ONCE(vcpu->vm->nr_zones)) &&
	       coalesced_write(vcpu->vm, pio, addr, data, len);
}

/* side.c: a memory operand that is read or written for the guest */
int side_locate(struct vcpu *vcpu, struct side *side, const struct logical *l, int size,
		unsigned int access, u64 *room);
int side_to_vmm(struct vcpu *vcpu, const struct side_piece *p, bool write, u64 data);
int side_read(struct vcpu *vcpu, struct side *side, int (*answered)(struct vcpu *vcpu),
	      int (*again)(struct vcpu *vcpu));
void side_answer(struct vcpu *vcpu, struct side *side);
int side_write_here(struct vcpu *vcpu, struct side *side, int (*again)(struct vcpu *vcpu));
int side_write_rest(struct vcpu *vcpu, struct side *side, int verdict);

/* Is nobody but the VMM to be asked? */
static inline bool piece_is_vmms(const struct vcpu *vcpu, const struct side_piece *p)
{
	return p->device && !vcpu->lapic && !vm_has_ioeventfds(vcpu->vm);
}

static inline bool side_is_vmms(const struct vcpu *vcpu, const struct side *side)
{
	return side->n == 1 && piece_is_vmms(vcpu, &side->piece[0]);
}

static inline bool side_is_read(const struct side *side)
{
	return side->done == side->n;
}

/* pio.c */
int pio_exit(struct vcpu *vcpu, const struct vmexit *exit);	/* verdict */

/* emulate.c */
int emulate_exit(struct vcpu *vcpu);	/* verdict */

/* step.c: what the decoder does not know; verdicts */
int step_begin(struct vcpu *vcpu);
int step_walk(struct vcpu *vcpu, bool join);
int step_more(struct vcpu *vcpu);
int step_done(struct vcpu *vcpu);
void step_free(struct vcpu *vcpu);

/* report.c: what nobody knows */
int report_insn(struct vcpu *vcpu, const void *bytes, int n);	/* verdict */
int report_emulation(struct vcpu *vcpu, const void *bytes, int n);
int report_internal_error(struct vcpu *vcpu, u32 suberror, u32 ndata, const u64 *data);

#endif
