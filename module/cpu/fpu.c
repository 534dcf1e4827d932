// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's FPU, SSE and AVX state. fpu_kernel.c or fpu_own.c holds it, as the kernel has it.
 * XCR0 and PKRU are switched around each row of entries, so that
 * host code that takes interrupts never runs with the guest's. A processor
 * without XSAVE, or whose XSAVE Linux does not use, has neither.
 *
 * Left out: components that are enabled on demand (AMX) and supervisor ones, so
 * that IA32_XFD is 0 and IA32_XSS the host's while a guest runs.
 */
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "../vmx/vmx.h"
#include "cpu.h"
#include "fpu.h"

/* Components that a guest may have: what the host has of these. */
#define XCR0_KNOWN (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512 | \
		    XFEATURE_MASK_PKRU)

static u64 host_xcr0 __ro_after_init;	/* 0: no XSAVE */
static u64 supported_xcr0 __ro_after_init;

static void __init xcr0_init(void)
{
	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return;
	host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	supported_xcr0 = host_xcr0 & XCR0_KNOWN;
	if ((supported_xcr0 & XFEATURE_MASK_AVX512) != XFEATURE_MASK_AVX512)
		supported_xcr0 &= ~(u64)XFEATURE_MASK_AVX512;
	/* Without it in the host's CR4, the register cannot be switched. */
	if (!boot_cpu_has(X86_FEATURE_OSPKE))
		supported_xcr0 &= ~(u64)XFEATURE_MASK_PKRU;
}

/** fpu_init - at module load; undone by fpu_exit(). Return: 0 or -ENOMEM. */
int __init fpu_init(void)
{
	xcr0_init();
	return fpu_state_init();
}

/** fpu_supported_xcr0 - the components that a guest may enable; 0 without XSAVE */
u64 fpu_supported_xcr0(void)
{
	return supported_xcr0;
}

/*
 * Does the guest's XCR0 matter? Only XSETBV changes it, which exits, and the
 * guest has it only with CR4.OSXSAVE, which is not the guest's to write either.
 */
static bool xcr0_differs(const struct vcpu *vcpu)
{
	return (vcpu->cr4 & X86_CR4_OSXSAVE) && vcpu->xcr0 != host_xcr0;
}

/* Can the guest write PKRU, with WRPKRU or with XRSTOR? */
static bool pkru_in_use(const struct vcpu *vcpu)
{
	return boot_cpu_has(X86_FEATURE_OSPKE) &&
	       ((vcpu->cr4 & X86_CR4_PKE) || (vcpu->xcr0 & XFEATURE_MASK_PKRU));
}

/**
 * fpu_before_entry - registers in place, then the guest's XCR0 and PKRU
 * @vcpu: loaded, after fpu_enter()
 *
 * Context: interrupts off, before the first of a row of entries; CR4 and XCR0
 * do not change until fpu_after_exit().
 */
void fpu_before_entry(struct vcpu *vcpu)
{
	fpu_load(vcpu);
	if (unlikely(xcr0_differs(vcpu)))
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
	if (unlikely(pkru_in_use(vcpu))) {
		vcpu->host_pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->pkru);
	}
}

/** fpu_after_exit - the host's XCR0 and PKRU; interrupts still off since fpu_before_entry() */
void fpu_after_exit(struct vcpu *vcpu)
{
	if (pkru_in_use(vcpu)) {
		vcpu->pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->host_pkru);
	}
	if (xcr0_differs(vcpu))
		xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
	fpu_save(vcpu);
}

/* ---- the ioctls; the guest's registers are in memory: the vCPU is not in RUN */

/* Components that the guest has: others are not shown to the VMM. */
static u64 guest_components(const struct vcpu *vcpu)
{
	return vcpu->xcr0_allowed | XFEATURE_MASK_FPSSE;
}

static void copy_out(struct vcpu *vcpu, struct minikvm_xsave *area)
{
	fpu_copy_out(vcpu, area, guest_components(vcpu));
}

static int copy_in(struct vcpu *vcpu, const struct minikvm_xsave *area)
{
	return fpu_copy_in(vcpu, area, supported_xcr0 | XFEATURE_MASK_FPSSE);
}

/*
 * The whole state in XSAVE's standard layout, kfree() later. GET_FPU and SET_FPU
 * go through it, as a component in its initial state is not in the fpstate.
 */
static union fpregs_state *whole_state(struct vcpu *vcpu)
{
	union fpregs_state *state = kzalloc(sizeof(struct minikvm_xsave), GFP_KERNEL_ACCOUNT);

	if (state)
		copy_out(vcpu, (void *)state);
	return state;
}

/**
 * fpu_get - GET_FPU: x87 and SSE
 * @vcpu: not in RUN
 * @fpu: filled, in FXSAVE's layout; as KVM has it, MXCSR is not in it but 0
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int fpu_get(struct vcpu *vcpu, struct minikvm_fpu *fpu)
{
	union fpregs_state *state = whole_state(vcpu);
	const struct fxregs_state *fx = &state->fxsave;

	memset(fpu, 0, sizeof(*fpu));
	if (!state)
		return -ENOMEM;
	fpu->fcw = fx->cwd;
	fpu->fsw = fx->swd;
	fpu->ftwx = fx->twd;
	fpu->last_opcode = fx->fop;
	fpu->last_ip = fx->rip;
	fpu->last_dp = fx->rdp;
	memcpy(fpu->fpr, fx->st_space, sizeof(fpu->fpr));
	memcpy(fpu->xmm, fx->xmm_space, sizeof(fpu->xmm));
	kfree(state);
	return 0;
}

/**
 * fpu_set - SET_FPU: x87 and SSE; the other components stay, and so does MXCSR
 * @vcpu: not in RUN
 * @fpu: any value
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int fpu_set(struct vcpu *vcpu, const struct minikvm_fpu *fpu)
{
	union fpregs_state *state = whole_state(vcpu);
	struct fxregs_state *fx = &state->fxsave;
	int err;

	if (!state)
		return -ENOMEM;
	fx->cwd = fpu->fcw;
	fx->swd = fpu->fsw;
	fx->twd = fpu->ftwx;
	fx->fop = fpu->last_opcode;
	fx->rip = fpu->last_ip;
	fx->rdp = fpu->last_dp;
	memcpy(fx->st_space, fpu->fpr, sizeof(fpu->fpr));
	memcpy(fx->xmm_space, fpu->xmm, sizeof(fpu->xmm));
	state->xsave.header.xfeatures |= XFEATURE_MASK_FPSSE;
	err = copy_in(vcpu, (void *)state);
	kfree(state);
	return err;
}

/**
 * fpu_get_xsave - GET_XSAVE
 * @vcpu: not in RUN
 * @xsave: zeroes; filled, in XSAVE's standard layout
 */
void fpu_get_xsave(struct vcpu *vcpu, struct minikvm_xsave *xsave)
{
	copy_out(vcpu, xsave);
}

/**
 * fpu_set_xsave - SET_XSAVE
 * @vcpu: not in RUN
 * @xsave: in XSAVE's standard layout
 *
 * Return: 0; -EINVAL: a component that the host does not have, reserved bits of
 * the header or of MXCSR.
 */
int fpu_set_xsave(struct vcpu *vcpu, const struct minikvm_xsave *xsave)
{
	return copy_in(vcpu, xsave);
}

/**
 * fpu_get_xcrs - GET_XCRS: XCR0, or none without XSAVE
 * @vcpu: whose
 * @xcrs: filled
 */
void fpu_get_xcrs(struct vcpu *vcpu, struct minikvm_xcrs *xcrs)
{
	memset(xcrs, 0, sizeof(*xcrs));
	if (!host_xcr0)
		return;
	xcrs->nr_xcrs = 1;
	xcrs->xcrs[0].xcr = XCR_XFEATURE_ENABLED_MASK;
	xcrs->xcrs[0].value = vcpu->xcr0;
}

/**
 * fpu_set_xcr0 - XSETBV, SET_XCRS
 * @vcpu: whose
 * @xcr0: new value
 *
 * Context: any. Return: 0, or 1: #GP. SDM "Enabling the XSAVE Feature Set".
 */
int fpu_set_xcr0(struct vcpu *vcpu, u64 xcr0)
{
	u64 avx512 = xcr0 & XFEATURE_MASK_AVX512;

	/* x87 is always on, even where there is no XSAVE. */
	if (!(xcr0 & XFEATURE_MASK_FP) || (xcr0 & ~(vcpu->xcr0_allowed | XFEATURE_MASK_FP)))
		return 1;
	if ((xcr0 & XFEATURE_MASK_YMM) && !(xcr0 & XFEATURE_MASK_SSE))
		return 1;
	if (avx512 && (avx512 != XFEATURE_MASK_AVX512 || !(xcr0 & XFEATURE_MASK_YMM)))
		return 1;
	vcpu->xcr0 = xcr0;
	return 0;
}

/**
 * fpu_set_xcrs - SET_XCRS: XCR0 is the only one, others are not looked at
 * @vcpu: whose
 * @xcrs: up to MINIKVM_MAX_XCRS
 *
 * Return: 0; -EINVAL: no XSAVE, too many, a flag, or a value that XSETBV refuses.
 */
int fpu_set_xcrs(struct vcpu *vcpu, const struct minikvm_xcrs *xcrs)
{
	u32 i;

	if (!host_xcr0 || xcrs->nr_xcrs > MINIKVM_MAX_XCRS || xcrs->flags)
		return -EINVAL;
	for (i = 0; i < xcrs->nr_xcrs; i++)
		if (xcrs->xcrs[i].xcr == XCR_XFEATURE_ENABLED_MASK)
			return fpu_set_xcr0(vcpu, xcrs->xcrs[i].value) ? -EINVAL : 0;
	return 0;
}
