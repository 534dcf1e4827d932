/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that minikvm builds for (6.1 and 6.12),
 * and nothing else. Included by the files that need one.
 */
#ifndef MINIKVM_COMPAT_H
#define MINIKVM_COMPAT_H

#include <linux/version.h>

/* vmx */
#include <linux/cpuhotplug.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>

/*
 * The CPU-hotplug state that kvm.ko uses. Only one user can hold it, which is
 * how the two modules notice each other.
 */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 3, 0)
#define COMPAT_CPUHP_VMX	CPUHP_AP_KVM_ONLINE
#define COMPAT_CPUHP_MAY_FAIL	1
#define compat_send_reschedule(cpu) arch_smp_send_reschedule(cpu)
#else
#define COMPAT_CPUHP_VMX	CPUHP_AP_KVM_STARTING
#define COMPAT_CPUHP_MAY_FAIL	0
#define compat_send_reschedule(cpu) smp_send_reschedule(cpu)
#endif

/* Debian's 6.12 carries the newer form, where the callbacks take a pointer. */
#ifdef COMPAT_HAS_REGISTER_SYSCORE
#define COMPAT_SYSCORE(name, suspend_fn, resume_fn, shutdown_fn)	\
int name##_suspend(void *unused) { return suspend_fn(); }		\
static void name##_resume(void *unused) { resume_fn(); }		\
static void name##_shutdown(void *unused) { shutdown_fn(); }		\
static const struct syscore_ops name##_ops = {				\
	.suspend = name##_suspend, .resume = name##_resume, .shutdown = name##_shutdown, \
};									\
static struct syscore name = { .ops = &name##_ops }
#define compat_register_syscore		register_syscore
#define compat_unregister_syscore	unregister_syscore
#else
#define COMPAT_SYSCORE(name, suspend_fn, resume_fn, shutdown_fn)	\
struct syscore_ops name = {						\
	.suspend = suspend_fn, .resume = resume_fn, .shutdown = shutdown_fn, \
}
#define compat_register_syscore		register_syscore_ops
#define compat_unregister_syscore	unregister_syscore_ops
#endif

/* irqchip, io: an eventfd's counter goes up by one */
#include <linux/eventfd.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define compat_eventfd_signal(ctx)	eventfd_signal(ctx)
#else
#define compat_eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#endif

#endif
