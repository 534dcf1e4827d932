// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's FPU, SSE and AVX state. The kernel's own guest-fpstate machinery
 * holds it: the thread's fpstate is swapped once per RUN, and the context switch
 * does the rest. XCR0 and PKRU are switched around each stay in the guest, so
 * that host code never runs with the guest's.
 */
#include <linux/sched.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/fpu/types.h>
#include <asm/processor-flags.h>
#include <asm/special_insns.h>

#include "../vmx/vmx.h"
#include "../minikvm.h"

/* Components that a guest may have: what the host has of these. */
#define XCR0_KNOWN (XFEATURE_MASK_FPSSE | XFEATURE_MASK_YMM | XFEATURE_MASK_AVX512 | \
		    XFEATURE_MASK_PKRU)

static u64 host_xcr0 __ro_after_init;	/* 0: no XSAVE */

/** fpu_init - at module load. Return: 0. */
int __init fpu_init(void)
{
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	return 0;
}

/** fpu_supported_xcr0 - the components that a guest may enable; 0 without XSAVE */
u64 fpu_supported_xcr0(void)
{
	return host_xcr0 & XCR0_KNOWN;
}

/** fpu_create - state of a new vCPU. Return: 0 or -ENOMEM. */
int fpu_create(struct vcpu *vcpu)
{
	if (!fpu_alloc_guest_fpstate(&vcpu->fpu))
		return -ENOMEM;
	return 0;
}

/** fpu_destroy - undo fpu_create() */
void fpu_destroy(struct vcpu *vcpu)
{
	fpu_free_guest_fpstate(&vcpu->fpu);
}

/** fpu_enter - RUN begins: the thread's FPU registers are the guest's; may sleep */
void fpu_enter(struct vcpu *vcpu)
{
	fpu_swap_kvm_fpstate(&vcpu->fpu, true);
	vcpu->fpu_loaded = true;
}

/** fpu_leave - RUN ends: the thread has its own back */
void fpu_leave(struct vcpu *vcpu)
{
	vcpu->fpu_loaded = false;
	fpu_swap_kvm_fpstate(&vcpu->fpu, false);
}

/* PKRU is the guest's only if its CR4.PKE is on; XCR0 if OSXSAVE is. */
static void load_guest_xcr0(struct vcpu *vcpu, unsigned long cr4)
{
	if ((cr4 & X86_CR4_OSXSAVE) && vcpu->xcr0 != host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, vcpu->xcr0);
}

/** fpu_before_entry - interrupts off; registers in place, then the guest's XCR0 and PKRU */
void fpu_before_entry(struct vcpu *vcpu)
{
	if (test_thread_flag(TIF_NEED_FPU_LOAD))
		switch_fpu_return();
	if (!host_xcr0)
		return;
	load_guest_xcr0(vcpu, vcpu_cr4(vcpu));
	if (boot_cpu_has(X86_FEATURE_OSPKE)) {
		vcpu->host_pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->pkru);
	}
}

/** fpu_after_exit - interrupts still off: the host's XCR0 and PKRU */
void fpu_after_exit(struct vcpu *vcpu)
{
	if (!host_xcr0)
		return;
	if (boot_cpu_has(X86_FEATURE_OSPKE)) {
		vcpu->pkru = rdpkru();
		if (vcpu->pkru != vcpu->host_pkru)
			wrpkru(vcpu->host_pkru);
	}
	if (xgetbv(XCR_XFEATURE_ENABLED_MASK) != host_xcr0)
		xsetbv(XCR_XFEATURE_ENABLED_MASK, host_xcr0);
}

/* What FXSAVE and struct minikvm_fpu have in common, in both directions. */
#define FOR_FPU_FIELDS(X) X(fcw, cwd) X(fsw, swd) X(ftwx, twd) X(last_opcode, fop) \
	X(last_ip, rip) X(last_dp, rdp) X(mxcsr, mxcsr)

/** fpu_get - GET_FPU, in FXSAVE's layout; not in RUN. Return: 0. */
int fpu_get(struct vcpu *vcpu, struct minikvm_fpu *fpu)
{
	struct fxregs_state *fx = &vcpu->fpu.fpstate->regs.fxsave;

	memset(fpu, 0, sizeof(*fpu));
#define X(ours, theirs) fpu->ours = fx->theirs;
	FOR_FPU_FIELDS(X)
#undef X
	memcpy(fpu->fpr, fx->st_space, sizeof(fpu->fpr));
	memcpy(fpu->xmm, fx->xmm_space, sizeof(fpu->xmm));
	return 0;
}

/** fpu_set - SET_FPU; reserved bits of MXCSR are dropped, as a fault would be ours. Return: 0. */
int fpu_set(struct vcpu *vcpu, const struct minikvm_fpu *fpu)
{
	struct fxregs_state *fx = &vcpu->fpu.fpstate->regs.fxsave;

#define X(ours, theirs) fx->theirs = fpu->ours;
	FOR_FPU_FIELDS(X)
#undef X
	fx->mxcsr &= 0xffff;
	memcpy(fx->st_space, fpu->fpr, sizeof(fpu->fpr));
	memcpy(fx->xmm_space, fpu->xmm, sizeof(fpu->xmm));
	if (host_xcr0)
		vcpu->fpu.fpstate->regs.xsave.header.xfeatures |= XFEATURE_MASK_FPSSE;
	return 0;
}

/** fpu_get_xsave - GET_XSAVE, in XSAVE's standard layout. Return: 0. */
int fpu_get_xsave(struct vcpu *vcpu, struct minikvm_xsave *xsave)
{
	memset(xsave->region, 0, sizeof(xsave->region));
	fpu_copy_guest_fpstate_to_uabi(&vcpu->fpu, xsave->region, sizeof(xsave->region),
				       vcpu->fpu.fpstate->user_xfeatures, vcpu->pkru);
	return 0;
}

/** fpu_set_xsave - SET_XSAVE. Return: 0, or -EINVAL for bits that cannot be loaded. */
int fpu_set_xsave(struct vcpu *vcpu, const struct minikvm_xsave *xsave)
{
	return fpu_copy_uabi_to_guest_fpstate(&vcpu->fpu, xsave->region,
					      fpu_supported_xcr0() ?: XFEATURE_MASK_FPSSE,
					      &vcpu->pkru);
}

/** fpu_get_xcrs - GET_XCRS. Return: 0, or -EINVAL without XSAVE. */
int fpu_get_xcrs(struct vcpu *vcpu, struct minikvm_xcrs *xcrs)
{
	memset(xcrs, 0, sizeof(*xcrs));
	if (!host_xcr0)
		return 0;
	xcrs->nr_xcrs = 1;
	xcrs->xcrs[0].value = vcpu->xcr0;
	return 0;
}

/** fpu_set_xcrs - SET_XCRS: XCR0 is the only one. Return: 0 or -EINVAL. */
int fpu_set_xcrs(struct vcpu *vcpu, const struct minikvm_xcrs *xcrs)
{
	u32 i;

	if (!host_xcr0 || xcrs->nr_xcrs > MINIKVM_MAX_XCRS || xcrs->flags)
		return -EINVAL;
	for (i = 0; i < xcrs->nr_xcrs; i++)
		if (!xcrs->xcrs[i].xcr)
			return vcpu_set_xcr0(vcpu, xcrs->xcrs[i].value) ? -EINVAL : 0;
	return 0;
}
