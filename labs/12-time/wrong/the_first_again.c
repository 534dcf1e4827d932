// SPDX-License-Identifier: GPL-2.0
/* From the first slot on. */
int exit_pause(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct vm *vm = vcpu->vm;
	u32 n = smp_load_acquire(&vm->nr_vcpus);
	int refusals = 0, ret;
	struct vcpu *other;
	u32 slot;

	for (slot = 0; slot < n && refusals < MAX_REFUSALS; slot++) {
		other = READ_ONCE(vm->vcpus[slot]);
		if (other == vcpu || !READ_ONCE(other->ready))
			continue;
		ret = give_time_to(other);
		if (ret > 0) {
			WRITE_ONCE(vm->boosted, slot);
			break;
		}
		refusals += ret < 0;
	}
	vmcs_write_ple_window(n > 1 ? SPIN_WINDOW : SPIN_WINDOW_ALONE);
	return EXIT_SKIP;
}
