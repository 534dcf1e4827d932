/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A guest that says which interrupts it gets: OUT of the vector to PORT_EXCEPTION, and the EOI
 * after it; without one, OUT to PORT_IDLE again and again. For the test of an interrupt's way
 * into one vCPU; include it once.
 */
#ifndef SELFTESTS_IRQ_H
#define SELFTESTS_IRQ_H

#include <err.h>
#include <fcntl.h>
#include <sys/eventfd.h>

#include "vm.h"

#define PORT_IDLE	0x10
#define G_TAIL		0x8000		/* what all handlers end with */
#define NO_IRQ		-1

GUEST64(irq_idle, "sti; 1: out %al, $0x10; jmp 1b");
/* EOI to the local APIC, and to both PICs. */
GUEST64(irq_tail, "mov $0xfee000b0, %ebx; movl $0, (%rbx); mov $0x20, %al; out %al, $0xa0;"
	"out %al, $0x20; iretq");

static int irq_must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void irq_enable_apic(struct test_vm *t)
{
	struct minikvm_lapic_state l;

	irq_must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*(uint32_t *)&l.regs[0xf0] = 0x1ff;
	irq_must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
}

/* mov $vector, %al; out %al, $0xe9; jmp G_TAIL */
static void irq_stubs(struct test_vm *t)
{
	int v;

	for (v = 32; v < 256; v++) {
		int at = G_STUBS + 16 * v, distance = G_TAIL - (at + 9);
		const uint8_t stub[] = { 0xb0, v, 0xe6, PORT_EXCEPTION, 0xe9, distance,
					 distance >> 8, distance >> 16, distance >> 24 };

		memcpy(t->mem + at, stub, sizeof(stub));
	}
	memcpy(t->mem + G_TAIL, irq_tail, irq_tail_end - irq_tail);
}

/* The next that the guest says: a vector, or NO_IRQ; an exit that is not expected: -2. */
static int irq_next(struct test_vm *t)
{
	if (vm_run(t) != MINIKVM_EXIT_IO)
		return -2;
	return t->run->io.port == PORT_EXCEPTION ? *(uint8_t *)vm_io_data(t) : NO_IRQ;
}

/* A VM with chips; its vCPU takes interrupts. */
static void irq_make(struct test_vm *t)
{
	vm_make(t, true);
	irq_enable_apic(t);
	guest_long(t, irq_idle, irq_idle_end);
	irq_stubs(t);
	if (irq_next(t) != NO_IRQ)
		errx(1, "the guest does not begin");
}

#define IOAPIC_LEVEL	(1 << 15)
#define IOAPIC_MASKED	(1 << 16)

/* The entry of a pin; the destination is vCPU 0. */
static void irq_ioapic(struct test_vm *t, int pin, uint64_t entry)
{
	struct minikvm_irqchip chip = { .chip_id = MINIKVM_IRQCHIP_IOAPIC };

	irq_must(ioctl(t->vm, MINIKVM_GET_IRQCHIP, &chip), "GET_IRQCHIP");
	chip.chip.ioapic.redirtbl[pin].bits = entry;
	irq_must(ioctl(t->vm, MINIKVM_SET_IRQCHIP, &chip), "SET_IRQCHIP");
}

static int irq_line(struct test_vm *t, uint32_t gsi, int level)
{
	struct minikvm_irq_level irq = { .irq = gsi, .level = level };

	irq_must(ioctl(t->vm, MINIKVM_IRQ_LINE_STATUS, &irq), "IRQ_LINE_STATUS");
	return irq.status;
}

#define MAX_ENTRIES	4097

static struct {
	struct minikvm_irq_routing head;
	struct minikvm_irq_routing_entry e[MAX_ENTRIES];
} irq_table;

static struct minikvm_irq_routing_entry irq_to_pin(uint32_t gsi, uint32_t chip, uint32_t pin)
{
	return (struct minikvm_irq_routing_entry) {
		.gsi = gsi, .type = MINIKVM_IRQ_ROUTING_IRQCHIP, .u.irqchip = { chip, pin },
	};
}

/* Fixed, edge, to APIC @id. */
static struct minikvm_irq_routing_entry irq_to_msi(uint32_t gsi, uint8_t id, uint8_t vector)
{
	return (struct minikvm_irq_routing_entry) {
		.gsi = gsi, .type = MINIKVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000 | id << 12, .data = vector },
	};
}

/* SET_GSI_ROUTING with the first @nr entries of irq_table: 0 or -errno. */
static int irq_route(struct test_vm *t, uint32_t nr)
{
	irq_table.head.nr = nr;
	return ioctl(t->vm, MINIKVM_SET_GSI_ROUTING, &irq_table) ? -errno : 0;
}

static int irq_route_one(struct test_vm *t, struct minikvm_irq_routing_entry e)
{
	irq_table.e[0] = e;
	return irq_route(t, 1);
}

static int irq_cap(const struct test_vm *t, int cap)
{
	return ioctl(t->vm, MINIKVM_CHECK_EXTENSION, cap);
}

#endif
