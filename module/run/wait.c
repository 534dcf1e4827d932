// SPDX-License-Identifier: GPL-2.0
/*
 * What keeps a vCPU from running: requests of others, the thread's own work, and a state in
 * which it waits. Between two rows of entries, with interrupts on; all of it may sleep.
 */
#include <linux/fs.h>
#include <linux/rcuwait.h>
#include <linux/sched/signal.h>

#include "../irqchip/irqchip.h"
#include "../mm/dirty_ring.h"
#include "../pv/pv.h"
#include "exit.h"

/**
 * run_requests - do what others have asked the vCPU thread for
 * @vcpu: loaded
 *
 * Return: EXIT_RESUME, EXIT_USER; -EIO: the VM is dead; -ENOMEM: it is still to be done.
 */
int run_requests(struct vcpu *vcpu)
{
	if (test_and_clear_bit(REQ_TIMER, &vcpu->requests))
		lapic_timer_expired(vcpu);
	if (test_and_clear_bit(REQ_CLOCK, &vcpu->requests))
		pv_clock_update(vcpu);
	if (test_and_clear_bit(REQ_STEAL, &vcpu->requests))
		pv_steal_update(vcpu);
	pv_eoi_settle(vcpu);
	if (READ_ONCE(vcpu->vm->dead))
		return -EIO;
	clear_bit(REQ_KILL, &vcpu->requests);
	if (test_bit(REQ_DIRTY_RING, &vcpu->requests)) {
		if (dirty_ring_full(&vcpu->dirty_ring)) {
			vcpu->run->exit_reason = MINIKVM_EXIT_DIRTY_RING_FULL;
			return EXIT_USER;
		}
		clear_bit(REQ_DIRTY_RING, &vcpu->requests);
	}
	if (test_bit(REQ_MSR_FILTER, &vcpu->requests) && msr_filter_take(vcpu))
		return -ENOMEM;
	if (test_and_clear_bit(REQ_TRIPLE_FAULT, &vcpu->requests)) {
		memset(&vcpu->events.exception, 0, sizeof(vcpu->events.exception));
		vcpu->run->exit_reason = MINIKVM_EXIT_SHUTDOWN;
		return EXIT_USER;
	}
	if (test_and_clear_bit(REQ_EOI_EXIT, &vcpu->requests)) {
		vcpu->run->exit_reason = MINIKVM_EXIT_IOAPIC_EOI;
		vcpu->run->eoi.vector = vcpu->ioapic_eoi;
		return EXIT_USER;
	}
	return EXIT_RESUME;
}

/**
 * run_window_opens - has the VMM waited for a moment like this to inject an interrupt?
 * @vcpu: loaded
 *
 * Return: true: it is told; EXIT_USER.
 */
bool run_window_opens(struct vcpu *vcpu)
{
	if (!vcpu->window_asked || !event_can_take_interrupt(vcpu))
		return false;
	vcpu->run->exit_reason = MINIKVM_EXIT_IRQ_WINDOW_OPEN;
	return true;
}

/**
 * run_thread_work - do what the kernel wants of the thread
 * @vcpu: loaded
 *
 * Task work may close the fds of the vCPU and of the VM, io_uring's for one, and a thread
 * that is alone in its process has no reference of its own: RUN takes one, to its end. It is
 * the file's, which holds the VM and the module.
 *
 * It may close a VM of KVM's just as well. Then KVM itself works in this thread, loads VMCSs
 * and frees them, and must find its own: beside it the vCPU is put meanwhile.
 *
 * Return: 0, or -EINTR: a signal.
 */
int run_thread_work(struct vcpu *vcpu)
{
	int ret;

	if (!vcpu->file_held) {
		get_file(vcpu->file);
		vcpu->file_held = true;
	}
	if (!vmx_is_beside())
		return thread_work();
	vcpu_put(vcpu);
	WRITE_ONCE(vcpu->ready, true);	/* as if preempted */
	ret = thread_work();
	WRITE_ONCE(vcpu->ready, false);
	vcpu_load(vcpu);
	return ret;
}

/**
 * run_wait - sleep until mp_may_run(), or a signal
 * @vcpu: loaded, not runnable
 *
 * The timer and the chips call vcpu_kick(). Return: 0 or -EINTR.
 */
int run_wait(struct vcpu *vcpu)
{
	int ret;

	vcpu->stats.halt_wait++;
	lapic_timer_sleep(vcpu);
	ret = rcuwait_wait_event(&vcpu->wait, mp_may_run(vcpu), TASK_INTERRUPTIBLE);
	lapic_timer_awake(vcpu);
	return ret;
}

/** run_interrupted - a signal, unlike immediate_exit, is an exit of its own. Return: -EINTR. */
int run_interrupted(struct vcpu *vcpu)
{
	WRITE_ONCE(vcpu->stay, 0);
	vcpu->run->exit_reason = MINIKVM_EXIT_INTR;
	return -EINTR;
}

/**
 * run_wait_for_init - an application processor sleeps until it is started
 * @vcpu: loaded, in state UNINITIALIZED
 *
 * Return: -EAGAIN: it is started, RUN is to be called again; EXIT_USER or -errno.
 */
int run_wait_for_init(struct vcpu *vcpu)
{
	int ret = rcuwait_wait_event(&vcpu->wait, mp_may_run(vcpu), TASK_INTERRUPTIBLE);

	if (ret)
		return run_interrupted(vcpu);
	ret = run_requests(vcpu);
	if (ret != EXIT_RESUME)
		return ret;
	mp_take_starts(vcpu);
	return -EAGAIN;
}
