/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Every difference between the kernels that minikvm builds for, from 6.1 to 7.3, and nothing
 * else: Documentation/kernels.rst says which kernel has what. Included by the files that need
 * one. (Two differ as a whole: Kbuild chooses cpu/fpu_kernel.c or cpu/fpu_own.c.)
 */
#ifndef MINIKVM_COMPAT_H
#define MINIKVM_COMPAT_H

#include <linux/version.h>

/*
 * From 6.19 on the kernel keeps for KVM's own modules what switches VMX on, and much of what
 * surrounds a guest. There minikvm is in KVM's VMX operation, and does the rest itself.
 */
#define COMPAT_FOR_KVM_ONLY	(LINUX_VERSION_CODE >= KERNEL_VERSION(6, 19, 0))

/* vmx */
#include <linux/cpuhotplug.h>
#include <linux/smp.h>
#include <linux/syscore_ops.h>
#include <asm/msr.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#define rdmsrl		rdmsrq
#define wrmsrl		wrmsrq
#define rdmsrl_safe	rdmsrq_safe
#define wrmsrl_safe	wrmsrq_safe
#define native_wrmsrl	native_wrmsrq
#endif

/* CPUID */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 16, 0)
#include <asm/cpuid/api.h>
#else
#include <asm/processor.h>
#endif

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

/* Before 6.5 KVM leaves VMX operation when a reboot is announced; since then by syscore, as we. */
#define COMPAT_KVM_LEAVES_EARLY	(LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0))

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

/* Does the host take events by FRED, and not by its IDT? */
#ifdef X86_FEATURE_FRED
#define compat_host_has_fred()	cpu_feature_enabled(X86_FEATURE_FRED)
#else
#define compat_host_has_fred()	false
#endif

/* The barrier between two guests: what says that the host wants it. */
#ifdef X86_FEATURE_USE_IBPB
#define COMPAT_FEATURE_IBPB	X86_FEATURE_USE_IBPB
#else
#define COMPAT_FEATURE_IBPB	X86_FEATURE_IBPB
#endif

/* run, ground: work of a thread before it enters a guest */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 18, 0)
#include <linux/entry-virt.h>
#define compat_thread_work(unread)	((void)(unread), xfer_to_guest_mode_handle_work())
#else
#include <linux/entry-kvm.h>
#define compat_thread_work(unread)	xfer_to_guest_mode_handle_work(unread)
#endif

/* A guest's split lock: may it pass? Where the kernel does not say, it may not. */
#if COMPAT_FOR_KVM_ONLY
#define compat_split_lock_passes(rip)	((void)(rip), false)
#else
#define compat_split_lock_passes(rip)	handle_guest_split_lock(rip)
#endif

/* irqchip, io: an eventfd's counter goes up by one */
#include <linux/eventfd.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 8, 0)
#define compat_eventfd_signal(ctx)	eventfd_signal(ctx)
#else
#define compat_eventfd_signal(ctx)	eventfd_signal(ctx, 1)
#endif

/* irqchip: timers */
#include <linux/hrtimer.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 13, 0)
#define compat_hrtimer_setup(timer, fn, clock, mode)	hrtimer_setup(timer, fn, clock, mode)
#else
#define compat_hrtimer_setup(timer, fn, clock, mode)			\
	do {								\
		hrtimer_init(timer, clock, mode);			\
		(timer)->function = fn;					\
	} while (0)
#endif

/* mm: any signal ends the wait for a page, where the kernel can do that; elsewhere one that kills */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 2, 0)
#define COMPAT_FOLL_INTERRUPTIBLE	FOLL_INTERRUPTIBLE
#else
#define COMPAT_FOLL_INTERRUPTIBLE	0
#endif

/* mm: a page that NUMA balancing wants to hear of is a fault; before 6.6 it always is */
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 6, 0)
#define COMPAT_FOLL_NUMA	FOLL_HONOR_NUMA_FAULT
#else
#define COMPAT_FOLL_NUMA	0
#endif

/* mm: what the host's memory management hears of pages that were used */
#if COMPAT_FOR_KVM_ONLY
#define compat_young	bool
#else
#define compat_young	int
#endif

/* pv: the host's time and the counter that it comes from, of one moment */
#include <linux/timekeeping.h>

#if COMPAT_FOR_KVM_ONLY
#define compat_get_snapshot(s)		ktime_get_snapshot_id(CLOCK_REALTIME, s)
#define compat_snapshot_real(s)		((s)->systime)
#else
#define compat_get_snapshot(s)		ktime_get_snapshot(s)
#define compat_snapshot_real(s)		((s)->real)
#endif

#endif
