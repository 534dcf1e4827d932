// SPDX-License-Identifier: GPL-2.0
/* A VM's file descriptor and its ioctls. */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <asm/tsc.h>

#include "../cpu/cpu.h"
#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "../pv/pv.h"
#include "../vm/vm.h"
#include "fd.h"

static long set_memory_region(struct vm *vm, void __user *argp)
{
	struct minikvm_userspace_memory_region region;

	if (copy_from_user(&region, argp, sizeof(region)))
		return -EFAULT;
	return memslot_set(vm, &region);
}

/* The longer struct begins with the shorter one; the rest goes with a flag that is refused. */
static long set_memory_region2(struct vm *vm, void __user *argp)
{
	struct minikvm_userspace_memory_region2 region;

	static_assert(offsetof(typeof(region), guest_memfd_offset) ==
		      sizeof(struct minikvm_userspace_memory_region));
	if (copy_from_user(&region, argp, sizeof(region)))
		return -EFAULT;
	return memslot_set(vm, (struct minikvm_userspace_memory_region *)&region);
}

/* KVM's limit for shadow pages, of which there are none: as KVM, at least 64. */
static long set_nr_mmu_pages(unsigned long n)
{
	return n < 64 ? -EINVAL : 0;
}

static long get_dirty_log(struct vm *vm, void __user *argp)
{
	struct minikvm_dirty_log log;

	if (copy_from_user(&log, argp, sizeof(log)))
		return -EFAULT;
	if (in_compat_syscall())
		log.padding2 = (u32)log.padding2;	/* its pointer is the lower half */
	return dirty_log_get(vm, &log);
}

static long clear_dirty_log(struct vm *vm, void __user *argp)
{
	struct minikvm_clear_dirty_log log;

	if (copy_from_user(&log, argp, sizeof(log)))
		return -EFAULT;
	if (in_compat_syscall())
		log.padding2 = (u32)log.padding2;	/* its pointer is the lower half */
	return dirty_log_clear(vm, &log);
}

/* Unrestricted guest needs no TSS for real mode: the address is checked, and that is all. */
static long set_tss_addr(unsigned long addr)
{
	if (addr > (u32)(-3 * PAGE_SIZE))
		return -EINVAL;
	return 0;
}

/* Nor an identity map. As KVM: before the first vCPU. */
static long set_identity_map_addr(struct vm *vm, void __user *argp)
{
	long err;
	u64 addr;

	if (copy_from_user(&addr, argp, sizeof(addr)))
		return -EFAULT;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	err = vm->nr_vcpus ? -EINVAL : 0;
	mutex_unlock(&vm->lock);
	return err;
}

/* As KVM: one past the last ID is let through, though no vCPU can have it. */
static long set_boot_cpu_id(struct vm *vm, unsigned long id)
{
	long err = 0;

	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	if (vm->nr_vcpus)
		err = -EBUSY;
	else if (id > (vm->vcpu_ids ?: VM_VCPU_IDS))
		err = -EINVAL;
	else
		vm->boot_id = id;
	mutex_unlock(&vm->lock);
	return err;
}

static long create_irqchip(struct vm *vm)
{
	long err;

	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	err = irqchip_create(vm);
	mutex_unlock(&vm->lock);
	return err;
}

static long create_pit(struct vm *vm, void __user *argp)
{
	struct minikvm_pit_config config;
	long err;

	if (copy_from_user(&config, argp, sizeof(config)))
		return -EFAULT;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	err = pit_create(vm, &config);
	mutex_unlock(&vm->lock);
	return err;
}

static long irq_line(struct vm *vm, void __user *argp, bool want_status)
{
	struct minikvm_irq_level irq;
	int err, status;

	if (copy_from_user(&irq, argp, sizeof(irq)))
		return -EFAULT;
	err = irqchip_set_irq(vm, SOURCE_VMM, irq.irq, irq.level, want_status ? &status : NULL);
	if (err || !want_status)
		return err;
	irq.status = status;
	return copy_to_user(argp, &irq, sizeof(irq)) ? -EFAULT : 0;
}

static long get_irqchip(struct vm *vm, void __user *argp)
{
	struct minikvm_irqchip *chip = memdup_user(argp, sizeof(*chip));
	long err;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	err = irqchip_get(vm, chip);
	if (!err && copy_to_user(argp, chip, sizeof(*chip)))
		err = -EFAULT;
	kfree(chip);
	return err;
}

static long set_irqchip(struct vm *vm, void __user *argp)
{
	struct minikvm_irqchip *chip = memdup_user(argp, sizeof(*chip));
	long err;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	err = irqchip_set(vm, chip);
	kfree(chip);
	return err;
}

static long get_pit(struct vm *vm, void __user *argp)
{
	struct minikvm_pit_state2 state;
	long err = pit_get(vm, &state);

	if (!err && copy_to_user(argp, &state, sizeof(state)))
		err = -EFAULT;
	return err;
}

static long set_pit(struct vm *vm, void __user *argp)
{
	struct minikvm_pit_state2 state;

	if (copy_from_user(&state, argp, sizeof(state)))
		return -EFAULT;
	return pit_set(vm, &state);
}

static long reinject_control(struct vm *vm, void __user *argp)
{
	struct minikvm_reinject_control control;

	if (copy_from_user(&control, argp, sizeof(control)))
		return -EFAULT;
	return pit_set_reinject(vm, control.pit_reinject);
}

static long get_clock(struct vm *vm, void __user *argp)
{
	struct minikvm_clock_data data;

	vm_clock_get(vm, &data);
	return copy_to_user(argp, &data, sizeof(data)) ? -EFAULT : 0;
}

static long set_clock(struct vm *vm, void __user *argp)
{
	struct minikvm_clock_data data;

	if (copy_from_user(&data, argp, sizeof(data)))
		return -EFAULT;
	return vm_clock_set(vm, &data);
}

static long vm_ioctl(struct file *file, unsigned int ioctl, unsigned long arg)
{
	struct vm *vm = file->private_data;
	void __user *argp = (void __user *)arg;

	if (!vm_is_mine(vm) || READ_ONCE(vm->dead))
		return -EIO;
	switch (ioctl) {
	case MINIKVM_CREATE_VCPU:
		return vcpu_create_fd(vm, arg);
	case MINIKVM_CHECK_EXTENSION:
		return check_extension(arg);
	case MINIKVM_SET_USER_MEMORY_REGION:
		return set_memory_region(vm, argp);
	case MINIKVM_SET_USER_MEMORY_REGION2:
		return set_memory_region2(vm, argp);
	case MINIKVM_SET_NR_MMU_PAGES:
		return set_nr_mmu_pages(arg);
	case MINIKVM_GET_DIRTY_LOG:
		return get_dirty_log(vm, argp);
	case MINIKVM_RESET_DIRTY_RINGS:
		return dirty_rings_reset(vm);
	case MINIKVM_CLEAR_DIRTY_LOG:
		return clear_dirty_log(vm, argp);
	case MINIKVM_SET_TSS_ADDR:
		return set_tss_addr(arg);
	case MINIKVM_SET_IDENTITY_MAP_ADDR:
		return set_identity_map_addr(vm, argp);
	case MINIKVM_SET_BOOT_CPU_ID:
		return set_boot_cpu_id(vm, arg);
	case MINIKVM_CREATE_IRQCHIP:
		return create_irqchip(vm);
	case MINIKVM_CREATE_PIT2:
		return create_pit(vm, argp);
	case MINIKVM_IRQ_LINE:
		return irq_line(vm, argp, false);
	case MINIKVM_IRQ_LINE_STATUS:
		return irq_line(vm, argp, true);
	case MINIKVM_SET_GSI_ROUTING:
		return vm_set_gsi_routing(vm, argp);
	case MINIKVM_SIGNAL_MSI:
		return vm_signal_msi(vm, argp);
	case MINIKVM_IRQFD:
		return vm_irqfd(vm, argp);
	case MINIKVM_IOEVENTFD:
		return vm_ioeventfd(vm, argp);
	case MINIKVM_REGISTER_COALESCED_MMIO:
		return vm_coalesced_mmio(vm, argp, true);
	case MINIKVM_UNREGISTER_COALESCED_MMIO:
		return vm_coalesced_mmio(vm, argp, false);
	case MINIKVM_ENABLE_CAP:
		return vm_enable_cap(vm, argp);
	case MINIKVM_X86_SET_MSR_FILTER:
		return vm_set_msr_filter(vm, argp, false);
	case SET_MSR_FILTER_32:
		return in_compat_syscall() ? vm_set_msr_filter(vm, argp, true) : -ENOTTY;
	case MINIKVM_GET_IRQCHIP:
		return get_irqchip(vm, argp);
	case MINIKVM_SET_IRQCHIP:
		return set_irqchip(vm, argp);
	case MINIKVM_GET_PIT2:
		return get_pit(vm, argp);
	case MINIKVM_SET_PIT2:
		return set_pit(vm, argp);
	case MINIKVM_REINJECT_CONTROL:
		return reinject_control(vm, argp);
	case MINIKVM_GET_STATS_FD:
		return vm_stats_fd(vm);
	case MINIKVM_GET_CLOCK:
		return get_clock(vm, argp);
	case MINIKVM_SET_CLOCK:
		return set_clock(vm, argp);
	case MINIKVM_GET_TSC_KHZ:
		return READ_ONCE(vm->tsc_khz);
	case MINIKVM_SET_TSC_KHZ:
		return vm_set_tsc_khz(vm, arg);
	default:
		return -ENOTTY;
	}
}

static int vm_release(struct inode *inode, struct file *file)
{
	struct vm *vm = file->private_data;

	irqfd_release(vm);
	vm_put(vm);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner		= THIS_MODULE,
	.release	= vm_release,
	.unlocked_ioctl	= vm_ioctl,
	.compat_ioctl	= vm_ioctl,
	.llseek		= noop_llseek,
};

/**
 * vm_create_fd - CREATE_VM
 * @type: 0
 *
 * Return: a file descriptor; -EINVAL, -EBUSY (VT-x is in use), -EINTR, -ENOMEM, -EMFILE.
 */
int vm_create_fd(unsigned long type)
{
	struct vm *vm;
	int fd;

	if (type)
		return -EINVAL;
	vm = vm_create();
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	fd = anon_inode_getfd("minikvm-vm", &vm_fops, vm, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		vm_put(vm);
	return fd;
}
