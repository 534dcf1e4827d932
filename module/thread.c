// SPDX-License-Identifier: GPL-2.0
/*
 * What a thread owes the kernel before it enters a guest: to be rescheduled, to
 * take a signal, to run task work and restartable sequences.
 *
 * The kernel has one function for all of that, written for KVM: it wants a KVM
 * vCPU, of which it only counts the signal and sets the exit reason. There is one
 * here that nobody looks at.
 */
#include <linux/kvm_host.h>

#include "compat.h"
#include "minikvm.h"

static struct kvm_run unread_run;
static struct kvm_vcpu unread_vcpu = { .run = &unread_run };

/**
 * thread_work - do what the thread's flags ask for
 *
 * Context: interrupts on; sleeps. Return: 0, or -EINTR: a signal is pending.
 */
int thread_work(void)
{
	return compat_thread_work(&unread_vcpu);
}
