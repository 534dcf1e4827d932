// SPDX-License-Identifier: GPL-2.0
/* A vCPU's file descriptor: its run page, and its ioctls. */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "../cpu/load.h"
#include "../vm/vm.h"
#include "../vmx/kick.h"

/* ---- registers and the like: a struct in, a struct out, with the VMCS at hand */

static long get_regs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_regs regs;

	vcpu_get_regs(vcpu, &regs);
	return copy_to_user(argp, &regs, sizeof(regs)) ? -EFAULT : 0;
}

static long set_regs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_regs regs;

	if (copy_from_user(&regs, argp, sizeof(regs)))
		return -EFAULT;
	return vcpu_set_regs(vcpu, &regs);
}

static long get_sregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_sregs sregs;

	vcpu_get_sregs(vcpu, &sregs);
	return copy_to_user(argp, &sregs, sizeof(sregs)) ? -EFAULT : 0;
}

static long set_sregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_sregs sregs;

	if (copy_from_user(&sregs, argp, sizeof(sregs)))
		return -EFAULT;
	return vcpu_set_sregs(vcpu, &sregs);
}

static long translate(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_translation tr;

	if (copy_from_user(&tr, argp, sizeof(tr)))
		return -EFAULT;
	vcpu_translate(vcpu, &tr);
	return copy_to_user(argp, &tr, sizeof(tr)) ? -EFAULT : 0;
}

static long get_fpu(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_fpu fpu;
	long err = fpu_get(vcpu, &fpu);

	return err ?: copy_to_user(argp, &fpu, sizeof(fpu)) ? -EFAULT : 0;
}

static long set_fpu(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_fpu fpu;

	if (copy_from_user(&fpu, argp, sizeof(fpu)))
		return -EFAULT;
	return fpu_set(vcpu, &fpu);
}

static long get_xsave(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xsave *xsave = kzalloc(sizeof(*xsave), GFP_KERNEL_ACCOUNT);
	long err;

	if (!xsave)
		return -ENOMEM;
	err = fpu_get_xsave(vcpu, xsave);
	if (!err && copy_to_user(argp, xsave, sizeof(*xsave)))
		err = -EFAULT;
	kfree(xsave);
	return err;
}

static long set_xsave(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xsave *xsave = memdup_user(argp, sizeof(*xsave));
	long err;

	if (IS_ERR(xsave))
		return PTR_ERR(xsave);
	err = fpu_set_xsave(vcpu, xsave);
	kfree(xsave);
	return err;
}

static long get_xcrs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xcrs xcrs;
	long err = fpu_get_xcrs(vcpu, &xcrs);

	return err ?: copy_to_user(argp, &xcrs, sizeof(xcrs)) ? -EFAULT : 0;
}

static long set_xcrs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_xcrs xcrs;

	if (copy_from_user(&xcrs, argp, sizeof(xcrs)))
		return -EFAULT;
	return fpu_set_xcrs(vcpu, &xcrs);
}

static long get_debugregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_debugregs dr;

	vcpu_get_debugregs(vcpu, &dr);
	return copy_to_user(argp, &dr, sizeof(dr)) ? -EFAULT : 0;
}

static long set_debugregs(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_debugregs dr;

	if (copy_from_user(&dr, argp, sizeof(dr)))
		return -EFAULT;
	return vcpu_set_debugregs(vcpu, &dr);
}

static long get_events(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_vcpu_events events;

	vcpu_get_events(vcpu, &events);
	return copy_to_user(argp, &events, sizeof(events)) ? -EFAULT : 0;
}

static long set_events(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_vcpu_events events;

	if (copy_from_user(&events, argp, sizeof(events)))
		return -EFAULT;
	return vcpu_set_events(vcpu, &events);
}

static long get_lapic(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_lapic_state *state;
	long err;

	if (!vcpu->lapic)
		return -EINVAL;
	state = kzalloc(sizeof(*state), GFP_KERNEL_ACCOUNT);
	if (!state)
		return -ENOMEM;
	lapic_get_state(vcpu, state);
	err = copy_to_user(argp, state, sizeof(*state)) ? -EFAULT : 0;
	kfree(state);
	return err;
}

static long set_lapic(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_lapic_state *state;
	long err;

	if (!vcpu->lapic)
		return -EINVAL;
	state = memdup_user(argp, sizeof(*state));
	if (IS_ERR(state))
		return PTR_ERR(state);
	err = lapic_set_state(vcpu, state);
	kfree(state);
	return err;
}

static long get_mp_state(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_mp_state mp = { .mp_state = vcpu_get_mp_state(vcpu) };

	return copy_to_user(argp, &mp, sizeof(mp)) ? -EFAULT : 0;
}

static long set_mp_state(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_mp_state mp;

	if (copy_from_user(&mp, argp, sizeof(mp)))
		return -EFAULT;
	return vcpu_set_mp_state(vcpu, mp.mp_state);
}

/* With all chips here, nobody else delivers interrupts. */
static long interrupt(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_interrupt irq;

	if (copy_from_user(&irq, argp, sizeof(irq)))
		return -EFAULT;
	if (irq.irq < MINIKVM_NR_INTERRUPTS && vcpu->lapic)
		return -ENXIO;
	return event_interrupt(vcpu, irq.irq);
}

static long nmi(struct vcpu *vcpu)
{
	vcpu_queue_nmi(vcpu);
	return 0;
}

static long set_cpuid(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_cpuid2 __user *user = argp;
	struct minikvm_cpuid_entry2 *entries;
	struct minikvm_cpuid2 head;
	long err;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent > CPUID_MAX)
		return -E2BIG;
	entries = kvmalloc_array(head.nent + 1, sizeof(*entries), GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	if (copy_from_user(entries, user->entries, head.nent * sizeof(*entries)))
		err = -EFAULT;
	else
		err = cpuid_set(vcpu, entries, head.nent);
	if (err)
		kvfree(entries);
	return err;
}

static long get_cpuid(struct vcpu *vcpu, void __user *argp)
{
	struct minikvm_cpuid2 __user *user = argp;
	struct minikvm_cpuid_entry2 e;
	struct minikvm_cpuid2 head;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent < vcpu->cpuid_nent)
		return -E2BIG;
	for (i = 0; i < vcpu->cpuid_nent; i++) {
		e = cpuid_now(vcpu, i);
		if (copy_to_user(&user->entries[i], &e, sizeof(e)))
			return -EFAULT;
	}
	return put_user(vcpu->cpuid_nent, &user->nent);
}

/* MSRs that are in the processor while the thread is need it to stay there. */
static int get_msr(struct vcpu *vcpu, struct minikvm_msr_entry *e)
{
	int failed;

	preempt_disable();
	failed = msr_read(vcpu, e->index, &e->data, true);
	preempt_enable();
	return failed;
}

static int set_msr(struct vcpu *vcpu, struct minikvm_msr_entry *e)
{
	int failed;

	preempt_disable();
	failed = msr_write(vcpu, e->index, e->data, true);
	preempt_enable();
	return failed;
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

static long vcpu_set_tsc_khz(struct vcpu *vcpu, u32 khz)
{
	if (!msr_tsc_khz_valid(khz))
		return -EINVAL;
	vcpu->tsc_khz = khz ?: tsc_khz;
	return 0;
}

/* ---- the ioctl */

/* Those that need the VMCS. */
static noinline_for_stack long vcpu_ioctl_loaded(struct vcpu *vcpu, unsigned int ioctl, void __user *argp)
{
	switch (ioctl) {
	case MINIKVM_GET_REGS:
		return get_regs(vcpu, argp);
	case MINIKVM_SET_REGS:
		return set_regs(vcpu, argp);
	case MINIKVM_GET_SREGS:
		return get_sregs(vcpu, argp);
	case MINIKVM_SET_SREGS:
		return set_sregs(vcpu, argp);
	case MINIKVM_TRANSLATE:
		return translate(vcpu, argp);
	case MINIKVM_GET_MSRS:
		return msrs_do(argp, get_msr, vcpu, true);
	case MINIKVM_SET_MSRS:
		return msrs_do(argp, set_msr, vcpu, false);
	case MINIKVM_GET_FPU:
		return get_fpu(vcpu, argp);
	case MINIKVM_SET_FPU:
		return set_fpu(vcpu, argp);
	case MINIKVM_GET_XSAVE:
		return get_xsave(vcpu, argp);
	case MINIKVM_SET_XSAVE:
		return set_xsave(vcpu, argp);
	case MINIKVM_GET_XCRS:
		return get_xcrs(vcpu, argp);
	case MINIKVM_SET_XCRS:
		return set_xcrs(vcpu, argp);
	case MINIKVM_GET_DEBUGREGS:
		return get_debugregs(vcpu, argp);
	case MINIKVM_SET_DEBUGREGS:
		return set_debugregs(vcpu, argp);
	case MINIKVM_GET_VCPU_EVENTS:
		return get_events(vcpu, argp);
	case MINIKVM_SET_VCPU_EVENTS:
		return set_events(vcpu, argp);
	case MINIKVM_GET_LAPIC:
		return get_lapic(vcpu, argp);
	case MINIKVM_SET_LAPIC:
		return set_lapic(vcpu, argp);
	case MINIKVM_GET_MP_STATE:
		return get_mp_state(vcpu, argp);
	case MINIKVM_SET_MP_STATE:
		return set_mp_state(vcpu, argp);
	case MINIKVM_INTERRUPT:
		return interrupt(vcpu, argp);
	case MINIKVM_NMI:
		return nmi(vcpu);
	case MINIKVM_SET_CPUID2:
		return set_cpuid(vcpu, argp);
	case MINIKVM_GET_CPUID2:
		return get_cpuid(vcpu, argp);
	case MINIKVM_GET_TSC_KHZ:
		return vcpu->tsc_khz;
	case MINIKVM_SET_TSC_KHZ:
		return vcpu_set_tsc_khz(vcpu, (u32)(unsigned long)argp);
	case MINIKVM_SET_SIGNAL_MASK:
		return set_signal_mask(vcpu, argp);
	default:
		return -EINVAL;
	}
}

static long vcpu_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	struct vcpu *vcpu = file->private_data;
	struct vm *vm = vcpu->vm;
	bool held = false;
	long ret;

	if (!vm_is_mine(vcpu->vm) || READ_ONCE(vcpu->vm->dead))
		return -EIO;
	if (_IOC_TYPE(ioctl) != MINIKVMIO)
		return -EINVAL;
	if (mutex_lock_killable(&vcpu->mutex))
		return -EINTR;
	if (ioctl == MINIKVM_RUN) {
		ret = arg ? -EINVAL : vcpu_run(vcpu);
		held = vcpu->vm_held;
		vcpu->vm_held = false;
	} else {
		vcpu_load(vcpu);
		ret = vcpu_ioctl_loaded(vcpu, ioctl, (void __user *)arg);
		/* It may have changed what the next entry is to bring. */
		vcpu_make_request(vcpu, REQ_EVENT);
		vcpu_put(vcpu);
	}
	mutex_unlock(&vcpu->mutex);
	if (unlikely(held))
		vm_put(vm);	/* perhaps the last one: the vCPU may be gone */
	return ret;
}

/* A 32-bit caller's pointers are shorter, its structs are the same but for one. */
static long vcpu_compat_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	return vcpu_ioctl(file, ioctl, ioctl == MINIKVM_RUN ? arg : (unsigned long)compat_ptr(arg));
}

static vm_fault_t run_page_fault(struct vm_fault *vmf)
{
	struct vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= RUN_PAGES)
		return VM_FAULT_SIGBUS;
	get_page(vcpu->run_pages + vmf->pgoff);
	vmf->page = vcpu->run_pages + vmf->pgoff;
	return 0;
}

static const struct vm_operations_struct run_vm_ops = { .fault = run_page_fault };

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
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

	if (id >= VM_MAX_VCPUS)
		return -EINVAL;
	mutex_lock(&vm->lock);
	ret = vcpu_create_fd_locked(vm, id);
	mutex_unlock(&vm->lock);
	return ret;
}
