// SPDX-License-Identifier: GPL-2.0
/*
 * vCPUs at rest. A thread rests where RUN was interrupted, and nowhere else: RUN with
 * immediate_exit finishes what the last exit left half done (an IN that waits for its
 * value), so that the registers are those between two instructions. Then other
 * threads can use the vCPU's ioctls without waiting for it.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "die.h"
#include "hold.h"

#define KICK_AGAIN	100000000	/* ns */

void hold_create(struct vm *vm)
{
	pthread_mutex_init(&vm->hold_lock, NULL);
	pthread_cond_init(&vm->hold_changed, NULL);
	vm->told = -1;
}

void hold_here(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;

	pthread_mutex_lock(&vm->hold_lock);
	vcpu->at_rest = true;
	pthread_cond_broadcast(&vm->hold_changed);
	while (vcpu->held)
		pthread_cond_wait(&vm->hold_changed, &vm->hold_lock);
	vcpu->at_rest = false;
	pthread_mutex_unlock(&vm->hold_lock);
}

void hold_leave(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->vm->hold_lock);
	vcpu->at_rest = true;
	pthread_cond_broadcast(&vcpu->vm->hold_changed);
	pthread_mutex_unlock(&vcpu->vm->hold_lock);
}

/* With the lock. */
static void hold_set(struct vcpu *vcpu, bool held)
{
	vcpu->held = held;
	vcpu->run->immediate_exit = held;
}

bool hold_tell(struct vcpu *vcpu, const struct minikvm_debug_exit_arch *what)
{
	struct vm *vm = vcpu->vm;
	uint64_t one = 1;

	if (vm->told < 0)
		return false;
	pthread_mutex_lock(&vm->hold_lock);
	vcpu->tells = true;
	vcpu->told = *what;
	hold_set(vcpu, true);
	pthread_mutex_unlock(&vm->hold_lock);
	if (write(vm->told, &one, sizeof(one)) != sizeof(one))
		die("eventfd: %s", strerror(errno));
	return true;
}

void hold_begin(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->vm->hold_lock);
	hold_set(vcpu, true);
	pthread_mutex_unlock(&vcpu->vm->hold_lock);
}

/*
 * The signal ends a RUN, immediate_exit one that is about to begin. It is sent again
 * because the thread may be in a write to a terminal instead.
 */
void hold_wait(struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	struct timespec again;

	pthread_mutex_lock(&vm->hold_lock);
	while (!vcpu->at_rest) {
		pthread_kill(vcpu->thread, KICK);
		clock_gettime(CLOCK_REALTIME, &again);
		again.tv_nsec += KICK_AGAIN;
		again.tv_sec += again.tv_nsec / 1000000000;
		again.tv_nsec %= 1000000000;
		pthread_cond_timedwait(&vm->hold_changed, &vm->hold_lock, &again);
	}
	pthread_mutex_unlock(&vm->hold_lock);
}

void hold_end(struct vcpu *vcpu)
{
	pthread_mutex_lock(&vcpu->vm->hold_lock);
	hold_set(vcpu, false);
	pthread_cond_broadcast(&vcpu->vm->hold_changed);
	pthread_mutex_unlock(&vcpu->vm->hold_lock);
}
