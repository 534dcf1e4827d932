/* SPDX-License-Identifier: GPL-2.0 */
/* What fpu.c asks of fpu_kernel.c or fpu_own.c, whichever Kbuild took for this kernel. */
#ifndef MINIKVM_CPU_FPU_H
#define MINIKVM_CPU_FPU_H

#include "../compat.h"
#include "../minikvm.h"

int fpu_state_init(void);
void fpu_load(struct vcpu *vcpu);
void fpu_copy_out(struct vcpu *vcpu, struct minikvm_xsave *area, u64 components);
int fpu_copy_in(struct vcpu *vcpu, const struct minikvm_xsave *area, u64 components);
#if COMPAT_FOR_KVM_ONLY
void fpu_save(struct vcpu *vcpu);
#else
static inline void fpu_save(struct vcpu *vcpu) {}	/* the context switch does it */
#endif

#endif
