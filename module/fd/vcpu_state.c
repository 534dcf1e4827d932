// SPDX-License-Identifier: GPL-2.0
/*
 * The ioctls for the state of a vCPU: a struct in, a struct out. What the state means is the
 * business of cpu/ and irqchip/; here it is only copied, and refused if it cannot be.
 */
#include <linux/mm.h>
#include <linux/preempt.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/processor-flags.h>

#include "../cpu/cpu.h"
#include "../cpu/mce.h"
#include "../irqchip/irqchip.h"
#include "../vmx/vmx.h"
#include "fd.h"

static long get_regs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_regs regs;

	vcpu_get_regs(vcpu, &regs);
	return copy_to_user(argp, &regs, sizeof(regs)) ? -EFAULT : 0;
}

static long set_regs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_regs regs;

	if (copy_from_user(&regs, argp, sizeof(regs)))
		return -EFAULT;
	return vcpu_set_regs(vcpu, &regs);
}

static long get_sregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_sregs sregs;

	vcpu_get_sregs(vcpu, &sregs);
	return copy_to_user(argp, &sregs, sizeof(sregs)) ? -EFAULT : 0;
}

static long set_sregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_sregs sregs;

	if (copy_from_user(&sregs, argp, sizeof(sregs)))
		return -EFAULT;
	return vcpu_set_sregs(vcpu, &sregs);
}

static long get_fpu(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_fpu fpu;
	long err = fpu_get(vcpu, &fpu);

	return err ?: copy_to_user(argp, &fpu, sizeof(fpu)) ? -EFAULT : 0;
}

static long set_fpu(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_fpu fpu;

	if (copy_from_user(&fpu, argp, sizeof(fpu)))
		return -EFAULT;
	return fpu_set(vcpu, &fpu);
}

static long get_xsave(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xsave *xsave = kzalloc(sizeof(*xsave), GFP_KERNEL_ACCOUNT);
	long err;

	if (!xsave)
		return -ENOMEM;
	fpu_get_xsave(vcpu, xsave);
	err = copy_to_user(argp, xsave, sizeof(*xsave)) ? -EFAULT : 0;
	kfree(xsave);
	return err;
}

static long set_xsave(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xsave *xsave = memdup_user(argp, sizeof(*xsave));
	long err;

	if (IS_ERR(xsave))
		return PTR_ERR(xsave);
	err = fpu_set_xsave(vcpu, xsave);
	kfree(xsave);
	return err;
}

/* No guest of a guest: the same for every vCPU. */
static const struct minikvm_nested_state no_nesting = {
	.size = sizeof(no_nesting),
	.hdr.vmx.vmxon_pa = ~0ull,
	.hdr.vmx.vmcs12_pa = ~0ull,
};

static long get_nested_state(struct minikvm_nested_state __user *user)
{
	u32 room;

	if (get_user(room, &user->size))
		return -EFAULT;
	if (room >= sizeof(no_nesting))
		return copy_to_user(user, &no_nesting, sizeof(no_nesting)) ? -EFAULT : 0;
	return put_user(no_nesting.size, &user->size) ?: -E2BIG;
}

/* More room than it takes is no matter, nor is what means nothing without VMXON. */
static long set_nested_state(void __user *argp)
{
	struct minikvm_nested_state s;

	if (copy_from_user(&s, argp, sizeof(s)))
		return -EFAULT;
	if (s.size < sizeof(s) || s.flags || s.format || s.hdr.vmx.smm.flags ||
	    s.hdr.vmx.vmxon_pa != no_nesting.hdr.vmx.vmxon_pa ||
	    s.hdr.vmx.vmcs12_pa != no_nesting.hdr.vmx.vmcs12_pa)
		return -EINVAL;
	return 0;
}

static long get_xcrs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xcrs xcrs;

	fpu_get_xcrs(vcpu, &xcrs);
	return copy_to_user(argp, &xcrs, sizeof(xcrs)) ? -EFAULT : 0;
}

static long set_xcrs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xcrs xcrs;

	if (copy_from_user(&xcrs, argp, sizeof(xcrs)))
		return -EFAULT;
	return fpu_set_xcrs(vcpu, &xcrs);
}

static long get_debugregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_debugregs dr;

	vcpu_get_debugregs(vcpu, &dr);
	return copy_to_user(argp, &dr, sizeof(dr)) ? -EFAULT : 0;
}

static long set_debugregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_debugregs dr;

	if (copy_from_user(&dr, argp, sizeof(dr)))
		return -EFAULT;
	return vcpu_set_debugregs(vcpu, &dr);
}

static long setup_mce(struct vcpu *vcpu, void __user *argp)
{
	u64 mcg_cap;

	if (copy_from_user(&mcg_cap, argp, sizeof(mcg_cap)))
		return -EFAULT;
	return mce_setup(&vcpu->msr, mcg_cap);
}

static long set_mce(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_x86_mce mce;
	int effect;

	if (copy_from_user(&mce, argp, sizeof(mce)))
		return -EFAULT;
	effect = mce_report(&vcpu->msr, &mce, vcpu_cr4(vcpu) & X86_CR4_MCE);
	if (effect < 0)
		return effect;
	if (effect == MCE_RAISED)
		event_exception(vcpu, X86_TRAP_MC);
	else if (effect == MCE_SHUTDOWN)
		vcpu_make_request(vcpu, REQ_TRIPLE_FAULT);
	return 0;
}

static long get_events(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_vcpu_events events;

	vcpu_get_events(vcpu, &events);
	return copy_to_user(argp, &events, sizeof(events)) ? -EFAULT : 0;
}

static long set_events(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_vcpu_events events;

	if (copy_from_user(&events, argp, sizeof(events)))
		return -EFAULT;
	return vcpu_set_events(vcpu, &events);
}

static long get_lapic(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_lapic_state *state;
	long err;

	if (!vcpu->lapic)
		return -EINVAL;
	state = kzalloc(sizeof(*state), GFP_KERNEL_ACCOUNT);
	if (!state)
		return -ENOMEM;
	lapic_get_state(vcpu, state);
	err = copy_to_user(argp, state, sizeof(*state)) ? -EFAULT : 0;
	kfree(state);
	return err;
}

static long set_lapic(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_lapic_state *state;
	long err;

	if (!vcpu->lapic)
		return -EINVAL;
	state = memdup_user(argp, sizeof(*state));
	if (IS_ERR(state))
		return PTR_ERR(state);
	err = lapic_set_state(vcpu, state);
	kfree(state);
	return err;
}

/* QEMU says at each reset that its guest has no page with a copy of the TPR. */
static long set_vapic_addr(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_vapic_addr vapic;

	if (!vcpu->lapic)
		return -EINVAL;
	if (copy_from_user(&vapic, argp, sizeof(vapic)))
		return -EFAULT;
	return vapic.vapic_addr ? -EINVAL : 0;
}

static long get_mp_state(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_mp_state mp = { .mp_state = vcpu_get_mp_state(vcpu) };

	return copy_to_user(argp, &mp, sizeof(mp)) ? -EFAULT : 0;
}

static long set_mp_state(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_mp_state mp;

	if (copy_from_user(&mp, argp, sizeof(mp)))
		return -EFAULT;
	return vcpu_set_mp_state(vcpu, mp.mp_state);
}

static long set_cpuid(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_cpuid2 __user *user = argp;
	struct minikvm_cpuid_entry2 *entries;
	struct minikvm_cpuid2 head;
	long err;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent > CPUID_MAX)
		return -E2BIG;
	entries = kvmalloc_array(head.nent + 1, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	if (copy_from_user(entries, user->entries, head.nent * sizeof(*entries)))
		err = -EFAULT;
	else
		err = cpuid_set(vcpu, entries, head.nent);
	if (err)
		kvfree(entries);
	return err;
}

static long get_cpuid(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_cpuid2 __user *user = argp;
	struct minikvm_cpuid_entry2 e;
	struct minikvm_cpuid2 head;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent < vcpu->cpuid_nent)
		return -E2BIG;
	for (i = 0; i < vcpu->cpuid_nent; i++) {
		e = cpuid_now(vcpu, i);
		if (copy_to_user(&user->entries[i], &e, sizeof(e)))
			return -EFAULT;
	}
	return put_user(vcpu->cpuid_nent, &user->nent);
}

/* MSRs that are in the processor while the thread is need it to stay there. */
static int get_msr(struct vcpu *vcpu, struct minikvm_msr_entry *e)
{
	int failed;

	preempt_disable();
	failed = msr_read(vcpu, e->index, &e->data, true);
	preempt_enable();
	return failed;
}

static int set_msr(struct vcpu *vcpu, struct minikvm_msr_entry *e)
{
	int failed;

	preempt_disable();
	failed = msr_write(vcpu, e->index, e->data, true);
	preempt_enable();
	return failed;
}

/**
 * vcpu_state_ioctl - GET and SET of a vCPU's state
 * @vcpu: loaded
 * @ioctl: which
 * @argp: the caller's argument
 *
 * Context: sleeps. Return: as Documentation/api.rst has it; -EINVAL for an unknown one.
 */
long vcpu_state_ioctl(struct vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	switch (ioctl) {
	case MINIKVM_GET_REGS:
		return get_regs(vcpu, argp);
	case MINIKVM_SET_REGS:
		return set_regs(vcpu, argp);
	case MINIKVM_GET_SREGS:
		return get_sregs(vcpu, argp);
	case MINIKVM_SET_SREGS:
		return set_sregs(vcpu, argp);
	case MINIKVM_GET_MSRS:
		return msrs_do(argp, get_msr, vcpu, true);
	case MINIKVM_SET_MSRS:
		return msrs_do(argp, set_msr, vcpu, false);
	case MINIKVM_GET_FPU:
		return get_fpu(vcpu, argp);
	case MINIKVM_SET_FPU:
		return set_fpu(vcpu, argp);
	case MINIKVM_GET_NESTED_STATE:
		return get_nested_state(argp);
	case MINIKVM_SET_NESTED_STATE:
		return set_nested_state(argp);
	case MINIKVM_GET_XSAVE:
	case MINIKVM_GET_XSAVE2:	/* no component is beyond the shorter one */
		return get_xsave(vcpu, argp);
	case MINIKVM_SET_XSAVE:
		return set_xsave(vcpu, argp);
	case MINIKVM_GET_XCRS:
		return get_xcrs(vcpu, argp);
	case MINIKVM_SET_XCRS:
		return set_xcrs(vcpu, argp);
	case MINIKVM_GET_DEBUGREGS:
		return get_debugregs(vcpu, argp);
	case MINIKVM_SET_DEBUGREGS:
		return set_debugregs(vcpu, argp);
	case MINIKVM_X86_SETUP_MCE:
		return setup_mce(vcpu, argp);
	case MINIKVM_X86_SET_MCE:
		return set_mce(vcpu, argp);
	case MINIKVM_GET_VCPU_EVENTS:
		return get_events(vcpu, argp);
	case MINIKVM_SET_VCPU_EVENTS:
		return set_events(vcpu, argp);
	case MINIKVM_GET_LAPIC:
		return get_lapic(vcpu, argp);
	case MINIKVM_SET_LAPIC:
		return set_lapic(vcpu, argp);
	case MINIKVM_SET_VAPIC_ADDR:
		return set_vapic_addr(vcpu, argp);
	case MINIKVM_GET_MP_STATE:
		return get_mp_state(vcpu, argp);
	case MINIKVM_SET_MP_STATE:
		return set_mp_state(vcpu, argp);
	case MINIKVM_SET_CPUID2:
		return set_cpuid(vcpu, argp);
	case MINIKVM_GET_CPUID2:
		return get_cpuid(vcpu, argp);
	default:
		return -EINVAL;
	}
}
