// SPDX-License-Identifier: GPL-2.0
/*
 * The virtual-APIC page, which holds a local APIC's registers, and what the processor does
 * with it while the guest runs. With the TPR shadow alone it keeps CR8 there. With
 * virtual-interrupt delivery (APICv) it delivers what waits in IRR as soon as the guest can
 * take it, moves it to ISR, and ends it on the guest's EOI: none of that exits.
 *
 * Called by the local APIC, irqchip/lapic_apicv.c, which decides when, and by vmcs.c. SDM "APIC
 * Virtualization and Virtual Interrupts".
 *
 * Left out: posted interrupts. They want "acknowledge interrupt on exit", so that each host
 * interrupt would have to be called through the IDT, and no processor of the testbed has them.
 * A vCPU in the guest is told of an interrupt by a kick, as without APICv. Also APICv in xAPIC
 * mode: guests that want to be fast use x2APIC mode.
 */
#include "internal.h"
#include "kick.h"
#include "vmx.h"

/**
 * vmx_apicv_setup - the virtual-APIC page of a new VMCS
 * @vcpu: loaded; its controls are written
 *
 * Without one the VMM has the APIC, and CR8 is an exit.
 */
void vmx_apicv_setup(struct vcpu *vcpu)
{
	if (!vcpu->apic_page || !vmx_caps.tpr_shadow)
		return;
	vmcs_write_virtual_apic_address(__pa(vcpu->apic_page));
	vmcs_write_tpr_threshold(0);
	if (vmx_caps.apicv) {
		vmcs_write_eoi_exits0(0);
		vmcs_write_eoi_exits1(0);
		vmcs_write_eoi_exits2(0);
		vmcs_write_eoi_exits3(0);
		vmcs_write_guest_intr_status(0);
	}
	vmcs_set_proc_controls(vcpu, (vcpu->proc_controls & ~(PROC_CR8_LOAD | PROC_CR8_STORE)) |
				     PROC_TPR_SHADOW);
}

/**
 * vmx_apicv_set_mode - what the processor does by itself from the next entry on
 * @vcpu: loaded, with a virtual-APIC page; another mode than APICV_OFF is in vmx_caps
 * @mode: enum apicv_mode
 *
 * vmx_apicv_deliver() and vmx_apicv_set_eoi_exits(), or vmx_set_tpr_threshold(), come next.
 *
 * Context: interrupts off or on.
 */
void vmx_apicv_set_mode(struct vcpu *vcpu, enum apicv_mode mode)
{
	u32 proc2 = vmcs_read_proc2_controls() & ~PROC2_APICV;

	vcpu->apicv = mode;
	vmcs_write_proc2_controls(mode ? proc2 | PROC2_APICV : proc2);
	vmx_update_x2apic_msrs(vcpu);
	vmx_set_tpr_threshold(vcpu, 0);
}

/**
 * vmx_apicv_deliver - IRR or ISR have changed: so do RVI and SVI
 * @requested: the highest vector in IRR, or -1
 * @in_service: in ISR, likewise
 *
 * The processor keeps both in step with what it changes itself, and looks at TPR at each entry.
 *
 * Context: loaded, interrupts off or on. SDM "Guest Interrupt Status".
 */
void vmx_apicv_deliver(int requested, int in_service)
{
	vmcs_write_guest_intr_status(max(requested, 0) | max(in_service, 0) << 8);
}

/**
 * vmx_apicv_deliver_more - a vector was added to IRR, and nothing else has changed there
 * @requested: the vector
 *
 * As vmx_apicv_deliver(), which would have to look for what the processor knows.
 */
void vmx_apicv_deliver_more(int requested)
{
	u16 status = vmcs_read_guest_intr_status();

	if ((status & 0xff) < requested)
		vmcs_write_guest_intr_status((status & 0xff00) | requested);
}

/**
 * vmx_apicv_waiting - has the processor something to deliver?
 *
 * With an event in the same entry it has to wait until the event's handler lets interrupts in,
 * by itself. Bochs does not: if a host interrupt comes in that time, the guest gets this one
 * instead, with IF clear. Interrupt-window exiting makes it wait there, too, and costs an exit
 * where the two meet.
 *
 * Context: loaded, APICv on, after vmx_apicv_deliver(). SDM "Evaluation of Pending Virtual
 * Interrupts".
 */
bool vmx_apicv_waiting(void)
{
	return vmcs_read_guest_intr_status() & 0xff;
}

/**
 * vmx_apicv_hold - nothing is delivered, and no TPR waited for, at the next entry
 * @vcpu: loaded
 *
 * Return: what vmx_apicv_release() is to be given.
 */
u16 vmx_apicv_hold(struct vcpu *vcpu)
{
	u16 status = vcpu->tpr_threshold;

	if (!vcpu->apicv) {
		vmx_set_tpr_threshold(vcpu, 0);
		return status;
	}
	status = vmcs_read_guest_intr_status();
	vmcs_write_guest_intr_status(status & 0xff00);
	return status;
}

/**
 * vmx_apicv_release - after that entry
 * @vcpu: loaded
 * @held: what vmx_apicv_hold() said
 *
 * It was of an instruction that no APIC sees, unless another CPU of the guest has just put one
 * there that ends an interrupt or lowers TPR: what the processor did then counts.
 */
void vmx_apicv_release(struct vcpu *vcpu, u16 held)
{
	if (vcpu->apicv)
		vmx_apicv_deliver_more(held & 0xff);
	else if (held)
		vcpu_make_request(vcpu, REQ_EVENT);
}

/**
 * vmx_apicv_set_eoi_exits - whose EOI is to exit
 * @word: 0..3: vectors from 64 * @word on
 * @vectors: a bit for each
 */
void vmx_apicv_set_eoi_exits(unsigned int word, u64 vectors)
{
	switch (word) {
	case 0:
		return vmcs_write_eoi_exits0(vectors);
	case 1:
		return vmcs_write_eoi_exits1(vectors);
	case 2:
		return vmcs_write_eoi_exits2(vectors);
	default:
		return vmcs_write_eoi_exits3(vectors);
	}
}

/**
 * vmx_set_tpr_threshold - exit when the guest lowers TPR below a class
 * @vcpu: loaded, with TPR shadow
 * @class: not above the TPR's, which an entry refuses; 0: never
 *
 * SDM "TPR Virtualization".
 */
void vmx_set_tpr_threshold(struct vcpu *vcpu, u32 class)
{
	if (class == vcpu->tpr_threshold)
		return;
	vcpu->tpr_threshold = class;
	vmcs_write_tpr_threshold(class);
}
