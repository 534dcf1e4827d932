// SPDX-License-Identifier: GPL-2.0
/*
 * Where the guest's FPU registers are while it does not run, in kernels that let everybody have
 * their guest-fpstate machinery (before 6.19): the thread's fpstate is swapped twice per RUN,
 * and the context switch does the rest. fpu_own.c does the same without; Kbuild takes one.
 */
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>

#include "cpu.h"
#include "fpu.h"

static struct fpu_guest pristine;	/* the state after reset, to copy */
static struct kmem_cache *fpstate_cache __ro_after_init;

static size_t fpstate_size(void)
{
	return ALIGN(offsetof(struct fpstate, regs), 64) + pristine.fpstate->size;
}

/** fpu_state_init - at module load; undone by fpu_exit(). Return: 0 or -ENOMEM. */
int __init fpu_state_init(void)
{
	if (!fpu_alloc_guest_fpstate(&pristine))
		return -ENOMEM;
	fpstate_cache = kmem_cache_create("minikvm_fpstate", fpstate_size(), 64,
					  SLAB_ACCOUNT, NULL);
	if (!fpstate_cache) {
		fpu_free_guest_fpstate(&pristine);
		return -ENOMEM;
	}
	return 0;
}

/** fpu_exit - undo fpu_init() */
void fpu_exit(void)
{
	kmem_cache_destroy(fpstate_cache);
	fpu_free_guest_fpstate(&pristine);
}

/**
 * fpu_create - state of a new vCPU: a copy, since the kernel's own way takes whole
 * pages from vmalloc() that are not accounted to the caller
 * @vcpu: not yet published; undone by fpu_destroy()
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int fpu_create(struct vcpu *vcpu)
{
	struct fpstate *copy = kmem_cache_alloc(fpstate_cache, GFP_KERNEL);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, pristine.fpstate, fpstate_size());
	vcpu->fpu = pristine;
	vcpu->fpu.fpstate = copy;
	return 0;
}

/** fpu_destroy - undo fpu_create() */
void fpu_destroy(struct vcpu *vcpu)
{
	WARN_ON_ONCE(vcpu->fpu.fpstate->in_use);
	kmem_cache_free(fpstate_cache, vcpu->fpu.fpstate);
}

/**
 * fpu_enter - RUN begins: the thread's FPU registers are the guest's
 * @vcpu: loaded; undone by fpu_leave()
 *
 * Context: interrupts on.
 */
void fpu_enter(struct vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu, true);
}

/** fpu_leave - RUN ends: the thread has its own registers back. Interrupts on. */
void fpu_leave(struct vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu, false);
}

/**
 * fpu_load - the registers are the guest's
 * @vcpu: after fpu_enter()
 *
 * Context: interrupts off; undone by fpu_save() before they go on.
 */
void fpu_load(struct vcpu *vcpu)
{
	/* The thread was scheduled out, or the kernel used the FPU. */
	if (unlikely(test_thread_flag(TIF_NEED_FPU_LOAD)))
		switch_fpu_return();
}

/** fpu_copy_out - in XSAVE's standard layout, those @components that are the guest's */
void fpu_copy_out(struct vcpu *vcpu, struct minikvm_xsave *area, u64 components)
{
	fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu, area, sizeof(*area), components, vcpu->pkru);
}

/** fpu_copy_in - the reverse. Return: 0, or -EINVAL: none of @components, reserved bits. */
int fpu_copy_in(struct vcpu *vcpu, const struct minikvm_xsave *area, u64 components)
{
	return fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, area, components, &vcpu->pkru);
}
