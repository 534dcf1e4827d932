// SPDX-License-Identifier: GPL-2.0
/*
 * Statistics that a program reads from a descriptor, of a VM or of a vCPU: GET_STATS_FD. The file
 * describes itself. Names are KVM's where the thing is the same.
 *
 * Such a descriptor keeps its VM, and can be read by whoever has it. debugfs has more: stats.c.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "../vm/vm.h"
#include "../vmx/vmx.h"
#include "fd.h"
#include "stats_layout.h"

#define CUMULATIVE	MINIKVM_STATS_TYPE_CUMULATIVE

#define OF_VCPU(field)	offsetof(struct vcpu, stats.field)
#define OF_EXIT(reason)	offsetof(struct vcpu, stats.exits[reason])

static const struct stats_source of_vcpu[] = {
	{ "entries", CUMULATIVE, OF_VCPU(entries) },
	{ "user_exits", CUMULATIVE, OF_VCPU(user_exits) },
	{ "io_exits", CUMULATIVE, OF_VCPU(pio) },
	{ "mmio_exits", CUMULATIVE, OF_VCPU(mmio) },
	{ "irq_exits", CUMULATIVE, OF_EXIT(REASON_EXTERNAL_INTR) },
	{ "irq_window_exits", CUMULATIVE, OF_EXIT(REASON_INTR_WINDOW) },
	{ "nmi_window_exits", CUMULATIVE, OF_EXIT(REASON_NMI_WINDOW) },
	{ "halt_exits", CUMULATIVE, OF_EXIT(REASON_HLT) },
	{ "hypercalls", CUMULATIVE, OF_EXIT(REASON_VMCALL) },
	{ "irq_injections", CUMULATIVE, OF_VCPU(irq_injected) },
	{ "nmi_injections", CUMULATIVE, OF_VCPU(nmi_injected) },
	{ "pf_taken", CUMULATIVE, OF_VCPU(ept_faults) },
	{ "tlb_flush", CUMULATIVE, OF_VCPU(tlb_flush) },
};

static const struct stats_source of_vm[] = {
	{ "remote_tlb_flush_requests", CUMULATIVE, offsetof(struct vm, ept_gen) },
	{ "slot_changes", CUMULATIVE, offsetof(struct vm, slots_gen) },
};

static ssize_t stats_copy(char __user *to, size_t size, loff_t *pos, struct stats_image *image,
			  const void *object, const struct stats_source *source, u32 n)
{
	u64 *values = stats_fill(image, source, n);
	u32 i;

	for (i = 0; i < n; i++)
		values[i] = READ_ONCE(*(const u64 *)(object + source[i].offset));
	return simple_read_from_buffer(to, size, pos, image, stats_size(n));
}

static ssize_t vcpu_stats_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	const struct vcpu *vcpu = file->private_data;
	struct stats_image *image = kzalloc(stats_size(ARRAY_SIZE(of_vcpu)), GFP_KERNEL_ACCOUNT);
	ssize_t ret;

	if (!image)
		return -ENOMEM;
	snprintf(image->id, sizeof(image->id), "kvm-%d/vcpu-%u", vcpu->vm->pid, vcpu->id);
	ret = stats_copy(to, size, pos, image, vcpu, of_vcpu, ARRAY_SIZE(of_vcpu));
	kfree(image);
	return ret;
}

static ssize_t vm_stats_read(struct file *file, char __user *to, size_t size, loff_t *pos)
{
	const struct vm *vm = file->private_data;
	struct stats_image *image = kzalloc(stats_size(ARRAY_SIZE(of_vm)), GFP_KERNEL_ACCOUNT);
	ssize_t ret;

	if (!image)
		return -ENOMEM;
	snprintf(image->id, sizeof(image->id), "kvm-%d", vm->pid);
	ret = stats_copy(to, size, pos, image, vm, of_vm, ARRAY_SIZE(of_vm));
	kfree(image);
	return ret;
}

static int vcpu_stats_release(struct inode *inode, struct file *file)
{
	const struct vcpu *vcpu = file->private_data;

	vm_put(vcpu->vm);
	return 0;
}

static int vm_stats_release(struct inode *inode, struct file *file)
{
	vm_put(file->private_data);
	return 0;
}

static const struct file_operations vcpu_stats_fops = {
	.owner		= THIS_MODULE,
	.read		= vcpu_stats_read,
	.release	= vcpu_stats_release,
	.llseek		= noop_llseek,
};

static const struct file_operations vm_stats_fops = {
	.owner		= THIS_MODULE,
	.read		= vm_stats_read,
	.release	= vm_stats_release,
	.llseek		= noop_llseek,
};

/* The descriptor has its reference before anybody can close it. */
static int stats_fd(const char *name, const struct file_operations *fops, void *object,
		    struct vm *vm)
{
	struct file *file;
	int fd = get_unused_fd_flags(O_CLOEXEC);

	if (fd < 0)
		return fd;
	file = anon_inode_getfile(name, fops, object, O_RDONLY);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		return PTR_ERR(file);
	}
	file->f_mode |= FMODE_PREAD;
	refcount_inc(&vm->users);
	fd_install(fd, file);
	return fd;
}

/**
 * vcpu_stats_fd - GET_STATS_FD on a vCPU
 * @vcpu: the caller holds its fd
 *
 * Context: sleeps. Return: a file descriptor; -EMFILE, -ENOMEM.
 */
int vcpu_stats_fd(struct vcpu *vcpu)
{
	return stats_fd("minikvm-vcpu-stats", &vcpu_stats_fops, vcpu, vcpu->vm);
}

/** vm_stats_fd - vcpu_stats_fd(), on a VM */
int vm_stats_fd(struct vm *vm)
{
	return stats_fd("minikvm-vm-stats", &vm_stats_fops, vm, vm);
}
