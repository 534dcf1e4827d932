// SPDX-License-Identifier: GPL-2.0
/* The chips together: where a GSI and a message lead, and lines that several sources hold. */
#include "chips_model.h"

/* KVM's form of an APIC ID above 255, and of 0xff that is an ID as others. */
static void msi_with_wide_ids(void)
{
	create();
	enable(&cpu[0]);
	CHECK_EQ(lapic_set_base(&cpu[0], 0xfee00d00, true), 0);	/* x2APIC */
	CHECK_EQ(send_msi(&vm, 0x100fee00000, 0x61), 1);	/* the upper half is ignored */
	CHECK_EQ(send_msi(&vm, 0xfeeff000, 0x61), 1);
	vm.x2apic_api = MINIKVM_X2APIC_API_USE_32BIT_IDS;
	CHECK_EQ(send_msi(&vm, 0x100fee00000, 0x61), 0);	/* 0x100 is nobody */
	CHECK_EQ(send_msi(&vm, 0x1fee00000, 0x61), -EINVAL);
	CHECK_EQ(send_msi(&vm, 0xffffff00fee00000 | 0xff000, 0x61), 1);
	CHECK_EQ(send_msi(&vm, 0xfeeff000, 0x61), 1);
	vm.x2apic_api |= MINIKVM_X2APIC_API_DISABLE_BROADCAST_QUIRK;
	CHECK_EQ(send_msi(&vm, 0xfeeff000, 0x61), 0);
	CHECK_EQ(send_msi(&vm, 0xffffff00fee00000 | 0xff000, 0x61), 1);
	destroy();
}

static int set_routing(u32 gsi, u32 irqchip, u32 pin)
{
	const struct minikvm_irq_routing_entry e = {
		.gsi = gsi, .type = MINIKVM_IRQ_ROUTING_IRQCHIP,
		.u.irqchip = { irqchip, pin },
	};

	return irqchip_set_routing(&vm, &e, 1);
}

static void a_gsi_leads_elsewhere(void)
{
	const struct minikvm_irq_routing_entry msi = {
		.gsi = 9, .type = MINIKVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee00000, .data = 0x71 },
	};

	create();
	enable(&cpu[0]);
	setup_pic();
	CHECK_EQ(set_routing(100, MINIKVM_IRQCHIP_PIC_MASTER, 4), 0);
	CHECK_EQ(line(4, 1), -1);
	CHECK_EQ(line(100, 1), 1);
	CHECK_EQ(take(&cpu[0]), 0x34);
	CHECK_EQ(set_routing(100, 3, 4), -EINVAL);
	CHECK_EQ(line(100, 0), 1);		/* as before */
	CHECK_EQ(irqchip_set_routing(&vm, &msi, 1), 0);
	CHECK_EQ(line(9, 0), -1);
	CHECK_EQ(line(9, 1), 1);
	CHECK_EQ(line(9, 1), 1);		/* no level: each is a message */
	CHECK_EQ(take(&cpu[0]), 0x71);
	CHECK_EQ(irqchip_set_routing(&vm, NULL, 0), 0);
	CHECK_EQ(line(9, 1), -1);
	destroy();
}

/* QEMU has the PIT at the IOAPIC's pin 2: its EOIs are what ticks wait for. */
static void the_pit_follows_its_route(void)
{
	create();
	enable(&cpu[0]);
	CHECK_EQ(set_routing(0, MINIKVM_IRQCHIP_IOAPIC, 2), 0);
	ioapic_put(0x15, 0);
	ioapic_put(0x14, 0x51);
	setup_pit(1193);
	for (int i = 0; i < 5; i++) {
		shim_advance(1100000, false);
		CHECK_EQ(take(&cpu[0]), 0x51);
		CHECK_EQ(take(&cpu[0]), -1);
		apic_write(&cpu[0], LAPIC_EOI, 0);
	}
	destroy();
}

static void resample(int gsi, bool level)
{
	CHECK_EQ(irqchip_set_irq(&vm, SOURCE_RESAMPLE, gsi, level, NULL), 0);
}

/* Two sources of one level: it is high while one of them holds it; an EOI is the other's end. */
static void an_eoi_lowers_a_resampled_line(void)
{
	create();
	enable(&cpu[0]);
	outb(0x21, 0xff);
	resampled_gsi = 10;
	routing_listen(vm.irqchip);
	ioapic_put(0x10 + 2 * 10 + 1, 0);
	ioapic_put(0x10 + 2 * 10, 0x8061);	/* level */
	resample(10, true);
	CHECK_EQ(take(&cpu[0]), 0x61);
	CHECK_EQ(resampled, 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	CHECK_EQ(resampled, 1);
	CHECK_EQ(take(&cpu[0]), -1);		/* low: not once more */
	resample(10, true);
	line(10, 1);
	CHECK_EQ(take(&cpu[0]), 0x61);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	CHECK_EQ(resampled, 2);
	CHECK_EQ(take(&cpu[0]), 0x61);		/* the VMM's */
	line(10, 0);
	apic_write(&cpu[0], LAPIC_EOI, 0);
	CHECK_EQ(take(&cpu[0]), -1);
	destroy();
}

static void the_pic_resamples_too(void)
{
	create();
	setup_pic();
	resampled_gsi = 10;
	routing_listen(vm.irqchip);
	outb(0x4d1, 1 << 2);			/* level */
	resample(10, true);
	CHECK_EQ(take(&cpu[0]), 0x3a);
	CHECK_EQ(take(&cpu[0]), -1);
	outb(0xa0, 0x20);
	CHECK_EQ(resampled, 1);
	outb(0x20, 0x20);
	CHECK_EQ(take(&cpu[0]), -1);		/* nor a spurious one */
	resample(10, true);
	CHECK_EQ(take(&cpu[0]), 0x3a);
	destroy();
}

int main(void)
{
	RUN(msi_with_wide_ids);
	RUN(a_gsi_leads_elsewhere);
	RUN(the_pit_follows_its_route);
	RUN(an_eoi_lowers_a_resampled_line);
	RUN(the_pic_resamples_too);
	return unit_end();
}
