/* SPDX-License-Identifier: GPL-2.0 */
/* The interrupt chips that stay in the kernel, as the floors above use them. */
#ifndef MINIKVM_IRQCHIP_H
#define MINIKVM_IRQCHIP_H

#include "../minikvm.h"
#include "lines.h"

/*
 * What leads to the local APICs of a VM, PIC and IOAPIC included or not; or NULL. What was written
 * before it was published is seen.
 */
static inline struct irqchip *vm_irqchip(struct vm *vm)
{
	/* Pairs with the release in irqchip_create(). */
	return smp_load_acquire(&vm->irqchip);
}

/* The same with PIC and IOAPIC, or NULL. */
static __always_inline struct irqchip *vm_full_irqchip(struct vm *vm)
{
	struct irqchip *chip = vm_irqchip(vm);

	return chip && !vm->irqchip_split ? chip : NULL;
}

static inline struct pit *vm_pit(struct vm *vm)
{
	/* Pairs with the release in pit_create(). */
	return smp_load_acquire(&vm->pit);
}

/* May a chip in the kernel answer a port? */
static inline bool vm_has_ports(struct vm *vm)
{
	return vm_full_irqchip(vm) || vm_pit(vm);
}

/*
 * irqchip.c: the chips of a VM: PIC pair and IOAPIC.
 */
int irqchip_create(struct vm *vm);
int irqchip_create_split(struct vm *vm, u64 pins);
void irqchip_destroy(struct vm *vm);
int irqchip_get(struct vm *vm, struct minikvm_irqchip *chip);
int irqchip_set(struct vm *vm, const struct minikvm_irqchip *chip);
int irqchip_pio(struct vm *vm, bool write, u16 port, void *data, int len);	/* PIC, ELCR */
int irqchip_mmio(struct vm *vm, bool write, gpa_t gpa, void *data, int len);	/* IOAPIC */

/* offer.c: LAPIC or PIC */
bool irqchip_has_interrupt(struct vcpu *vcpu);	/* something to inject now */
bool irqchip_has_injection(struct vcpu *vcpu);	/* likewise, and the processor cannot do it */
int irqchip_take_interrupt(struct vcpu *vcpu);	/* vector, acknowledged, or -1 */
bool irqchip_accepts_extint(const struct vcpu *vcpu);

/* routing.c: how a GSI or a message reaches the chips */
int irqchip_set_routing(struct vm *vm, const struct minikvm_irq_routing_entry *entries, u32 nr);
int irqchip_set_irq(struct vm *vm, enum irq_source source, u32 gsi, bool level,
		    int *status);	/* any context but NMI */
int irqchip_signal_msi(struct vm *vm, const struct minikvm_msi *msi);

/* irqfd.c: a GSI that an eventfd raises */
int irqfd_init(void);
void irqfd_exit(void);
int irqfd_assign(struct vm *vm, const struct minikvm_irqfd *args);
int irqfd_deassign(struct vm *vm, const struct minikvm_irqfd *args);
void irqfd_release(struct vm *vm);

/* lapic.c: one per vCPU */
int lapic_create(struct vcpu *vcpu);
int lapic_set_bus_cycle(struct vm *vm, u64 ns);
void lapic_destroy(struct vcpu *vcpu);
void lapic_reset(struct vcpu *vcpu, bool init);
int lapic_mmio(struct vcpu *vcpu, bool write, gpa_t gpa, void *data, int len); /* 0 or -EOPNOTSUPP */
int lapic_msr_read(struct vcpu *vcpu, u32 msr, u64 *data);	/* x2APIC 0x800-0x83f: 0, or 1 for #GP */
int lapic_msr_write(struct vcpu *vcpu, u32 msr, u64 data);
int lapic_set_base(struct vcpu *vcpu, u64 base, bool host);	/* IA32_APIC_BASE: 0, or 1 for #GP */
u64 lapic_get_tscdeadline(struct vcpu *vcpu);
void lapic_set_tscdeadline(struct vcpu *vcpu, u64 deadline);
void lapic_eoi(struct vcpu *vcpu);
bool lapic_eoi_is_quiet(const struct vcpu *vcpu);
u64 lapic_get_tpr(struct vcpu *vcpu);		/* CR8 */
void lapic_set_tpr(struct vcpu *vcpu, u64 cr8);
void lapic_timer_expired(struct vcpu *vcpu);	/* REQ_TIMER, in the vCPU thread */
void lapic_timer_due(struct vcpu *vcpu);
void lapic_timer_sleep(struct vcpu *vcpu);
void lapic_timer_awake(struct vcpu *vcpu);
void lapic_get_state(struct vcpu *vcpu, struct minikvm_lapic_state *state);
int lapic_set_state(struct vcpu *vcpu, const struct minikvm_lapic_state *state);

/* apic_bus.c */
long lapic_send_many(struct vcpu *vcpu, const u64 set[2], u32 bits, u32 first, u32 icr);

/* lapic_apicv.c: what the processor does of it */
void lapic_apicv_update(struct vcpu *vcpu);
void lapic_apicv_deliver(struct vcpu *vcpu);
void lapic_watch_tpr(struct vcpu *vcpu);
void lapic_apicv_eoi(struct vcpu *vcpu, u8 vector);

/* pit.c */
int pit_create(struct vm *vm, const struct minikvm_pit_config *config);
void pit_destroy(struct vm *vm);
int pit_pio(struct vm *vm, bool write, u16 port, void *data, int len);
int pit_get(struct vm *vm, struct minikvm_pit_state2 *state);
int pit_set(struct vm *vm, const struct minikvm_pit_state2 *state);
int pit_set_reinject(struct vm *vm, bool reinject);

#endif
