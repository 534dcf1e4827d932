/* SPDX-License-Identifier: GPL-2.0 */
/* A vCPU's time stamp counter, from the host's: who needs the time that a guest sees. */
#ifndef MINIKVM_VMX_GUEST_TSC_H
#define MINIKVM_VMX_GUEST_TSC_H

#include "../minikvm.h"
#include "tsc.h"

/* vcpu_tsc_at - what the guest's counter shows when host_tsc() is @host */
static inline u64 vcpu_tsc_at(const struct vcpu *vcpu, u64 host)
{
	return tsc_scaled(vcpu->tsc_ratio, host) + vcpu->tsc_offset;
}

/* vcpu_tsc - what it shows now */
static inline u64 vcpu_tsc(const struct vcpu *vcpu)
{
	return vcpu_tsc_at(vcpu, host_tsc());
}

/* vcpu_tsc_rate - its frequency, in kHz; not what the VMM takes for the same */
static inline u32 vcpu_tsc_rate(const struct vcpu *vcpu)
{
	return vcpu->tsc_ratio ? vcpu->tsc_khz : tsc_khz;
}

#endif
