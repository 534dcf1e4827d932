// SPDX-License-Identifier: GPL-2.0
/*
 * An end of interrupt without an exit. The guest names a place (MSR_KVM_PV_EOI_EN). When an entry
 * brings an interrupt whose end concerns nobody but the local APIC, a bit there is set: the guest
 * may clear it instead of writing EOI. What it has done is seen at the next exit, before anything
 * looks at the APIC, and the bit is taken back: it was an offer for one interrupt.
 *
 * Entry and exit are with interrupts off, where a page that is not there cannot be waited for. At
 * the entry there is no offer then; at the exit the look is put off (REQ_EOI).
 */
#include <linux/uaccess.h>
#include <asm/kvm_para.h>

#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../vmx/kick.h"
#include "pv.h"

/**
 * pv_eoi_write - MSR_KVM_PV_EOI_EN
 * @vcpu: loaded
 * @data: a place, a multiple of 4, and bit 0: on
 *
 * Context: any that does not migrate. Return: 0, or 1: #GP.
 */
int pv_eoi_write(struct vcpu *vcpu, u64 data)
{
	if (!IS_ALIGNED(data & ~KVM_MSR_ENABLED, 4))
		return 1;
	vcpu->pv.eoi = data;
	return 0;
}

/**
 * pv_eoi_offer - the next entry brings an interrupt: may its end go without an exit?
 * @vcpu: loaded, with a local APIC, in whose ISR the interrupt is; a place for PV EOI is named
 *
 * Context: interrupts off.
 */
void pv_eoi_offer(struct vcpu *vcpu)
{
	const u8 offer = KVM_PV_EOI_ENABLED;

	if (!(vcpu->pv.eoi & KVM_MSR_ENABLED) || !lapic_eoi_is_quiet(vcpu))
		return;
	vcpu->pv.eoi_place = vcpu->pv.eoi & ~KVM_MSR_ENABLED;
	pagefault_disable();
	vcpu->pv.eoi_offered = !guest_write(vcpu, vcpu->pv.eoi_place, &offer, sizeof(offer));
	pagefault_enable();
}

/*
 * Has the guest taken the offer? If not, it is taken back. Or -errno. The guest may have named
 * another place since, or none: the offer is where it was made.
 */
static int eoi_taken(struct vcpu *vcpu)
{
	u8 word;
	int err = guest_read(vcpu, vcpu->pv.eoi_place, &word, sizeof(word));

	if (err || !(word & KVM_PV_EOI_ENABLED))
		return err ?: 1;
	word = 0;
	return guest_write(vcpu, vcpu->pv.eoi_place, &word, sizeof(word));
}

/**
 * pv_eoi_after_exit - what became of the offer
 * @vcpu: loaded, eoi_offered
 *
 * Context: interrupts off, before anything looks at the local APIC.
 */
void pv_eoi_after_exit(struct vcpu *vcpu)
{
	int taken;

	vcpu->pv.eoi_offered = false;
	pagefault_disable();
	taken = eoi_taken(vcpu);
	pagefault_enable();
	if (taken < 0)
		vcpu_make_request(vcpu, REQ_EOI);
	else if (taken)
		lapic_eoi(vcpu);
}

/**
 * pv_eoi_settle - REQ_EOI: the look that was put off
 * @vcpu: loaded
 *
 * If the place is gone the interrupt has ended: one that never ends would block all others.
 *
 * Context: the vCPU thread, sleeps.
 */
void pv_eoi_settle(struct vcpu *vcpu)
{
	if (test_and_clear_bit(REQ_EOI, &vcpu->requests) && vcpu->lapic && eoi_taken(vcpu))
		lapic_eoi(vcpu);
}
