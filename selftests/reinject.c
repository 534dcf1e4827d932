// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the PIT's ticks that a guest was not ready for come later, one by one; and they are lost
 * if REINJECT_CONTROL says so. IRQ_LINE_STATUS says of each pin whether a guest saw it. And the
 * local APIC's timer counts as fast as the VMM has chosen.
 */
#include <time.h>

#include "lib/irq.h"

#define PIT_COUNT	5966	/* 5 ms */
#define PERIOD_NS	5000000
#define TICK		0x50

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ll + ts.tv_nsec;
}

static int reinject(struct test_vm *t, int on)
{
	struct minikvm_reinject_control control = { .pit_reinject = on };

	return ioctl(t->vm, MINIKVM_REINJECT_CONTROL, &control) ? -errno : 0;
}

/* GSI 0 leads to the IOAPIC only. */
static void make_pit(struct test_vm *t)
{
	struct minikvm_pit_config config = {};

	irq_make(t);
	irq_must(irq_route_one(t, irq_to_pin(0, MINIKVM_IRQCHIP_IOAPIC, 2)), "SET_GSI_ROUTING");
	irq_ioapic(t, 2, TICK);
	irq_must(ioctl(t->vm, MINIKVM_CREATE_PIT2, &config), "CREATE_PIT2");
}

/* Periodic; the guest does not run meanwhile. */
static void let_it_tick(struct test_vm *t, int periods)
{
	struct timespec time = { .tv_nsec = PERIOD_NS * (long)periods };
	struct minikvm_pit_state2 pit;

	irq_must(ioctl(t->vm, MINIKVM_GET_PIT2, &pit), "GET_PIT2");
	pit.channels[0].mode = 2;
	pit.channels[0].count = PIT_COUNT;
	irq_must(ioctl(t->vm, MINIKVM_SET_PIT2, &pit), "SET_PIT2");
	nanosleep(&time, NULL);
}

/* How many ticks the guest gets in the next ten periods beyond those whose time it is. */
static int late_ticks(struct test_vm *t)
{
	int64_t start = now_ns();
	int i, ticks = 0;

	for (i = 0; i < 200 || now_ns() - start < 10 * PERIOD_NS; i++)
		ticks += irq_next(t) == TICK;
	return ticks - (now_ns() - start) / PERIOD_NS;
}

TEST(ticks_wait_for_the_guest)
{
	struct test_vm t;

	make_pit(&t);
	ASSERT_EQ(1, irq_cap(&t, MINIKVM_CAP_REINJECT_CONTROL));
	let_it_tick(&t, 40);
	ASSERT_LE(30, late_ticks(&t));
	vm_free(&t);
}

TEST(ticks_are_lost)
{
	struct test_vm t;
	int late;

	make_pit(&t);
	ASSERT_EQ(0, reinject(&t, 0));
	let_it_tick(&t, 40);
	late = late_ticks(&t);
	ASSERT_GE(3, late);
	ASSERT_LE(-5, late);	/* the others come in time */
	/* What was lost stays lost. */
	ASSERT_EQ(0, reinject(&t, 1));
	ASSERT_GE(3, late_ticks(&t));
	let_it_tick(&t, 40);
	ASSERT_LE(30, late_ticks(&t));
	let_it_tick(&t, 40);
	ASSERT_EQ(0, reinject(&t, 0));
	ASSERT_GE(3, late_ticks(&t));
	vm_free(&t);
}

TEST(reinject_needs_a_pit)
{
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(-ENXIO, reinject(&t, 0));
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_REINJECT_CONTROL, NULL));
	ASSERT_EQ(EFAULT, errno);
	vm_free(&t);
}

/* ---- IRQ_LINE_STATUS */

static void set_pic(struct test_vm *t, uint8_t imr, uint8_t elcr)
{
	struct minikvm_irqchip chip = { .chip_id = MINIKVM_IRQCHIP_PIC_MASTER };

	irq_must(ioctl(t->vm, MINIKVM_GET_IRQCHIP, &chip), "GET_IRQCHIP");
	chip.chip.pic.imr = imr;
	chip.chip.pic.elcr = elcr;
	irq_must(ioctl(t->vm, MINIKVM_SET_IRQCHIP, &chip), "SET_IRQCHIP");
}

TEST(status_of_a_pics_line)
{
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(0, irq_route_one(&t, irq_to_pin(9, MINIKVM_IRQCHIP_PIC_MASTER, 4)));
	ASSERT_EQ(1, irq_line(&t, 9, 1));
	ASSERT_EQ(1, irq_line(&t, 9, 1));	/* no edge */
	ASSERT_EQ(1, irq_line(&t, 9, 0));
	ASSERT_EQ(0, irq_line(&t, 9, 1));	/* merged */
	set_pic(&t, 0x10, 0);
	ASSERT_EQ(-1, irq_line(&t, 9, 0));
	ASSERT_EQ(-1, irq_line(&t, 9, 1));
	set_pic(&t, 0, 0x10);
	ASSERT_EQ(1, irq_line(&t, 9, 0));
	ASSERT_EQ(1, irq_line(&t, 9, 1));
	ASSERT_EQ(0, irq_line(&t, 9, 1));
	vm_free(&t);
}

TEST(status_of_an_ioapics_pin)
{
	struct test_vm t;

	irq_make(&t);
	ASSERT_EQ(-1, irq_line(&t, 20, 1));	/* masked */
	ASSERT_EQ(1, irq_line(&t, 20, 0));
	irq_ioapic(&t, 20, 0x61);
	ASSERT_EQ(1, irq_line(&t, 20, 1));
	ASSERT_EQ(0, irq_line(&t, 20, 1));	/* no edge */
	ASSERT_EQ(1, irq_line(&t, 20, 0));
	ASSERT_EQ(0x61, irq_next(&t));
	irq_ioapic(&t, 21, 0x62 | IOAPIC_LEVEL);
	ASSERT_EQ(1, irq_line(&t, 21, 1));
	ASSERT_EQ(-1, irq_line(&t, 21, 1));	/* it waits for its EOI */
	ASSERT_EQ(1, irq_line(&t, 21, 0));
	ASSERT_EQ(0x62, irq_next(&t));
	vm_free(&t);
}

/* ---- X86_APIC_BUS_CYCLES_NS */

static int bus_cycle(struct test_vm *t, uint64_t ns)
{
	struct minikvm_enable_cap cap = {
		.cap = MINIKVM_CAP_X86_APIC_BUS_CYCLES_NS, .args = { ns },
	};

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static void make_vm(struct test_vm *t, bool chips)
{
	t->dev = test_open();
	t->vm = irq_must(ioctl(t->dev, MINIKVM_CREATE_VM, 0), "CREATE_VM");
	if (chips)
		irq_must(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0), "CREATE_IRQCHIP");
}

TEST(what_a_bus_cycle_can_be)
{
	struct test_vm t, u;

	make_vm(&t, false);
	ASSERT_EQ(1, irq_cap(&t, MINIKVM_CAP_X86_APIC_BUS_CYCLES_NS));
	ASSERT_EQ(-EINVAL, bus_cycle(&t, 0));
	ASSERT_EQ(-ENXIO, bus_cycle(&t, 40));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_IRQCHIP, 0));
	ASSERT_EQ(-EINVAL, bus_cycle(&t, 0));
	ASSERT_EQ(-EINVAL, bus_cycle(&t, ~0ull / (0xffffffffull * 128) + 1));
	ASSERT_EQ(-EINVAL, bus_cycle(&t, ~0ull));
	ASSERT_EQ(0, bus_cycle(&t, ~0ull / (0xffffffffull * 128)));
	ASSERT_EQ(0, bus_cycle(&t, 40));
	u = vm_add_vcpu(&t, 0);
	ASSERT_EQ(-EINVAL, bus_cycle(&t, 40));
	vm_free_vcpu(&u);
	close(t.vm);
	close(t.dev);
}

/* The current count, and between which two moments it was. */
static int64_t count_now(struct test_vm *t, int64_t *before, int64_t *after)
{
	struct minikvm_lapic_state l;

	*before = now_ns();
	irq_must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*after = now_ns();
	return *(uint32_t *)&l.regs[0x390];
}

TEST(the_timer_counts_as_fast_as_chosen)
{
	static const uint64_t cycles[] = { 1, 40, 1000 };
	struct timespec time = { .tv_nsec = 20000000 };
	int64_t before[2], after[2], count[2], ns;
	struct minikvm_lapic_state l;
	struct test_vm t, u;
	int i;

	for (i = 0; i < 3; i++) {
		make_vm(&t, true);
		ASSERT_EQ(0, bus_cycle(&t, cycles[i]));
		u = vm_add_vcpu(&t, 0);
		irq_enable_apic(&u);
		ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_GET_LAPIC, &l));
		*(uint32_t *)&l.regs[0x320] = 0x10050;		/* one-shot, masked */
		*(uint32_t *)&l.regs[0x3e0] = 2;		/* divided by 8 */
		*(uint32_t *)&l.regs[0x380] = ~0u;
		*(uint32_t *)&l.regs[0x390] = ~0u;
		ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_SET_LAPIC, &l));
		count[0] = count_now(&u, &before[0], &after[0]);
		nanosleep(&time, NULL);
		count[1] = count_now(&u, &before[1], &after[1]);
		ns = (count[0] - count[1]) * 8 * cycles[i];
		ASSERT_LE(before[1] - after[0], ns + 8 * (int64_t)cycles[i]);
		ASSERT_GE(after[1] - before[0], ns - 8 * (int64_t)cycles[i]);
		vm_free_vcpu(&u);
		close(t.vm);
		close(t.dev);
	}
}

/* Its period would not fit into anything. */
TEST(the_slowest_timer)
{
	int64_t before, after, count;
	struct minikvm_lapic_state l;
	struct test_vm t, u;

	if (test_on_kvm())
		SKIP(return, "on KVM it does not");
	make_vm(&t, true);
	ASSERT_EQ(0, bus_cycle(&t, ~0ull / (0xffffffffull * 128)));
	u = vm_add_vcpu(&t, 0);
	irq_enable_apic(&u);
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_GET_LAPIC, &l));
	*(uint32_t *)&l.regs[0x320] = 0x20050;			/* periodic */
	*(uint32_t *)&l.regs[0x3e0] = 10;			/* divided by 128 */
	*(uint32_t *)&l.regs[0x380] = ~0u;
	*(uint32_t *)&l.regs[0x390] = ~0u;
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_SET_LAPIC, &l));
	count = count_now(&u, &before, &after);
	ASSERT_LE(1000, count);
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(0, *(uint32_t *)&l.regs[0x220]);		/* it has not expired */
	ASSERT_EQ(0, *(uint32_t *)&l.regs[0x240]);
	vm_free_vcpu(&u);
	close(t.vm);
	close(t.dev);
}

TEST_HARNESS_MAIN
