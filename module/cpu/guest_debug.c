// SPDX-License-Identifier: GPL-2.0
/*
 * The VMM debugs the guest, SET_GUEST_DEBUG: it steps, with the trap flag; INT3 is an exit; or
 * it has breakpoints of its own in the debug registers. The guest sees nothing of that in its
 * registers. Called by the ioctl, by RUN at its beginning and end, and by the exits that a
 * debugger waits for.
 *
 * What shows all the same, here as with KVM: our trap flag in what PUSHF, SYSCALL, and the
 * delivery of an event save of RFLAGS.
 */
#include <linux/sched.h>
#include <asm/debugreg.h>

#include "../vmx/vmx.h"
#include "cpu.h"
#include "debug_step.h"

#define SHADOW	(INTERRUPTIBILITY_STI | INTERRUPTIBILITY_MOV_SS)

static void inject(struct vcpu *vcpu, u32 control)
{
	if (control & MINIKVM_GUESTDBG_INJECT_DB)
		event_exception(vcpu, X86_TRAP_DB);
	else if (control & MINIKVM_GUESTDBG_INJECT_BP)
		event_exception(vcpu, X86_TRAP_BP);
}

/* A step that waits to be told of is told of, if there is to be stepped still. */
static void set_step(struct guest_debug *d)
{
	if (!(d->control & MINIKVM_GUESTDBG_SINGLESTEP))
		d->step = STEP_OFF;
	else if (d->step != STEP_DONE)
		d->step = STEP_DUE;
}

/**
 * vcpu_set_guest_debug - SET_GUEST_DEBUG
 * @vcpu: loaded
 * @debug: as given; flags that there are not are ignored, as by KVM
 *
 * Return: 0; -EBUSY: an exception is to be injected, and another waits.
 */
int vcpu_set_guest_debug(struct vcpu *vcpu, const struct minikvm_guest_debug *debug)
{
	const u32 injects = MINIKVM_GUESTDBG_INJECT_DB | MINIKVM_GUESTDBG_INJECT_BP;
	struct guest_debug *d = &vcpu->debug;
	u32 control = debug->control;

	if ((control & injects) && vcpu->events.exception.pending)
		return -EBUSY;
	inject(vcpu, control);
	d->control = control & MINIKVM_GUESTDBG_ENABLE ?
		     control & MINIKVM_GUESTDBG_VALID_MASK & ~injects : 0;
	if (d->control & MINIKVM_GUESTDBG_USE_HW_BP) {
		memcpy(d->dr, debug->arch.debugreg, sizeof(d->dr));
		d->dr7 = debug->arch.debugreg[7];
	}
	set_step(d);
	debug_use_drs(vcpu);
	vmx_set_exceptions(vcpu);
	return 0;
}

/**
 * guest_debug_set_regs - the VMM sets RIP and RFLAGS
 * @vcpu: loaded
 * @moved: RIP will be another
 * @rflags: to be set, and the guest's
 */
void guest_debug_set_regs(struct vcpu *vcpu, bool moved, u64 rflags)
{
	debug_step_set_regs(&vcpu->debug, moved, rflags);
}

/**
 * guest_debug_run_begin - a step begins if the VMM wants one
 * @vcpu: loaded; its registers are the VMM's latest
 *
 * An entry with the trap flag on and STI or MOV SS before it wants a trap to be pending, which
 * would come before the instruction: that the shadow ends early is the lesser evil, as with
 * KVM. SDM "Checks on Guest Non-Register State".
 */
void guest_debug_run_begin(struct vcpu *vcpu)
{
	unsigned long old = vmcs_read_guest_rflags(), rflags = debug_step_put(&vcpu->debug, old);
	u32 shadow;

	if (rflags == old)
		return;
	vmcs_write_guest_rflags(rflags);
	shadow = vmcs_read_guest_interruptibility();
	if (shadow & SHADOW)
		vmcs_write_guest_interruptibility(shadow & ~SHADOW);
}

/* With our flag goes the trap that MOV SS holds back because of it. */
static void put_rflags(unsigned long old, unsigned long rflags)
{
	if (rflags == old)
		return;
	vmcs_write_guest_rflags(rflags);
	vmcs_write_guest_pending_dbg(vmcs_read_guest_pending_dbg() & ~(u64)PENDING_DBG_BS);
}

/** guest_debug_run_end - RFLAGS is the guest's again; @vcpu loaded, RUN returns */
void guest_debug_run_end(struct vcpu *vcpu)
{
	unsigned long old = vmcs_read_guest_rflags();

	put_rflags(old, debug_step_take(&vcpu->debug, old));
}

static void step_over(struct vcpu *vcpu, bool told)
{
	unsigned long old = vmcs_read_guest_rflags();

	put_rflags(old, debug_step_over(&vcpu->debug, old, told));
}

/**
 * guest_debug_report - what the VMM waits for has come
 * @vcpu: loaded; RIP is at the instruction that is next, or at INT3
 * @vector: X86_TRAP_DB or X86_TRAP_BP
 * @dr6: what happened, of #DB: as the exit's qualification has it
 *
 * The guest does not learn of it, unless the VMM injects it. Context: interrupts off or on.
 * Return: EXIT_USER.
 */
int guest_debug_report(struct vcpu *vcpu, u8 vector, u64 dr6)
{
	struct minikvm_debug_exit_arch *arch = &vcpu->run->debug.arch;

	step_over(vcpu, true);
	vcpu->run->exit_reason = MINIKVM_EXIT_DEBUG;
	arch->exception = vector;
	arch->pad = 0;
	arch->pc = vcpu_linear_rip(vcpu);
	arch->dr6 = vector == X86_TRAP_DB ? dr6 | DR6_ONES : 0;
	arch->dr7 = vector == X86_TRAP_DB ? vcpu->debug.dr7 : 0;
	return EXIT_USER;
}

/** guest_debug_stepped - an instruction that we have carried out was the step. EXIT_USER. */
int guest_debug_stepped(struct vcpu *vcpu)
{
	return guest_debug_report(vcpu, X86_TRAP_DB, DR_STEP);
}

/** guest_debug_step_done - it was, but the VMM gets another exit first; @vcpu loaded */
void guest_debug_step_done(struct vcpu *vcpu)
{
	step_over(vcpu, false);
}
