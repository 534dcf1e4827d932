// SPDX-License-Identifier: GPL-2.0
/* What is written is what it shows. */
static void host_write_tsc(struct vcpu *vcpu, u64 data)
{
	struct vm *vm = vcpu->vm;
	u64 offset;

	raw_spin_lock(&vm->clock_lock);
	offset = data - tsc_scaled(vcpu->tsc_ratio, host_tsc());
	if (data)
		WRITE_ONCE(vm->tsc_shift, tsc_shift_of(vcpu, offset));
	vm->tsc_chosen = true;
	raw_spin_unlock(&vm->clock_lock);
	set_tsc_offset(vcpu, offset);
}
