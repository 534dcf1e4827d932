// SPDX-License-Identifier: GPL-2.0
/*
 * The exit loop. Each vCPU has a thread that enters the guest and answers what it
 * comes out with, until vm->stop says that it is over. What is read and written
 * here is the vCPU's own; devices have locks (bus.c).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <x86intrin.h>

#include "die.h"
#include "hold.h"
#include "run.h"

static void run_io(struct vcpu *vcpu)
{
	const struct minikvm_run *run = vcpu->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size) {
		if (run->io.direction == MINIKVM_EXIT_IO_OUT)
			bus_write(&vcpu->vm->ports, run->io.port, data, run->io.size);
		else
			bus_read(&vcpu->vm->ports, run->io.port, data, run->io.size);
	}
}

static void run_mmio(struct vcpu *vcpu)
{
	struct minikvm_run *run = vcpu->run;

	if (run->mmio.is_write)
		bus_write(&vcpu->vm->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
	else
		bus_read(&vcpu->vm->mmio, run->mmio.phys_addr, run->mmio.data, run->mmio.len);
}

static void run_crash(struct vcpu *vcpu, const char *what)
{
	static const struct minikvm_debug_exit_arch none;

	vcpu->crash = what;
	if (!hold_tell(vcpu, &none))
		stop_ask(&vcpu->vm->stop, ST_CRASH);
}

static void run_exit(struct vcpu *vcpu)
{
	switch (vcpu->run->exit_reason) {
	case MINIKVM_EXIT_IO:
		run_io(vcpu);
		break;
	case MINIKVM_EXIT_MMIO:
		run_mmio(vcpu);
		break;
	case MINIKVM_EXIT_HLT:		/* only without chips in the kernel: nobody wakes it */
		stop_ask(&vcpu->vm->stop, ST_POWER_OFF);
		break;
	case MINIKVM_EXIT_INTR:
		break;
	case MINIKVM_EXIT_DEBUG:
		if (!hold_tell(vcpu, &vcpu->run->debug.arch))
			run_crash(vcpu, "a debug exit that nobody asked for");
		break;
	case MINIKVM_EXIT_SHUTDOWN:
		run_crash(vcpu, "triple fault");
		break;
	case MINIKVM_EXIT_FAIL_ENTRY:
		run_crash(vcpu, "the processor refused its state");
		break;
	case MINIKVM_EXIT_INTERNAL_ERROR:
		run_crash(vcpu, "it did something that is not emulated");
		break;
	default:
		run_crash(vcpu, "unknown exit");
	}
}

static void *run_loop(void *arg)
{
	struct vcpu *vcpu = arg;
	uint64_t left;
	int ret;

	stats_begin(&vcpu->stats);
	left = __rdtsc();
	while (stop_status(&vcpu->vm->stop) == STOP_NOT) {
		vcpu->stats.own_ticks += __rdtsc() - left;
		ret = ioctl(vcpu->fd, MINIKVM_RUN, 0);
		left = __rdtsc();
		if (!ret) {
			stats_exit(&vcpu->stats, vcpu->run->exit_reason);
			run_exit(vcpu);
		} else if (errno == EINTR || errno == EAGAIN) {
			hold_here(vcpu);
		} else {
			vcpu->failed = errno;
			stop_ask(&vcpu->vm->stop, ST_ERROR);
		}
	}
	stats_end(&vcpu->stats);
	hold_leave(vcpu);
	return NULL;
}

/* That it came has ended RUN. */
static void run_kicked(int signal)
{
}

void vcpu_start(struct vcpu *vcpu)
{
	struct sigaction action = { .sa_handler = run_kicked };

	sigaction(KICK, &action, NULL);
	if (pthread_create(&vcpu->thread, NULL, run_loop, vcpu))
		die("no thread for vCPU %u", vcpu->id);
}

/*
 * The signal ends a RUN, immediate_exit one that is about to begin. It is sent
 * again because the thread may be in a write to a terminal instead.
 */
void vcpu_join(struct vcpu *vcpu)
{
	struct timespec again;

	vcpu->run->immediate_exit = 1;
	do {
		pthread_kill(vcpu->thread, KICK);
		clock_gettime(CLOCK_REALTIME, &again);
		again.tv_sec++;
	} while (pthread_timedjoin_np(vcpu->thread, NULL, &again) == ETIMEDOUT);
}
