// SPDX-License-Identifier: GPL-2.0
/*
 * A VM of KVM's that nobody runs. As long as it is held, KVM keeps every CPU in VMX operation,
 * and kvm-intel cannot be unloaded. Made as a VMM would: KVM has no interface for modules.
 */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/fs_struct.h>
#include <linux/kthread.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/pid_namespace.h>
#include <linux/sched/task.h>
#include <linux/workqueue.h>
#include <asm/hypervisor.h>
#include <asm/processor.h>
#include <asm/special_insns.h>

#include "internal.h"
#include "vmx.h"

static struct file *held;	/* users_lock of way.c */

/* One job for a kernel thread: neither the VMM's rights nor its root decide, nor sees it the fd. */
struct hold_work {
	struct work_struct work;
	struct mm_struct *mm;		/* KVM wants one */
	int err;
};

static struct file *open_kvm(void)
{
	struct task_struct *init = init_pid_ns.child_reaper;
	struct file *file;
	struct path root;

	task_lock(init);
	get_fs_root(init->fs, &root);
	task_unlock(init);
	file = file_open_root(&root, "dev/kvm", O_RDWR, 0);
	path_put(&root);
	return file;
}

/* as_kvm=1 makes us the one behind this number. */
static bool is_kvm(const struct file *file)
{
	const struct inode *inode = file_inode(file);

	return S_ISCHR(inode->i_mode) && inode->i_rdev == MKDEV(MISC_MAJOR, 232) &&
	       file->f_op->owner != THIS_MODULE && file->f_op->unlocked_ioctl;
}

static int make_vm(struct file *kvm)
{
	int fd = kvm->f_op->unlocked_ioctl(kvm, MINIKVM_CREATE_VM, 0);

	if (fd < 0)
		return fd;
	held = fget(fd);
	close_fd(fd);
	return held ? 0 : -EBADF;
}

static void hold_fn(struct work_struct *work)
{
	struct hold_work *hold = container_of(work, struct hold_work, work);
	struct file *kvm = open_kvm();

	hold->err = -ENODEV;
	if (IS_ERR(kvm))
		return;
	if (is_kvm(kvm)) {
		kthread_use_mm(hold->mm);
		hold->err = make_vm(kvm);
		kthread_unuse_mm(hold->mm);
	}
	fput(kvm);
}

/* Under Hyper-V, and it offers enlightened VMCSs: KVM may use them. */
static bool enlightened(void)
{
	u32 eax, name[3];

	if (!boot_cpu_has(X86_FEATURE_HYPERVISOR))
		return false;
	cpuid(0x40000000, &eax, &name[0], &name[1], &name[2]);
	return eax >= 0x4000000a && !memcmp(name, "Microsoft Hv", 12) &&
	       (u16)cpuid_eax(0x4000000a);
}

static int make_vm_elsewhere(void)
{
	struct hold_work hold = { .mm = current->mm };

	INIT_WORK_ONSTACK(&hold.work, hold_fn);
	schedule_work(&hold.work);
	flush_work(&hold.work);
	destroy_work_on_stack(&hold.work);
	return hold.err;
}

/* Why we cannot live with this KVM, if so. */
static const char *why_not(void)
{
	/* Its interprocessor interrupts come as events, past the trace points. */
	if (hypervisor_is_type(X86_HYPER_XEN_HVM))
		return "KVM is a guest of Xen, beside which minikvm cannot run: unload kvm-intel";
	if (enlightened())
		return "KVM is a guest of Hyper-V with enlightened VMCSs, beside which minikvm cannot run: unload kvm-intel";
	return native_read_cr4() & X86_CR4_VMXE ? NULL : "/dev/kvm is there, but does not use VT-x";
}

/**
 * kvm_vm_hold - have KVM make a VM, and keep it
 *
 * Context: way.c's users_lock; may sleep.
 * Return: 0; -ENODEV: there is no KVM; -EOPNOTSUPP: one that we cannot live with, of which the
 * log tells; other errors are KVM's.
 */
int kvm_vm_hold(void)
{
	int err = make_vm_elsewhere();
	const char *why;

	if (err)
		return err;
	why = why_not();
	if (!why)
		return 0;
	pr_err_ratelimited("%s\n", why);
	kvm_vm_release();
	return -EOPNOTSUPP;
}

/** kvm_vm_release - let go of it. Context: as kvm_vm_hold(). */
void kvm_vm_release(void)
{
	fput(held);
	held = NULL;
}
