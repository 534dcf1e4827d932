// SPDX-License-Identifier: GPL-2.0
/*
 * The VMM debugs the guest, SET_GUEST_DEBUG: it steps, with the trap flag; INT3 is an exit; or
 * it has breakpoints of its own in the debug registers. The guest sees nothing of that in its
 * registers. Called by the ioctl, by RUN at its beginning and end, and by the exits that a
 * debugger waits for.
 *
 * What an instruction saves of RFLAGS is put right when it is over, and what it loads is known
 * before. What shows all the same, as with KVM: our trap flag in the frame of an event whose
 * handler comes before the instruction, or is it, INT n.
 */
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <asm/debugreg.h>

#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../vmx/vmx.h"
#include "cpu.h"
#include "debug_insn.h"
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
	lapic_apicv_update(vcpu);
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

#define SEG_BIG		BIT(14)	/* SDM "Segment Access Rights": the stack pointer has 32 bits */

/* The linear address of a byte above the top of the stack. */
static gva_t stack_at(struct vcpu *vcpu, u32 offset)
{
	u64 sp = vmcs_read_guest_rsp() + offset;

	if (vcpu_code_bits(vcpu) == 64)
		return sp;
	if (!(vmx_segment_access(SEG_SS) & SEG_BIG))
		sp = (u16)sp;
	return (u32)(sp + vmx_segment_base(SEG_SS));
}

/* The trap flag is bit 0 of the second byte of FLAGS. */
static bool stack_tf(struct vcpu *vcpu, u32 offset)
{
	struct guest_fault fault;
	u8 byte;

	return !gva_read(vcpu, stack_at(vcpu, offset + 1), &byte, 1, ACCESS_READ, &fault) &&
	       (byte & 1);
}

/* Which instruction is it? One that cannot be read faults, and is stepped when it does not. */
static void look_ahead(struct vcpu *vcpu)
{
	struct guest_debug *d = &vcpu->debug;
	struct guest_fault fault;
	u8 bytes[15];
	int n;

	d->rip = vcpu_linear_rip(vcpu);
	n = min_t(int, sizeof(bytes), PAGE_SIZE - offset_in_page(d->rip));
	d->insn.kind = DEBUG_PLAIN;
	if (gva_read(vcpu, d->rip, bytes, n, ACCESS_FETCH, &fault))
		return;
	d->insn = debug_insn_of(bytes, n, vcpu_code_bits(vcpu));
	if (d->insn.kind == DEBUG_POPF)
		d->loads_tf = stack_tf(vcpu, 0);
	else if (d->insn.kind == DEBUG_IRET)	/* behind RIP and CS */
		d->loads_tf = stack_tf(vcpu, 2 * d->insn.size);
	else if (d->insn.kind == DEBUG_SYSRET)
		d->loads_tf = vcpu->regs[R11] & X86_EFLAGS_TF;
}

/* What PUSHF has just pushed is the guest's flag. */
static void hide_on_stack(struct vcpu *vcpu)
{
	gva_t gva = stack_at(vcpu, 1);
	struct guest_fault fault;
	gpa_t gpa;
	u8 byte;

	if (gva_to_gpa(vcpu, gva, ACCESS_WRITE, &gpa, &fault) || guest_read(vcpu, gpa, &byte, 1))
		return;
	byte &= ~1;
	guest_write(vcpu, gpa, &byte, 1);
}

/**
 * guest_debug_trapped - a #DB is the VMM's: guest_debug_report(), after a look at what was stepped
 * @vcpu: loaded
 * @dr6: as the exit's qualification has it
 *
 * Context: sleeps. Return: EXIT_USER.
 */
int guest_debug_trapped(struct vcpu *vcpu, u64 dr6)
{
	struct guest_debug *d = &vcpu->debug;
	bool next = vcpu_linear_rip(vcpu) == d->rip + d->insn.len;

	if (d->step != STEP_OUT || !(dr6 & DR_STEP))
		return guest_debug_report(vcpu, X86_TRAP_DB, dr6);
	switch (d->insn.kind) {
	case DEBUG_PUSHF:
		if (next && !d->tf)
			hide_on_stack(vcpu);
		break;
	case DEBUG_SYSCALL:
		if (!d->tf)
			vcpu->regs[R11] &= ~X86_EFLAGS_TF;
		break;
	case DEBUG_POPF:
		if (next)
			d->tf = d->loads_tf;
		break;
	case DEBUG_IRET:
	case DEBUG_SYSRET:
		d->tf = d->loads_tf;
		break;
	}
	return guest_debug_report(vcpu, X86_TRAP_DB, dr6);
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
	unsigned long rflags, old = vmcs_read_guest_rflags();
	u32 shadow;

	if (vcpu->debug.step == STEP_DUE)
		look_ahead(vcpu);
	rflags = debug_step_put(&vcpu->debug, old);
	/* Nor a halt, be the flag the VMM's or the guest's: the trap after HLT has ended it. */
	if (rflags & X86_EFLAGS_TF)
		vmcs_end_halt(vcpu);
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
