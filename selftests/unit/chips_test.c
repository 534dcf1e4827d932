// SPDX-License-Identifier: GPL-2.0
/* The chips together, with two vCPUs: who gets which interrupt, and what a VMM saves. */
#include "chips_model.h"

static void creation_rules(void)
{
	struct minikvm_pit_config config = {};
	int status;

	memset(&vm, 0, sizeof(vm));
	CHECK_EQ(irqchip_set_irq(&vm, SOURCE_VMM, 0, 1, &status), -ENXIO);
	mutex_lock(&vm.lock);
	CHECK_EQ(pit_create(&vm, &config), -ENOENT);
	vm.nr_vcpus = 1;
	CHECK_EQ(irqchip_create(&vm), -EINVAL);
	mutex_unlock(&vm.lock);
	create();
	mutex_lock(&vm.lock);
	CHECK_EQ(irqchip_create(&vm), -EEXIST);
	CHECK_EQ(pit_create(&vm, &config), -EEXIST);
	mutex_unlock(&vm.lock);
	CHECK_EQ(cpu[0].apic_base, 0xfee00900);
	CHECK_EQ(cpu[1].apic_base, 0xfee00800);
	destroy();
}

static void line_status(void)
{
	create();
	setup_pic();
	CHECK_EQ(line(24, 1), -1);
	CHECK_EQ(line(0xffffffff, 1), -1);
	CHECK_EQ(line(20, 1), -1);	/* IOAPIC only, masked */
	CHECK_EQ(line(4, 1), 1);	/* PIC */
	CHECK_EQ(line(4, 0), 2);
	CHECK_EQ(line(4, 1), 0);
	outb(0x21, 0xff);
	CHECK_EQ(line(4, 0), 1);
	CHECK_EQ(line(4, 1), -1);
	destroy();
}

static void pic_reaches_the_boot_cpu(void)
{
	create();
	setup_pic();
	line(4, 1);
	CHECK_EQ(heard[0].woken, 1);
	CHECK_EQ(heard[1].woken, 0);
	CHECK_EQ(take(&cpu[1]), -1);
	CHECK_EQ(take(&cpu[0]), 0x34);
	CHECK_EQ(take(&cpu[0]), -1);
	enable(&cpu[0]);
	apic_write(&cpu[0], LAPIC_LINT0, 0x10700);
	outb(0x20, 0x20);
	line(4, 0);
	line(4, 1);
	CHECK_EQ(take(&cpu[0]), -1);
	cpu[0].requests = 0;
	apic_write(&cpu[0], LAPIC_LINT0, 0x700);
	CHECK(cpu[0].requests);
	CHECK_EQ(take(&cpu[0]), 0x34);
	outb(0x20, 0x20);
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00100, false), 0);	/* off */
	line(4, 0);
	line(4, 1);
	CHECK_EQ(take(&cpu[0]), 0x34);
	destroy();
}

static void level_interrupt_through_the_ioapic(void)
{
	create();
	enable(&cpu[1]);
	ioapic_put(0x11 + 2 * 10, 1 << 24);
	ioapic_put(0x10 + 2 * 10, 0x8052);
	outb(0x21, 0xff);
	outb(0xa1, 0xff);
	CHECK_EQ(line(10, 1), 1);
	CHECK_EQ(heard[1].woken, 1);
	CHECK_EQ(take(&cpu[0]), -1);
	CHECK_EQ(take(&cpu[1]), 0x52);
	apic_write(&cpu[1], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[1]), 0x52);		/* still asserted */
	line(10, 0);
	apic_write(&cpu[1], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[1]), -1);
	destroy();
}

static void ipis(void)
{
	create();
	enable(&cpu[0]);
	enable(&cpu[1]);
	apic_write(&cpu[0], LAPIC_ICR2, 1 << 24);
	apic_write(&cpu[0], LAPIC_ICR, 0x4041);
	CHECK_EQ(take(&cpu[1]), 0x41);
	CHECK_EQ(take(&cpu[0]), -1);
	apic_write(&cpu[0], LAPIC_ICR, 0x44042);		/* self */
	CHECK_EQ(heard[0].woken, 0);
	CHECK_EQ(take(&cpu[0]), 0x42);
	apic_write(&cpu[0], LAPIC_ICR, 0x84053);		/* all */
	CHECK_EQ(take(&cpu[0]), 0x53);
	CHECK_EQ(take(&cpu[1]), 0x53);
	apic_write(&cpu[0], LAPIC_ICR, 0xc4064);		/* all but self */
	CHECK_EQ(take(&cpu[0]), -1);
	CHECK_EQ(take(&cpu[1]), 0x64);
	apic_write(&cpu[0], LAPIC_ICR, 0xc4400);		/* NMI */
	CHECK_EQ(heard[0].nmis, 0);
	CHECK_EQ(heard[1].nmis, 1);
	destroy();
}

static void lowest_priority(void)
{
	create();
	enable(&cpu[0]);
	enable(&cpu[1]);
	apic_write(&cpu[0], LAPIC_LDR, 1 << 24);
	apic_write(&cpu[1], LAPIC_LDR, 2 << 24);
	apic_write(&cpu[0], LAPIC_ICR2, 3 << 24);
	apic_write(&cpu[0], LAPIC_ICR, 0x4970);			/* lowest of two */
	CHECK_EQ(take(&cpu[0]), 0x70);
	CHECK_EQ(take(&cpu[1]), -1);
	apic_write(&cpu[0], LAPIC_ICR, 0x4971);
	CHECK_EQ(take(&cpu[1]), 0x71);
	apic_write(&cpu[0], LAPIC_SVR, 0xff);
	apic_write(&cpu[0], LAPIC_ICR, 0x4980);			/* one is off */
	CHECK_EQ(take(&cpu[1]), 0x80);
	destroy();
}

static void init_and_sipi(void)
{
	create();
	apic_write(&cpu[0], LAPIC_ICR2, 1 << 24);
	apic_write(&cpu[0], LAPIC_ICR, 0xc500);		/* INIT assert */
	CHECK_EQ(cpu[1].starts, 1);
	CHECK_EQ(heard[1].woken, 1);
	cpu[1].starts = 0;
	apic_write(&cpu[0], LAPIC_ICR, 0x8500);		/* de-assert */
	CHECK_EQ(cpu[1].starts, 0);
	apic_write(&cpu[0], LAPIC_ICR, 0x4699);
	CHECK_EQ(cpu[1].starts, 2);
	CHECK_EQ(cpu[1].sipi_vector, 0x99);
	apic_write(&cpu[0], LAPIC_ICR, 0x4500);
	CHECK_EQ(cpu[1].starts, 1);
	CHECK_EQ(cpu[0].starts, 0);
	destroy();
}

static void msi(void)
{
	create();
	enable(&cpu[0]);
	enable(&cpu[1]);
	CHECK_EQ(send_msi(&vm, 0xfee01000, 0x61), 1);
	CHECK_EQ(take(&cpu[1]), 0x61);
	CHECK_EQ(send_msi(&vm, 0xfee05000, 0x61), 0);
	CHECK_EQ(send_msi(&vm, 0xfeeff000, 0x62), 2);
	CHECK_EQ(send_msi(&vm, 0xfee00000, 0x200), 0);	/* SMI */
	destroy();
}

static void base_msr(void)
{
	struct vcpu *v = &cpu[1];

	create();
	CHECK_EQ(lapic_set_base(v, 0xfee00800 | 1ULL << 39, true), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00801, false), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00400, true), 1);	/* x2APIC without enable */
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, false), 0);
	CHECK_EQ(lapic_set_base(v, 0xfee00800, false), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00000, false), 0);
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, false), 1);
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, true), 0);
	CHECK_EQ(lapic_set_base(v, 0xfee00800, true), 0);
	v->has_x2apic = false;
	CHECK_EQ(lapic_set_base(v, 0xfee00c00, true), 1);
	v->has_x2apic = true;
	CHECK_EQ(lapic_set_base(v, 0x1000800, false), 0);	/* the page moves */
	CHECK_EQ(lapic_mmio(v, false, 0xfee00030, &(u32) { 0 }, 4), -EOPNOTSUPP);
	CHECK_EQ(lapic_mmio(v, false, 0x1000030, &(u32) { 0 }, 4), 0);
	destroy();
}

static void x2apic_msrs(void)
{
	u64 data;
	u32 msr;

	create();
	CHECK_EQ(lapic_msr_read(&cpu[1], 0x802, &data), 1);
	CHECK_EQ(lapic_set_base(&cpu[1], 0xfee00c00, false), 0);
	CHECK_EQ(lapic_msr_read(&cpu[1], 0x802, &data), 0);
	CHECK_EQ(data, 1);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x80f, 0x1ff), 0);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x80f, 0x1000001ffULL), 1);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x83f, 0x77), 0);
	CHECK_EQ(take(&cpu[1]), 0x77);
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x830, 0x100004078ULL), 0);
	CHECK_EQ(take(&cpu[1]), -1);			/* same class */
	CHECK_EQ(lapic_msr_write(&cpu[1], 0x80b, 0), 0);
	CHECK_EQ(take(&cpu[1]), 0x78);
	CHECK_EQ(lapic_msr_read(&cpu[1], 0x830, &data), 0);
	CHECK_EQ(data, 0x100004078ULL);
	for (msr = 0x840; msr < 0x900; msr++) {
		CHECK_EQ(lapic_msr_read(&cpu[1], msr, &data), 1);
		CHECK_EQ(lapic_msr_write(&cpu[1], msr, 0), 1);
	}
	CHECK_EQ(apic_read(&cpu[1], LAPIC_ID), 0xffffffff);	/* MMIO is a hole */
	destroy();
}

static void mmio_sizes(void)
{
	u8 data[8];
	u32 val = 0x1ff;

	create();
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00032, data, 1), 0);
	CHECK_EQ(data[0], 5);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00032, data, 4), 0);
	CHECK_EQ(data[0], 0);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00030, data, 8), 0);
	CHECK_EQ(data[0], 0);
	lapic_mmio(&cpu[0], true, 0xfee000f0, &val, 2);
	lapic_mmio(&cpu[0], true, 0xfee000f4, &val, 4);
	CHECK_EQ(apic_read(&cpu[0], LAPIC_SVR), 0xff);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee00fff, data, 8), 0);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfee01000, data, 4), -EOPNOTSUPP);
	CHECK_EQ(lapic_mmio(&cpu[0], false, 0xfedfffff, data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfec00000, data, 8), 0);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfec00100, data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfebfffff, data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_pio(&vm, false, 0x21, data, 2), -EOPNOTSUPP);
	CHECK_EQ(irqchip_pio(&vm, false, 0x20, data, 2), 0);
	CHECK_EQ(irqchip_pio(&vm, false, 0x22, data, 1), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x43, data, 2), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x40, data, 4), 0);
	CHECK_EQ(pit_pio(&vm, false, 0x3f, data, 1), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x61, data, 1), 0);
	destroy();
}

static void pit_ticks_through_the_pic(void)
{
	int i;

	create();
	setup_pic();
	setup_pit(1193);
	for (i = 0; i < 10; i++) {
		shim_advance(1000000, false);
		CHECK_EQ(take(&cpu[0]), 0x30);
		CHECK_EQ(take(&cpu[0]), -1);
		outb(0x20, 0x20);
		CHECK_EQ(take(&cpu[0]), -1);
	}
	/* 5 ticks while the guest is busy: they come one after the other. */
	shim_advance(5 * 999848, false);
	for (i = 0; i < 5; i++) {
		CHECK_EQ(take(&cpu[0]), 0x30);
		CHECK_EQ(take(&cpu[0]), -1);
		outb(0x20, 0x20);
	}
	CHECK_EQ(take(&cpu[0]), -1);
	destroy();
}

static void pit_ticks_through_the_ioapic(void)
{
	int i, n = 0;

	create();
	enable(&cpu[0]);
	apic_write(&cpu[0], LAPIC_LINT0, 0x10000);
	outb(0x21, 0xff);
	ioapic_put(0x10, 0x30);
	setup_pit(1193);
	shim_advance(7 * 999848, false);
	while (take(&cpu[0]) == 0x30) {
		n++;
		apic_write(&cpu[0], LAPIC_EOI, 0);
	}
	CHECK_EQ(n, 7);
	ioapic_put(0x10, 0x10030);	/* masked for a while: those ticks are gone */
	shim_advance(7 * 999848, false);
	ioapic_put(0x10, 0x30);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(999848, false);
	CHECK_EQ(take(&cpu[0]), 0x30);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	/* Ticks that wait for an EOI are dropped by an unmask; the one that was sent is not. */
	shim_advance(4 * 999848, false);
	ioapic_put(0x10, 0x10030);
	ioapic_put(0x10, 0x30);
	CHECK_EQ(take(&cpu[0]), 0x30);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[0]), -1);
	shim_advance(999848, false);
	CHECK_EQ(take(&cpu[0]), 0x30);
	/* A new vector while the old one is in service must not stop the ticks. */
	ioapic_put(0x10, 0x10040);
	ioapic_put(0x10, 0x40);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	for (i = 0; i < 3; i++) {
		shim_advance(999848, false);
		CHECK_EQ(take(&cpu[0]), 0x40);
		apic_write(&cpu[0], LAPIC_EOI, 0);
	}
	destroy();
}

static void pit_bounds(void)
{
	struct minikvm_pit_state2 state, again;
	int n = 0;

	create();
	setup_pic();
	setup_pit(1);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 50);
	shim_advance(3600ULL * 1000000000, true);	/* an hour at 5 kHz, late */
	CHECK(shim_fired <= 51);
	outb(0x43, 0x30);				/* one-shot, and no load: it goes on */
	while (take(&cpu[0]) == 0x30 && n < 20000) {
		n++;
		outb(0x20, 0x20);
	}
	CHECK(n > 9000 && n <= MAX_WAITING + 1);
	outb(0x40, 0);
	outb(0x40, 1);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 1);
	pit_get(&vm, &state);
	CHECK_EQ(state.channels[0].count, 256);
	pit_set(&vm, &state);
	pit_get(&vm, &again);
	CHECK_EQ(again.channels[0].count, 256);
	memset(&state, 0xff, sizeof(state));
	pit_set(&vm, &state);
	shim_advance(10000000, false);
	memset(&state, 0, sizeof(state));
	state.channels[0].mode = 2;
	state.channels[0].count = 1;
	pit_set(&vm, &state);
	shim_fired = 0;
	shim_advance(10000000, false);
	CHECK_EQ(shim_fired, 50);
	destroy();
}

static void chip_state_ioctls(void)
{
	struct minikvm_irqchip chip = { .chip_id = 3 };

	create();
	CHECK_EQ(irqchip_get(&vm, &chip), -EINVAL);
	CHECK_EQ(irqchip_set(&vm, &chip), -EINVAL);
	for (chip.chip_id = 0; chip.chip_id < 3; chip.chip_id++) {
		memset(&chip.chip, 0xff, sizeof(chip.chip));
		CHECK_EQ(irqchip_get(&vm, &chip), 0);
		CHECK_EQ(chip.chip.dummy[511], 0);
		CHECK_EQ(irqchip_set(&vm, &chip), 0);
		memset(&chip.chip, 0xff, sizeof(chip.chip));
		CHECK_EQ(irqchip_set(&vm, &chip), 0);
	}
	line(3, 1);
	take(&cpu[0]);
	destroy();
}

static void without_chips(void)
{
	struct vcpu v = { .vm = &vm, .has_x2apic = true };
	u32 data;

	memset(&vm, 0, sizeof(vm));
	CHECK_EQ(lapic_create(&v), 0);
	lapic_reset(&v, false);
	CHECK(!v.lapic);
	CHECK_EQ(v.apic_base, 0xfee00900);
	CHECK_EQ(lapic_mmio(&v, false, 0xfee00020, &data, 4), -EOPNOTSUPP);
	CHECK_EQ(irqchip_pio(&vm, false, 0x20, &data, 1), -EOPNOTSUPP);
	CHECK_EQ(irqchip_mmio(&vm, false, 0xfec00000, &data, 4), -EOPNOTSUPP);
	CHECK_EQ(pit_pio(&vm, false, 0x40, &data, 1), -EOPNOTSUPP);
	CHECK_EQ(pit_get(&vm, &(struct minikvm_pit_state2) {}), -ENXIO);
	CHECK_EQ(irqchip_get(&vm, &(struct minikvm_irqchip) {}), -ENXIO);
	CHECK(!irqchip_has_interrupt(&v));
	CHECK_EQ(irqchip_take_interrupt(&v), -1);
	CHECK_EQ(lapic_set_base(&v, 0xfee00c00, true), 0);
	lapic_timer_expired(&v);
	lapic_reset(&v, true);
	CHECK_EQ(v.apic_base, 0xfee00c00);
	lapic_destroy(&v);
}

int main(void)
{
	RUN(creation_rules);
	RUN(line_status);
	RUN(pic_reaches_the_boot_cpu);
	RUN(level_interrupt_through_the_ioapic);
	RUN(ipis);
	RUN(lowest_priority);
	RUN(init_and_sipi);
	RUN(msi);
	RUN(base_msr);
	RUN(x2apic_msrs);
	RUN(mmio_sizes);
	RUN(pit_ticks_through_the_pic);
	RUN(pit_ticks_through_the_ioapic);
	RUN(pit_bounds);
	RUN(chip_state_ioctls);
	RUN(without_chips);
	return unit_end();
}
