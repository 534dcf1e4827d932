// SPDX-License-Identifier: GPL-2.0
/*
 * The MSRs by which a guest tells what it wants of the machine below it. They are KVM's, and what
 * they mean is in the other files of this folder. Called by cpu/msr.c.
 *
 * A guest may use them whether or not its CPUID shows them, unless the VMM wants it enforced.
 * Left out: asynchronous page faults, polling control; their MSRs do not exist.
 */
#include <asm/kvm_para.h>

#include "../vmx/kick.h"
#include "pv.h"

/* Bits of CPUID 0x40000001 EAX. */
static u32 feature_of(u32 index)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_SYSTEM_TIME:
		return BIT(KVM_FEATURE_CLOCKSOURCE);
	case MSR_KVM_WALL_CLOCK_NEW:
	case MSR_KVM_SYSTEM_TIME_NEW:
		return BIT(KVM_FEATURE_CLOCKSOURCE2);
	case MSR_KVM_STEAL_TIME:
		return BIT(KVM_FEATURE_STEAL_TIME);
	default:
		return BIT(KVM_FEATURE_PV_EOI);
	}
}

/**
 * pv_msr_read - RDMSR, GET_MSRS of an MSR that is KVM's
 * @vcpu: loaded
 * @index: which
 * @data: result; 0 so far
 * @host: asked by an ioctl: what is hidden from the guest reads 0
 *
 * Context: any that does not migrate. Return: 0, or 1: there is none.
 */
int pv_msr_read(struct vcpu *vcpu, u32 index, u64 *data, bool host)
{
	if (pv_hides(vcpu, feature_of(index)))
		return !host;
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*data = READ_ONCE(vcpu->vm->wall_clock);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*data = vcpu->pv.system_time;
		return 0;
	case MSR_KVM_STEAL_TIME:
		*data = vcpu->pv.steal_time;
		return !pv_steal_there();
	case MSR_KVM_PV_EOI_EN:
		*data = vcpu->pv.eoi;
		return 0;
	default:
		return 1;
	}
}

/* A vCPU that waits to be started would wake for it: not for nothing. */
static void ask_for_clock(struct vcpu *vcpu, bool wall)
{
	vcpu->pv.wall_due |= wall;
	vcpu_make_request(vcpu, REQ_CLOCK);
}

/**
 * pv_msr_write - WRMSR, SET_MSRS of an MSR that is KVM's
 * @vcpu: loaded
 * @index: which
 * @data: value
 * @host: asked by an ioctl: what is hidden from the guest takes 0
 *
 * Guest memory is written before the next entry, not here: this may run with interrupts off.
 *
 * Context: any that does not migrate. Return: 0, or 1: #GP, nothing changed.
 */
int pv_msr_write(struct vcpu *vcpu, u32 index, u64 data, bool host)
{
	if (pv_hides(vcpu, feature_of(index)))
		return !host || data;
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		WRITE_ONCE(vcpu->vm->wall_clock, data);
		if (data)
			ask_for_clock(vcpu, true);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		WRITE_ONCE(vcpu->pv.system_time, data);
		if (data & KVM_MSR_ENABLED)
			ask_for_clock(vcpu, false);
		return 0;
	case MSR_KVM_STEAL_TIME:
		return pv_steal_write(vcpu, data);
	case MSR_KVM_PV_EOI_EN:
		return pv_eoi_write(vcpu, data);
	default:
		return 1;
	}
}

/** pv_reset - power-up or INIT: the guest has asked for nothing yet; @vcpu loaded */
void pv_reset(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->pv.system_time, 0);
	vcpu->pv.stopped = false;
	vcpu->pv.steal_time = 0;
	vcpu->pv.eoi = 0;
	vcpu->pv.eoi_offered = false;
	clear_bit(REQ_EOI, &vcpu->requests);
}
