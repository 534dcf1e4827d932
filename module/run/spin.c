// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that spins: if the VM has more vCPUs than the host has processors for it, whoever
 * holds the lock may have lost its processor, and the others spin away the time that it waits
 * for. PAUSE-loop exiting tells of a vCPU that spins at CPL 0; it gives the rest of its time
 * to one whose thread waits for a processor.
 *
 * Left out: windows that grow and shrink, and guesses which vCPU holds the lock. They take
 * turns.
 */
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include <linux/sched/task.h>

#include "exit.h"

#define MAX_REFUSALS	3	/* of the scheduler, until the spinner goes on */

/* Positive: it has the processor now; negative: the scheduler would not. */
static int give_time_to(struct vcpu *vcpu)
{
	struct task_struct *thread;
	int ret;

	/* A thread that is seen here is freed a grace period after it has ended, at the earliest. */
	rcu_read_lock();
	thread = READ_ONCE(vcpu->thread);
	if (thread)
		get_task_struct(thread);
	rcu_read_unlock();
	if (!thread)
		return 0;
	ret = yield_to(thread, true);
	put_task_struct(thread);
	return ret;
}

/*
 * exit_pause - the guest spins: let one run that waits for a processor
 *
 * As for RUN as a whole, the thread may come back on another CPU. A vCPU that is the only one
 * waits for nobody here: it seldom need come again, until there are more.
 */
int exit_pause(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct vm *vm = vcpu->vm;
	u32 n = smp_load_acquire(&vm->nr_vcpus);	/* before the slots are read */
	u32 last = READ_ONCE(vm->boosted), i, slot;
	int refusals = 0, ret;
	struct vcpu *other;

	for (i = 1; i <= n && refusals < MAX_REFUSALS; i++) {
		slot = (last + i) % n;
		other = READ_ONCE(vm->vcpus[slot]);
		if (other == vcpu || !READ_ONCE(other->ready))
			continue;
		ret = give_time_to(other);
		if (ret > 0) {
			WRITE_ONCE(vm->boosted, slot);
			break;
		}
		refusals += ret < 0;
	}
	vmcs_write_ple_window(n > 1 ? SPIN_WINDOW : SPIN_WINDOW_ALONE);
	return EXIT_SKIP;
}
