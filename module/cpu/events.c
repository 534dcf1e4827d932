// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions, NMIs and interrupts on their way into the guest. Exits, the chips
 * and ioctls queue them; the run loop calls event_inject() before an entry and
 * event_after_exit() after it.
 *
 * An event is pending until an entry carries it, injected while an entry does,
 * and injected again if the exit says that its delivery did not finish (a page
 * of the guest's stack was not mapped yet, say). One entry carries one event; an
 * exception goes before an NMI, an NMI before an interrupt. SDM "Event
 * Injection", "Information for VM Exits That Occur During Event Delivery".
 *
 * Left out: SMIs, and the payload of exceptions: DR6 and CR2 are written when
 * the exception is raised.
 */
#include <asm/processor-flags.h>

#include "../irqchip/irqchip.h"
#include "../pv/pv.h"
#include "../trace.h"
#include "../vmx/vmx.h"
#include "cpu.h"

#define BLOCKED_BY_STI_OR_SS	(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS)

/* SDM "Conditions for Generating a Double Fault": #DE, #TS, #NP, #SS, #GP. */
static bool is_contributory(u8 vector)
{
	return vector == X86_TRAP_DE || (vector >= X86_TRAP_TS && vector <= X86_TRAP_GP);
}

static bool makes_double_fault(u8 first, u8 second)
{
	if (is_contributory(first) && is_contributory(second))
		return true;
	return first == X86_TRAP_PF && (is_contributory(second) || second == X86_TRAP_PF);
}

/* INT3 and INTO: injected as what the instruction does, with its length. */
static bool is_soft(u8 vector)
{
	return vector == X86_TRAP_BP || vector == X86_TRAP_OF;
}

/* Faults leave the instruction to be done again; traps and aborts do not. */
static bool is_fault(u8 vector)
{
	return vector != X86_TRAP_DB && vector != X86_TRAP_DF && vector != X86_TRAP_MC &&
	       !is_soft(vector);
}

/* Real mode has no error codes; an entry refuses one there, whoever asked for it. */
static bool takes_error(struct vcpu *vcpu)
{
	return vcpu->cr0 & X86_CR0_PE;
}

static void queue_exception(struct vcpu *vcpu, u8 vector, bool has_error, u32 error)
{
	struct queued_exception *e = &vcpu->events.exception;

	vcpu_make_request(vcpu, REQ_EVENT);
	if (e->pending || e->injected) {
		if (e->vector == X86_TRAP_DF) {
			vcpu_make_request(vcpu, REQ_TRIPLE_FAULT);
			return;
		}
		if (makes_double_fault(e->vector, vector)) {
			vector = X86_TRAP_DF;
			has_error = true;
			error = 0;
		}
	}
	*e = (struct queued_exception) {
		.pending = true,
		.vector = vector,
		.has_error = has_error,
		.error = error,
	};
}

/**
 * event_exception - raise an exception without an error code at the next entry
 * @vcpu: loaded
 * @vector: which
 *
 * On top of another that was not delivered yet it becomes a double fault, or
 * the end of the machine, or takes the other's place. SDM "Interrupt 8 - Double
 * Fault Exception (#DF)".
 *
 * Context: interrupts off or on.
 */
void event_exception(struct vcpu *vcpu, u8 vector)
{
	queue_exception(vcpu, vector, false, 0);
}

/** event_exception_error - event_exception() with an error code */
void event_exception_error(struct vcpu *vcpu, u8 vector, u32 error)
{
	queue_exception(vcpu, vector, true, error);
}

/** event_page_fault - raise #PF, with the address in CR2 */
void event_page_fault(struct vcpu *vcpu, gva_t addr, u32 error)
{
	vcpu->cr2 = addr;
	event_exception_error(vcpu, X86_TRAP_PF, error);
}

/**
 * event_interrupt - INTERRUPT: queue a vector of the VMM's own interrupt controller
 * @vcpu: loaded
 * @vector: 0..255
 *
 * Without a local APIC here it replaces one that waits: the VMM has thought again.
 *
 * Return: 0, -EINVAL (no such vector), -EEXIST (one waits already).
 */
int event_interrupt(struct vcpu *vcpu, u32 vector)
{
	if (vector >= MINIKVM_NR_INTERRUPTS)
		return -EINVAL;
	if (vcpu->lapic && vcpu->events.extint >= 0)
		return -EEXIST;
	vcpu->events.extint = vector;
	vcpu_make_request(vcpu, REQ_EVENT);
	return 0;
}

/**
 * event_limit_nmis - drop the second NMI that waits, if the first cannot come yet
 * @vcpu: loaded
 *
 * A processor remembers one NMI. The second is for a vCPU that could have taken
 * the first long ago, had its thread run: not if the guest itself blocks NMIs.
 */
void event_limit_nmis(struct vcpu *vcpu)
{
	if (atomic_read(&vcpu->nmi_queued) < 2)
		return;
	if (vcpu->events.nmi_injected ||
	    (vmcs_read_guest_interruptibility() & INTERRUPTIBILITY_NMI))
		atomic_cmpxchg(&vcpu->nmi_queued, 2, 1);
}

static bool interrupts_open(void)
{
	return (vmcs_read_guest_rflags() & X86_EFLAGS_IF) &&
	       !(vmcs_read_guest_interruptibility() & BLOCKED_BY_STI_OR_SS);
}

static bool nmis_open(void)
{
	return !(vmcs_read_guest_interruptibility() &
		 (BLOCKED_BY_STI_OR_SS | INTERRUPTIBILITY_NMI));
}

/**
 * event_takes_interrupts - would an interrupt of a PIC be delivered at once?
 * @vcpu: loaded
 *
 * Context: any.
 */
bool event_takes_interrupts(struct vcpu *vcpu)
{
	const struct vcpu_events *e = &vcpu->events;

	return !e->interrupt.injected && !e->nmi_injected && !e->exception.pending &&
	       !e->exception.injected && interrupts_open() && irqchip_accepts_extint(vcpu);
}

/**
 * event_can_take_interrupt - would an INTERRUPT be delivered at once?
 * @vcpu: loaded
 *
 * Context: any. What a VMM with a PIC of its own reads in the run page.
 */
bool event_can_take_interrupt(struct vcpu *vcpu)
{
	return vcpu->events.extint < 0 && event_takes_interrupts(vcpu);
}

static bool has_interrupt(struct vcpu *vcpu)
{
	return vcpu->lapic ? irqchip_has_interrupt(vcpu) : vcpu->events.extint >= 0;
}

/**
 * event_waiting - is there something that ends a HLT?
 * @vcpu: loaded
 *
 * Nothing that is on its way: only a VMM has set that meanwhile, and it ends no HLT, as with KVM.
 *
 * Context: interrupts on; the thread may be about to sleep.
 */
bool event_waiting(struct vcpu *vcpu)
{
	if (vcpu->events.exception.pending)
		return true;
	if (atomic_read(&vcpu->nmi_queued) && nmis_open())
		return true;
	return interrupts_open() && has_interrupt(vcpu);
}

static void event_send(struct vcpu *vcpu, u32 info, u32 error)
{
	/* An entry takes 16 bits of it; a VMM may have set more. */
	if (info & INTR_INFO_ERROR_CODE)
		vmcs_write_entry_error_code((u16)error);
	vmcs_write_entry_intr_info(info | INTR_INFO_VALID);
	vmcs_end_halt(vcpu);
	vcpu->events.sent = true;
	trace_minikvm_inject(info, error);
}

/*
 * While STI or MOV SS blocks events and TF is set, an entry wants the single
 * step to be pending, and does not see that this #DB is it. SDM "Checks on
 * Guest Non-Register State".
 */
static void prepare_debug_exception(void)
{
	if (!(vmcs_read_guest_interruptibility() & BLOCKED_BY_STI_OR_SS))
		return;
	if (vmcs_read_guest_rflags() & X86_EFLAGS_TF)
		vmcs_write_guest_pending_dbg(vmcs_read_guest_pending_dbg() | PENDING_DBG_BS);
}

/* What the processor does itself when it raises an exception, but not when it is told to. */
static void first_delivery(struct vcpu *vcpu, u8 vector)
{
	/* RF in the pushed flags: the instruction's own breakpoint does not recur. */
	if (is_fault(vector))
		vmcs_write_guest_rflags(vmcs_read_guest_rflags() | X86_EFLAGS_RF);
	if (vector == X86_TRAP_DB)
		debug_exception_delivered(vcpu);
}

static void send_exception(struct vcpu *vcpu)
{
	struct queued_exception *e = &vcpu->events.exception;
	u32 info = e->vector;

	if (is_soft(e->vector)) {
		info |= INTR_TYPE_SOFT_EXCEPTION;
		vmcs_write_entry_insn_len(vcpu->events.soft_insn_len ?: 1);
	} else {
		info |= INTR_TYPE_HARD_EXCEPTION;
	}
	e->has_error &= takes_error(vcpu);
	if (e->has_error)
		info |= INTR_INFO_ERROR_CODE;
	if (e->pending)
		first_delivery(vcpu, e->vector);
	if (e->vector == X86_TRAP_DB)
		prepare_debug_exception();
	e->pending = false;
	e->injected = true;
	vcpu->stats.exception_injected++;
	event_send(vcpu, info, e->error);
}

static void send_interrupt(struct vcpu *vcpu)
{
	u32 info = vcpu->events.interrupt.vector;

	if (vcpu->events.interrupt.soft) {
		info |= INTR_TYPE_SOFT_INTR;
		vmcs_write_entry_insn_len(vcpu->events.soft_insn_len);
	}
	vcpu->stats.irq_injected++;
	event_send(vcpu, info, 0);
}

static void send_nmi(struct vcpu *vcpu)
{
	vcpu->stats.nmi_injected++;
	event_send(vcpu, X86_TRAP_NMI | INTR_TYPE_NMI, 0);
}

/*
 * STI blocks an NMI on some processors, but does not keep the window shut on
 * all: the interrupt window opens when both are over, since STI has set IF.
 */
static void wait_for_nmi_window(struct vcpu *vcpu)
{
	if (vmcs_read_guest_interruptibility() & INTERRUPTIBILITY_STI)
		vmcs_set_interrupt_window(vcpu, true);
	else
		vmcs_set_nmi_window(vcpu, true);
}

static bool take_nmi(struct vcpu *vcpu)
{
	if (!atomic_read(&vcpu->nmi_queued))
		return false;
	event_limit_nmis(vcpu);
	if (!nmis_open()) {
		wait_for_nmi_window(vcpu);
		return false;
	}
	atomic_dec(&vcpu->nmi_queued);
	vcpu->events.nmi_injected = true;
	return true;
}

/* The vector of an interrupt that is acknowledged now, or -1. */
static int event_acknowledge(struct vcpu *vcpu)
{
	int vector = vcpu->events.extint;

	if (vcpu->lapic)
		return irqchip_take_interrupt(vcpu);
	vcpu->events.extint = -1;
	return vector;
}

/* Likewise, and is it one that an entry has to carry? */
static bool has_injection(struct vcpu *vcpu)
{
	return vcpu->lapic ? irqchip_has_injection(vcpu) : vcpu->events.extint >= 0;
}

static bool take_interrupt(struct vcpu *vcpu)
{
	int vector;

	if (!has_injection(vcpu))
		return false;
	if (!interrupts_open()) {
		vmcs_set_interrupt_window(vcpu, true);
		return false;
	}
	vector = event_acknowledge(vcpu);
	if (vector < 0)
		return false;
	vcpu->events.interrupt.injected = true;
	vcpu->events.interrupt.soft = false;
	vcpu->events.interrupt.vector = vector;
	if (vcpu->pv.eoi && vcpu->lapic)
		pv_eoi_offer(vcpu);
	return true;
}

/*
 * One entry carries one event; if more wait, exit again as soon as they can come. And
 * not if the one that the window was opened for is on its way. What the processor is to
 * deliver waits for the window, too: vmx_apicv_waiting().
 */
static void set_windows(struct vcpu *vcpu)
{
	vmcs_set_interrupt_window(vcpu, vcpu->window_asked || has_injection(vcpu) ||
				  (vcpu->apicv && vmx_apicv_waiting()));
	if (atomic_read(&vcpu->nmi_queued))
		wait_for_nmi_window(vcpu);
}

/* A failed entry leaves its event in the VMCS; the VMM may have taken it back since. */
static void forget_sent(struct vcpu *vcpu)
{
	if (likely(!vcpu->events.sent))
		return;
	vmcs_write_entry_intr_info(0);
	vcpu->events.sent = false;
	if (vcpu->pv.eoi_offered)
		pv_eoi_after_exit(vcpu);
}

/**
 * event_inject - put the most urgent event into the next entry
 * @vcpu: loaded
 *
 * Context: interrupts off, after REQ_EVENT was seen and cleared.
 */
void event_inject(struct vcpu *vcpu)
{
	struct vcpu_events *e = &vcpu->events;

	forget_sent(vcpu);
	if (vcpu->apicv)
		lapic_apicv_deliver(vcpu);
	if (e->exception.injected || e->exception.pending)
		send_exception(vcpu);
	else if (e->nmi_injected)
		send_nmi(vcpu);
	else if (e->interrupt.injected)
		send_interrupt(vcpu);
	else if (unlikely(vcpu->debug.control & MINIKVM_GUESTDBG_BLOCKIRQ))
		;	/* until SET_GUEST_DEBUG says otherwise */
	else if (take_nmi(vcpu))
		send_nmi(vcpu);
	else if (take_interrupt(vcpu))
		send_interrupt(vcpu);
	if (e->sent)
		set_windows(vcpu);
	if (vcpu->lapic && !vcpu->apicv)
		lapic_watch_tpr(vcpu);
}

static void deliver_again(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct vcpu_events *e = &vcpu->events;
	u8 vector = exit->idt_info & INTR_INFO_VECTOR;
	u32 type = exit->idt_info & INTR_INFO_TYPE;

	vcpu_make_request(vcpu, REQ_EVENT);
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
		e->exception.injected = true;
		e->exception.vector = vector;
		e->exception.has_error = exit->idt_info & INTR_INFO_ERROR_CODE;
		e->exception.error = exit->idt_error;
		break;
	case INTR_TYPE_EXT:
	case INTR_TYPE_SOFT_INTR:
		e->interrupt.injected = true;
		e->interrupt.vector = vector;
		e->interrupt.soft = type == INTR_TYPE_SOFT_INTR;
	}
}

/**
 * event_after_exit - what became of the event that the entry carried
 * @vcpu: loaded
 * @exit: of an entry that succeeded
 *
 * Context: interrupts off, after each exit of an entry with an event, and after
 * each exit with IDT-vectoring information.
 */
void event_after_exit(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct vcpu_events *e = &vcpu->events;

	if (unlikely(vcpu->pv.eoi_offered))
		pv_eoi_after_exit(vcpu);
	e->sent = false;
	e->exception.injected = false;
	e->nmi_injected = false;
	e->interrupt.injected = false;
	e->soft_insn_len = 0;
	if (exit->idt_info & INTR_INFO_VALID)
		deliver_again(vcpu, exit);
}

/**
 * event_reset - nothing waits: power-up, INIT
 * @vcpu: loaded
 *
 * Ends every blocking, too. SDM "Processor State After Reset".
 */
void event_reset(struct vcpu *vcpu)
{
	memset(&vcpu->events, 0, sizeof(vcpu->events));
	vcpu->events.extint = -1;
	atomic_set(&vcpu->nmi_queued, 0);
	vmcs_write_entry_intr_info(0);
	vmcs_write_guest_interruptibility(0);
	vmcs_write_guest_activity(ACTIVITY_ACTIVE);
	vmcs_write_guest_pending_dbg(0);
}
