// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a VM: what it is made of, in which order, and who lets go of it last.
 *
 * The VM's fd holds a reference, and each vCPU's; a RUN holds its vCPU's while task work might
 * close it. vCPUs are freed with their VM, not before: pointers in vm->vcpus stay valid.
 */
#include <linux/sched.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <asm/tsc.h>

#include "../io/io.h"
#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../pv/pv.h"
#include "../vmx/vmx.h"
#include "vm.h"

/**
 * vm_create - a machine without memory, vCPUs or chips
 *
 * Context: sleeps. Return: it, with a reference for the caller; -EBUSY (VT-x is in use),
 * -EINTR (mmu_notifier_register() does not wait under a signal) or -ENOMEM.
 */
struct vm *vm_create(void)
{
	struct vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL_ACCOUNT);
	int err = -ENOMEM;

	if (!vm)
		return ERR_PTR(-ENOMEM);
	refcount_set(&vm->users, 1);
	mutex_init(&vm->lock);
	mutex_init(&vm->ioeventfd_lock);
	vm->pid = current->tgid;
	vm->tsc_khz = tsc_khz;
	vm->platform_info = 1;
	vm->tsc_base = host_tsc();
	vm_clock_init(vm);
	vm->mm = current->mm;
	mmgrab(vm->mm);
	err = coalesced_create(vm);
	if (err)
		goto put_mm;
	err = vmx_get();
	if (err)
		goto destroy_coalesced;
	err = ept_create(vm);
	if (err)
		goto put_vmx;
	err = memslots_create(vm);
	if (err)
		goto destroy_ept;
	err = notifier_create(vm);
	if (err)
		goto destroy_memslots;
	return vm;

destroy_memslots:
	memslots_destroy(vm);
destroy_ept:
	ept_destroy_vm(vm);
put_vmx:
	vmx_put();
destroy_coalesced:
	coalesced_destroy(vm);
put_mm:
	mmdrop(vm->mm);
	kfree(vm);
	return ERR_PTR(err);
}

/* The last reference is gone: no fd, no vCPU thread. */
static void vm_destroy(struct vm *vm)
{
	u32 i;

	pit_destroy(vm);
	notifier_destroy(vm);	/* its last callback still looks at the vCPUs */
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_free(vm->vcpus[i]);
	ioeventfd_destroy(vm);
	kvfree(rcu_access_pointer(vm->msr_filter));
	irqchip_destroy(vm);
	memslots_destroy(vm);
	ept_destroy_vm(vm);
	vmx_put();
	coalesced_destroy(vm);
	mmdrop(vm->mm);
	kfree(vm);
}

/** vm_put - drop a reference; the last one destroys the VM and its vCPUs. May sleep. */
void vm_put(struct vm *vm)
{
	if (refcount_dec_and_test(&vm->users))
		vm_destroy(vm);
}
