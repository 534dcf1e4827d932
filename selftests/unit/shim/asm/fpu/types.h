/* SPDX-License-Identifier: GPL-2.0 */
#ifndef SHIM_ASM_FPU_TYPES_H
#define SHIM_ASM_FPU_TYPES_H

#include <linux/types.h>

struct fpu_guest { u64 xfeatures; };

#define XFEATURE_MASK_FP	1
#define XFEATURE_MASK_SSE	2
#define XFEATURE_MASK_YMM	4

/* SDM "FXSAVE Area", "XSAVE Header" */
struct fxregs_state {
	u16 cwd, swd, twd, fop;
	u64 rip, rdp;
	u32 mxcsr, mxcsr_mask;
	u32 st_space[32], xmm_space[64], padding[12], sw_reserved[12];
};

struct xstate_header { u64 xfeatures, xcomp_bv, reserved[6]; };

union fpregs_state {
	struct fxregs_state fxsave;
	struct { struct fxregs_state i387; struct xstate_header header; } xsave;
	u8 page[4096];
};

#endif
