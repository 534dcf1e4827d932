// SPDX-License-Identifier: GPL-2.0
/*
 * The life of a vCPU: its parts, its state after power-up, and the moment from which others
 * see it. It goes with its VM.
 */
#include <linux/gfp.h>
#include <linux/lockdep.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "../cpu/cpu.h"
#include "../io/io.h"
#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../pv/pv.h"
#include "../vmx/vmx.h"
#include "vm.h"

static int vcpu_create_run_pages(struct vcpu *vcpu)
{
	vcpu->run_pages = alloc_pages(GFP_KERNEL_ACCOUNT | __GFP_ZERO | __GFP_COMP,
				      get_order(VCPU_PAGES * PAGE_SIZE));
	if (!vcpu->run_pages)
		return -ENOMEM;
	vcpu->run = page_address(vcpu->run_pages);
	vcpu->pio_data = (void *)vcpu->run + MINIKVM_PIO_PAGE_OFFSET * PAGE_SIZE;
	return 0;
}

static int vcpu_create_parts(struct vcpu *vcpu)
{
	int err;

	err = vcpu_create_run_pages(vcpu);
	if (err)
		return err;
	err = vmcs_create(vcpu);
	if (err)
		goto free_run;
	err = fpu_create(vcpu);
	if (err)
		goto destroy_vmcs;
	err = dirty_ring_create(vcpu);
	if (err)
		goto destroy_fpu;
	err = lapic_create(vcpu);
	if (err)
		goto free_ring;
	return 0;

free_ring:
	vfree(vcpu->dirty_ring.entry);
destroy_fpu:
	fpu_destroy(vcpu);
destroy_vmcs:
	vmcs_destroy(vcpu);
free_run:
	__free_pages(vcpu->run_pages, get_order(VCPU_PAGES * PAGE_SIZE));
	return err;
}

/* The first state: power-up. With our chips, all but the first wait for INIT. */
static void vcpu_power_up(struct vcpu *vcpu)
{
	vcpu_load(vcpu);
	vmcs_setup(vcpu);
	cpuid_create(vcpu);
	vcpu_reset(vcpu, false);
	msr_reset(vcpu);
	msr_switch_create(vcpu);
	vcpu_put(vcpu);
	lapic_reset(vcpu, false);
	mp_power_up(vcpu);
}

static bool vcpu_id_taken(struct vm *vm, u32 id)
{
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpus[i]->id == id)
			return true;
	return false;
}

static int vcpu_may_create(struct vm *vm, u32 id)
{
	lockdep_assert_held(&vm->lock);
	if (vm->nr_vcpus == VM_MAX_VCPUS)
		return -EINVAL;
	if (!vm->vcpu_ids)
		vm->vcpu_ids = VM_VCPU_IDS;
	if (id >= vm->vcpu_ids)
		return -EINVAL;
	if (vcpu_id_taken(vm, id))
		return -EEXIST;
	return vm->irqchip ? memslots_spare_apic(vm) : 0;
}

/**
 * vcpu_create - a new vCPU, which nobody else sees yet
 * @vm: its machine; vm->lock held
 * @id: its number, and its first APIC ID
 *
 * Undone by vcpu_free(), or published by vcpu_publish().
 *
 * Context: sleeps. Return: it; -EEXIST (the number is used, or a slot is where its APIC is to
 * be), -EINVAL (too many, or too large a number), -ENOMEM.
 */
struct vcpu *vcpu_create(struct vm *vm, u32 id)
{
	struct vcpu *vcpu;
	int err;

	err = vcpu_may_create(vm, id);
	if (err)
		return ERR_PTR(err);
	vcpu = kzalloc(sizeof(*vcpu), GFP_KERNEL_ACCOUNT);
	if (!vcpu)
		return ERR_PTR(-ENOMEM);
	vcpu->vm = vm;
	vcpu->id = id;
	vcpu->guest_cpu = -1;
	vcpu->tsc_khz = READ_ONCE(vm->tsc_khz);
	vcpu->exits_off = READ_ONCE(vm->exits_off) & vmx_caps.exits_off;
	mutex_init(&vcpu->mutex);
	rcuwait_init(&vcpu->wait);
	err = vcpu_create_parts(vcpu);
	if (err) {
		kfree(vcpu);
		return ERR_PTR(err);
	}
	vcpu_power_up(vcpu);
	if (rcu_access_pointer(vm->msr_filter))
		vcpu_make_request(vcpu, REQ_MSR_FILTER);
	stats_add(vcpu);
	return vcpu;
}

/** vcpu_free - undo vcpu_create(); the VM goes, or never saw the vCPU */
void vcpu_free(struct vcpu *vcpu)
{
	stats_remove(vcpu);
	lapic_destroy(vcpu);
	vfree(vcpu->dirty_ring.entry);
	fpu_destroy(vcpu);
	vmcs_destroy(vcpu);
	cpuid_free(vcpu);
	ept_fault_free(vcpu);
	step_free(vcpu);
	/* Mappings of the run page hold pages of their own reference. */
	__free_pages(vcpu->run_pages, get_order(VCPU_PAGES * PAGE_SIZE));
	kfree(vcpu);
}

/**
 * vcpu_publish - from now on others may see the vCPU: it lives as long as its VM
 * @vcpu: new; vm->lock is held since before vcpu_create()
 *
 * The caller's fd has a reference to the VM afterwards.
 */
void vcpu_publish(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	refcount_inc(&vm->users);
	WRITE_ONCE(vm->vcpus[vm->nr_vcpus], vcpu);
	if (vcpu->id != vm->nr_vcpus)
		WRITE_ONCE(vm->sparse_ids, true);
	smp_store_release(&vm->nr_vcpus, vm->nr_vcpus + 1);	/* after the slot */
	pv_clock_changed(vm);	/* its TSC may be another than theirs */
}
