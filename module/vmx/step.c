// SPDX-License-Identifier: GPL-2.0
/*
 * One instruction alone: the controls of an entry that ends behind it, or before it if
 * anything else comes first. SDM "Monitor Trap Flag".
 *
 * Every processor with unrestricted guest has that flag; emulated ones may lack it, or have
 * it and do nothing. So the first instruction runs with the guest's own trap flag on, too,
 * and what comes first is used from then on. If that is the trap, all is put behind the
 * instruction as the monitor trap flag would have left it; but what reads or writes RFLAGS
 * or holds traps back would see through it.
 */
#include <linux/sched.h>
#include <asm/debugreg.h>
#include <asm/msr-index.h>
#include <asm/processor-flags.h>
#include <asm/trapnr.h>

#include "internal.h"
#include "vmx.h"

#define WINDOWS		(PROC_INTERRUPT_WINDOW | PROC_NMI_WINDOW)
#define SHADOW		(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS)

static enum { MTF_UNTRIED, MTF_WORKS, MTF_FAILS } mtf;	/* READ_ONCE, WRITE_ONCE */

/** vmx_step_is_exact - can the next one be an instruction that sees RFLAGS.TF? */
bool vmx_step_is_exact(void)
{
	return READ_ONCE(mtf) == MTF_WORKS;
}

/* A trap that waits would come before the instruction, one behind a shadow too late. */
static void trap_begin(struct step_state *s)
{
	s->rflags = vmcs_read_guest_rflags();
	s->shadow = vmcs_read_guest_interruptibility() & SHADOW;
	s->pending_dbg = vmcs_read_guest_pending_dbg();
	s->debugctl = vmcs_read_guest_debugctl();
	vmcs_write_guest_rflags(s->rflags | X86_EFLAGS_TF);
	if (s->shadow)
		vmcs_write_guest_interruptibility(vmcs_read_guest_interruptibility() & ~SHADOW);
	vmcs_write_guest_pending_dbg(0);
	vmcs_write_guest_debugctl(s->debugctl & ~DEBUGCTLMSR_BTF);
}

static bool is_trap(const struct vmexit *exit)
{
	return exit->reason == REASON_EXCEPTION_NMI &&
	       (exit->intr_info & INTR_INFO_TYPE) == INTR_TYPE_HARD_EXCEPTION &&
	       (exit->intr_info & INTR_INFO_VECTOR) == X86_TRAP_DB && (exit->qualification & DR_STEP);
}

/* What the guest's own TF and breakpoints would have it see. */
static u64 traps_behind(const struct step_state *s, u64 seen)
{
	u64 pending = s->pending_dbg | (seen & DR_TRAP_BITS);

	if (pending & DR_TRAP_BITS)
		pending |= PENDING_DBG_ENABLED;
	return s->rflags & X86_EFLAGS_TF ? pending | PENDING_DBG_BS : pending;
}

static void trap_end(struct vcpu *vcpu)
{
	const struct step_state *s = &vcpu->step_state;

	vmcs_write_guest_debugctl(s->debugctl);
	if (!(s->rflags & X86_EFLAGS_TF))
		vmcs_write_guest_rflags(vmcs_read_guest_rflags() & ~X86_EFLAGS_TF);
	if (vcpu->exit.reason == REASON_MTF) {
		WRITE_ONCE(mtf, MTF_WORKS);
		vmcs_write_guest_pending_dbg(traps_behind(s, vmcs_read_guest_pending_dbg()));
		return;
	}
	if (is_trap(&vcpu->exit)) {
		WRITE_ONCE(mtf, MTF_FAILS);
		vmcs_write_guest_pending_dbg(traps_behind(s, vcpu->exit.qualification));
		vcpu->exit.reason = REASON_MTF;
		return;
	}
	vmcs_write_guest_pending_dbg(s->pending_dbg);
	if (s->shadow)
		vmcs_write_guest_interruptibility(vmcs_read_guest_interruptibility() | s->shadow);
}

/**
 * vmx_step_begin - the next entry is for one instruction
 * @vcpu: loaded; nothing is to be injected if @quiet
 * @eptp: EPT pointer for that entry; what the processor knows of it is forgotten
 * @quiet: every exception exits, no window opens and no timer ends; else without a monitor
 *	trap flag it may be more than one instruction
 *
 * Context: interrupts off; undone by vmx_step_end(). After the exit reason REASON_MTF the
 * instruction is done.
 */
void vmx_step_begin(struct vcpu *vcpu, u64 eptp, bool quiet)
{
	struct step_state *s = &vcpu->step_state;
	u32 proc = vcpu->proc_controls;
	bool flag = vmx_caps.mtf && READ_ONCE(mtf) != MTF_FAILS;

	s->eptp = eptp;
	s->trap = quiet && !vmx_step_is_exact();
	s->windows = quiet ? proc & WINDOWS : 0;
	s->quiet = quiet;
	if (quiet) {
		s->held = vmx_apicv_hold(vcpu);
		vmx_set_exceptions(vcpu);
		if (vmx_caps.preemption_timer)
			vmx_set_hv_timer(vcpu, U64_MAX);	/* the run loop sets what the guest's needs */
	}
	if (s->trap)
		trap_begin(s);
	vmcs_set_proc_controls(vcpu, (proc & ~s->windows) | (flag ? PROC_MTF : 0));
	vmcs_write_eptp(eptp);
	vmx_invept(INVEPT_SINGLE, eptp);
}

/** vmx_step_end - after that entry's exit: entries are as always again; interrupts off */
void vmx_step_end(struct vcpu *vcpu)
{
	struct step_state *s = &vcpu->step_state;

	s->eptp = 0;
	vmcs_write_eptp(vcpu->vm->eptp);
	vmcs_set_proc_controls(vcpu, (vcpu->proc_controls & ~PROC_MTF) | s->windows);
	if (s->quiet)
		vmx_apicv_release(vcpu, s->held);
	s->quiet = false;
	vmx_set_exceptions(vcpu);
	if (s->trap)
		trap_end(vcpu);
}
