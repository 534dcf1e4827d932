// SPDX-License-Identifier: GPL-2.0
/*
 * All of module/irqchip/ (LAPIC, IOAPIC, PIC, PIT, routing, timers) with two vCPUs: any row of
 * guests' accesses, lines, messages, states of a VMM and time. What is offered can be taken, a
 * timer fires no more often than the host can bear, and what a VMM saves is what it restores.
 */
#include "fuzz.h"
#include "../unit/chips_model.h"

static struct vcpu *some_cpu(void)
{
	return &cpu[below(2)];
}

static u32 some_length(void)
{
	static const u8 lengths[] = { 4, 4, 4, 1, 2, 8 };

	return lengths[below(sizeof(lengths))];
}

static u32 value(void)
{
	u32 v = below(1 << 16);

	return one_in(4) ? any() : v;
}

static void mmio(void)
{
	struct vcpu *v = some_cpu();
	u64 data = value();
	u32 reg = below(4) ? below(0x40) << 4 : below(0x1000);
	bool write = below(2);

	lapic_mmio(v, write, (v->apic_base & ~0xfffull) + reg, &data, some_length());
}

static void x2apic(void)
{
	struct vcpu *v = some_cpu();
	u64 data = one_in(4) ? any() : value();
	u32 msr = 0x800 + below(0x48);

	if (below(2))
		lapic_msr_write(v, msr, data);
	else
		lapic_msr_read(v, msr, &data);
}

static void ioapic(void)
{
	u64 data = value();
	u32 place = below(8) ? below(2) << 4 : below(0x100);

	irqchip_mmio(&vm, below(2), 0xfec00000 + place, &data, some_length());
}

static void ports(void)
{
	static const u16 port[] = { 0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61 };
	u16 p = port[below(sizeof(port) / 2)];
	u32 data = below(256), len = below(8) ? 1 : 1 << below(3);

	if (p < 0x40 || p > 0x61)
		irqchip_pio(&vm, below(2), p, &data, len);
	else
		pit_pio(&vm, below(2), p, &data, len);
}

/* What the run loop does for interrupts. */
static void run_vcpu(void)
{
	struct vcpu *v = some_cpu();
	bool offered = irqchip_has_interrupt(v);
	int vector = irqchip_take_interrupt(v);

	v->requests = 0;
	CHECK(vector < 256);
	if (offered)
		CHECK(vector >= 0);
	else
		CHECK_EQ(vector, -1);
	if (one_in(2))
		lapic_eoi(v);
}

static void time_passes(void)
{
	u64 ns = 1ull << below(34), most = 4 + 3 * (ns / CHIP_MIN_PERIOD_NS);

	shim_fired = 0;
	shim_advance(ns + below(256), below(2));
	CHECK(shim_fired <= most);
}

static void lines(void)
{
	u32 gsi = below(8) ? below(28) : any();
	int status;

	irqchip_set_irq(&vm, SOURCE_VMM, gsi, below(2), &status);
}

static void message(void)
{
	struct minikvm_msi msi = {
		.address_lo = 0xfee00000 | below(1 << 20), .address_hi = one_in(4) ? any() : 0,
		.data = value(),
	};

	irqchip_signal_msi(&vm, &msi);
}

static void route(void)
{
	struct minikvm_irq_routing_entry e[6];
	u32 nr = below(7), i;

	for (i = 0; i < nr; i++) {
		e[i] = (struct minikvm_irq_routing_entry) { .gsi = below(30), .type = 1 + below(2) };
		if (e[i].type == MINIKVM_IRQ_ROUTING_MSI) {
			e[i].u.msi.address_lo = 0xfee00000 | below(1 << 20);
			e[i].u.msi.data = value();
		} else {
			e[i].u.irqchip.irqchip = below(4);
			e[i].u.irqchip.pin = below(26);
		}
	}
	irqchip_set_routing(&vm, e, nr);
}

static void base(void)
{
	static const u64 modes[] = { 0xfee00800, 0xfee00c00, 0xfee00000, 0xfee00400, 0x1000800 };
	struct vcpu *v = some_cpu();

	lapic_set_base(v, one_in(8) ? any() : modes[below(5)] | (v == cpu ? 0x100 : 0), below(2));
}

/* A VMM saves, changes some bytes, and restores. */
static void change(void *state, size_t size)
{
	u32 n = below(8);

	while (n--)
		((u8 *)state)[below(size)] = below(256);
}

static void states(void)
{
	struct minikvm_irqchip chip = { .chip_id = below(4) };
	struct minikvm_lapic_state apic;
	struct minikvm_pit_state2 pit;
	struct vcpu *v = some_cpu();

	switch (below(3)) {
	case 0:
		lapic_get_state(v, &apic);
		change(&apic, sizeof(apic));
		lapic_set_state(v, &apic);
		break;
	case 1:
		if (!irqchip_get(&vm, &chip)) {
			change(&chip.chip, sizeof(chip.chip.pic) * 4);
			CHECK_EQ(irqchip_set(&vm, &chip), 0);
		}
		break;
	default:
		CHECK_EQ(pit_get(&vm, &pit), 0);
		change(&pit, sizeof(pit));
		CHECK_EQ(pit_set(&vm, &pit), 0);
	}
}

static void others(void)
{
	struct vcpu *v = some_cpu();
	u64 set[2];

	switch (below(8)) {
	case 0: lapic_set_tpr(v, below(16)); break;
	case 1: CHECK(lapic_get_tpr(v) < 16); break;
	case 2: lapic_set_tscdeadline(v, one_in(2) ? any() : rdtsc() + below(1 << 20)); break;
	case 3: lapic_get_tscdeadline(v); break;
	case 4: lapic_reset(v, below(2)); break;
	case 5: pit_set_reinject(&vm, below(2)); break;
	case 6: lapic_eoi_is_quiet(v); break;
	default:
		fuzz_bytes(set, sizeof(set));
		lapic_send_many(v, set, below(2) ? 64 : 32, below(4), below(1 << 20));
	}
}

static void (*const step[])(void) = {
	mmio, mmio, mmio, x2apic, x2apic, ioapic, ioapic, ports, ports, run_vcpu, run_vcpu,
	time_passes, lines, lines, message, route, base, states, others,
};

/* What is saved and restored is the same when it is saved again. */
static void save_and_restore(void)
{
	struct minikvm_irqchip chip, again;
	struct minikvm_lapic_state apic, apic_again;
	u32 i;

	for (i = 0; i < 3; i++) {
		memset(&chip, 0, sizeof(chip));
		memset(&again, 0, sizeof(again));
		chip.chip_id = again.chip_id = i;
		CHECK_EQ(irqchip_get(&vm, &chip), 0);
		CHECK_EQ(irqchip_set(&vm, &chip), 0);
		CHECK_EQ(irqchip_get(&vm, &again), 0);
		CHECK(!memcmp(&chip, &again, sizeof(chip)));
	}
	for (i = 0; i < 2; i++) {
		lapic_get_state(&cpu[i], &apic);
		CHECK_EQ(lapic_set_state(&cpu[i], &apic), 0);
		lapic_get_state(&cpu[i], &apic_again);
		CHECK(!memcmp(&apic, &apic_again, sizeof(apic)));
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 flags;

	fuzz_begin(data, size);
	create();
	flags = below(8);
	vm.x2apic_api = flags & 3;
	if (flags & 4) {
		enable(&cpu[0]);
		enable(&cpu[1]);
		setup_pic();
	}
	while (fuzz_left)
		step[below(sizeof(step) / sizeof(step[0]))]();
	save_and_restore();
	destroy();
	return 0;
}
