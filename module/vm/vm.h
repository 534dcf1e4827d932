/* SPDX-License-Identifier: GPL-2.0 */
/* Who lives how long: VMs and vCPUs from creation to their last reference. */
#ifndef MINIKVM_VM_H
#define MINIKVM_VM_H

#include <linux/sched.h>

#include "../minikvm.h"

/* vm.c */
struct vm *vm_create(void);
void vm_put(struct vm *vm);

/* Does the caller run in the mm that made the VM? */
static inline bool vm_is_mine(const struct vm *vm)
{
	return vm->mm == current->mm;
}

/* vcpu.c */
struct vcpu *vcpu_create(struct vm *vm, u32 id);
void vcpu_publish(struct vcpu *vcpu);
void vcpu_free(struct vcpu *vcpu);

#endif
