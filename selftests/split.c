// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: with SPLIT_IRQCHIP the local APICs are in the kernel, and PIC, IOAPIC and PIT the VMM's:
 * its IOAPIC sends by routes to messages and hears of the EOIs of levels, its PIC delivers by
 * INTERRUPT when the guest can take one; and what belongs to the other chips is refused.
 */
#include <pthread.h>

#include "lib/irq.h"

#define LEVEL	(1 << 15)
#define PIC_EOI(port)	((port) == 0x20 || (port) == 0xa0)

static int enable(struct test_vm *t, uint64_t pins, uint32_t flags)
{
	struct minikvm_enable_cap cap = {
		.cap = MINIKVM_CAP_SPLIT_IRQCHIP, .flags = flags, .args = { pins },
	};

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static struct minikvm_irq_routing_entry level_msi(uint32_t gsi, uint8_t vector)
{
	struct minikvm_irq_routing_entry e = irq_to_msi(gsi, 0, vector);

	e.u.msi.data |= LEVEL;
	return e;
}

/* RUN beyond what the handlers tell the PICs, who are not here. */
static int run_past_pics(struct test_vm *t)
{
	int reason;

	do
		reason = vm_run(t);
	while (reason == MINIKVM_EXIT_IO && PIC_EOI(t->run->io.port));
	return reason;
}

/* The next that the guest says, as irq_next(); an EOI that the VMM hears of is 0x100 + vector. */
static int next(struct test_vm *t)
{
	int reason = run_past_pics(t);

	if (reason == MINIKVM_EXIT_IOAPIC_EOI)
		return 0x100 + t->run->eoi.vector;
	if (reason != MINIKVM_EXIT_IO)
		return -2;
	return t->run->io.port == PORT_EXCEPTION ? *(uint8_t *)vm_io_data(t) : NO_IRQ;
}

static void make(struct test_vm *t, int pins, const uint8_t *code, const uint8_t *end)
{
	vm_make_split(t, pins);
	irq_enable_apic(t);
	guest_long(t, code, end);
	irq_stubs(t);
}

/* In a loop, with interrupts on. */
static void make_idle(struct test_vm *t, int pins)
{
	make(t, pins, irq_idle, irq_idle_end);
	if (next(t) != NO_IRQ || next(t) != NO_IRQ)	/* the first one is in STI's shadow */
		errx(1, "the guest does not begin");
}

static int queue_interrupt(struct test_vm *t, uint32_t vector)
{
	struct minikvm_interrupt irq = { .irq = vector };

	return ioctl(t->vcpu, MINIKVM_INTERRUPT, &irq) ? -errno : 0;
}

static int create_pit(struct test_vm *t)
{
	struct minikvm_pit_config config = {};

	return ioctl(t->vm, MINIKVM_CREATE_PIT2, &config) ? -errno : 0;
}

/* GET or SET of the state of a chip that is not here. */
static int state_ioctl(struct test_vm *t, unsigned long request)
{
	static union {
		struct minikvm_irqchip chip;
		struct minikvm_pit_state2 pit;
	} state;

	return ioctl(t->vm, request, &state) ? -errno : 0;
}

TEST(only_one_kind_of_chips)
{
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(1, irq_cap(&t, MINIKVM_CAP_SPLIT_IRQCHIP));
	ASSERT_EQ(-EEXIST, enable(&t, 24, 0));		/* after a vCPU */
	ASSERT_EQ(-EINVAL, enable(&t, 4097, 0));
	vm_free(&t);
	vm_make(&t, true);
	ASSERT_EQ(-EEXIST, enable(&t, 24, 0));
	ASSERT_EQ(-ENXIO, queue_interrupt(&t, 0x30));
	vm_free(&t);

	t.dev = test_open();
	t.vm = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	ASSERT_LE(0, t.vm);
	ASSERT_EQ(-EINVAL, enable(&t, 4097, 0));
	ASSERT_EQ(-EINVAL, enable(&t, 1ull << 32, 0));
	ASSERT_EQ(-EINVAL, enable(&t, 24, 1));
	ASSERT_EQ(0, enable(&t, 4096, 0));
	ASSERT_EQ(-EEXIST, enable(&t, 24, 0));
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_CREATE_IRQCHIP, 0));
	ASSERT_EQ(EEXIST, errno);
	close(t.vm);
	t.vm = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	ASSERT_LE(0, t.vm);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_IRQCHIP, 0));
	ASSERT_EQ(-EEXIST, enable(&t, 24, 0));
	close(t.vm);
	close(t.dev);
}

TEST(the_other_chips_are_not_here)
{
	struct test_vm t;

	vm_make_split(&t, 24);
	ASSERT_EQ(-ENOENT, create_pit(&t));
	ASSERT_EQ(-ENXIO, state_ioctl(&t, MINIKVM_GET_IRQCHIP));
	ASSERT_EQ(-ENXIO, state_ioctl(&t, MINIKVM_SET_IRQCHIP));
	ASSERT_EQ(-ENXIO, state_ioctl(&t, MINIKVM_GET_PIT2));
	ASSERT_EQ(-ENXIO, state_ioctl(&t, MINIKVM_SET_PIT2));
	vm_free(&t);
}

GUEST64(touch, "in $0x21, %al; out %al, $0x43; in $0x61, %al; mov $0xd0, %dx; mov $0x4d0, %edx;"
	"in %dx, %al; mov $0xfec00000, %ebx; mov %eax, (%rbx); mov 0x10(%rbx), %eax; hlt");

TEST(accesses_to_the_other_chips_are_the_vmms)
{
	static const uint16_t ports[] = { 0x21, 0x43, 0x61, 0x4d0 };
	struct test_vm t;
	size_t i;

	make(&t, 24, touch, touch_end);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		ASSERT_EQ(ports[i], t.run->io.port);
	}
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
		ASSERT_EQ(0xfec00000 + 16 * i, t.run->mmio.phys_addr);
		ASSERT_EQ(!i, t.run->mmio.is_write);
	}
	vm_free(&t);
}

TEST(other_vcpus_wait_to_be_started)
{
	struct minikvm_mp_state mp;
	struct test_vm t, u;

	vm_make_split(&t, 24);
	u = vm_add_vcpu(&t, 1);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_MP_STATE, &mp));
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp.mp_state);
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_GET_MP_STATE, &mp));
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp.mp_state);
	irq_enable_apic(&u);
	vm_free_vcpu(&u);
	vm_free(&t);
}

TEST(gsis_lead_to_messages_only)
{
	struct test_vm t;
	int i;

	make_idle(&t, 24);
	ASSERT_EQ(-1, irq_line(&t, 0, 1));
	ASSERT_EQ(-EINVAL, irq_route_one(&t, irq_to_pin(0, MINIKVM_IRQCHIP_IOAPIC, 0)));
	ASSERT_EQ(-EINVAL, irq_route_one(&t, irq_to_pin(0, MINIKVM_IRQCHIP_PIC_MASTER, 0)));
	for (i = 0; i < 24; i++)	/* masked pins are empty messages, as QEMU has them */
		irq_table.e[i] = (struct minikvm_irq_routing_entry) {
			.gsi = i, .type = MINIKVM_IRQ_ROUTING_MSI,
		};
	ASSERT_EQ(0, irq_route(&t, 24));
	irq_table.e[4] = irq_to_msi(4, 0, 0x54);
	ASSERT_EQ(0, irq_route(&t, 24));
	ASSERT_EQ(-1, irq_line(&t, 4, 0));
	ASSERT_EQ(1, irq_line(&t, 4, 1));
	ASSERT_EQ(0x54, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

TEST(eois_of_levels_are_told)
{
	struct test_vm t;

	make_idle(&t, 6);
	irq_table.e[0] = level_msi(5, 0x55);
	irq_table.e[1] = level_msi(6, 0x66);		/* not a pin */
	irq_table.e[2] = irq_to_msi(4, 0, 0x44);	/* an edge */
	ASSERT_EQ(0, irq_route(&t, 3));
	ASSERT_EQ(1, irq_line(&t, 5, 1));
	ASSERT_EQ(0x55, next(&t));
	ASSERT_EQ(0x155, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(1, irq_line(&t, 6, 1));
	ASSERT_EQ(0x66, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(1, irq_line(&t, 4, 1));
	ASSERT_EQ(0x44, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	/* Both at once: the higher one ends first. */
	irq_table.e[2] = level_msi(4, 0x44);
	ASSERT_EQ(0, irq_route(&t, 3));
	ASSERT_EQ(1, irq_line(&t, 4, 1));
	ASSERT_EQ(1, irq_line(&t, 5, 1));
	ASSERT_EQ(0x55, next(&t));
	ASSERT_EQ(0x155, next(&t));
	ASSERT_EQ(0x44, next(&t));
	/* The route is gone when its interrupt ends. */
	ASSERT_EQ(0, irq_route(&t, 0));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

/* Who shares a level's vector is not taken for it: KVM tells of these, too. */
TEST(eois_of_edges_are_not_told)
{
	struct minikvm_msi msi = { .address_lo = 0xfee00000, .data = 0x55 };
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM looks at the vector only");
	make_idle(&t, 6);
	ASSERT_EQ(0, irq_route_one(&t, level_msi(5, 0x55)));
	ASSERT_EQ(1, ioctl(t.vm, MINIKVM_SIGNAL_MSI, &msi));
	ASSERT_EQ(0x55, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

/* As irq_tail, with the EOI of x2APIC mode. */
GUEST64(x2apic_tail, "mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; iretq");

TEST(eois_in_x2apic_mode)
{
	struct minikvm_sregs s;
	struct test_vm t;

	make_idle(&t, 24);
	memcpy(t.mem + G_TAIL, x2apic_tail, x2apic_tail_end - x2apic_tail);
	s = vm_sregs(&t);
	s.apic_base |= 1 << 10;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(0, irq_route_one(&t, level_msi(5, 0x55)));
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(1, irq_line(&t, 5, 1));
	ASSERT_EQ(0x55, next(&t));
	ASSERT_EQ(0x155, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

/* With no pins there is nobody to tell. */
TEST(no_pins)
{
	struct test_vm t;

	make_idle(&t, 0);
	ASSERT_EQ(0, irq_route_one(&t, level_msi(0, 0x50)));
	ASSERT_EQ(1, irq_line(&t, 0, 1));
	ASSERT_EQ(0x50, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

static volatile bool stop;

static void *change_routes(void *arg)
{
	struct test_vm *t = arg;
	int i;

	for (i = 0; !stop; i++)
		if (irq_route(t, 1 + i % 2))
			return t;
	return NULL;
}

TEST(no_eoi_is_lost_while_routes_change)
{
	pthread_t thread;
	struct test_vm t;
	void *failed;
	int i, said;

	make_idle(&t, 24);
	irq_table.e[0] = level_msi(5, 0x55);
	irq_table.e[1] = level_msi(7, 0x57);
	ASSERT_EQ(0, irq_route(&t, 1));
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, change_routes, &t));
	for (i = 0; i < 200; i++) {
		ASSERT_EQ(1, irq_line(&t, 5, 1));
		for (said = NO_IRQ; said == NO_IRQ;)
			said = next(&t);
		ASSERT_EQ(0x55, said);
		ASSERT_EQ(0x155, next(&t)) TH_LOG("round %d", i);
	}
	stop = true;
	ASSERT_EQ(0, pthread_join(thread, &failed));
	ASSERT_EQ(NULL, failed);
	vm_free(&t);
}

TEST(eventfds)
{
	struct minikvm_irqfd irqfd = { .gsi = 5 };
	uint64_t one = 1;
	struct test_vm t;

	make_idle(&t, 24);
	ASSERT_EQ(0, irq_route_one(&t, level_msi(5, 0x55)));
	irqfd.fd = irqfd.resamplefd = eventfd(0, 0);
	irqfd.flags = MINIKVM_IRQFD_FLAG_RESAMPLE;
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_IRQFD, &irqfd));
	ASSERT_EQ(EINVAL, errno);
	irqfd.flags = 0;
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_IRQFD, &irqfd));
	ASSERT_EQ(8, write(irqfd.fd, &one, 8));
	ASSERT_EQ(0x55, next(&t));
	ASSERT_EQ(0x155, next(&t));
	close(irqfd.fd);
	vm_free(&t);
}

/* ---- the VMM's PIC */

GUEST64(closed_then_open, "cli; out %al, $0x11; sti; nop; 1: out %al, $0x10; jmp 1b");

TEST(a_pics_interrupt_waits_for_the_window)
{
	struct test_vm t;

	make(&t, 24, closed_then_open, closed_then_open_end);
	EXPECT_OUT(&t, 0x11, 0);
	ASSERT_EQ(0, t.run->ready_for_interrupt_injection);
	t.run->request_interrupt_window = 1;
	ASSERT_EQ(MINIKVM_EXIT_IRQ_WINDOW_OPEN, vm_run(&t));
	ASSERT_EQ(1, t.run->ready_for_interrupt_injection);
	ASSERT_EQ(1, t.run->if_flag);
	t.run->request_interrupt_window = 0;
	ASSERT_EQ(-EINVAL, queue_interrupt(&t, 256));
	ASSERT_EQ(0, queue_interrupt(&t, 0x30));
	ASSERT_EQ(-EEXIST, queue_interrupt(&t, 0x31));
	ASSERT_EQ(0x30, next(&t));
	ASSERT_EQ(0, t.run->ready_for_interrupt_injection);	/* in its handler */
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(1, t.run->ready_for_interrupt_injection);
	vm_free(&t);
}

/* Before those of the local APIC, whatever their priority; and with one waiting no window opens. */
TEST(a_pics_interrupt_goes_first)
{
	struct test_vm t;

	make_idle(&t, 24);
	ASSERT_EQ(0, irq_route_one(&t, irq_to_msi(5, 0, 0xf5)));
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(0, queue_interrupt(&t, 0x30));
	ASSERT_EQ(1, irq_line(&t, 5, 1));
	t.run->request_interrupt_window = 1;
	ASSERT_EQ(0x30, next(&t));
	t.run->request_interrupt_window = 0;
	ASSERT_EQ(0xf5, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

static void set_lint0(struct test_vm *t, uint32_t lint0)
{
	struct minikvm_lapic_state l;

	irq_must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*(uint32_t *)&l.regs[0x350] = lint0;
	irq_must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
}

TEST(lint0_lets_the_pic_through_or_not)
{
	struct test_vm t;

	make_idle(&t, 24);
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(1, t.run->ready_for_interrupt_injection);
	set_lint0(&t, 0x10700);
	t.run->request_interrupt_window = 1;
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(0, t.run->ready_for_interrupt_injection);
	ASSERT_EQ(0, queue_interrupt(&t, 0x30));
	ASSERT_EQ(NO_IRQ, next(&t));
	set_lint0(&t, 0x700);
	ASSERT_EQ(0x30, next(&t));
	ASSERT_EQ(MINIKVM_EXIT_IRQ_WINDOW_OPEN, run_past_pics(&t));
	vm_free(&t);
}

GUEST64(halting, "sti; 1: hlt; out %al, $0x10; jmp 1b");

TEST(halted)
{
	struct test_vm t;

	make(&t, 24, halting, halting_end);
	t.run->request_interrupt_window = 1;
	ASSERT_EQ(MINIKVM_EXIT_IRQ_WINDOW_OPEN, vm_run(&t));
	if (vm_regs(&t).rip == G_CODE + 1)	/* the window was open before the HLT */
		ASSERT_EQ(MINIKVM_EXIT_IRQ_WINDOW_OPEN, vm_run(&t));
	t.run->request_interrupt_window = 0;
	ASSERT_EQ(0, queue_interrupt(&t, 0x30));
	ASSERT_EQ(0x30, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

/* Nobody but minikvm tells of it, and it is not delivered twice. */
TEST(what_waits_is_saved)
{
	struct minikvm_vcpu_events e;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "not on KVM");
	make_idle(&t, 24);
	ASSERT_EQ(NO_IRQ, next(&t));
	ASSERT_EQ(0, queue_interrupt(&t, 0x30));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(1, e.interrupt.injected);
	ASSERT_EQ(0x30, e.interrupt.nr);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	ASSERT_EQ(0x30, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	/* Where it could not be delivered now it would not be elsewhere. */
	set_lint0(&t, 0x10700);
	ASSERT_EQ(0, queue_interrupt(&t, 0x31));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(0, e.interrupt.injected);
	vm_free(&t);
}

/* One on its way ends no HLT: the one that it is has ended it. */
TEST(what_ends_a_hlt_is_saved)
{
	struct minikvm_mp_state mp;
	struct minikvm_vcpu_events e;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "not on KVM");
	make(&t, 24, halting, halting_end);
	t.run->request_interrupt_window = 1;
	do {
		ASSERT_EQ(MINIKVM_EXIT_IRQ_WINDOW_OPEN, vm_run(&t));
	} while (vm_regs(&t).rip == G_CODE + 1);
	t.run->request_interrupt_window = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_MP_STATE, &mp));
	ASSERT_EQ(MINIKVM_MP_STATE_HALTED, mp.mp_state);
	ASSERT_EQ(0, queue_interrupt(&t, 0x30));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_MP_STATE, &mp));
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp.mp_state);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_MP_STATE, &mp));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	ASSERT_EQ(0x30, next(&t));
	ASSERT_EQ(NO_IRQ, next(&t));
	vm_free(&t);
}

TEST_HARNESS_MAIN
