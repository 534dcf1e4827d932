// SPDX-License-Identifier: GPL-2.0
/*
 * The MSRs by which a guest tells what it wants of the machine below it. They are KVM's, and what
 * they mean is in the other files of this folder. Called by cpu/msr.c.
 *
 * A guest may use them whether or not its CPUID shows them, as in KVM.
 * Left out: asynchronous page faults, polling control; their MSRs do not exist.
 */
#include <asm/kvm_para.h>

#include "../vmx/kick.h"
#include "pv.h"

/**
 * pv_msr_read - RDMSR, GET_MSRS of an MSR that is KVM's
 * @vcpu: loaded
 * @index: which
 * @data: result
 *
 * Context: any that does not migrate. Return: 0, or 1: there is none.
 */
int pv_msr_read(struct vcpu *vcpu, u32 index, u64 *data)
{
	switch (index) {
	case MSR_KVM_WALL_CLOCK:
	case MSR_KVM_WALL_CLOCK_NEW:
		*data = READ_ONCE(vcpu->vm->wall_clock);
		return 0;
	case MSR_KVM_SYSTEM_TIME:
	case MSR_KVM_SYSTEM_TIME_NEW:
		*data = vcpu->pv.system_time;
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
 *
 * Guest memory is written before the next entry, not here: this may run with interrupts off.
 *
 * Context: any that does not migrate. Return: 0, or 1: #GP, nothing changed.
 */
int pv_msr_write(struct vcpu *vcpu, u32 index, u64 data)
{
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
	default:
		return 1;
	}
}

/** pv_reset - power-up or INIT: the guest has asked for nothing yet; @vcpu loaded */
void pv_reset(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->pv.system_time, 0);
	vcpu->pv.stopped = false;
}
