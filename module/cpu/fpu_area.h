/* SPDX-License-Identifier: GPL-2.0 */
/* XSAVE's standard layout, for fpu_own.c. */
#ifndef MINIKVM_CPU_FPU_AREA_H
#define MINIKVM_CPU_FPU_AREA_H

#include <linux/types.h>
#include <asm/fpu/types.h>

#define FPU_PARTS	10		/* components, PKRU is the last; the first two have fixed places */

/**
 * struct fpu_layout - what differs between processors
 * @mxcsr_mask: bits of MXCSR that are not reserved
 * @part: where a component is; of size 0 are those that are not there
 */
struct fpu_layout {
	u32 mxcsr_mask;
	struct { u32 offset, size; } part[FPU_PARTS];
};

void fpu_area_reset(union fpregs_state *area, const struct fpu_layout *layout);
void fpu_area_copy(union fpregs_state *to, const union fpregs_state *from, u64 parts,
		   const struct fpu_layout *layout);
bool fpu_area_valid(const union fpregs_state *area, u64 parts, const struct fpu_layout *layout);

#endif
