/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The chips together, two vCPUs, and a clock that the test moves: all of
 * module/irqchip/.
 */
#include <errno.h>
#include <string.h>
#include <linux/bitops.h>
#include <linux/gfp.h>
#include <linux/hrtimer.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include "unit.h"
#include "../../module/minikvm.h"
#include "../../module/vmx/vmx.h"

u64 tsc_lost;
struct vmx_caps vmx_caps;

#define CLOCK_MONOTONIC			1

#include "../../module/irqchip/lapic_regs.c"
#include "../../module/irqchip/lapic_state.c"
#include "../../module/irqchip/lapic_address.c"
#include "../../module/irqchip/pic.c"
#include "../../module/irqchip/ioapic.c"
#include "../../module/irqchip/pit_regs.c"
#include "../../module/irqchip/apic_bus.c"
#include "../../module/irqchip/lapic.c"
#include "../../module/irqchip/lapic_apicv.c"
#include "../../module/irqchip/lapic_timer.c"
#include "../../module/irqchip/pit.c"
#include "../../module/irqchip/irqchip.c"
#include "../../module/irqchip/offer.c"
#include "../../module/irqchip/route.c"
#include "../../module/irqchip/routing.c"

static struct vm vm;
static struct vcpu cpu[2];
static u32 ids[2] = { 0, 1 };
static struct { unsigned int woken, nmis; } heard[2];	/* by each of them */

/* In place of irqfd.c: one irqfd with RESAMPLE, on a GSI that the test chooses; -1: none. */
static int resampled_gsi = -1;
static unsigned int resampled;

u64 irqfd_resample_pins(struct irqchip *chip, const struct routing *r)
{
	(void)chip;
	return resampled_gsi < 0 ? 0 : routing_pins(r, resampled_gsi);
}

void irqfd_resample(struct irq_work *work)
{
	struct irqchip *chip = container_of(work, struct irqchip, resample_work);
	u64 pins = routing_pins(chip->routing, resampled_gsi);

	if (!(irqchip_take_resample_due(chip) & pins))
		return;
	irqchip_drive_pins(chip, pins, SOURCE_RESAMPLE, false, false);
	resampled++;
}

void vcpu_queue_nmi(struct vcpu *vcpu)
{
	heard[vcpu - cpu].nmis++;
}

void vcpu_kick(struct vcpu *vcpu)
{
	CHECK(vcpu->requests);
	heard[vcpu - cpu].woken++;
}

void vcpu_request(struct vcpu *vcpu, int req)
{
	vcpu_make_request(vcpu, req);
	vcpu_kick(vcpu);
}

/* In place of vmx/apicv.c: what the processor was told last. */
static struct { int requested, in_service; u64 eoi_exits[4]; } told;

void vmx_apicv_set_mode(struct vcpu *vcpu, enum apicv_mode mode)
{
	vcpu->apicv = mode;
	vcpu->tpr_threshold = 0;
}

void vmx_apicv_deliver(int requested, int in_service)
{
	told.requested = requested;
	told.in_service = in_service;
}

void vmx_apicv_deliver_more(int requested)
{
	told.requested = max(told.requested, requested);
}

void vmx_apicv_set_eoi_exits(unsigned int word, u64 vectors)
{
	told.eoi_exits[word] = vectors;
}

void vmx_set_tpr_threshold(struct vcpu *vcpu, u32 class)
{
	vcpu->tpr_threshold = class;
}

static inline void create(void)
{
	static const struct minikvm_pit_config config = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };
	u32 i;

	memset(&vm, 0, sizeof(vm));
	memset(cpu, 0, sizeof(cpu));
	memset(heard, 0, sizeof(heard));
	shim_timers = NULL;
	shim_now = 1000000000;
	mutex_lock(&vm.lock);
	CHECK_EQ(irqchip_create(&vm), 0);
	CHECK_EQ(pit_create(&vm, &config), 0);
	mutex_unlock(&vm.lock);
	for (i = 0; i < 2; i++) {
		cpu[i].vm = &vm;
		cpu[i].id = ids[i];
		cpu[i].events.extint = -1;
		cpu[i].maxphyaddr = 39;
		cpu[i].has_x2apic = cpu[i].has_tsc_deadline = true;
		CHECK_EQ(lapic_create(&cpu[i]), 0);
		lapic_reset(&cpu[i], false);
		vm.sparse_ids |= ids[i] != i;
		vm.vcpus[vm.nr_vcpus++] = &cpu[i];
	}
}

static inline void destroy(void)
{
	pit_destroy(&vm);
	lapic_destroy(&cpu[0]);
	lapic_destroy(&cpu[1]);
	irqchip_destroy(&vm);
	resampled_gsi = -1;
	resampled = 0;
}

static inline void apic_write(struct vcpu *vcpu, u32 reg, u32 val)
{
	CHECK_EQ(lapic_mmio(vcpu, true, 0xfee00000 + reg, &val, 4), 0);
}

static inline u32 apic_read(struct vcpu *vcpu, u32 reg)
{
	u32 val = 0;

	CHECK_EQ(lapic_mmio(vcpu, false, 0xfee00000 + reg, &val, 4), 0);
	return val;
}

static inline void enable(struct vcpu *vcpu)
{
	apic_write(vcpu, LAPIC_SVR, 0x1ff);
}

static inline void ioapic_put(u32 reg, u32 val)
{
	CHECK_EQ(irqchip_mmio(&vm, true, 0xfec00000, &reg, 4), 0);
	CHECK_EQ(irqchip_mmio(&vm, true, 0xfec00010, &val, 4), 0);
}

static inline void outb(u16 port, u8 val)
{
	CHECK_EQ(port < 0x40 || port >= 0x62 ? irqchip_pio(&vm, true, port, &val, 1)
					     : pit_pio(&vm, true, port, &val, 1), 0);
}

/* The PIC as Linux has it; and the PIT at about 1 kHz. */
static inline void setup_pic(void)
{
	outb(0x20, 0x11);
	outb(0x21, 0x30);
	outb(0x21, 4);
	outb(0x21, 1);
	outb(0xa0, 0x11);
	outb(0xa1, 0x38);
	outb(0xa1, 2);
	outb(0xa1, 1);
}

static inline void setup_pit(u16 count)
{
	outb(0x43, 0x34);
	outb(0x40, count & 0xff);
	outb(0x40, count >> 8);
}

/* Take an interrupt as the run loop would; -1: none. */
static inline int take(struct vcpu *vcpu)
{
	vcpu->requests = 0;
	return irqchip_has_interrupt(vcpu) ? irqchip_take_interrupt(vcpu) : -1;
}

static inline int line(u32 gsi, int level)
{
	int status = 99;

	CHECK_EQ(irqchip_set_irq(&vm, SOURCE_VMM, gsi, level, &status), 0);
	return status;
}
