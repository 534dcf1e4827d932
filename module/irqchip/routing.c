// SPDX-License-Identifier: GPL-2.0
/*
 * How a GSI reaches the chips or the local APICs. A VM has one table (route.c), which
 * SET_GSI_ROUTING replaces as a whole: who raises a line sees the old one or the new one, and
 * when the ioctl returns nobody uses the old one any more.
 *
 * Called by fd/vm_events.c, pit.c and irqfd.c.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

#include "internal.h"
#include "lapic_regs.h"

/*
 * One for all VMs: a reader is short and does not sleep, and a VM costs nothing. Readers may
 * have interrupts off, or run in an interrupt.
 */
DEFINE_SRCU(routing_srcu);

static bool vm_has_wide_ids(const struct vm *vm)
{
	return READ_ONCE(vm->x2apic_api) & MINIKVM_X2APIC_API_USE_32BIT_IDS;
}

static struct routing *routing_alloc(u32 nr)
{
	struct routing *r = kvzalloc(struct_size(r, route, nr), GFP_KERNEL_ACCOUNT);

	if (r)
		r->nr = nr;
	return r;
}

/**
 * routing_create - the routing that a VM begins with
 * @chip: not published yet
 *
 * GSIs 0 to 15 lead to the PIC's line and the IOAPIC's pin of the same number, 16 to 23 to the
 * IOAPIC only: KVM's default. Where these two are the VMM's, no GSI leads anywhere.
 * Return: 0 or -ENOMEM.
 */
int routing_create(struct irqchip *chip)
{
	struct routing *r = routing_alloc(IOAPIC_PINS);
	u32 gsi;

	if (!r)
		return -ENOMEM;
	for (gsi = 0; gsi < IOAPIC_PINS && !chip->vm->irqchip_split; gsi++) {
		r->route[gsi].type = ROUTE_PINS;
		r->route[gsi].to = BIT_ULL(PIN_IOAPIC + gsi) |
				   (gsi < PIC_LINES ? BIT_ULL(gsi) : 0);
	}
	RCU_INIT_POINTER(chip->routing, r);
	irqchip_listen(chip, routing_pins(r, PIT_GSI), 0);
	return 0;
}

/** routing_destroy - undo routing_create(); nobody raises a line any more */
void routing_destroy(struct irqchip *chip)
{
	kvfree(rcu_dereference_protected(chip->routing, true));
}

/**
 * routing_listen - the routing or the irqfds have changed: whose EOIs matter now?
 * @chip: the chips; @chip->routing_lock is held
 */
void routing_listen(struct irqchip *chip)
{
	const struct routing *r = rcu_dereference_protected(chip->routing,
						lockdep_is_held(&chip->routing_lock));

	if (chip->vm->irqchip_split) {
		irqchip_forward(chip, r);
		return;
	}
	irqchip_listen(chip, pit_wants_acks(chip->vm) ? routing_pins(r, PIT_GSI) : 0,
		       irqfd_resample_pins(chip, r));
}

static struct routing *routing_make(struct vm *vm,
				    const struct minikvm_irq_routing_entry *entries, u32 nr)
{
	u32 size = routing_size(entries, nr);
	struct routing *r;
	int err;

	if (!size)
		return ERR_PTR(-EINVAL);
	r = routing_alloc(size);
	if (!r)
		return ERR_PTR(-ENOMEM);
	err = routing_fill(r, entries, nr, vm_has_wide_ids(vm), !vm->irqchip_split);
	if (!err)
		return r;
	kvfree(r);
	return ERR_PTR(err);
}

/**
 * irqchip_set_routing - SET_GSI_ROUTING
 * @vm: the VM
 * @entries: any bytes
 * @nr: how many, at most MAX_ROUTES
 *
 * What a source holds of a line stays with the pins of the old routing, as with KVM.
 *
 * Context: sleeps. Return: 0; -EINVAL: no chips, or an entry that cannot be; -ENOMEM; -EINTR.
 */
int irqchip_set_routing(struct vm *vm, const struct minikvm_irq_routing_entry *entries, u32 nr)
{
	struct irqchip *chip = vm_irqchip(vm);
	struct routing *new, *old;

	if (!chip)
		return -EINVAL;
	new = routing_make(vm, entries, nr);
	if (IS_ERR(new))
		return PTR_ERR(new);
	if (mutex_lock_killable(&chip->routing_lock)) {
		kvfree(new);
		return -EINTR;
	}
	old = rcu_replace_pointer(chip->routing, new, lockdep_is_held(&chip->routing_lock));
	routing_listen(chip);
	mutex_unlock(&chip->routing_lock);
	synchronize_srcu_expedited(&routing_srcu);
	kvfree(old);
	return 0;
}

/* Returns how many local APICs took it, or -EINVAL. */
static int send_msi(struct vm *vm, u64 address, u32 data)
{
	bool wide = vm_has_wide_ids(vm);
	struct apic_msg msg;

	if (!msi_is_valid(address, wide))
		return -EINVAL;
	msi_message(address, data, wide, &msg);
	return apic_deliver(vm, NULL, &msg);
}

/* Returns as irqchip_drive_pins(). A message knows no level: it is sent when its line rises. */
static int route_drive(struct irqchip *chip, const struct route *route, enum irq_source source,
		       bool level, bool report)
{
	if (!route)
		return -1;
	if (route->type == ROUTE_PINS)
		return irqchip_drive_pins(chip, route->to, source, level, report);
	return level ? max(send_msi(chip->vm, route->to, route->data), -1) : -1;
}

/**
 * irqchip_set_irq - move an interrupt line
 * @vm: the VM
 * @source: which of those that may hold it
 * @gsi: any number; one without a route does nothing
 * @level: high or low
 * @status: NULL, or gets how many took it, 0: merged with one that waits, -1:
 *	    masked everywhere or no route
 *
 * Context: any but NMI. Return: 0, or -ENXIO: the VM has no chips.
 */
int irqchip_set_irq(struct vm *vm, enum irq_source source, u32 gsi, bool level, int *status)
{
	struct irqchip *chip = vm_irqchip(vm);
	const struct routing *r;
	int taken, idx;

	if (!chip)
		return -ENXIO;
	idx = srcu_read_lock(&routing_srcu);
	r = srcu_dereference(chip->routing, &routing_srcu);
	taken = route_drive(chip, routing_find(r, gsi), source, level, status);
	srcu_read_unlock(&routing_srcu, idx);
	if (status)
		*status = taken;
	return 0;
}

/**
 * routing_pulse - raise a GSI and lower it again: an edge, or a message
 * @chip: the chips
 * @gsi: any number
 *
 * Context: any but NMI.
 */
void routing_pulse(struct irqchip *chip, u32 gsi)
{
	int idx = srcu_read_lock(&routing_srcu);
	const struct route *route = routing_find(srcu_dereference(chip->routing, &routing_srcu),
						 gsi);

	if (route && route->type == ROUTE_MSI)
		send_msi(chip->vm, route->to, route->data);
	else if (route)
		irqchip_pulse_pins(chip, route->to, SOURCE_VMM);
	srcu_read_unlock(&routing_srcu, idx);
}

/**
 * irqchip_signal_msi - SIGNAL_MSI
 * @vm: the VM
 * @msi: the message
 *
 * Return: how many local APICs took it; -EINVAL: no chips, flags, or an address that cannot be.
 */
int irqchip_signal_msi(struct vm *vm, const struct minikvm_msi *msi)
{
	if (!vm_irqchip(vm) || (msi->flags & ~MINIKVM_MSI_VALID_DEVID))
		return -EINVAL;
	return send_msi(vm, (u64)msi->address_hi << 32 | msi->address_lo, msi->data);
}
