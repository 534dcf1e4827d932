// SPDX-License-Identifier: GPL-2.0
/* Nobody else is asked. */
void pv_eoi_offer(struct vcpu *vcpu)
{
	const u8 offer = KVM_PV_EOI_ENABLED;

	vcpu->pv.eoi_place = vcpu->pv.eoi & ~KVM_MSR_ENABLED;
	pagefault_disable();
	vcpu->pv.eoi_offered = !guest_write(vcpu, vcpu->pv.eoi_place, &offer, sizeof(offer));
	pagefault_enable();
}
