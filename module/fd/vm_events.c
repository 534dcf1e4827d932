// SPDX-License-Identifier: GPL-2.0
/* A VM's ioctls for routing and eventfds. */
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "../io/io.h"
#include "../irqchip/irqchip.h"
#include "../irqchip/route.h"
#include "fd.h"

/** vm_set_gsi_routing - SET_GSI_ROUTING */
long vm_set_gsi_routing(struct vm *vm, struct minikvm_irq_routing __user *user)
{
	struct minikvm_irq_routing_entry *entries;
	struct minikvm_irq_routing head;
	size_t size;
	long err;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nr > MAX_ROUTES || head.flags || !vm_irqchip(vm))
		return -EINVAL;
	size = head.nr * sizeof(*entries);
	entries = kvmalloc(size, GFP_KERNEL_ACCOUNT);
	if (!entries)
		return -ENOMEM;
	err = copy_from_user(entries, user->entries, size) ? -EFAULT :
	      irqchip_set_routing(vm, entries, head.nr);
	kvfree(entries);
	return err;
}

/** vm_signal_msi - SIGNAL_MSI */
long vm_signal_msi(struct vm *vm, void __user *argp)
{
	struct minikvm_msi msi;

	if (copy_from_user(&msi, argp, sizeof(msi)))
		return -EFAULT;
	return irqchip_signal_msi(vm, &msi);
}

/** vm_irqfd - IRQFD */
long vm_irqfd(struct vm *vm, void __user *argp)
{
	struct minikvm_irqfd args;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	if (args.flags & ~(MINIKVM_IRQFD_FLAG_DEASSIGN | MINIKVM_IRQFD_FLAG_RESAMPLE))
		return -EINVAL;
	if (args.flags & MINIKVM_IRQFD_FLAG_DEASSIGN)
		return irqfd_deassign(vm, &args);
	return irqfd_assign(vm, &args);
}

/** vm_ioeventfd - IOEVENTFD */
long vm_ioeventfd(struct vm *vm, void __user *argp)
{
	struct minikvm_ioeventfd args;

	if (copy_from_user(&args, argp, sizeof(args)))
		return -EFAULT;
	return ioeventfd_set(vm, &args);
}

/** vm_coalesced_mmio - REGISTER_COALESCED_MMIO, or UNREGISTER_ */
long vm_coalesced_mmio(struct vm *vm, void __user *argp, bool add)
{
	struct minikvm_coalesced_mmio_zone zone;

	if (copy_from_user(&zone, argp, sizeof(zone)))
		return -EFAULT;
	return add ? coalesced_register(vm, &zone) : coalesced_unregister(vm, &zone);
}
