// SPDX-License-Identifier: GPL-2.0
/*
 * The events that wait or are under delivery, as a VMM saves and restores them:
 * the VCPU_EVENTS ioctls, and the interrupt in SREGS. events.c delivers them.
 *
 * Left out: SMM, and the capability EXCEPTION_PAYLOAD. So a pending exception and one under
 * delivery look the same to the VMM, as KVM has it then.
 */
#include "../vmx/vmx.h"
#include "cpu.h"

#define LAST_EXCEPTION	31

#define BLOCKED_BY_STI_OR_SS	(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS)

/**
 * event_interrupt_again - what a VMM saved while it was on its way into the guest
 * @vcpu: loaded
 * @vector: as event_interrupt_in_flight() gave it
 *
 * With a LAPIC here the vector was acknowledged and is delivered at once, in the place of
 * one that waits. A VMM with chips of its own may set it at any time: then it waits for IF.
 */
void event_interrupt_again(struct vcpu *vcpu, u8 vector)
{
	vcpu_make_request(vcpu, REQ_EVENT);
	if (!vcpu->lapic) {
		vcpu->events.interrupt.injected = false;
		vcpu->events.extint = vector;
		return;
	}
	vcpu->events.extint = -1;
	vcpu->events.interrupt.injected = true;
	vcpu->events.interrupt.soft = false;
	vcpu->events.interrupt.vector = vector;
}

/**
 * event_interrupt_in_flight - vector that left its chip and was not delivered yet, or -1
 * @vcpu: loaded
 *
 * With a LAPIC here, one of the VMM's PIC only if it can be delivered at once: who sets it
 * elsewhere has that done.
 */
int event_interrupt_in_flight(struct vcpu *vcpu)
{
	const struct vcpu_events *e = &vcpu->events;

	if (e->interrupt.injected && !e->interrupt.soft)
		return e->interrupt.vector;
	return !vcpu->lapic || event_takes_interrupts(vcpu) ? e->extint : -1;
}

/* The VMCS's blocking bits and the ABI's have the same meaning, not the same places. */
static u8 shadow_of(u32 interruptibility)
{
	return (interruptibility & INTERRUPTIBILITY_STI ? MINIKVM_X86_SHADOW_INT_STI : 0) |
	       (interruptibility & INTERRUPTIBILITY_MOV_SS ? MINIKVM_X86_SHADOW_INT_MOV_SS : 0);
}

/* No processor is in both shadows, and no entry takes both: as KVM, the wider one. */
static u32 blocking_of(u8 shadow)
{
	if (shadow & MINIKVM_X86_SHADOW_INT_MOV_SS)
		return INTERRUPTIBILITY_MOV_SS;
	return shadow & MINIKVM_X86_SHADOW_INT_STI ? INTERRUPTIBILITY_STI : 0;
}

/**
 * vcpu_get_events - GET_VCPU_EVENTS
 * @vcpu: loaded
 * @events: filled
 */
void vcpu_get_events(struct vcpu *vcpu, struct minikvm_vcpu_events *events)
{
	const struct vcpu_events *e = &vcpu->events;
	u32 interruptibility = vmcs_read_guest_interruptibility();
	int vector = event_interrupt_in_flight(vcpu);

	event_limit_nmis(vcpu);
	memset(events, 0, sizeof(*events));
	/* INT3 and INTO are executed again; the others are delivered again. */
	if (e->exception.vector != X86_TRAP_BP && e->exception.vector != X86_TRAP_OF) {
		events->exception.injected = e->exception.injected || e->exception.pending;
		events->exception.pending = e->exception.pending;
	}
	events->exception.nr = e->exception.vector;
	events->exception.has_error_code = e->exception.has_error;
	events->exception.error_code = e->exception.error;
	events->interrupt.injected = vector >= 0;
	events->interrupt.nr = vector >= 0 ? vector : e->interrupt.vector;
	events->interrupt.shadow = shadow_of(interruptibility);
	events->nmi.injected = e->nmi_injected;
	events->nmi.pending = atomic_read(&vcpu->nmi_queued);
	events->nmi.masked = !!(interruptibility & INTERRUPTIBILITY_NMI);
	events->smi.latched_init = vcpu->lapic && test_bit(START_INIT, &vcpu->starts);
	events->flags = MINIKVM_VCPUEVENT_VALID_NMI_PENDING | MINIKVM_VCPUEVENT_VALID_SHADOW |
			MINIKVM_VCPUEVENT_VALID_SMM;
	if (READ_ONCE(vcpu->vm->triple_fault_event)) {
		events->triple_fault.pending = test_bit(REQ_TRIPLE_FAULT, &vcpu->requests);
		events->flags |= MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	}
}

/* PAYLOAD is a capability that minikvm does not have; nor is there SMM. */
static bool events_valid(struct vcpu *vcpu, const struct minikvm_vcpu_events *events)
{
	u32 known = MINIKVM_VCPUEVENT_VALID_NMI_PENDING | MINIKVM_VCPUEVENT_VALID_SIPI_VECTOR |
		    MINIKVM_VCPUEVENT_VALID_SHADOW | MINIKVM_VCPUEVENT_VALID_SMM;

	if (READ_ONCE(vcpu->vm->triple_fault_event))
		known |= MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	if (events->flags & ~known)
		return false;
	if (events->exception.injected &&
	    (events->exception.nr > LAST_EXCEPTION || events->exception.nr == X86_TRAP_NMI))
		return false;
	return !(events->flags & MINIKVM_VCPUEVENT_VALID_SMM) ||
	       !(events->smi.smm || events->smi.pending || events->smi.smm_inside_nmi);
}

static void set_blocking(u32 clear, u32 set)
{
	vmcs_write_guest_interruptibility((vmcs_read_guest_interruptibility() & ~clear) | set);
}

static void set_interrupt(struct vcpu *vcpu, const struct minikvm_vcpu_events *events)
{
	struct vcpu_events *e = &vcpu->events;

	e->interrupt.injected = false;
	e->interrupt.vector = events->interrupt.nr;
	if (!vcpu->lapic)
		e->extint = -1;
	if (!events->interrupt.injected)
		return;
	if (!events->interrupt.soft)
		return event_interrupt_again(vcpu, events->interrupt.nr);
	/* An INT n, which waits for nothing: minikvm reports none, KVM neither. */
	e->extint = -1;
	e->interrupt.injected = true;
	e->interrupt.soft = true;
	e->soft_insn_len = e->soft_insn_len ?: 2;
}

/* What counts only if its flag is there. */
static void set_flagged(struct vcpu *vcpu, const struct minikvm_vcpu_events *events)
{
	if (events->flags & MINIKVM_VCPUEVENT_VALID_SHADOW)
		set_blocking(BLOCKED_BY_STI_OR_SS, blocking_of(events->interrupt.shadow));
	if (events->flags & MINIKVM_VCPUEVENT_VALID_NMI_PENDING)
		atomic_set(&vcpu->nmi_queued, min_t(u8, events->nmi.pending, 2));
	if (events->flags & MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT)
		assign_bit(REQ_TRIPLE_FAULT, &vcpu->requests, events->triple_fault.pending);
	if (!vcpu->lapic)
		return;
	if (events->flags & MINIKVM_VCPUEVENT_VALID_SIPI_VECTOR)
		WRITE_ONCE(vcpu->sipi_vector, events->sipi_vector);
	if (!(events->flags & MINIKVM_VCPUEVENT_VALID_SMM))
		return;
	if (events->smi.latched_init)
		set_bit(START_INIT, &vcpu->starts);
	else
		clear_bit(START_INIT, &vcpu->starts);
}

/**
 * vcpu_set_events - SET_VCPU_EVENTS
 * @vcpu: loaded
 * @events: all of it is set, or nothing
 *
 * Return: 0; -EINVAL: a flag that is not known, an exception that is none, SMM.
 */
int vcpu_set_events(struct vcpu *vcpu, const struct minikvm_vcpu_events *events)
{
	struct vcpu_events *e = &vcpu->events;

	if (!events_valid(vcpu, events))
		return -EINVAL;
	e->exception = (struct queued_exception) {
		.injected = events->exception.injected,
		.vector = events->exception.nr,
		.has_error = events->exception.has_error_code,
		.error = events->exception.error_code,
	};
	set_interrupt(vcpu, events);
	e->nmi_injected = events->nmi.injected;
	vmcs_end_halt(vcpu);
	set_blocking(INTERRUPTIBILITY_NMI, events->nmi.masked ? INTERRUPTIBILITY_NMI : 0);
	set_flagged(vcpu, events);
	vcpu_make_request(vcpu, REQ_EVENT);
	return 0;
}
