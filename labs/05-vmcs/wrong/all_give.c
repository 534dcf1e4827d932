// SPDX-License-Identifier: GPL-2.0
/* Each control gives its instruction: a guest that shows RDRAND has it exit. */
void vmcs_set_features(struct vcpu *vcpu, u32 features)
{
	u32 proc2 = vmcs_read_proc2_controls();
	int i;

	for (i = 0; i < ARRAY_SIZE(instructions); i++) {
		if (features & instructions[i].feature)
			proc2 |= instructions[i].control & vmx_caps.proc2_guest;
		else
			proc2 &= ~instructions[i].control;
	}
	vmcs_write_proc2_controls(proc2);
}
