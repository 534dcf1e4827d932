// SPDX-License-Identifier: GPL-2.0
/*
 * A local APIC and the processor that carries it out: when the processor may (the list of
 * reasons why not is apicv_mode_for()), what it is told before an entry, and the exits that
 * are left. What the processor can is in vmx/apicv.c.
 *
 * While the guest runs, the register page is the processor's. Senders on other CPUs leave
 * vectors beside it (lapic_regs.h: @posted), ask for REQ_EVENT and kick; the vCPU thread puts
 * them into the page, and says with RVI that there is something. Documentation/architecture.rst,
 * "The processor as local APIC".
 */
#include "../vmx/kick.h"
#include "../vmx/vmx.h"
#include "internal.h"
#include "lapic.h"

/* A VMM that debugs may hold interrupts back, or steps into their handlers: software does that. */
static enum apicv_mode apicv_mode_for(const struct vcpu *vcpu)
{
	if (!vmx_caps.apicv || vcpu->debug.control)
		return APICV_OFF;
	/* Disabled: there is no APIC. xAPIC mode: an access finds no memory, and exits. */
	return vcpu->lapic->regs.mode == LAPIC_X2APIC ? APICV_X2APIC : APICV_OFF;
}

/**
 * lapic_apicv_update - what apicv_mode_for() looks at may have changed
 * @vcpu: loaded
 *
 * Context: the vCPU thread, interrupts on or off.
 */
void lapic_apicv_update(struct vcpu *vcpu)
{
	struct lapic *lapic = vcpu->lapic;
	enum apicv_mode mode;

	if (!lapic)
		return;
	mode = apicv_mode_for(vcpu);
	if (mode == vcpu->apicv)
		return;
	lapic_regs_share(&lapic->regs, mode != APICV_OFF);
	vmx_apicv_set_mode(vcpu, mode);
	vcpu_make_request(vcpu, REQ_EVENT);
}

/* Before the vectors that were merged can be ended: who sent them has said so by then. */
static void update_eoi_exits(struct lapic *lapic, u32 seq)
{
	unsigned int i;

	lapic->eoi_seq = seq;

	for (i = 0; i < ARRAY_SIZE(lapic->eoi_exits); i++) {
		u64 vectors = irqchip_eoi_exits(lapic->vcpu->vm, i);

		if (vectors == lapic->eoi_exits[i])
			continue;
		lapic->eoi_exits[i] = vectors;
		vmx_apicv_set_eoi_exits(i, vectors);
	}
}

/**
 * lapic_apicv_deliver - leave what waits to the processor
 * @vcpu: loaded, with APICv on
 *
 * Context: the vCPU thread, before the entry, after REQ_EVENT was seen and cleared.
 */
void lapic_apicv_deliver(struct vcpu *vcpu)
{
	struct lapic *lapic = vcpu->lapic;
	struct lapic_regs *regs = &lapic->regs;
	int new = -1;
	u32 seq;

	lapic_timer_expired(vcpu);
	if (lapic_regs_has_posted(regs))
		new = lapic_regs_take_posted(regs);
	seq = irqchip_eoi_seq(vcpu->vm);
	if (unlikely(seq != lapic->eoi_seq))
		update_eoi_exits(lapic, seq);
	if (unlikely(regs->changed))
		vmx_apicv_deliver(lapic_regs_requested(regs), lapic_regs_in_service(regs));
	else if (new >= 0)
		vmx_apicv_deliver_more(new);
	regs->changed = false;
}

/**
 * lapic_watch_tpr - exit when the guest lowers TPR so far that there is something to deliver
 * @vcpu: loaded, with a LAPIC, APICv off
 *
 * Context: the vCPU thread, before the entry, after REQ_EVENT was seen and cleared: who changes
 * IRR or TPR asks for that.
 */
void lapic_watch_tpr(struct vcpu *vcpu)
{
	if (vmx_caps.tpr_shadow)
		vmx_set_tpr_threshold(vcpu, lapic_regs_threshold(&vcpu->lapic->regs));
}

/**
 * lapic_apicv_eoi - the processor has ended an interrupt of which we want to know
 * @vcpu: whose
 * @vector: which; it is no longer in ISR
 *
 * Context: the vCPU thread. SDM "EOI Virtualization".
 */
void lapic_apicv_eoi(struct vcpu *vcpu, u8 vector)
{
	irqchip_eoi(vcpu, vector, lapic_regs_is_level(&vcpu->lapic->regs, vector));
}
