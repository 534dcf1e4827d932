// SPDX-License-Identifier: GPL-2.0
/* /dev/minikvm: what there is, and new VMs. */
#define pr_fmt(fmt) "minikvm: " fmt

#include <linux/fs.h>
#include <linux/minmax.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../cpu/cpu.h"
#include "../cpu/mce.h"
#include "fd.h"

/* The indices of a list of MSRs, and how many there are. E2BIG tells the count, too. */
static long copy_msr_list(struct minikvm_msr_list __user *user, const u32 *list, u32 count,
			  bool (*there)(u32 index))
{
	u32 room, n = 0, i;

	if (get_user(room, &user->nmsrs))
		return -EFAULT;
	for (i = 0; i < count; i++)
		n += !there || there(list[i]);
	if (put_user(n, &user->nmsrs))
		return -EFAULT;
	if (room < n)
		return -E2BIG;
	for (i = 0, n = 0; i < count; i++) {
		if (there && !there(list[i]))
			continue;
		if (put_user(list[i], &user->indices[n++]))
			return -EFAULT;
	}
	return 0;
}

/*
 * GET_SUPPORTED_CPUID, and GET_EMULATED_CPUID, whose answer is empty: what the processor does not
 * have is nowhere emulated. E2BIG: not enough room.
 */
static long dev_get_cpuid(struct minikvm_cpuid2 __user *user, bool emulated)
{
	struct minikvm_cpuid_entry2 *entries;
	struct minikvm_cpuid2 cpuid;
	long err = 0;

	if (copy_from_user(&cpuid, user, sizeof(cpuid)))
		return -EFAULT;
	if (cpuid.nent < 1)
		return -E2BIG;
	cpuid.nent = min_t(u32, cpuid.nent, CPUID_MAX);
	entries = kvcalloc(cpuid.nent, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	if (emulated)
		cpuid.nent = 1;
	else
		err = cpuid_supported(&cpuid, entries);
	if (!err && (copy_to_user(user->entries, entries, cpuid.nent * sizeof(*entries)) ||
		     put_user(cpuid.nent, &user->nent)))
		err = -EFAULT;
	kvfree(entries);
	return err;
}

/**
 * msrs_do - GET_MSRS, SET_MSRS: the same to each of a list
 * @user: the list
 * @one: what to do with one; not 0: it failed, and the list ends there
 * @vcpu: for @one
 * @get: the list is copied back
 *
 * The whole list is here before the first is done: a list that cannot be read
 * changes nothing.
 *
 * Context: sleeps. Return: how many were done; -E2BIG, -EFAULT, -ENOMEM.
 */
long msrs_do(struct minikvm_msrs __user *user,
	     int (*one)(struct vcpu *vcpu, struct minikvm_msr_entry *e), struct vcpu *vcpu, bool get)
{
	struct minikvm_msr_entry *entries;
	struct minikvm_msrs head;
	size_t size;
	long i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs >= MAX_IO_MSRS)
		return -E2BIG;
	size = head.nmsrs * sizeof(*entries);
	entries = memdup_user(user->entries, size);
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	for (i = 0; i < head.nmsrs; i++)
		if (one(vcpu, &entries[i]))
			break;
	if (get && copy_to_user(user->entries, entries, size))
		i = -EFAULT;
	kfree(entries);
	return i;
}

static int get_feature_msr(struct vcpu *none, struct minikvm_msr_entry *e)
{
	return msr_feature_read(e->index, &e->data);
}

static long get_mce_cap_supported(u64 __user *user)
{
	return put_user(MCE_SUPPORTED, user);
}

static long dev_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	void __user *argp = (void __user *)arg;

	switch (ioctl) {
	case MINIKVM_GET_API_VERSION:
		return arg ? -EINVAL : MINIKVM_API_VERSION;
	case MINIKVM_CREATE_VM:
		return vm_create_fd(arg);
	case MINIKVM_CHECK_EXTENSION:
		return check_extension(arg);
	case MINIKVM_GET_VCPU_MMAP_SIZE:
		return arg ? -EINVAL : RUN_PAGES * PAGE_SIZE;
	case MINIKVM_GET_MSR_INDEX_LIST:
		return copy_msr_list(argp, msr_index_list, msr_index_count, msr_listed);
	case MINIKVM_GET_MSR_FEATURE_INDEX_LIST:
		return copy_msr_list(argp, msr_feature_list, msr_feature_count, NULL);
	case MINIKVM_GET_SUPPORTED_CPUID:
		return dev_get_cpuid(argp, false);
	case MINIKVM_GET_EMULATED_CPUID:
		return dev_get_cpuid(argp, true);
	case MINIKVM_X86_GET_MCE_CAP_SUPPORTED:
		return get_mce_cap_supported(argp);
	case MINIKVM_GET_MSRS:
		return msrs_do(argp, get_feature_msr, NULL, true);
	default:
		return -EINVAL;
	}
}

static const struct file_operations dev_fops = {
	.owner		= THIS_MODULE,
	.unlocked_ioctl	= dev_ioctl,
	.compat_ioctl	= dev_ioctl,	/* the same layouts in both */
	.llseek		= noop_llseek,
};

static struct miscdevice dev = {
	.minor	= MISC_DYNAMIC_MINOR,
	.name	= "minikvm",
	.fops	= &dev_fops,
	.mode	= 0600,
};

static bool as_kvm;
module_param(as_kvm, bool, 0444);
MODULE_PARM_DESC(as_kvm, "be /dev/kvm, too, for VMMs that know no other path (default: no)");

static struct miscdevice kvm_dev = {
	.minor	= KVM_MINOR,
	.name	= "kvm",
	.fops	= &dev_fops,
	.mode	= 0600,
};

/**
 * dev_init - publish the device, last of all
 *
 * Return: 0 or -errno; EBUSY: it is to be /dev/kvm, which another module is.
 */
int dev_init(void)
{
	int err;

	if (as_kvm) {
		err = misc_register(&kvm_dev);
		if (err) {
			pr_err("as_kvm=1: /dev/kvm is another module's: modprobe -r kvm_intel first\n");
			return err;
		}
	}
	err = misc_register(&dev);
	if (err && as_kvm)
		misc_deregister(&kvm_dev);
	return err;
}

/** dev_exit - take it away; nobody has it open */
void dev_exit(void)
{
	misc_deregister(&dev);
	if (as_kvm)
		misc_deregister(&kvm_dev);
}
