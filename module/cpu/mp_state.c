// SPDX-License-Identifier: GPL-2.0
/*
 * The state of a vCPU among the others of its VM: does it run, is it halted, or does it
 * wait to be started? What GET_MP_STATE and SET_MP_STATE show. With chips in the kernel:
 *
 *	  CREATE_VCPU, not the boot processor
 *	              |
 *	              v           INIT                       SIPI
 *	      UNINITIALIZED --------------> INIT_RECEIVED ----------.
 *	      (RUN waits for INIT,             ^                     |
 *	       then fails with EAGAIN)         | INIT, unless it is  |
 *	                                       | the boot processor  v
 *	  CREATE_VCPU, boot processor --------------------------> RUNNABLE
 *	                                                          |      ^
 *	                                                      HLT |      | interrupt, NMI,
 *	                                                          v      | boot processor: INIT
 *	                                                           HALTED
 *
 * INIT works in every state, SIPI in INIT_RECEIVED only. A VMM may set each of them;
 * SIPI_RECEIVED is INIT_RECEIVED with a SIPI that waits, and no vCPU is seen in it.
 * Without chips a vCPU is RUNNABLE, behind an exit for HLT as well. One whose HLT does not
 * exit is RUNNABLE: the processor waits, see vmcs_end_halt().
 *
 * mp_state is the vCPU thread's alone. Others leave bits in vcpu->starts and kick it.
 * SDM "Multiple-Processor (MP) Initialization Protocol".
 */
#include "../irqchip/irqchip.h"
#include "../vmx/vmx.h"
#include "cpu.h"

#define APIC_BASE_BSP	BIT_ULL(8)

/**
 * mp_power_up - the state of a new vCPU
 * @vcpu: not published yet, with its local APIC reset
 */
void mp_power_up(struct vcpu *vcpu)
{
	bool waits = vcpu->lapic && vcpu->id != vcpu->vm->boot_id;

	vcpu->mp_state = waits ? MINIKVM_MP_STATE_UNINITIALIZED : MINIKVM_MP_STATE_RUNNABLE;
}

static void take_init(struct vcpu *vcpu)
{
	vcpu_reset(vcpu, true);
	lapic_reset(vcpu, true);
	vcpu->mp_state = vcpu->apic_base & APIC_BASE_BSP ? MINIKVM_MP_STATE_RUNNABLE
							 : MINIKVM_MP_STATE_INIT_RECEIVED;
}

/* Begin at the page that the SIPI's vector names. */
static void take_sipi(struct vcpu *vcpu)
{
	u8 vector = READ_ONCE(vcpu->sipi_vector);
	struct minikvm_segment cs;

	if (vcpu->mp_state != MINIKVM_MP_STATE_INIT_RECEIVED)
		return;
	vmx_get_segment(SEG_CS, &cs);
	cs.selector = vector << 8;
	cs.base = vector << 12;
	vmx_set_segment(SEG_CS, &cs);
	vmcs_write_guest_rip(0);
	vcpu->mp_state = MINIKVM_MP_STATE_RUNNABLE;
}

/**
 * mp_take_starts - carry out INIT and SIPI that have arrived
 * @vcpu: loaded
 *
 * Both are taken at once: a SIPI that is there beside an INIT came after it. One by one,
 * a second INIT and SIPI could come in between, and the SIPI be taken before its INIT.
 *
 * Context: the vCPU thread, may sleep.
 */
void mp_take_starts(struct vcpu *vcpu)
{
	unsigned long starts;

	if (!READ_ONCE(vcpu->starts))
		return;
	starts = xchg(&vcpu->starts, 0);	/* a full barrier: the vector is read after it */
	if (starts & BIT(START_INIT))
		take_init(vcpu);
	if (starts & BIT(START_SIPI))
		take_sipi(vcpu);
}

/**
 * mp_may_run - does a vCPU that waits have a reason to go on?
 * @vcpu: loaded
 *
 * Context: the vCPU thread, which may be about to sleep.
 */
bool mp_may_run(struct vcpu *vcpu)
{
	if (READ_ONCE(vcpu->starts) || (READ_ONCE(vcpu->requests) & ~BIT(REQ_EVENT)))
		return true;
	switch (vcpu->mp_state) {
	case MINIKVM_MP_STATE_RUNNABLE:
		return true;
	case MINIKVM_MP_STATE_HALTED:
		return event_waiting(vcpu);
	default:
		return false;
	}
}

/**
 * vcpu_get_mp_state - GET_MP_STATE
 * @vcpu: loaded
 *
 * A start that has arrived is taken in first, as in KVM: neither this nor any other state
 * that a VMM saves would tell of it. Nor that an interrupt of the VMM's, which VCPU_EVENTS has as
 * one on its way, ended the HLT.
 */
u32 vcpu_get_mp_state(struct vcpu *vcpu)
{
	mp_take_starts(vcpu);
	if (vcpu->mp_state == MINIKVM_MP_STATE_HALTED && vcpu->events.extint >= 0 &&
	    event_takes_interrupts(vcpu))
		return MINIKVM_MP_STATE_RUNNABLE;
	return vcpu->mp_state;
}

/**
 * vcpu_set_mp_state - SET_MP_STATE
 * @vcpu: loaded
 * @state: MINIKVM_MP_STATE_*
 *
 * Return: 0; -EINVAL: no such state, or not RUNNABLE without chips here: the VMM does the rest.
 */
int vcpu_set_mp_state(struct vcpu *vcpu, u32 state)
{
	if (state > MINIKVM_MP_STATE_SIPI_RECEIVED)
		return -EINVAL;
	if (!vcpu->lapic && state != MINIKVM_MP_STATE_RUNNABLE)
		return -EINVAL;
	if (state == MINIKVM_MP_STATE_SIPI_RECEIVED) {
		state = MINIKVM_MP_STATE_INIT_RECEIVED;
		set_bit(START_SIPI, &vcpu->starts);
	}
	vcpu->mp_state = state;
	vmcs_end_halt(vcpu);
	vcpu_make_request(vcpu, REQ_EVENT);
	return 0;
}
