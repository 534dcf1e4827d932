// SPDX-License-Identifier: GPL-2.0
/* An INIT comes to what is there. */
static int accept_init(struct lapic *lapic, const struct apic_msg *msg, bool self)
{
	if (msg->level && !msg->assert)
		return 0;
	set_bit(START_INIT, &lapic->vcpu->starts);
	apic_notify(lapic, self);
	return 1;
}
