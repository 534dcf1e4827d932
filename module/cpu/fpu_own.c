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
#include <asm/fpu/xcr.h>
#include <asm/fpu/xstate.h>
#include <asm/cpufeature.h>

#include "cpu.h"
#include "fpu.h"
#include "fpu_area.h"

static_assert(sizeof(struct minikvm_xsave) == PAGE_SIZE);

static struct fpu_layout layout __ro_after_init;
static u64 host_xcr0 __ro_after_init;	/* Linux shows it where XSAVE leaves room, and so KVM does */

/* All but PKRU, which fpu.c switches. */
static u64 components_here(void)
{
	return (fpu_supported_xcr0() | XFEATURE_MASK_FPSSE) & ~(u64)XFEATURE_MASK_PKRU;
}

/*
 * XSAVEOPT leaves out what is as XRSTOR found it in this place: that is always the last one,
 * fpu_load(). A guest's own are told apart by the processor: SDM "Operation of XSAVEOPT".
 */
static void save(union fpregs_state *area, u64 mask)
{
	u32 low = mask, high = mask >> 32;

	if (cpu_feature_enabled(X86_FEATURE_XSAVEOPT))
		asm volatile("xsaveopt64 %0" : "+m" (*area) : "a" (low), "d" (high) : "memory");
	else if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile("xsave64 %0" : "+m" (*area) : "a" (low), "d" (high) : "memory");
	else
		asm volatile("fxsave64 %0" : "+m" (*area) : : "memory");
}

static void load(const union fpregs_state *area, u64 mask)
{
	u32 low = mask, high = mask >> 32;

	if (cpu_feature_enabled(X86_FEATURE_XSAVE))
		asm volatile("xrstor64 %0" : : "m" (*area), "a" (low), "d" (high) : "memory");
	else
		asm volatile("fxrstor64 %0" : : "m" (*area) : "memory");
}

/* Where the components are. SDM "Standard Format of XSAVE Area". */
static void __init layout_init(void)
{
	u32 unused[2];
	int i;

	host_xcr0 = xgetbv(XCR_XFEATURE_ENABLED_MASK);
	for (i = 2; i < FPU_PARTS; i++)
		if (fpu_supported_xcr0() & BIT_ULL(i))
			cpuid_count(0xd, i, &layout.part[i].size, &layout.part[i].offset,
				    &unused[0], &unused[1]);
}

/** fpu_state_init - at module load; undone by fpu_exit(). Return: 0 or -ENOMEM. */
int __init fpu_state_init(void)
{
	union fpregs_state *area = (void *)get_zeroed_page(GFP_KERNEL);

	if (!area)
		return -ENOMEM;
	kernel_fpu_begin_mask(0);
	asm volatile("fxsave64 %0" : "+m" (area->fxsave));
	kernel_fpu_end();
	layout.mxcsr_mask = area->fxsave.mxcsr_mask ?: 0xffbf;	/* SDM "Mask for MXCSR" */
	free_page((unsigned long)area);
	if (boot_cpu_has(X86_FEATURE_XSAVE))
		layout_init();
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
	union fpregs_state *area = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);

	if (!area)
		return -ENOMEM;
	fpu_area_reset(area, &layout);
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

static void copy_out_pkru(const struct vcpu *vcpu, union fpregs_state *out)
{
	u32 offset = layout.part[XFEATURE_PKRU].offset;

	memcpy((void *)out + offset, &vcpu->pkru, sizeof(vcpu->pkru));
	if (vcpu->pkru)
		out->xsave.header.xfeatures |= XFEATURE_MASK_PKRU;
}

/** fpu_copy_out - in XSAVE's standard layout, those @components that are the guest's */
void fpu_copy_out(struct vcpu *vcpu, struct minikvm_xsave *area, u64 components)
{
	union fpregs_state *out = (void *)area;

	if (!boot_cpu_has(X86_FEATURE_XSAVE)) {
		out->fxsave = vcpu->fpu_area->fxsave;
		out->xsave.header.xfeatures = XFEATURE_MASK_FPSSE;
		return;
	}
	fpu_area_reset(out, &layout);
	fpu_area_copy(out, vcpu->fpu_area, components, &layout);
	memcpy(out->fxsave.sw_reserved, &host_xcr0, sizeof(host_xcr0));
	if (components & XFEATURE_MASK_PKRU)
		copy_out_pkru(vcpu, out);
}

/* Without XSAVE only FXSAVE's part counts, and all of it. */
static int copy_in_fxsave(struct vcpu *vcpu, const union fpregs_state *in)
{
	if ((in->xsave.header.xfeatures & ~(u64)XFEATURE_MASK_FPSSE) ||
	    (in->fxsave.mxcsr & ~layout.mxcsr_mask))
		return -EINVAL;
	vcpu->fpu_area->fxsave = in->fxsave;
	return 0;
}

/** fpu_copy_in - the reverse. Return: 0, or -EINVAL: none of @components, reserved bits. */
int fpu_copy_in(struct vcpu *vcpu, const struct minikvm_xsave *area, u64 components)
{
	const union fpregs_state *in = (const void *)area;

	if (!boot_cpu_has(X86_FEATURE_XSAVE))
		return copy_in_fxsave(vcpu, in);
	if (!fpu_area_valid(in, components, &layout))
		return -EINVAL;
	fpu_area_reset(vcpu->fpu_area, &layout);
	fpu_area_copy(vcpu->fpu_area, in, components_here(), &layout);
	/* As KVM: a header without PKRU leaves it alone. */
	if (in->xsave.header.xfeatures & XFEATURE_MASK_PKRU)
		memcpy(&vcpu->pkru, (const void *)in + layout.part[XFEATURE_PKRU].offset,
		       sizeof(vcpu->pkru));
	return 0;
}
