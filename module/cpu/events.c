// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions, NMIs and interrupts on their way into the guest.
 *
 * An event is pending until an entry carries it, injected while an entry does,
 * and injected again if the exit says that its delivery did not finish (a page
 * of the guest's stack was not mapped yet, say). SDM "Event Injection",
 * "Information for VM Exits That Occur During Event Delivery".
 */
#include <asm/processor-flags.h>

#include "../trace.h"
#include "../vmx/vmx.h"
#include "../minikvm.h"

enum { VEC_DE = 0, VEC_NMI = 2, VEC_BP = 3, VEC_OF = 4, VEC_DF = 8, VEC_TS = 10, VEC_NP = 11,
	VEC_SS = 12, VEC_GP = 13, VEC_PF = 14 };

/* SDM "Conditions for Generating a Double Fault": #PF is contributory on top of itself only. */
static bool is_contributory(u8 vector)
{
	return vector == VEC_DE || (vector >= VEC_TS && vector <= VEC_GP);
}

static bool makes_double_fault(u8 first, u8 second)
{
	if (is_contributory(first) && is_contributory(second))
		return true;
	return first == VEC_PF && (is_contributory(second) || second == VEC_PF);
}

static void queue_exception(struct vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	struct queued_exception *e = &vcpu->events.exception;

	set_bit(REQ_EVENT, &vcpu->requests);
	if (e->pending || e->injected) {
		if (e->vector == VEC_DF) {
			set_bit(REQ_TRIPLE_FAULT, &vcpu->requests);
			return;
		}
		if (makes_double_fault(e->vector, vector)) {
			vector = VEC_DF;
			has_error = true;
			error = 0;
		}
	}
	*e = (struct queued_exception) {
		.pending = true, .vector = vector, .has_error = has_error, .error = error,
	};
}

/** event_exception - raise an exception without an error code at the next entry */
void event_exception(struct vcpu *vcpu, u8 vector)
{
	queue_exception(vcpu, vector, false, 0);
}

/** event_exception_error - raise one with an error code; real mode has none */
void event_exception_error(struct vcpu *vcpu, u8 vector, u32 error)
{
	queue_exception(vcpu, vector, vcpu->cr0 & X86_CR0_PE, error);
}

/** event_page_fault - raise #PF, with CR2 */
void event_page_fault(struct vcpu *vcpu, gva_t addr, u32 error)
{
	vcpu->cr2 = addr;
	event_exception_error(vcpu, VEC_PF, error);
}

/**
 * event_interrupt - INTERRUPT: queue a vector of the VMM's own interrupt controller
 * @vcpu: attached
 * @vector: 0..255
 *
 * Return: 0, -EINVAL (no such vector), -EEXIST (one waits already).
 */
int event_interrupt(struct vcpu *vcpu, u32 vector)
{
	if (vector >= MINIKVM_NR_INTERRUPTS)
		return -EINVAL;
	if (vcpu->events.extint >= 0)
		return -EEXIST;
	vcpu->events.extint = vector;
	set_bit(REQ_EVENT, &vcpu->requests);
	return 0;
}

/** event_nmi - one NMI more, at most two wait. Any context; the caller kicks the vCPU. */
void event_nmi(struct vcpu *vcpu)
{
	/* The thread itself is the only other writer, see take_nmi(). */
	if (atomic_fetch_add_unless(&vcpu->nmi_queued, 1, 2) < 2)
		set_bit(REQ_EVENT, &vcpu->requests);
}

static bool interrupts_open(void)
{
	return (vmcs_read_guest_rflags() & X86_EFLAGS_IF) &&
	       !(vmcs_read_guest_interruptibility() &
		 (INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS));
}

static bool nmis_open(void)
{
	return !(vmcs_read_guest_interruptibility() &
		 (INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS | INTERRUPTIBILITY_NMI));
}

/** event_can_take_interrupt - would an INTERRUPT be delivered at once? */
bool event_can_take_interrupt(struct vcpu *vcpu)
{
	const struct vcpu_events *e = &vcpu->events;

	return interrupts_open() && !e->interrupt.injected && e->extint < 0 &&
	       !e->exception.pending && !e->exception.injected && !e->nmi_injected;
}

static bool has_interrupt(struct vcpu *vcpu)
{
	return vcpu->lapic ? irqchip_has_interrupt(vcpu) : vcpu->events.extint >= 0;
}

/** event_waiting - is there something that ends a HLT? */
bool event_waiting(struct vcpu *vcpu)
{
	if (vcpu->events.exception.pending || vcpu->events.nmi_injected ||
	    vcpu->events.interrupt.injected)
		return true;
	if (atomic_read(&vcpu->nmi_queued) && nmis_open())
		return true;
	return interrupts_open() && has_interrupt(vcpu);
}

static void send(struct vcpu *vcpu, u32 info, u32 error)
{
	if (info & INTR_INFO_ERROR_CODE)
		vmcs_write_entry_error_code(error);
	vmcs_write_entry_intr_info(info | INTR_INFO_VALID);
	vcpu->events.sent = true;
	trace_minikvm_inject(info, error);
}

static void send_exception(struct vcpu *vcpu)
{
	struct queued_exception *e = &vcpu->events.exception;
	u32 info = e->vector;

	if (e->vector == VEC_BP || e->vector == VEC_OF) {
		info |= INTR_TYPE_SOFT_EXCEPTION;
		vmcs_write_entry_insn_len(vcpu->events.soft_insn_len ?: 1);
	} else {
		info |= INTR_TYPE_HARD_EXCEPTION;
	}
	if (e->has_error)
		info |= INTR_INFO_ERROR_CODE;
	/* A fault leaves RF set, so that the instruction's own breakpoint does not recur. */
	if (e->pending && e->vector != 1)
		vmcs_write_guest_rflags(vmcs_read_guest_rflags() | X86_EFLAGS_RF);
	e->pending = false;
	e->injected = true;
	vcpu->stats.exception_injected++;
	send(vcpu, info, e->error);
}

static void send_interrupt(struct vcpu *vcpu)
{
	u32 info = vcpu->events.interrupt.vector;

	if (vcpu->events.interrupt.soft) {
		info |= INTR_TYPE_SOFT_INTR;
		vmcs_write_entry_insn_len(vcpu->events.soft_insn_len);
	}
	vcpu->stats.irq_injected++;
	send(vcpu, info, 0);
}

static void send_nmi(struct vcpu *vcpu)
{
	vcpu->stats.nmi_injected++;
	send(vcpu, VEC_NMI | INTR_TYPE_NMI, 0);
}

static bool take_nmi(struct vcpu *vcpu)
{
	if (!atomic_read(&vcpu->nmi_queued))
		return false;
	if (!nmis_open()) {
		vmcs_set_nmi_window(vcpu, true);
		return false;
	}
	atomic_dec(&vcpu->nmi_queued);
	vcpu->events.nmi_injected = true;
	return true;
}

static bool take_interrupt(struct vcpu *vcpu)
{
	int vector;

	if (!has_interrupt(vcpu))
		return false;
	if (!interrupts_open()) {
		vmcs_set_interrupt_window(vcpu, true);
		return false;
	}
	if (vcpu->lapic) {
		vector = irqchip_take_interrupt(vcpu);
	} else {
		vector = vcpu->events.extint;
		vcpu->events.extint = -1;
	}
	if (vector < 0)
		return false;
	vcpu->events.interrupt.injected = true;
	vcpu->events.interrupt.soft = false;
	vcpu->events.interrupt.vector = vector;
	return true;
}

/* One entry carries one event; if more wait, exit again as soon as they can come. */
static void open_windows(struct vcpu *vcpu)
{
	if (atomic_read(&vcpu->nmi_queued))
		vmcs_set_nmi_window(vcpu, true);
	if (has_interrupt(vcpu))
		vmcs_set_interrupt_window(vcpu, true);
}

/**
 * event_inject - put the most urgent event into the next entry
 * @vcpu: attached
 *
 * Context: interrupts off, after REQ_EVENT was seen and cleared.
 */
void event_inject(struct vcpu *vcpu)
{
	struct vcpu_events *e = &vcpu->events;

	if (e->exception.injected || e->exception.pending)
		send_exception(vcpu);
	else if (e->nmi_injected)
		send_nmi(vcpu);
	else if (e->interrupt.injected)
		send_interrupt(vcpu);
	else if (take_nmi(vcpu))
		send_nmi(vcpu);
	else if (take_interrupt(vcpu))
		send_interrupt(vcpu);
	if (e->sent)
		open_windows(vcpu);
}

static void deliver_again(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct vcpu_events *e = &vcpu->events;
	u8 vector = exit->idt_info & INTR_INFO_VECTOR;
	u32 type = exit->idt_info & INTR_INFO_TYPE;

	set_bit(REQ_EVENT, &vcpu->requests);
	if (type == INTR_TYPE_SOFT_INTR || type == INTR_TYPE_SOFT_EXCEPTION)
		e->soft_insn_len = vmcs_read_exit_insn_len();
	switch (type) {
	case INTR_TYPE_NMI:
		e->nmi_injected = true;
		/* Injecting it again wants NMIs unblocked; the entry blocks them anew. */
		vmcs_write_guest_interruptibility(vmcs_read_guest_interruptibility() &
						  ~INTERRUPTIBILITY_NMI);
		break;
	case INTR_TYPE_HARD_EXCEPTION:
	case INTR_TYPE_SOFT_EXCEPTION:
	case INTR_TYPE_PRIV_SW:
		e->exception.injected = true;
		e->exception.vector = vector;
		e->exception.has_error = exit->idt_info & INTR_INFO_ERROR_CODE;
		e->exception.error = exit->idt_error;
		break;
	default:
		e->interrupt.injected = true;
		e->interrupt.vector = vector;
		e->interrupt.soft = type == INTR_TYPE_SOFT_INTR;
	}
}

/**
 * event_after_exit - what became of the event that the entry carried
 * @vcpu: attached
 * @exit: of an entry that succeeded
 *
 * Context: interrupts off, after each exit of an entry with an event, and after
 * each exit with IDT-vectoring information.
 */
void event_after_exit(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct vcpu_events *e = &vcpu->events;

	e->sent = false;
	e->exception.injected = false;
	e->nmi_injected = false;
	e->interrupt.injected = false;
	if (exit->idt_info & INTR_INFO_VALID)
		deliver_again(vcpu, exit);
}

static u8 shadow_of(u32 interruptibility)
{
	return (interruptibility & INTERRUPTIBILITY_STI ? MINIKVM_X86_SHADOW_INT_STI : 0) |
	       (interruptibility & INTERRUPTIBILITY_MOV_SS ? MINIKVM_X86_SHADOW_INT_MOV_SS : 0);
}

/** vcpu_get_events - GET_VCPU_EVENTS; @vcpu attached */
void vcpu_get_events(struct vcpu *vcpu, struct minikvm_vcpu_events *events)
{
	const struct vcpu_events *e = &vcpu->events;
	u32 interruptibility = vmcs_read_guest_interruptibility();

	memset(events, 0, sizeof(*events));
	/* INT3 and INTO are executed again; the others are delivered again. */
	if (e->exception.vector != VEC_BP && e->exception.vector != VEC_OF) {
		events->exception.injected = e->exception.injected || e->exception.pending;
		events->exception.pending = e->exception.pending;
	}
	events->exception.nr = e->exception.vector;
	events->exception.has_error_code = e->exception.has_error;
	events->exception.error_code = e->exception.error;
	events->interrupt.injected = e->interrupt.injected && !e->interrupt.soft;
	events->interrupt.nr = e->interrupt.vector;
	events->interrupt.shadow = shadow_of(interruptibility);
	events->nmi.injected = e->nmi_injected;
	events->nmi.pending = atomic_read(&vcpu->nmi_queued);
	events->nmi.masked = !!(interruptibility & INTERRUPTIBILITY_NMI);
	events->flags = MINIKVM_VCPUEVENT_VALID_NMI_PENDING | MINIKVM_VCPUEVENT_VALID_SHADOW |
			MINIKVM_VCPUEVENT_VALID_SMM;
}

static bool events_valid(const struct minikvm_vcpu_events *events)
{
	const u32 known = MINIKVM_VCPUEVENT_VALID_NMI_PENDING |
			  MINIKVM_VCPUEVENT_VALID_SIPI_VECTOR |
			  MINIKVM_VCPUEVENT_VALID_SHADOW | MINIKVM_VCPUEVENT_VALID_SMM;

	if (events->flags & ~known)
		return false;
	if (events->exception.injected &&
	    (events->exception.nr > 31 || events->exception.nr == VEC_NMI))
		return false;
	if ((events->flags & MINIKVM_VCPUEVENT_VALID_SMM) &&
	    (events->smi.smm || events->smi.pending || events->smi.smm_inside_nmi))
		return false;
	return true;
}

static void set_shadow(u32 clear, u32 set)
{
	vmcs_write_guest_interruptibility((vmcs_read_guest_interruptibility() & ~clear) | set);
}

/** vcpu_set_events - SET_VCPU_EVENTS; @vcpu attached. Return: 0 or -EINVAL. */
int vcpu_set_events(struct vcpu *vcpu, const struct minikvm_vcpu_events *events)
{
	struct vcpu_events *e = &vcpu->events;

	if (!events_valid(events))
		return -EINVAL;
	e->exception.pending = false;
	e->exception.injected = events->exception.injected;
	e->exception.vector = events->exception.nr;
	e->exception.has_error = events->exception.has_error_code;
	e->exception.error = events->exception.error_code;
	e->interrupt.injected = events->interrupt.injected;
	e->interrupt.vector = events->interrupt.nr;
	e->interrupt.soft = events->interrupt.soft;
	if (events->flags & MINIKVM_VCPUEVENT_VALID_SHADOW)
		set_shadow(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS,
			   (events->interrupt.shadow & MINIKVM_X86_SHADOW_INT_STI ?
			    INTERRUPTIBILITY_STI : 0) |
			   (events->interrupt.shadow & MINIKVM_X86_SHADOW_INT_MOV_SS ?
			    INTERRUPTIBILITY_MOV_SS : 0));
	e->nmi_injected = events->nmi.injected;
	if (events->flags & MINIKVM_VCPUEVENT_VALID_NMI_PENDING)
		atomic_set(&vcpu->nmi_queued, min_t(u8, events->nmi.pending, 2));
	set_shadow(INTERRUPTIBILITY_NMI, events->nmi.masked ? INTERRUPTIBILITY_NMI : 0);
	if ((events->flags & MINIKVM_VCPUEVENT_VALID_SIPI_VECTOR) && vcpu->lapic)
		vcpu->sipi_vector = events->sipi_vector;
	set_bit(REQ_EVENT, &vcpu->requests);
	return 0;
}
