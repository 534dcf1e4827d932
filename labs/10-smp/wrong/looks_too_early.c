// SPDX-License-Identifier: GPL-2.0
/* The look comes before the barrier. */
void vcpu_kick(struct vcpu *vcpu)
{
	int cpu;

	if (rcuwait_wake_up(&vcpu->wait))
		WRITE_ONCE(vcpu->ready, true);
	preempt_disable();
	cpu = READ_ONCE(vcpu->guest_cpu);
	smp_mb();
	if (cpu >= 0 && cpu != smp_processor_id()) {
		WRITE_ONCE(vcpu->stay, 0);
		compat_send_reschedule(cpu);
	}
	preempt_enable();
}
