// SPDX-License-Identifier: GPL-2.0
/*
 * RUN: the loop that enters the guest and handles its exits until the VMM is
 * needed.
 *
 * The inner loop, guest_loop(), runs with interrupts off and stays there as long
 * as exits are simple. What needs interrupts, sleeps, or waits is done in the
 * outer loop. guest_cpu tells the rest of the machine where an IPI would reach
 * the guest: it is published before anything is looked at that a kick announces.
 */
#include <linux/kernel.h>
#include <linux/preempt.h>
#include <linux/sched/signal.h>
#include <asm/nospec-branch.h>
#include <asm/processor-flags.h>

#include "../compat.h"
#include "../irqchip/irqchip.h"
#include "../mm/ept_private.h"
#include "../mm/mm.h"
#include "../trace.h"
#include "../vmx/guest_tsc.h"
#include "exit.h"

/* Simple exits in a row before host interrupts get a window. */
#define MAX_EXITS_IRQS_OFF	64

/* ---- the inner loop */

static void guest_publish(struct vcpu *vcpu)
{
	vcpu->entry_cpu = smp_processor_id();
	WRITE_ONCE(vcpu->guest_cpu, vcpu->entry_cpu);
	smp_mb();	/* before the looks at requests and the EPT generation */
}

/*
 * Everything that stays in place over many entries. Interrupts off. Who is to be killed enters no
 * more, and keeps its hands off the MSRs of a host that goes down (vmx/way.c).
 */
static void enter_loop(struct vcpu *vcpu)
{
	if (!vcpu->host_loaded && !test_bit(REQ_KILL, &vcpu->requests)) {
		check_lent_begin(vcpu);
		vmx_host_save(vcpu);
		msr_switch_to_guest(vcpu);
	}
	fpu_before_entry(vcpu);
	debug_before_entry(vcpu);
	vmx_row_begin(vcpu);
}

static __always_inline void leave_loop(struct vcpu *vcpu)
{
	/* The guest has trained the branch predictors that the VMM is about to use. */
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
	if (perf_there)
		perf_end(&vcpu->perf);
	debug_after_exit(vcpu);
	fpu_after_exit(vcpu);
	if (unlikely(vcpu->pml) && READ_ONCE(vcpu->vm->logging))
		dirty_log_flush(vcpu);
	/* Who saw us in the guest, or sees us out of it, finds what it has written in the log. */
	smp_store_release(&vcpu->guest_cpu, -1);
}

/*
 * An interrupt ended the guest: take it now, on the guest's account. It was not in
 * the host's kernel, so that RCU may take it for a quiescent state.
 */
static void host_interrupts(void)
{
	rcu_note_context_switch(false);
	preempt_disable();
	local_irq_enable();
	asm volatile("nop");	/* STI holds them off for one instruction */
	local_irq_disable();
	preempt_enable();	/* who wants the CPU gets it in slow_path() */
}

/* May somebody have asked for more than to deliver events? */
static bool run_is_asked(struct vcpu *vcpu)
{
	return (READ_ONCE(vcpu->requests) & ~BIT(REQ_EVENT)) ||
	       __xfer_to_guest_mode_work_pending() || READ_ONCE(vcpu->starts);
}

static bool must_leave(struct vcpu *vcpu)
{
	return run_is_asked(vcpu) || vcpu->mp_state != MINIKVM_MP_STATE_RUNNABLE;
}

/* The guest's own timer ends its stay in time; one that is due expires before the entry. */
static void look_at_timer(struct vcpu *vcpu)
{
	u64 now = vcpu_tsc(vcpu);

	if (now < vcpu->timer_deadline) {
		vmx_set_hv_timer(vcpu, tsc_unscaled(vcpu->tsc_ratio, vcpu->timer_deadline - now));
		return;
	}
	lapic_timer_due(vcpu);
	vmx_set_hv_timer(vcpu, U64_MAX);
}

/* One entry and its exit, and nothing else. */
static __always_inline bool enter_guest(struct vcpu *vcpu)
{
	bool fast;

	if (trace_minikvm_entry_enabled())
		trace_minikvm_entry(vcpu->id, vmcs_read_guest_rip());
	vmx_enter(vcpu);
	fast = exit_snapshot(vcpu);
	if (trace_minikvm_exit_enabled())
		trace_minikvm_exit(vcpu->id, vcpu->exit.reason, vmcs_read_guest_rip(),
				   vmcs_read_exit_qualification());
	return fast;
}

/* One entry and its exit, with the events in between. May it be handled with interrupts off? */
static __always_inline bool enter_with_events(struct vcpu *vcpu)
{
	bool fast;

	if (vcpu->timer_deadline)
		look_at_timer(vcpu);
	if (unlikely(test_bit(REQ_EVENT, &vcpu->requests))) {
		clear_bit(REQ_EVENT, &vcpu->requests);
		smp_mb__after_atomic();	/* the request before what it is about */
		event_inject(vcpu);
	}
	fast = enter_guest(vcpu);
	if (unlikely(vcpu->events.sent || (vcpu->exit.idt_info & INTR_INFO_VALID)) &&
	    !(vcpu->exit.reason & REASON_FAILED_ENTRY))
		event_after_exit(vcpu, &vcpu->exit);
	return fast;
}

/* Interrupts go off, and the guest's state in. Return: what end_loop() is to be given. */
static __always_inline unsigned int begin_loop(struct vcpu *vcpu)
{
	unsigned int failures;

	local_irq_disable();
	xfer_to_guest_mode_prepare();
	failures = __this_cpu_read(vmx_insn_failures);
	guest_publish(vcpu);
	check_host_begin(vcpu);
	enter_loop(vcpu);
	return failures;
}

static __always_inline enum loop_end end_loop(struct vcpu *vcpu, enum loop_end end,
					      unsigned int failures)
{
	leave_loop(vcpu);
	check_host_end(vcpu);
	if (unlikely(failures != __this_cpu_read(vmx_insn_failures)))
		end = LOOP_BROKEN;
	if (end == LOOP_EXIT) {
		/* What the handler looks at comes into the L1D. */
		vcpu->l1d_flush = true;
		if (vcpu->exit.reason == REASON_EXTERNAL_INTR)
			host_interrupts();
	}
	vmx_row_end();
	local_irq_enable();
	return end;
}

static enum loop_end guest_loop(struct vcpu *vcpu, int *verdict)
{
	unsigned int failures = begin_loop(vcpu);
	enum loop_end end = LOOP_WORK;
	int n;

	for (n = 0; n < MAX_EXITS_IRQS_OFF && !run_is_asked(vcpu); n++) {
		if (!enter_with_events(vcpu)) {
			end = LOOP_EXIT;
			break;
		}
		*verdict = exit_fast(vcpu);
		if (*verdict != EXIT_RESUME) {
			end = *verdict == EXIT_WINDOW ? LOOP_WORK : LOOP_DONE;
			break;
		}
	}
	return end_loop(vcpu, end, failures);
}

/**
 * guest_step - one entry for one instruction
 * @vcpu: loaded
 * @tables: that the processor is to use
 * @quiet: no event goes in, and whatever the instruction raises exits
 * @verdict: filled after LOOP_DONE
 *
 * Context: interrupts on. Return: LOOP_EXIT; LOOP_DONE: a fast handler gave its verdict,
 * which may be any; LOOP_WORK: the tables are no longer right, or the VM is dead; LOOP_BROKEN.
 */
enum loop_end guest_step(struct vcpu *vcpu, const struct ept_private *tables, bool quiet,
			 int *verdict)
{
	unsigned int failures = begin_loop(vcpu);
	enum loop_end end = LOOP_WORK;
	bool fast;

	if (ept_private_holds(vcpu->vm, tables) && !READ_ONCE(vcpu->vm->dead)) {
		vmx_step_begin(vcpu, ept_private_eptp(vcpu->vm, tables), quiet);
		fast = quiet ? enter_guest(vcpu) : enter_with_events(vcpu);
		vmx_step_end(vcpu);
		end = LOOP_EXIT;
		if (fast) {
			*verdict = exit_fast(vcpu);
			end = LOOP_DONE;
		}
	}
	return end_loop(vcpu, end, failures);
}

/**
 * guest_with_drs - one entry of a guest that has the debug registers for itself
 * @vcpu: loaded, not debugged by the VMM
 * @verdict: as with guest_step()
 *
 * Context: interrupts on. Return: as guest_step(); LOOP_WORK: somebody wants the vCPU or its
 * thread, nothing was done.
 */
enum loop_end guest_with_drs(struct vcpu *vcpu, int *verdict)
{
	unsigned int failures = begin_loop(vcpu);
	enum loop_end end = LOOP_WORK;
	bool fast;

	if (!run_is_asked(vcpu)) {
		debug_lend(vcpu);
		fast = enter_with_events(vcpu);
		debug_take_back(vcpu);
		end = LOOP_EXIT;
		if (fast) {
			*verdict = exit_fast(vcpu);
			end = LOOP_DONE;
		}
	}
	return end_loop(vcpu, end, failures);
}

/* ---- the outer loop */

/* Requests, then whatever keeps the vCPU from running. EXIT_RESUME: enter. */
static int slow_path(struct vcpu *vcpu)
{
	int ret;

	if (vcpu->requests & ~BIT(REQ_EVENT)) {
		ret = run_requests(vcpu);
		if (ret != EXIT_RESUME)
			return ret;
	}
	ret = __xfer_to_guest_mode_work_pending() ? run_thread_work(vcpu) : 0;
	if (ret)
		return ret;
	if (unlikely(READ_ONCE(vcpu->starts)))
		mp_take_starts(vcpu);
	if (vcpu->mp_state == MINIKVM_MP_STATE_RUNNABLE)
		return EXIT_RESUME;
	if (vcpu->mp_state == MINIKVM_MP_STATE_HALTED && event_waiting(vcpu)) {
		vcpu->mp_state = MINIKVM_MP_STATE_RUNNABLE;
		vcpu_make_request(vcpu, REQ_EVENT);
		return EXIT_RESUME;
	}
	if (run_window_opens(vcpu))
		return EXIT_USER;
	ret = run_wait(vcpu);
	return ret ?: EXIT_RESUME;
}

/* A reboot took VMX away, or we made a mistake: this VM ends, the host goes on. */
int run_broken(struct vcpu *vcpu)
{
	if (!READ_ONCE(vmx_going_down)) {
		WARN_ONCE(1, "minikvm: a VMX instruction failed\n");
		vm_kill(vcpu->vm, "a VMX instruction failed");
	}
	return -EIO;
}

static int run_loop(struct vcpu *vcpu)
{
	int verdict = EXIT_RESUME;
	/* What was asked for before, guest_loop() sees. */
	bool leave = vcpu->mp_state != MINIKVM_MP_STATE_RUNNABLE;

	vcpu->run->exit_reason = MINIKVM_EXIT_UNKNOWN;
	for (;; leave = must_leave(vcpu)) {
		if (leave) {
			verdict = slow_path(vcpu);
			if (verdict != EXIT_RESUME)
				return verdict;
			continue;
		}
		if (vcpu->window_asked) {
			if (run_window_opens(vcpu))
				return EXIT_USER;
			vmcs_set_interrupt_window(vcpu, true);
		}
		switch (guest_loop(vcpu, &verdict)) {
		case LOOP_WORK:
			break;
		case LOOP_EXIT:
			verdict = exit_dispatch(vcpu);
			if (unlikely(verdict == EXIT_STEP))
				verdict = run_step(vcpu);
			fallthrough;
		case LOOP_DONE:
			if (verdict != EXIT_RESUME)
				return verdict;
			break;
		case LOOP_BROKEN:
			return run_broken(vcpu);
		}
	}
}

/* ---- one RUN */

/* What a VMM with its own PIC or APIC reads after every exit. */
static void fill_run(struct vcpu *vcpu)
{
	struct minikvm_run *run = vcpu->run;
	bool on = vmcs_read_guest_rflags() & X86_EFLAGS_IF;

	run->if_flag = on;
	run->flags = 0;
	run->apic_base = vcpu->apic_base;
	if (vcpu->lapic) {
		run->cr8 = vcpu_cr8(vcpu);
		if (likely(!vcpu->vm->irqchip_split)) {
			run->ready_for_interrupt_injection = 1;
			return;
		}
	} else {
		run->cr8 = vcpu->cr8;
	}
	run->ready_for_interrupt_injection = on && event_can_take_interrupt(vcpu);
}

/*
 * What the last exit to the VMM left open: an IN or an MMIO read has its answer in the
 * run page now; an instruction that needs one more access may exit again.
 */
static int finish_exit(struct vcpu *vcpu)
{
	int (*fn)(struct vcpu *vcpu) = vcpu->complete;
	int verdict;

	if (!fn)
		return EXIT_RESUME;
	vcpu->complete = NULL;
	verdict = exit_conclude(vcpu, fn(vcpu));
	return verdict == EXIT_STEP ? run_step(vcpu) : verdict;
}

/* A VMM with its own interrupt controller says with each RUN what CR8 is. */
static int take_cr8(struct vcpu *vcpu)
{
	u64 cr8 = READ_ONCE(vcpu->run->cr8);

	return cr8 == vcpu->cr8 ? 0 : vcpu_set_cr8(vcpu, cr8);
}

static int run_once(struct vcpu *vcpu)
{
	struct minikvm_run *run = vcpu->run;
	bool immediate_exit = READ_ONCE(run->immediate_exit);
	u64 valid, dirty;
	int ret;

	vcpu->window_asked = READ_ONCE(run->request_interrupt_window) &&
			     (!vcpu->lapic || vcpu->vm->irqchip_split);
	if (vcpu->mp_state == MINIKVM_MP_STATE_UNINITIALIZED)
		return immediate_exit ? -EINTR : run_wait_for_init(vcpu);
	valid = READ_ONCE(run->kvm_valid_regs);
	dirty = READ_ONCE(run->kvm_dirty_regs);
	if (unlikely(valid | dirty) && sync_regs_in(vcpu, valid, dirty))
		return -EINVAL;
	if (!vcpu->lapic && take_cr8(vcpu))
		return -EINVAL;
	if (unlikely(vcpu->debug.control))
		guest_debug_run_begin(vcpu);
	ret = finish_exit(vcpu);
	if (ret != EXIT_RESUME)
		return ret == -EINTR ? run_interrupted(vcpu) : ret;
	if (unlikely(vcpu->debug.step == STEP_DONE))	/* what is finished was the step */
		return guest_debug_stepped(vcpu);
	if (immediate_exit)
		return -EINTR;
	vcpu->cpuid_locked = true;
	ret = run_loop(vcpu);
	return ret == -EINTR ? run_interrupted(vcpu) : ret;
}

static int run_loaded(struct vcpu *vcpu)
{
	int ret;

	vcpu_load(vcpu);
	WRITE_ONCE(vcpu->thread, current);	/* others may give it their time: spin.c */
	fpu_enter(vcpu);
	ret = run_once(vcpu);
	if (unlikely(vcpu->debug.control))
		guest_debug_run_end(vcpu);
	fill_run(vcpu);
	if (READ_ONCE(vcpu->run->kvm_valid_regs))
		sync_regs_out(vcpu);
	fpu_leave(vcpu);
	WRITE_ONCE(vcpu->thread, NULL);
	vcpu_put(vcpu);
	vcpu->stats.user_exits++;
	return ret;
}

/*
 * With the signal mask of SET_SIGNAL_MASK. real_blocked tells those who send a signal
 * that the thread's own mask comes back: what that blocks ends RUN, but stays pending,
 * and neither kills the process nor is dropped as ignored.
 */
static noinline_for_stack int run_masked(struct vcpu *vcpu)
{
	int ret;

	sigprocmask(SIG_SETMASK, &vcpu->sigmask, &current->real_blocked);
	ret = run_loaded(vcpu);
	sigprocmask(SIG_SETMASK, &current->real_blocked, NULL);
	sigemptyset(&current->real_blocked);
	return ret;
}

/**
 * vcpu_run - RUN
 * @vcpu: mutex held, not loaded
 *
 * Return: 0: run->exit_reason says why; -EINTR: a signal (exit_reason is
 * MINIKVM_EXIT_INTR) or immediate_exit (exit_reason is the last exit's); -EAGAIN: the vCPU
 * was started, call again; -EIO: the VM is dead; -EFAULT: memory of a slot cannot be had;
 * -EINVAL: cr8, or registers in the run page.
 */
int vcpu_run(struct vcpu *vcpu)
{
	if (unlikely(READ_ONCE(vcpu->vm->dead) || READ_ONCE(vmx_going_down)))
		return -EIO;
	return vcpu->sigmask_active ? run_masked(vcpu) : run_loaded(vcpu);
}
