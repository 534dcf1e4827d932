// SPDX-License-Identifier: GPL-2.0
/*
 * Where the guest's FPU registers are while it does not run, in kernels that keep their
 * guest-fpstate machinery for KVM (from 6.19): in an area of our own, in XSAVE's standard layout,
 * which is that of GET_XSAVE, too. The kernel lends the registers for each row of entries, as
 * it does to its own users of SSE. fpu_kernel.c is for the others; Kbuild takes one.
 *
 * SDM "XSAVE-Managed State", "Operation of XRSTOR".
 */
#include <linux/gfp.h>
#include <linux/string.h>
#include <asm/fpu/api.h>
#include <asm/fpu/types.h>
#include <asm/cpufeature.h>

#include "cpu.h"
#include "fpu.h"

#define AREA_SIZE	sizeof(struct minikvm_xsave)
#define MXCSR_RESET	0x1f80

static_assert(AREA_SIZE == PAGE_SIZE);

static u32 mxcsr_known __ro_after_init;		/* bits that are not reserved */
static u32 pkru_offset __ro_after_init;		/* of its component; 0: none */

/* All but PKRU, which fpu.c switches. */
static u64 components_here(void)
{
	return (fpu_supported_xcr0() | XFEATURE_MASK_FPSSE) & ~(u64)XFEATURE_MASK_PKRU;
}

static void save(union fpregs_state *area, u64 mask)
{
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		asm volatile("xsave64 %0" : "+m" (*area) : "a" ((u32)mask), "d" ((u32)(mask >> 32))
			     : "memory");
	else
		asm volatile("fxsave64 %0" : "+m" (*area));
}

static void load(const union fpregs_state *area, u64 mask)
{
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		asm volatile("xrstor64 %0" : : "m" (*area), "a" ((u32)mask),
			     "d" ((u32)(mask >> 32)) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m" (*area) : "memory");
}

/** fpu_state_init - at module load; undone by fpu_exit(). Return: 0 or -ENOMEM. */
int __init fpu_state_init(void)
{
	union fpregs_state *area = (void *)get_zeroed_page(GFP_KERNEL);
	u32 size, flags, unused;

	if (!area)
		return -ENOMEM;
	kernel_fpu_begin_mask(0);
	save(area, XFEATURE_MASK_FPSSE);
	kernel_fpu_end();
	mxcsr_known = area->fxsave.mxcsr_mask ?: 0xffbf;	/* SDM "Mask for MXCSR" */
	free_page((unsigned long)area);
	if (fpu_supported_xcr0() & XFEATURE_MASK_PKRU)
		cpuid_count(0xd, XFEATURE_PKRU, &size, &pkru_offset, &flags, &unused);
	return 0;
}

/** fpu_exit - undo fpu_init() */
void fpu_exit(void)
{
}

/**
 * fpu_create - state of a new vCPU, as after reset
 * @vcpu: not yet published; undone by fpu_destroy()
 *
 * Context: sleeps. Return: 0 or -ENOMEM.
 */
int fpu_create(struct vcpu *vcpu)
{
	union fpregs_state *area = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);

	if (!area)
		return -ENOMEM;
	area->fxsave.cwd = 0x37f;
	area->fxsave.mxcsr = MXCSR_RESET;
	vcpu->fpu_area = area;
	return 0;
}

/** fpu_destroy - undo fpu_create() */
void fpu_destroy(struct vcpu *vcpu)
{
	free_page((unsigned long)vcpu->fpu_area);
}

/** fpu_enter - RUN begins; the registers come later: fpu_load() */
void fpu_enter(struct vcpu *vcpu)
{
}

/** fpu_leave - RUN ends */
void fpu_leave(struct vcpu *vcpu)
{
}

/**
 * fpu_load - the registers are the guest's
 * @vcpu: in RUN
 *
 * What the thread has in them the kernel keeps, and gives back on the way to user mode.
 *
 * Context: interrupts off; undone by fpu_save() before they go on; XCR0 the host's.
 */
void fpu_load(struct vcpu *vcpu)
{
	kernel_fpu_begin_mask(0);
	load(vcpu->fpu_area, components_here());
}

/** fpu_save - undo fpu_load() */
void fpu_save(struct vcpu *vcpu)
{
	save(vcpu->fpu_area, components_here());
	kernel_fpu_end();
}

/** fpu_copy_out - in XSAVE's standard layout, those @components that are the guest's */
void fpu_copy_out(struct vcpu *vcpu, void *area, unsigned int size, u64 components)
{
	union fpregs_state *out = area;

	memcpy(out, vcpu->fpu_area, min_t(unsigned int, size, AREA_SIZE));
	memset(out->fxsave.sw_reserved, 0, sizeof(out->fxsave.sw_reserved));
	if (!boot_cpu_has(X86_FEATURE_XSAVE)) {
		out->xsave.header.xfeatures = XFEATURE_MASK_FPSSE;
		return;
	}
	out->xsave.header.xfeatures &= components;
	if (!pkru_offset || !(components & XFEATURE_MASK_PKRU))
		return;
	memcpy(area + pkru_offset, &vcpu->pkru, sizeof(vcpu->pkru));
	if (vcpu->pkru)
		out->xsave.header.xfeatures |= XFEATURE_MASK_PKRU;
}

/* What XRSTOR would refuse with #GP, and what the guest cannot have. */
static bool area_valid(const union fpregs_state *in, u64 components)
{
	const struct xstate_header *h = &in->xsave.header;

	if ((h->xfeatures & ~components) || h->xcomp_bv ||
	    memchr_inv(h->reserved, 0, sizeof(h->reserved)))
		return false;
	return !(h->xfeatures & (XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)) ||
	       !(in->fxsave.mxcsr & ~mxcsr_known);
}

/** fpu_copy_in - the reverse. Return: 0, or -EINVAL: none of @components, reserved bits. */
int fpu_copy_in(struct vcpu *vcpu, const void *area, u64 components)
{
	const union fpregs_state *in = area;
	union fpregs_state *to = vcpu->fpu_area;

	if (!area_valid(in, components))
		return -EINVAL;
	memcpy(to, in, AREA_SIZE);
	to->xsave.header.xfeatures &= components_here();
	/* XRSTOR takes MXCSR even where it initialises the rest. */
	if (!(in->xsave.header.xfeatures & (XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)))
		to->fxsave.mxcsr = MXCSR_RESET;
	/* As KVM: a header without PKRU leaves it alone. */
	if (pkru_offset && (in->xsave.header.xfeatures & XFEATURE_MASK_PKRU))
		memcpy(&vcpu->pkru, area + pkru_offset, sizeof(vcpu->pkru));
	return 0;
}
