// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's time stamp counter: the host's, times a ratio where the VMM has chosen another
 * frequency and the processor can scale, plus an offset. Called by msr.c and by ioctls.
 *
 * TSCs that differ are of no use to a guest with several vCPUs, and VMMs write those of one vCPU
 * after the other. So the VM has one origin for all of them, vm->tsc_shift: what a TSC shows when
 * the host's is vm->tsc_base. Vcpus with the same frequency then have the same offset, to the tick.
 */
#include <linux/math64.h>
#include <asm/tsc.h>

#include "../pv/pv.h"
#include "../vmx/guest_tsc.h"
#include "../vmx/vmx.h"
#include "cpu.h"

/* What VMX can do, and what KVM takes. */
static u64 tsc_khz_limit(void)
{
	return min_t(u64, (u64)tsc_khz << (64 - TSC_RATIO_BITS), S32_MAX);
}

/*
 * What the host's TSC is to be multiplied with; 0: nothing. Hosts measure their TSC at each boot,
 * a few ppm apart: as KVM, what is within 250 ppm is the same.
 */
static int tsc_ratio_of(u32 khz, u64 *ratio)
{
	const u64 million = 1000000, tolerance = 250;

	*ratio = 0;
	if (khz >= (u64)tsc_khz * (million - tolerance) / million &&
	    khz <= (u64)tsc_khz * (million + tolerance) / million)
		return 0;
	if (!vmx_caps.tsc_scaling || !tsc_khz || khz >= tsc_khz_limit())
		return -EINVAL;
	*ratio = mul_u64_u32_div(TSC_RATIO_ONE, khz, tsc_khz);
	return *ratio ? 0 : -EINVAL;
}

/* The same for all vCPUs of one frequency. */
static u64 vm_tsc_offset(const struct vcpu *vcpu)
{
	return READ_ONCE(vcpu->vm->tsc_shift) - tsc_scaled(vcpu->tsc_ratio, vcpu->vm->tsc_base);
}

/* What the origin must be for an offset. */
static u64 tsc_shift_of(const struct vcpu *vcpu, u64 offset)
{
	return offset + tsc_scaled(vcpu->tsc_ratio, vcpu->vm->tsc_base);
}

static void set_tsc_offset(struct vcpu *vcpu, u64 offset)
{
	if (offset == vcpu->tsc_offset)
		return;
	WRITE_ONCE(vcpu->tsc_offset, offset);
	vmx_load_tsc(vcpu);
	pv_clock_changed(vcpu->vm);
}

/*
 * A VMM sets the TSC of one vCPU after the other and means the same moment. As
 * KVM: 0, or a value within a second of what the VM's other TSCs show, is meant
 * to be what they show; but the first value that a VMM chooses counts, however near it is.
 */
static void host_write_tsc(struct vcpu *vcpu, u64 data)
{
	u64 second = (u64)vcpu->tsc_khz * 1000;
	struct vm *vm = vcpu->vm;
	u64 offset, ours;

	raw_spin_lock(&vm->clock_lock);		/* the VMM may have a thread for each vCPU */
	offset = data - tsc_scaled(vcpu->tsc_ratio, host_tsc());
	ours = vm_tsc_offset(vcpu);
	if (data && !(vm->tsc_chosen && offset - ours + second < 2 * second)) {
		WRITE_ONCE(vm->tsc_shift, tsc_shift_of(vcpu, offset));
		ours = offset;
	}
	vm->tsc_chosen = true;
	raw_spin_unlock(&vm->clock_lock);
	set_tsc_offset(vcpu, ours);
}

/**
 * vcpu_write_tsc - IA32_TIME_STAMP_COUNTER
 * @vcpu: loaded
 * @data: value
 * @host: written by an ioctl
 *
 * Context: any that does not migrate. SDM "Time-Stamp Counter Adjustment": a write by the guest
 * moves IA32_TSC_ADJUST by as much.
 */
void vcpu_write_tsc(struct vcpu *vcpu, u64 data, bool host)
{
	u64 delta;

	if (host) {
		host_write_tsc(vcpu, data);
		return;
	}
	delta = data - vcpu_tsc(vcpu);
	vcpu->msr.tsc_adjust += delta;
	set_tsc_offset(vcpu, vcpu->tsc_offset + delta);
}

/** vcpu_write_tsc_adjust - IA32_TSC_ADJUST; the same, but the VMM's write moves nothing else */
void vcpu_write_tsc_adjust(struct vcpu *vcpu, u64 data, bool host)
{
	if (!(vcpu->msr.rules.has & MSR_HAS_TSC_ADJUST))
		return;
	if (!host)
		set_tsc_offset(vcpu, vcpu->tsc_offset + data - vcpu->msr.tsc_adjust);
	vcpu->msr.tsc_adjust = data;
}

/** vcpu_reset_tsc - power-up, with vcpu->tsc_khz: what the VM's others show; @vcpu loaded */
void vcpu_reset_tsc(struct vcpu *vcpu)
{
	tsc_ratio_of(vcpu->tsc_khz, &vcpu->tsc_ratio);	/* of a frequency that was accepted */
	vcpu->tsc_offset = vm_tsc_offset(vcpu);
	vmx_load_tsc(vcpu);
}

/**
 * vcpu_set_tsc_khz - SET_TSC_KHZ on a vCPU
 * @vcpu: loaded
 * @khz: 0 for the host's
 *
 * With another frequency the TSC shows what it would if it had always had that one.
 *
 * Return: 0; -EINVAL: not the host's, and the processor cannot scale, or not so far.
 */
int vcpu_set_tsc_khz(struct vcpu *vcpu, u32 khz)
{
	u64 ratio;
	int err = tsc_ratio_of(khz ?: tsc_khz, &ratio);

	if (err)
		return err;
	vcpu->tsc_khz = khz ?: tsc_khz;
	if (ratio == vcpu->tsc_ratio)
		return 0;
	preempt_disable();
	WRITE_ONCE(vcpu->tsc_ratio, ratio);
	WRITE_ONCE(vcpu->tsc_offset, vm_tsc_offset(vcpu));
	vmx_load_tsc(vcpu);
	preempt_enable();
	pv_clock_changed(vcpu->vm);
	return 0;
}

/** vm_set_tsc_khz - SET_TSC_KHZ on a VM: for its vCPUs to come. As vcpu_set_tsc_khz(). */
int vm_set_tsc_khz(struct vm *vm, u32 khz)
{
	u64 ratio;
	int err = tsc_ratio_of(khz ?: tsc_khz, &ratio);

	if (!err)
		WRITE_ONCE(vm->tsc_khz, khz ?: tsc_khz);
	return err;
}

/** vcpu_get_tsc_offset - VCPU_TSC_OFFSET: from the counter that user mode reads */
u64 vcpu_get_tsc_offset(const struct vcpu *vcpu)
{
	return vcpu->tsc_offset + tsc_scaled(vcpu->tsc_ratio, READ_ONCE(tsc_lost));
}

/**
 * vcpu_set_tsc_offset - VCPU_TSC_OFFSET: exact, unlike a write of the TSC
 * @vcpu: loaded
 * @offset: as vcpu_get_tsc_offset() has it; the VM's other TSCs are to follow
 */
void vcpu_set_tsc_offset(struct vcpu *vcpu, u64 offset)
{
	struct vm *vm = vcpu->vm;

	offset -= tsc_scaled(vcpu->tsc_ratio, READ_ONCE(tsc_lost));
	raw_spin_lock(&vm->clock_lock);
	WRITE_ONCE(vm->tsc_shift, tsc_shift_of(vcpu, offset));
	vm->tsc_chosen = true;
	raw_spin_unlock(&vm->clock_lock);
	preempt_disable();
	set_tsc_offset(vcpu, offset);
	preempt_enable();
}
