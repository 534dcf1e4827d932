// SPDX-License-Identifier: GPL-2.0
/*
 * EXIT_STEP: enter the guest for one instruction, on the pages that io/step.c has prepared.
 *
 * Called by run.c, after a handler or the completion of a user exit has asked for it. What
 * comes before the instruction ends the entry, and the entry is repeated: host interrupts,
 * memory that is not mapped yet, one more page of a device, tables that have changed. What
 * the instruction itself raises is handled as after any other entry.
 */
#include <linux/sched/signal.h>

#include "../io/io.h"
#include "../io/step.h"
#include "exit.h"

/* So many entries in vain before a signal counts: immediate_exit often comes with one. */
#define STEP_TRIES	64

/* NMIs and machine checks are the host's: the instruction has not begun. */
static bool is_hosts(const struct vmexit *exit)
{
	return (exit->intr_info & INTR_INFO_TYPE) == INTR_TYPE_NMI ||
	       (exit->intr_info & INTR_INFO_VECTOR) == X86_TRAP_MC;
}

/* What is left is as after any exit; EXIT_STEP if it has nothing to do with the instruction. */
static int step_dispatch(struct vcpu *vcpu, bool again)
{
	int verdict = exit_dispatch(vcpu);

	return verdict == EXIT_RESUME && again ? EXIT_STEP : verdict;
}

/* The traps behind it are an event from now on: a VMM may save the state before the next entry. */
static void take_traps(struct vcpu *vcpu)
{
	u64 pending = vmcs_read_guest_pending_dbg();

	if (!(pending & (PENDING_DBG_BS | PENDING_DBG_ENABLED)) || guest_debug_takes_db(vcpu) ||
	    (vmcs_read_guest_interruptibility() & INTERRUPTIBILITY_MOV_SS))
		return;
	vmcs_write_guest_pending_dbg(0);
	vcpu->exit.qualification = pending;
	vcpu->exit.intr_info = INTR_TYPE_HARD_EXCEPTION | X86_TRAP_DB;
	exit_debug(vcpu, &vcpu->exit);
}

static int after_exit(struct vcpu *vcpu)
{
	bool device = vcpu->step->device;

	switch (vcpu->exit.reason) {
	case REASON_MTF:
		take_traps(vcpu);
		return step_done(vcpu);
	case REASON_EPT_VIOLATION:
		return exit_conclude(vcpu, exit_ept_step(vcpu, &vcpu->exit));
	case REASON_EXTERNAL_INTR:
	case REASON_PML_FULL:
		return step_dispatch(vcpu, device);
	case REASON_EXCEPTION_NMI:
		return step_dispatch(vcpu, device && is_hosts(&vcpu->exit));
	default:
		return step_dispatch(vcpu, false);
	}
}

/* Handled with interrupts off, as it must be; host interrupts have had their window since. */
static int after_fast_exit(struct vcpu *vcpu, int verdict)
{
	if (verdict == EXIT_WINDOW)
		verdict = EXIT_RESUME;
	if (verdict == EXIT_RESUME && vcpu->exit.reason == REASON_PREEMPTION_TIMER &&
	    vcpu->step->device)
		return EXIT_STEP;
	return verdict;
}

static int step_once(struct vcpu *vcpu)
{
	int verdict, err = ept_private_build(vcpu->vm, &vcpu->step->ept);

	if (err)
		return err;
	vcpu->l1d_flush = true;		/* what was copied came into the L1D */
	switch (guest_step(vcpu, &vcpu->step->ept, vcpu->step->device, &verdict)) {
	case LOOP_DONE:
		return after_fast_exit(vcpu, verdict);
	case LOOP_EXIT:
		return after_exit(vcpu);
	case LOOP_BROKEN:
		return run_broken(vcpu);
	default:
		return EXIT_STEP;
	}
}

/* 0: try again. A storm of changes to the tables must not keep a thread from its signals. */
static int step_interrupted(struct vcpu *vcpu, int tries)
{
	if (READ_ONCE(vcpu->vm->dead))
		return -EIO;
	if (fatal_signal_pending(current) || (tries >= STEP_TRIES && signal_pending(current)))
		return -EINTR;
	cond_resched();
	return 0;
}

/* What has been read of a device is kept: RUN goes on here. */
static int step_again(struct vcpu *vcpu)
{
	return EXIT_STEP;
}

/**
 * run_step - carry out EXIT_STEP
 * @vcpu: loaded, with vcpu->step prepared
 *
 * Context: sleeps. Return: EXIT_RESUME, EXIT_USER or -errno, as exit_dispatch(); after
 * an errno the next RUN goes on with the same instruction.
 */
int run_step(struct vcpu *vcpu)
{
	int tries, verdict = EXIT_STEP;

	for (tries = 0; verdict == EXIT_STEP; tries++) {
		verdict = step_once(vcpu);
		if (verdict == EXIT_STEP)
			verdict = step_interrupted(vcpu, tries) ?: EXIT_STEP;
	}
	if (verdict < 0 && vcpu->step->device)
		vcpu->complete = step_again;
	return verdict;
}
