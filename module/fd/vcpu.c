// SPDX-License-Identifier: GPL-2.0
/* A vCPU's file descriptor: its run page, RUN, and its other ioctls; vcpu_state.c has most. */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <asm/tsc.h>

#include "../cpu/cpu.h"
#include "../irqchip/irqchip.h"
#include "../pv/pv.h"
#include "../run/run.h"
#include "../vm/vm.h"
#include "../vmx/vmx.h"
#include "fd.h"

static long vcpu_ioctl_translate(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_translation tr;

	if (copy_from_user(&tr, argp, sizeof(tr)))
		return -EFAULT;
	vcpu_translate(vcpu, &tr);
	return copy_to_user(argp, &tr, sizeof(tr)) ? -EFAULT : 0;
}

/* With a PIC here, nobody else delivers its interrupts. */
static long vcpu_ioctl_interrupt(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_interrupt irq;

	if (copy_from_user(&irq, argp, sizeof(irq)))
		return -EFAULT;
	if (irq.irq < MINIKVM_NR_INTERRUPTS && vm_full_irqchip(vcpu->vm))
		return -ENXIO;
	return event_interrupt(vcpu, irq.irq);
}

static long vcpu_ioctl_nmi(struct vcpu *vcpu)
{
	vcpu_queue_nmi(vcpu);
	return 0;
}

static long set_signal_mask(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_signal_mask __user *user = argp;
	struct minikvm_signal_mask head;
	sigset_t mask;

	if (!argp) {
		vcpu->sigmask_active = false;
		return 0;
	}
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.len != sizeof(mask))
		return -EINVAL;
	if (copy_from_user(&mask, user->sigset, sizeof(mask)))
		return -EFAULT;
	sigdelsetmask(&mask, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigmask = mask;
	vcpu->sigmask_active = true;
	return 0;
}

static long vcpu_ioctl_set_guest_debug(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_guest_debug debug;

	if (copy_from_user(&debug, argp, sizeof(debug)))
		return -EFAULT;
	return vcpu_set_guest_debug(vcpu, &debug);
}

/* There is one: what CPUID does not show of KVM's own features is not there. */
static long vcpu_enable_cap(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_enable_cap cap;

	if (copy_from_user(&cap, argp, sizeof(cap)))
		return -EFAULT;
	if (cap.flags || cap.cap != MINIKVM_CAP_ENFORCE_PV_FEATURE_CPUID)
		return -EINVAL;
	vcpu->pv.enforced = cap.args[0];
	return 0;
}

/* There is one. */
static long vcpu_device_attr(struct vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	struct minikvm_device_attr attr;
	u64 __user *user;
	u64 offset;

	if (copy_from_user(&attr, argp, sizeof(attr)))
		return -EFAULT;
	if (attr.group != MINIKVM_VCPU_TSC_CTRL || attr.attr != MINIKVM_VCPU_TSC_OFFSET)
		return -ENXIO;
	user = u64_to_user_ptr(attr.addr);
	if (ioctl == MINIKVM_GET_DEVICE_ATTR)
		return put_user(vcpu_get_tsc_offset(vcpu), user);
	if (ioctl == MINIKVM_SET_DEVICE_ATTR) {
		if (get_user(offset, user))
			return -EFAULT;
		vcpu_set_tsc_offset(vcpu, offset);
	}
	return 0;
}

/* ---- the ioctl */

/* Those that need the VMCS. */
static noinline_for_stack long vcpu_ioctl_loaded(struct vcpu *vcpu, unsigned int ioctl,
						 void __user *argp)
{
	switch (ioctl) {
	case MINIKVM_TRANSLATE:
		return vcpu_ioctl_translate(vcpu, argp);
	case MINIKVM_INTERRUPT:
		return vcpu_ioctl_interrupt(vcpu, argp);
	case MINIKVM_NMI:
		return vcpu_ioctl_nmi(vcpu);
	case MINIKVM_GET_TSC_KHZ:
		return vcpu->tsc_khz;
	case MINIKVM_KVMCLOCK_CTRL:
		return pv_clock_stopped(vcpu);
	case MINIKVM_SET_TSC_KHZ:
		return vcpu_set_tsc_khz(vcpu, (u32)(unsigned long)argp);
	case MINIKVM_GET_STATS_FD:
		return vcpu_stats_fd(vcpu);
	case MINIKVM_SET_GUEST_DEBUG:
		return vcpu_ioctl_set_guest_debug(vcpu, argp);
	case MINIKVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, argp);
	case MINIKVM_ENABLE_CAP:
		return vcpu_enable_cap(vcpu, argp);
	case MINIKVM_HAS_DEVICE_ATTR:
	case MINIKVM_GET_DEVICE_ATTR:
	case MINIKVM_SET_DEVICE_ATTR:
		return vcpu_device_attr(vcpu, ioctl, argp);
	default:
		return vcpu_state_ioctl(vcpu, ioctl, argp);
	}
}

static long vcpu_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	struct vcpu *vcpu = file->private_data;
	bool held = false;
	long ret;

	if (!vm_is_mine(vcpu->vm) || READ_ONCE(vcpu->vm->dead))
		return -EIO;
	if (_IOC_TYPE(ioctl) != MINIKVMIO)
		return -EINVAL;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	if (ioctl == MINIKVM_RUN) {
		vcpu->file = file;
		ret = arg ? -EINVAL : vcpu_run(vcpu);
		held = vcpu->file_held;
		vcpu->file_held = false;
	} else {
		vcpu_load(vcpu);
		pv_eoi_settle(vcpu);	/* the local APIC is to be what the guest has made of it */
		ret = vcpu_ioctl_loaded(vcpu, ioctl, (void __user *)arg);
		/* It may have changed what the next entry is to bring. */
		vcpu_make_request(vcpu, REQ_EVENT);
		vcpu_put(vcpu);
	}
	mutex_unlock(&vcpu->mutex);
	if (unlikely(held))
		fput(file);	/* perhaps the last one: what that does comes after this ioctl */
	return ret;
}

/* A 32-bit caller's pointers are shorter, its structs are the same but for one. */
static long vcpu_compat_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	return vcpu_ioctl(file, ioctl, ioctl == MINIKVM_RUN ? arg : (unsigned long)compat_ptr(arg));
}

static unsigned long ring_pages(const struct vcpu *vcpu)
{
	return vcpu->dirty_ring.size * sizeof(struct minikvm_dirty_gfn) / PAGE_SIZE;
}

static struct page *run_page_at(struct vcpu *vcpu, pgoff_t at)
{
	if (at == MINIKVM_COALESCED_MMIO_PAGE_OFFSET)
		return virt_to_page(vcpu->vm->ring);
	if (at < RUN_PAGES)
		return vcpu->run_pages + at;
	at -= MINIKVM_DIRTY_LOG_PAGE_OFFSET;
	if (at < ring_pages(vcpu))
		return vmalloc_to_page((void *)vcpu->dirty_ring.entry + at * PAGE_SIZE);
	return NULL;
}

static vm_fault_t run_page_fault(struct vm_fault *vmf)
{
	struct page *page = run_page_at(vmf->vma->vm_file->private_data, vmf->pgoff);

	if (!page)
		return VM_FAULT_SIGBUS;
	get_page(page);
	vmf->page = page;
	return 0;
}

static const struct vm_operations_struct run_vm_ops = { .fault = run_page_fault };

/* As KVM: a copy of the ring would be of no use, nor is there code in it. */
static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct vcpu *vcpu = file->private_data;

	if (vcpu->dirty_ring.size && vma->vm_pgoff + vma_pages(vma) > MINIKVM_DIRTY_LOG_PAGE_OFFSET &&
	    ((vma->vm_flags & VM_EXEC) || !(vma->vm_flags & VM_SHARED)))
		return -EINVAL;
	vma->vm_ops = &run_vm_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct vcpu *vcpu = file->private_data;

	vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner		= THIS_MODULE,
	.release	= vcpu_release,
	.unlocked_ioctl	= vcpu_ioctl,
	.compat_ioctl	= vcpu_compat_ioctl,
	.mmap		= vcpu_mmap,
	.llseek		= noop_llseek,
};

/* vm->lock held. The fd gets its reference before anybody can close it. */
static int vcpu_create_fd_locked(struct vm *vm, u32 id)
{
	struct vcpu *vcpu;
	struct file *file;
	int fd, err;

	vcpu = vcpu_create(vm, id);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd;
	if (fd < 0)
		goto free_vcpu;
	file = anon_inode_getfile("minikvm-vcpu", &vcpu_fops, vcpu, O_RDWR);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto put_fd;
	/* Nothing fails from here. */
	vcpu_publish(vcpu);
	fd_install(fd, file);
	return fd;

put_fd:
	put_unused_fd(fd);
free_vcpu:
	vcpu_free(vcpu);
	return err;
}

/**
 * vcpu_create_fd - CREATE_VCPU
 * @vm: the machine; the caller holds its fd
 * @id: number of the vCPU, and its first APIC ID
 *
 * Return: a file descriptor; -EINVAL (id or number too large), -EEXIST (id used, or a
 * slot where its APIC is to be), -ENOMEM, -EMFILE, -EINTR.
 */
int vcpu_create_fd(struct vm *vm, unsigned long id)
{
	int ret;

	if (id >= VM_VCPU_IDS)
		return -EINVAL;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	ret = vcpu_create_fd_locked(vm, id);
	mutex_unlock(&vm->lock);
	return ret;
}
