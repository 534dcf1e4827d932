/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The exit handlers and their contract.
 *
 * A handler gets the vCPU, loaded, and the exit, of which only the fields that
 * its table entry names are valid. It returns a verdict (enum verdict) or a
 * negative errno, and never moves RIP: EXIT_SKIP asks for that, by
 * vcpu->insn_len. A fast handler runs with interrupts off and must not sleep or
 * touch guest memory; the others run with interrupts on and may do both.
 */
#ifndef MINIKVM_RUN_EXIT_H
#define MINIKVM_RUN_EXIT_H

#include "../cpu/cpu.h"
#include "../vmx/vmx.h"
#include "exit_rules.h"
#include "run.h"

/* skip.c */
int vcpu_skip(struct vcpu *vcpu, u32 len);
int exit_user_skip(struct vcpu *vcpu);

/* What a verdict says about RIP is done here. What remains: EXIT_USER, EXIT_RESUME, -errno. */
static __always_inline int exit_conclude(struct vcpu *vcpu, int verdict)
{
	if (likely(verdict == EXIT_SKIP))
		return vcpu_skip(vcpu, vcpu->insn_len);
	return unlikely(verdict == EXIT_USER_SKIP) ? exit_user_skip(vcpu) : verdict;
}

/* The instruction is refused. */
static inline int exit_gp(struct vcpu *vcpu)
{
	event_inject_gp(vcpu);
	return EXIT_RESUME;
}

/* The operand of WRMSR and XSETBV. */
static inline u64 exit_edx_eax(const struct vcpu *vcpu)
{
	return (u32)vcpu->regs[RAX] | vcpu->regs[RDX] << 32;
}

/* What guest_loop() came back for. */
enum loop_end {
	LOOP_EXIT,		/* an exit waits for exit_dispatch() */
	LOOP_WORK,		/* a request, a signal, a reschedule, or the window */
	LOOP_DONE,		/* a fast handler gave a verdict that ends RUN */
	LOOP_BROKEN,		/* a VMX instruction failed */
};

/* run.c, step.c */
struct ept_private;
enum loop_end guest_step(struct vcpu *vcpu, const struct ept_private *tables, bool quiet,
			 int *verdict);
enum loop_end guest_with_drs(struct vcpu *vcpu, int *verdict);
int run_broken(struct vcpu *vcpu);
int run_step(struct vcpu *vcpu);

/* wait.c: what keeps a vCPU from running */
int run_requests(struct vcpu *vcpu);
bool run_window_opens(struct vcpu *vcpu);
int run_thread_work(struct vcpu *vcpu);
int run_wait(struct vcpu *vcpu);
int run_interrupted(struct vcpu *vcpu);
int run_wait_for_init(struct vcpu *vcpu);

/* exit.c */
bool exit_snapshot(struct vcpu *vcpu);
int exit_fast(struct vcpu *vcpu);
int exit_dispatch(struct vcpu *vcpu);

/* exit_simple.c: no operands to speak of */
int exit_cpuid(struct vcpu *vcpu, const struct vmexit *exit);
int exit_vmcall(struct vcpu *vcpu, const struct vmexit *exit);
int exit_hlt(struct vcpu *vcpu, const struct vmexit *exit);
int exit_resume(struct vcpu *vcpu, const struct vmexit *exit);
int exit_timer(struct vcpu *vcpu, const struct vmexit *exit);
int exit_skip(struct vcpu *vcpu, const struct vmexit *exit);
int exit_mwait(struct vcpu *vcpu, const struct vmexit *exit);
int exit_undefined(struct vcpu *vcpu, const struct vmexit *exit);
int exit_rdpmc(struct vcpu *vcpu, const struct vmexit *exit);
int exit_wbinvd(struct vcpu *vcpu, const struct vmexit *exit);
int exit_xsetbv(struct vcpu *vcpu, const struct vmexit *exit);

/* exit_cr.c, exit_dr.c, exit_msr.c */
int exit_cr(struct vcpu *vcpu, const struct vmexit *exit);
int exit_dr(struct vcpu *vcpu, const struct vmexit *exit);
int exit_rdmsr(struct vcpu *vcpu, const struct vmexit *exit);
int exit_wrmsr(struct vcpu *vcpu, const struct vmexit *exit);

/* exit_event.c: exceptions, windows, the ends of a guest */
int exit_exception(struct vcpu *vcpu, const struct vmexit *exit);
int exit_debug(struct vcpu *vcpu, const struct vmexit *exit);
int exit_intr_window(struct vcpu *vcpu, const struct vmexit *exit);
int exit_nmi_window(struct vcpu *vcpu, const struct vmexit *exit);
int exit_tpr_below(struct vcpu *vcpu, const struct vmexit *exit);
int exit_virtual_eoi(struct vcpu *vcpu, const struct vmexit *exit);
int exit_triple_fault(struct vcpu *vcpu, const struct vmexit *exit);
int exit_task_switch(struct vcpu *vcpu, const struct vmexit *exit);
int exit_failed_entry(struct vcpu *vcpu, const struct vmexit *exit);
void exit_iret_unblocked_nmis(const struct vmexit *exit, bool unblocked);

/* half_delivery.c */
#ifdef MINIKVM_DEBUG
int exit_interrupt(struct vcpu *vcpu, const struct vmexit *exit);
#else
#define exit_interrupt	exit_resume
#endif

/* spin.c */
int exit_pause(struct vcpu *vcpu, const struct vmexit *exit);

/* exit_ept.c */
int exit_ept_violation(struct vcpu *vcpu, const struct vmexit *exit);
int exit_ept_step(struct vcpu *vcpu, const struct vmexit *exit);
int exit_ept_misconfig(struct vcpu *vcpu, const struct vmexit *exit);
int exit_pml_full(struct vcpu *vcpu, const struct vmexit *exit);

#endif
