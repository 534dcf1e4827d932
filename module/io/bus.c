// SPDX-License-Identifier: GPL-2.0
/*
 * Which accesses the kernel answers. There are five chips at well-known places, and
 * eventfds wherever the VMM wants them, so a bus is a short list of questions.
 */
#include "../irqchip/irqchip.h"
#include "io.h"

/* No chip has a port above this one of the PIC's: virtqueues' doorbells are not asked about. */
#define LAST_CHIP_PORT	0x4d1

static noinline_for_stack int chips_pio(struct vm *vm, bool write, u16 port, void *data, int len)
{
	if (!irqchip_pio(vm, write, port, data, len))
		return 0;
	return pit_pio(vm, write, port, data, len);
}

/**
 * io_bus_pio - offer a port access to the chips and the eventfds
 * @vcpu: whose
 * @write: direction
 * @port: number
 * @data: value
 * @len: bytes
 *
 * Return: 0: done; -EOPNOTSUPP: the VMM's.
 */
int io_bus_pio(struct vcpu *vcpu, bool write, u16 port, void *data, int len)
{
	struct vm *vm = vcpu->vm;

	if (port <= LAST_CHIP_PORT && !chips_pio(vm, write, port, data, len))
		return 0;
	if (vm_has_ioeventfds(vm) && write)
		return ioeventfd_write(vm, true, port, data, len);
	return -EOPNOTSUPP;
}

/** io_bus_mmio - offer a memory access to the chips and the eventfds; see io_bus_pio() */
int io_bus_mmio(struct vcpu *vcpu, bool write, gpa_t gpa, void *data, int len)
{
	if (vcpu->lapic && !((gpa ^ vcpu->apic_base) & PAGE_MASK) &&
	    !lapic_mmio(vcpu, write, gpa, data, len))
		return 0;
	if (!irqchip_mmio(vcpu->vm, write, gpa, data, len))
		return 0;
	if (vm_has_ioeventfds(vcpu->vm) && write)
		return ioeventfd_write(vcpu->vm, false, gpa, data, len);
	return -EOPNOTSUPP;
}
