// SPDX-License-Identifier: GPL-2.0
/* Only who is in the guest is told. */
void vcpu_kick(struct vcpu *vcpu)
{
	int cpu;

	smp_mb();
	preempt_disable();
	cpu = READ_ONCE(vcpu->guest_cpu);
	if (cpu >= 0 && cpu != smp_processor_id()) {
		WRITE_ONCE(vcpu->stay, 0);
		compat_send_reschedule(cpu);
	}
	preempt_enable();
}
