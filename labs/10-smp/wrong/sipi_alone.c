// SPDX-License-Identifier: GPL-2.0
/* A SIPI starts, whatever the vCPU does. */
static void take_sipi(struct vcpu *vcpu)
{
	u8 vector = READ_ONCE(vcpu->sipi_vector);
	struct minikvm_segment cs;

	vmx_get_segment(SEG_CS, &cs);
	cs.selector = vector << 8;
	cs.base = vector << 12;
	vmx_set_segment(SEG_CS, &cs);
	vmcs_write_guest_rip(0);
	vcpu->mp_state = MINIKVM_MP_STATE_RUNNABLE;
}
