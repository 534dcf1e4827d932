// SPDX-License-Identifier: GPL-2.0
/*
 * FPU state as XSAVE lays it out, and GET_XSAVE: which of it counts, and what the rest stands for.
 * Only those components are in it whose bit is set in the header. The others are in their
 * initial state, whatever stands in their places.
 *
 * Called by fpu_own.c; the kernel does this for fpu_kernel.c. Pure.
 *
 * SDM "Standard Format of XSAVE Area"; components without XSAVE: "FXSAVE Area".
 */
#include <linux/bits.h>
#include <linux/string.h>

#include "fpu_area.h"

#define CONTROL_WORD_RESET	0x37f
#define MXCSR_RESET		0x1f80

/* These share a register. */
#define WITH_MXCSR	(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM)

/** fpu_area_reset - every component is in its initial state */
void fpu_area_reset(union fpregs_state *area, const struct fpu_layout *layout)
{
	memset(area, 0, sizeof(*area));
	area->fxsave.cwd = CONTROL_WORD_RESET;
	area->fxsave.mxcsr = MXCSR_RESET;
	area->fxsave.mxcsr_mask = layout->mxcsr_mask;
}

static void copy_legacy(struct fxregs_state *to, const struct fxregs_state *from, u64 parts)
{
	if (parts & XFEATURE_MASK_FP) {
		memcpy(to, from, offsetof(struct fxregs_state, mxcsr));
		memcpy(to->st_space, from->st_space, sizeof(to->st_space));
	}
	if (parts & XFEATURE_MASK_SSE)
		memcpy(to->xmm_space, from->xmm_space, sizeof(to->xmm_space));
	if (parts & WITH_MXCSR)
		to->mxcsr = from->mxcsr;
}

/**
 * fpu_area_copy - components of one area into another, and its header says so
 * @to: after fpu_area_reset()
 * @from: another one
 * @parts: which, of those that are in @from
 * @layout: of both
 */
void fpu_area_copy(union fpregs_state *to, const union fpregs_state *from, u64 parts,
		   const struct fpu_layout *layout)
{
	int i;

	parts &= from->xsave.header.xfeatures;
	copy_legacy(&to->fxsave, &from->fxsave, parts);
	for (i = 2; i < FPU_PARTS; i++) {
		u32 offset = layout->part[i].offset;

		if (parts & BIT_ULL(i))
			memcpy((void *)to + offset, (const void *)from + offset,
			       layout->part[i].size);
	}
	to->xsave.header.xfeatures |= parts;
}

/**
 * fpu_area_valid - may an area from outside be loaded?
 * @area: what came
 * @parts: components that it may have
 * @layout: of the processor
 *
 * What XRSTOR refuses with #GP, and MXCSR also where only x87 state comes, as KVM has it.
 * SDM "Operation of XRSTOR".
 */
bool fpu_area_valid(const union fpregs_state *area, u64 parts, const struct fpu_layout *layout)
{
	const struct xstate_header *h = &area->xsave.header;

	if ((h->xfeatures & ~parts) || h->xcomp_bv)
		return false;
	if (memchr_inv(h->reserved, 0, sizeof(h->reserved)))
		return false;
	return !(h->xfeatures & (XFEATURE_MASK_FP | WITH_MXCSR)) ||
	       !(area->fxsave.mxcsr & ~layout->mxcsr_mask);
}
