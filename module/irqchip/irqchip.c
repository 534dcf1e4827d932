// SPDX-License-Identifier: GPL-2.0
/*
 * The chips that the vCPUs of a VM share: the PIC pair and the IOAPIC. A VMM may have these two
 * itself: then what is left here are the routing and the EOIs that its IOAPIC has to hear of.
 *
 * Called by fd/vm.c and fd/vm_events.c (create, state), io/bus.c (ports and memory),
 * offer.c (injection), routing.c (lines), irqfd.c and lapic.c.
 */
#include <linux/slab.h>
#include <linux/string.h>

#include "../vmx/kick.h"
#include "../vmx/vmx.h"
#include "internal.h"
#include "lapic.h"

static unsigned long chip_lock(struct irqchip *chip)
	__acquires(&chip->lock)
{
	unsigned long flags;

	raw_spin_lock_irqsave(&chip->lock, flags);
	return flags;
}

/* The PIC's INT pin went up: one CPU that listens to it has to look. */
static void wake_pic_listener(struct vm *vm)
{
	struct lapic *lapic;
	u32 slot = 0;

	smp_mb();	/* the output before the look; pairs with lapic_address_publish() */
	while ((lapic = apic_next(vm, &slot))) {
		if (!lapic_regs_accepts_pic(&lapic->regs))
			continue;
		vcpu_request(lapic->vcpu, REQ_EVENT);
		return;
	}
}

/* Vectors that are in service somewhere may be ones whose EOI matters from now on. */
static void ask_for_eois(struct vm *vm)
{
	struct lapic *lapic;
	u32 slot = 0;

	while ((lapic = apic_next(vm, &slot)))
		vcpu_request(lapic->vcpu, REQ_EVENT);
}

/* Pins of both chips in one row, as in route.h. */
static u64 pins_of(u16 pic, u32 ioapic)
{
	return pic | (u64)ioapic << PIN_IOAPIC;
}

/* What the guest has ended or unmasked may let the next tick through. */
static void tell_pit(struct vm *vm, bool unmasked)
{
	struct pit *pit = vm_pit(vm);

	if (!pit)
		return;
	if (unmasked)
		pit_forget_ticks(pit);
	else
		pit_ack(pit);
}

/* Unlock; then pass on what happened, with no lock of ours held. */
static void chip_unlock(struct irqchip *chip, unsigned long flags)
	__releases(&chip->lock)
{
	u64 unmasked = pins_of(chip->pic.unmasked, chip->ioapic.unmasked) & chip->pit_pins;
	u64 acked = pins_of(chip->pic.acked, chip->ioapic.acked);
	u64 resample = acked & chip->resample_pins;
	bool raised = chip->pic.raised, more_eois = chip->ioapic.wants_more;

	acked &= chip->pit_pins;
	chip->resample_due |= resample;
	chip->pic.raised = false;
	chip->pic.acked = 0;
	chip->pic.unmasked = 0;
	chip->ioapic.acked = 0;
	chip->ioapic.unmasked = 0;
	chip->ioapic.wants_more = false;
	raw_spin_unlock_irqrestore(&chip->lock, flags);

	if (raised)
		wake_pic_listener(chip->vm);
	if (more_eois && vmx_caps.apicv)
		ask_for_eois(chip->vm);
	if (resample)
		irq_work_queue(&chip->resample_work);
	if (acked | unmasked)
		tell_pit(chip->vm, unmasked);
}

/* @vmm_pins: of the VMM's IOAPIC, if @vm->irqchip_split. 0 or -ENOMEM. */
static int irqchip_publish(struct vm *vm, u32 vmm_pins)
{
	struct irqchip *chip = kzalloc(sizeof(*chip), GFP_KERNEL_ACCOUNT);

	if (!chip)
		return -ENOMEM;
	chip->vm = vm;
	chip->vmm_pins = vmm_pins;
	vm->apic_bus_ns = 1;
	raw_spin_lock_init(&chip->lock);
	mutex_init(&chip->routing_lock);
	INIT_LIST_HEAD(&chip->irqfds);
	INIT_LIST_HEAD(&chip->resamplers);
	init_irq_work(&chip->resample_work, irqfd_resample);
	pic_init(&chip->pic);
	ioapic_init(&chip->ioapic, vm);
	if (routing_create(chip)) {
		kfree(chip);
		return -ENOMEM;
	}
	smp_store_release(&vm->irqchip, chip);	/* seen complete, see vm_irqchip() */
	return 0;
}

/**
 * irqchip_create - CREATE_IRQCHIP: PIC pair and IOAPIC
 * @vm: the VM; @vm->lock is held
 *
 * vCPUs that are created afterwards get a local APIC. Return: 0; -EEXIST: there
 * are chips already; -EINVAL: there are vCPUs already; -ENOMEM.
 */
int irqchip_create(struct vm *vm)
{
	lockdep_assert_held(&vm->lock);
	if (vm->irqchip)
		return -EEXIST;
	if (vm->nr_vcpus)
		return -EINVAL;
	vm->irqchip_split = false;
	return irqchip_publish(vm, 0);
}

/**
 * irqchip_create_split - ENABLE_CAP(SPLIT_IRQCHIP): PIC and IOAPIC are the VMM's
 * @vm: the VM; @vm->lock is held
 * @pins: GSIs, from 0, that are the pins of its IOAPIC
 *
 * vCPUs that are created afterwards get a local APIC; GSIs lead nowhere yet. Return: 0;
 * -EINVAL: too many pins; -EEXIST: there are chips already, or vCPUs; -ENOMEM.
 */
int irqchip_create_split(struct vm *vm, u64 pins)
{
	lockdep_assert_held(&vm->lock);
	if (pins > MAX_ROUTES)
		return -EINVAL;
	if (vm->irqchip || vm->nr_vcpus)
		return -EEXIST;
	vm->irqchip_split = true;
	return irqchip_publish(vm, pins);
}

/**
 * irqchip_destroy - undo irqchip_create()
 * @vm: the VM: the PIT and all vCPUs are gone
 */
void irqchip_destroy(struct vm *vm)
{
	struct irqchip *chip = vm->irqchip;

	if (!chip)
		return;
	irq_work_sync(&chip->resample_work);
	vm->irqchip = NULL;
	routing_destroy(chip);
	kfree(chip);
}

/* One pin of one chip. Returns as ioapic_set_pin(). @chip->lock is held. */
static int drive_pin(struct irqchip *chip, unsigned int pin, enum irq_source source, bool level,
		     bool report)
{
	if (pin < PIN_IOAPIC)
		return pic_drive_line(&chip->pic, pin, source, level);
	return ioapic_drive_pin(&chip->ioapic, pin - PIN_IOAPIC, source, level, report);
}

/* Returns the sum over @pins of what is not negative, or -1. @chip->lock is held. */
static int drive_pins(struct irqchip *chip, u64 pins, enum irq_source source, bool level,
		      bool report)
{
	int taken = -1, one;

	for (; pins; pins &= pins - 1) {
		one = drive_pin(chip, __ffs(pins), source, level, report);
		if (one >= 0)
			taken = max(taken, 0) + one;
	}
	return taken;
}

/**
 * irqchip_drive_pins - one of the sources of a line moves it
 * @chip: the chips
 * @pins: where the line leads, a bit per pin as in route.h
 * @source: which
 * @level: high or low
 * @report: the caller wants to know whether a guest saw it
 *
 * Context: any but NMI. Return: how many took it, 0: merged with one that waits, -1: masked
 * everywhere.
 */
int irqchip_drive_pins(struct irqchip *chip, u64 pins, enum irq_source source, bool level,
		       bool report)
{
	unsigned long flags;
	int taken;

	flags = chip_lock(chip);
	taken = drive_pins(chip, pins, source, level, report);
	chip_unlock(chip, flags);
	return taken;
}

/** irqchip_pulse_pins - irqchip_drive_pins() up and down, with nobody in between */
void irqchip_pulse_pins(struct irqchip *chip, u64 pins, enum irq_source source)
{
	unsigned long flags;

	flags = chip_lock(chip);
	drive_pins(chip, pins, source, true, false);
	drive_pins(chip, pins, source, false, false);
	chip_unlock(chip, flags);
}

/**
 * irqchip_listen - say which pins' EOIs matter outside of the chips
 * @chip: the chips
 * @pit_pins: the PIT's, a bit per pin as in route.h
 * @resample_pins: those of resampling irqfds
 *
 * Context: any but NMI.
 */
void irqchip_listen(struct irqchip *chip, u64 pit_pins, u64 resample_pins)
{
	unsigned long flags;

	flags = chip_lock(chip);
	chip->pit_pins = pit_pins;
	chip->resample_pins = resample_pins;
	ioapic_listen(&chip->ioapic, (pit_pins | resample_pins) >> PIN_IOAPIC);
	chip_unlock(chip, flags);
}

/** irqchip_take_resample_due - which resampled pins' interrupts have ended since; any context */
u64 irqchip_take_resample_due(struct irqchip *chip)
{
	unsigned long flags;
	u64 due;

	flags = chip_lock(chip);
	due = chip->resample_due;
	chip->resample_due = 0;
	chip_unlock(chip, flags);
	return due;
}

/**
 * irqchip_forward - say which EOIs the VMM's IOAPIC wants to hear of
 * @chip: the chips, without an IOAPIC of their own
 * @r: the routing
 *
 * Context: any but NMI.
 */
void irqchip_forward(struct irqchip *chip, const struct routing *r)
{
	u64 wanted[ARRAY_SIZE(chip->ioapic.wanted)] = {};
	unsigned long flags;

	routing_levels(r, chip->vmm_pins, wanted);
	flags = chip_lock(chip);
	ioapic_set_wanted(&chip->ioapic, wanted);
	chip_unlock(chip, flags);
}

/** irqchip_wants_eoi - would irqchip_eoi() do something? @vcpu has a LAPIC; any context */
bool irqchip_wants_eoi(const struct vcpu *vcpu, u8 vector)
{
	return ioapic_wants_eoi(&vm_irqchip(vcpu->vm)->ioapic, vector);
}

/**
 * irqchip_eoi - a local APIC ended an interrupt
 * @vcpu: whose; the VM has chips
 * @vector: which
 * @level: it was level triggered
 *
 * Where the IOAPIC is the VMM's, RUN ends before the guest's next instruction.
 *
 * Context: the APIC's vCPU thread, interrupts on or off.
 */
void irqchip_eoi(struct vcpu *vcpu, u8 vector, bool level)
{
	struct irqchip *chip = vm_irqchip(vcpu->vm);
	unsigned long flags;

	if (!irqchip_wants_eoi(vcpu, vector))
		return;
	if (vcpu->vm->irqchip_split) {
		if (!level)
			return;
		vcpu->ioapic_eoi = vector;
		vcpu_make_request(vcpu, REQ_EOI_EXIT);
		return;
	}
	flags = chip_lock(chip);
	ioapic_eoi(&chip->ioapic, vector, level);
	chip_unlock(chip, flags);
}

/** irqchip_eoi_seq - another number whenever irqchip_eoi_exits() may say something else; any context */
u32 irqchip_eoi_seq(struct vm *vm)
{
	return smp_load_acquire(&vm_irqchip(vm)->ioapic.wanted_seq);	/* before the vectors */
}

/**
 * irqchip_eoi_exits - of which vectors does irqchip_eoi() want to know?
 * @vm: the VM; it has chips
 * @word: 0..3: vectors from 64 * @word on
 *
 * Context: any. One vector more does no harm. Who adds some asks all vCPUs to look again, and
 * sends an interrupt that it is about afterwards.
 */
u64 irqchip_eoi_exits(struct vm *vm, unsigned int word)
{
	return READ_ONCE(vm_irqchip(vm)->ioapic.wanted[word]);
}

/**
 * irqchip_get - GET_IRQCHIP
 * @vm: the VM
 * @chip: chip_id says which; its state is filled in
 *
 * Context: any. Return: 0; -ENXIO: no chips; -EINVAL: no such chip.
 */
int irqchip_get(struct vm *vm, struct minikvm_irqchip *chip)
{
	struct irqchip *chips = vm_full_irqchip(vm);
	unsigned long flags;
	int ret = 0;

	if (!chips)
		return -ENXIO;
	memset(&chip->chip, 0, sizeof(chip->chip));
	flags = chip_lock(chips);
	switch (chip->chip_id) {
	case MINIKVM_IRQCHIP_PIC_MASTER:
		chip->chip.pic = chips->pic.chip[0];
		break;
	case MINIKVM_IRQCHIP_PIC_SLAVE:
		chip->chip.pic = chips->pic.chip[1];
		break;
	case MINIKVM_IRQCHIP_IOAPIC:
		ioapic_get(&chips->ioapic, &chip->chip.ioapic);
		break;
	default:
		ret = -EINVAL;
	}
	chip_unlock(chips, flags);
	return ret;
}

/**
 * irqchip_set - SET_IRQCHIP
 * @vm: the VM
 * @chip: which, and its state: any bytes
 *
 * Context: any. Return: 0; -ENXIO: no chips; -EINVAL: no such chip.
 */
int irqchip_set(struct vm *vm, const struct minikvm_irqchip *chip)
{
	struct irqchip *chips = vm_full_irqchip(vm);
	unsigned long flags;
	int ret = 0;

	if (!chips)
		return -ENXIO;
	flags = chip_lock(chips);
	switch (chip->chip_id) {
	case MINIKVM_IRQCHIP_PIC_MASTER:
		pic_set_chip(&chips->pic, 0, &chip->chip.pic);
		break;
	case MINIKVM_IRQCHIP_PIC_SLAVE:
		pic_set_chip(&chips->pic, 1, &chip->chip.pic);
		break;
	case MINIKVM_IRQCHIP_IOAPIC:
		ioapic_set(&chips->ioapic, &chip->chip.ioapic);
		break;
	default:
		ret = -EINVAL;
	}
	chip_unlock(chips, flags);
	return ret;
}

static bool pic_port(u16 port)
{
	return (port & ~1) == 0x20 || (port & ~1) == 0xa0 || (port & ~1) == 0x4d0;
}

/**
 * irqchip_pio - a port access: the PIC pair's?
 * @vm: the VM
 * @write: direction
 * @port: first port
 * @data: @len bytes, in or out
 * @len: 1, 2 or 4; wider ones than a byte are swallowed, and read 0
 *
 * Return: 0, or -EOPNOTSUPP: not the PIC's, or no chips.
 */
int irqchip_pio(struct vm *vm, bool write, u16 port, void *data, int len)
{
	struct irqchip *chip = vm_full_irqchip(vm);
	unsigned long flags;
	u8 *byte = data;

	if (!chip || !pic_port(port) || (port & 1) + len > 2)
		return -EOPNOTSUPP;
	if (len != 1) {
		if (!write)
			memset(data, 0, len);
		return 0;
	}
	flags = chip_lock(chip);
	if (write)
		pic_write(&chip->pic, port, *byte);
	else
		*byte = pic_read(&chip->pic, port);
	chip_unlock(chip, flags);
	return 0;
}

static noinline_for_stack void ioapic_access(struct irqchip *chip, bool write, u32 offset,
					     void *data, int len)
{
	size_t n = min_t(size_t, len, sizeof(u32));
	unsigned long flags;
	u32 val = 0;

	if (write)
		memcpy(&val, data, n);
	flags = chip_lock(chip);
	if (write)
		ioapic_write(&chip->ioapic, offset, val);
	else
		val = ioapic_read(&chip->ioapic, offset);
	chip_unlock(chip, flags);
	if (write)
		return;
	memset(data, 0, len);
	memcpy(data, &val, n);
}

/**
 * irqchip_mmio - a memory access: the IOAPIC's?
 * @vm: the VM
 * @write: direction
 * @gpa: address
 * @data: @len bytes, in or out
 * @len: 1..8; registers have 32 bits, the rest reads 0
 *
 * Return: 0, or -EOPNOTSUPP: not the IOAPIC's, or no chips.
 */
int irqchip_mmio(struct vm *vm, bool write, gpa_t gpa, void *data, int len)
{
	struct irqchip *chip = vm_full_irqchip(vm);
	u64 offset;

	if (!chip)
		return -EOPNOTSUPP;
	offset = gpa - READ_ONCE(chip->ioapic.state.base_address);
	if (offset >= IOAPIC_SIZE)
		return -EOPNOTSUPP;
	ioapic_access(chip, write, offset, data, len);
	return 0;
}

/** irqchip_take_pic - acknowledge the PIC's interrupt. Its vector; -1: another vCPU was faster. */
int irqchip_take_pic(struct irqchip *chip)
{
	unsigned long flags;
	int vector = -1;

	flags = chip_lock(chip);
	if (chip->pic.output)
		vector = pic_take(&chip->pic);
	chip_unlock(chip, flags);
	return vector;
}
