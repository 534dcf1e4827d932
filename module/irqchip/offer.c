// SPDX-License-Identifier: GPL-2.0
/*
 * Where the local APIC's and the PIC's offers to a vCPU meet. The PIC is the one here, or the
 * VMM's, which delivers by INTERRUPT: that one's vector waits in vcpu->events.extint.
 *
 * Called by cpu/events.c and lapic.c.
 */
#include "internal.h"
#include "lapic.h"

/**
 * irqchip_accepts_extint - does an interrupt of a PIC reach the CPU?
 * @vcpu: the vCPU; one without a LAPIC takes any
 *
 * Context: the vCPU thread.
 */
bool irqchip_accepts_extint(const struct vcpu *vcpu)
{
	return !vcpu->lapic || lapic_regs_accepts_pic(&vcpu->lapic->regs);
}

static bool pic_offers(const struct vcpu *vcpu)
{
	return (READ_ONCE(vcpu->vm->irqchip->pic.output) || vcpu->events.extint >= 0) &&
	       lapic_regs_accepts_pic(&vcpu->lapic->regs);
}

static int take_from_pic(struct vcpu *vcpu)
{
	int vector = vcpu->events.extint;

	if (vector < 0)
		return irqchip_take_pic(vcpu->vm->irqchip);
	vcpu->events.extint = -1;
	return vector;
}

/**
 * irqchip_has_interrupt - is there an interrupt for this vCPU now?
 * @vcpu: the vCPU; one without a LAPIC has none
 *
 * Context: the vCPU thread, interrupts on or off. Whether the CPU can take it
 * (RFLAGS.IF and so on) is not looked at. A timer that expired is delivered first.
 */
bool irqchip_has_interrupt(struct vcpu *vcpu)
{
	if (!vcpu->lapic)
		return false;
	lapic_timer_expired(vcpu);
	lapic_regs_merge(&vcpu->lapic->regs);
	return pic_offers(vcpu) || lapic_regs_pending(&vcpu->lapic->regs) >= 0;
}

/**
 * irqchip_has_injection - irqchip_has_interrupt(), and is it one that an entry has to carry?
 * @vcpu: the vCPU; one without a LAPIC has none
 *
 * Context: as irqchip_has_interrupt(). With APICv the processor takes what the local APIC has.
 */
bool irqchip_has_injection(struct vcpu *vcpu)
{
	return vcpu->apicv ? pic_offers(vcpu) : irqchip_has_interrupt(vcpu);
}

/**
 * irqchip_take_interrupt - acknowledge the interrupt for this vCPU
 * @vcpu: the vCPU; one without a LAPIC has none
 *
 * Context: the vCPU thread, interrupts on or off. Return: its vector, or -1. The
 * PIC goes first.
 */
int irqchip_take_interrupt(struct vcpu *vcpu)
{
	int vector = -1;

	if (!vcpu->lapic)
		return -1;
	if (pic_offers(vcpu))
		vector = take_from_pic(vcpu);
	if (vector >= 0 || vcpu->apicv)
		return vector;
	vector = lapic_regs_pending(&vcpu->lapic->regs);
	if (vector >= 0)
		lapic_regs_take(&vcpu->lapic->regs, vector);
	return vector;
}
