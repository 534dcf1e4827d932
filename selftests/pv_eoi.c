// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a guest that asks ends interrupts in its own memory, without an exit, where nobody else
 * has to hear of the end.
 */
#include "lib/irq.h"

#define EOI		0x4b564d04u
#define VECTOR		0x51
#define OTHER		0x61
#define PLACE		(G_DATA + 0x100)
#define ISR		0x100
#define IRR		0x200

GUEST64(idles, "sti; 1: out %al, $0x10; jmp 1b");
/* Count interrupts in r8, and those that end with a write to the local APIC in r9. */
#define ENDS	"btrl $0, 0x40100; jc 1f; push %rbx; mov $0xfee000b0, %ebx; movl $0, (%rbx);" \
		"pop %rbx; inc %r9d; 1: iretq"
GUEST64(ends, "inc %r8d;" ENDS);
/* An exit comes before the end: the offer is gone. */
GUEST64(ends_late, "inc %r8d; out %al, $0x11;" ENDS);

static void with_handlers(struct test_vm *t, const uint8_t *handler, size_t size)
{
	struct minikvm_regs r;

	vm_make(t, true);
	irq_enable_apic(t);
	guest_long(t, idles, idles_end);
	memcpy(t->mem + 0x3000, handler, size);
	*(uint16_t *)(t->mem + G_IDT + 16 * VECTOR) = 0x3000;
	*(uint16_t *)(t->mem + G_IDT + 16 * OTHER) = 0x3000;
	r = vm_regs(t);
	r.r8 = r.r9 = 0;
	vm_set_regs(t, r);
	t->mem[PLACE] = 0;	/* it is there */
	if (vm_run(t) != MINIKVM_EXIT_IO)
		abort();
}

static void send(struct test_vm *t, uint8_t vector)
{
	struct minikvm_msi msi = { .address_lo = 0xfee00000, .data = vector };

	if (ioctl(t->vm, MINIKVM_SIGNAL_MSI, &msi) != 1)
		abort();
}

/* An interrupt: it is in its handler, and then out again. */
static bool takes(struct test_vm *t, uint8_t vector)
{
	send(t, vector);
	return vm_run(t) == MINIKVM_EXIT_IO && vm_run(t) == MINIKVM_EXIT_IO;
}

/* Is any bit of these eight registers set? */
static bool apic_any(struct test_vm *t, int offset)
{
	struct minikvm_lapic_state l;
	bool any = false;

	irq_must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	for (int i = 0; i < 8; i++)
		any |= *(uint32_t *)&l.regs[offset + 16 * i] != 0;
	return any;
}

TEST(an_interrupt_ends_without_an_exit)
{
	struct test_vm t;

	with_handlers(&t, ends, ends_end - ends);
	ASSERT_EQ(1, vm_set_msr(&t, EOI, PLACE | 1));
	for (int i = 1; i <= 50; i++) {
		ASSERT_TRUE(takes(&t, i % 2 ? VECTOR : OTHER));
		ASSERT_EQ(i, vm_regs(&t).r8);
		ASSERT_FALSE(apic_any(&t, ISR));
		ASSERT_FALSE(apic_any(&t, IRR));
		ASSERT_EQ(0, t.mem[PLACE] & 1);
	}
	/*
	 * But those whose handler was interrupted by an exit: a page that was not mapped yet, a tick
	 * of the host. (Where the processor itself delivers interrupts, KVM makes no offer.)
	 */
	if (!test_on_kvm())
		ASSERT_GE(10, vm_regs(&t).r9);
	vm_free(&t);
}

TEST(switched_off_nothing_is_offered)
{
	struct test_vm t;

	with_handlers(&t, ends, ends_end - ends);
	for (int i = 1; i <= 10; i++) {
		ASSERT_EQ(1, vm_set_msr(&t, EOI, i % 2 ? 0 : PLACE));
		ASSERT_TRUE(takes(&t, VECTOR));
		ASSERT_EQ(i, vm_regs(&t).r8);
		ASSERT_EQ(i, vm_regs(&t).r9);
		ASSERT_FALSE(apic_any(&t, ISR));
	}
	vm_free(&t);
}

/* As from a VM that was saved: MSRs that mean nothing here are taken. */
TEST(without_a_local_apic_it_is_of_no_consequence)
{
	struct minikvm_interrupt interrupt = { VECTOR };
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, idles, idles_end);
	memcpy(t.mem + 0x3000, ends, ends_end - ends);
	*(uint16_t *)(t.mem + G_IDT + 16 * VECTOR) = 0x3000;
	t.mem[PLACE] = 0;
	ASSERT_EQ(1, vm_set_msr(&t, EOI, 0));
	ASSERT_EQ(1, vm_set_msr(&t, EOI, PLACE | 1));
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_INTERRUPT, &interrupt));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));	/* the handler's EOI */
	ASSERT_EQ(0, t.mem[PLACE]);
	vm_free(&t);
}

TEST(no_offer_if_another_interrupt_waits)
{
	struct test_vm t;

	with_handlers(&t, ends, ends_end - ends);
	ASSERT_EQ(1, vm_set_msr(&t, EOI, PLACE | 1));
	for (int i = 1; i <= 20; i++) {
		send(&t, VECTOR);
		send(&t, OTHER);
		for (int j = 0; j < 3; j++)
			ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		ASSERT_EQ(2 * i, vm_regs(&t).r8);
		ASSERT_FALSE(apic_any(&t, ISR));
		ASSERT_FALSE(apic_any(&t, IRR));
	}
	/* The first of two ends in the APIC, so that the second comes; that one need not. */
	ASSERT_LE(20, vm_regs(&t).r9);
	if (!test_on_kvm())
		ASSERT_GE(30, vm_regs(&t).r9);
	vm_free(&t);
}

TEST(an_offer_is_gone_after_an_exit)
{
	struct test_vm t;

	with_handlers(&t, ends_late, ends_late_end - ends_late);
	ASSERT_EQ(1, vm_set_msr(&t, EOI, PLACE | 1));
	for (int i = 1; i <= 10; i++) {
		send(&t, VECTOR);
		while (t.run->io.port != 0x11)
			ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		/* In the handler: the interrupt is in service, as a VMM that saves it must see. */
		ASSERT_TRUE(apic_any(&t, ISR));
		ASSERT_EQ(0, t.mem[PLACE] & 1);
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		ASSERT_EQ(i, vm_regs(&t).r8);
		ASSERT_EQ(i, vm_regs(&t).r9);
		ASSERT_FALSE(apic_any(&t, ISR));
	}
	vm_free(&t);
}

TEST(a_level_ends_in_the_apic)
{
	struct test_vm t;

	with_handlers(&t, ends, ends_end - ends);
	ASSERT_EQ(1, vm_set_msr(&t, EOI, PLACE | 1));
	irq_ioapic(&t, 20, VECTOR | IOAPIC_LEVEL);	/* no pin of the PIC */
	for (int i = 1; i <= 10; i++) {
		irq_line(&t, 20, 1);
		irq_line(&t, 20, 0);
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
		ASSERT_EQ(i, vm_regs(&t).r8);
		ASSERT_EQ(i, vm_regs(&t).r9);
		ASSERT_FALSE(apic_any(&t, ISR));
	}
	vm_free(&t);
}

TEST(places_where_no_offer_can_be_made)
{
	static const uint64_t nowhere[] = { G_HOLE, ~0ull << 12, G_SIZE };
	struct test_vm t;

	with_handlers(&t, ends, ends_end - ends);
	ASSERT_EQ(0, vm_set_msr(&t, EOI, PLACE | 3));
	for (int i = 0; i < 3; i++) {
		if (vm_set_msr(&t, EOI, nowhere[i] | 1) != 1)
			continue;	/* KVM wants memory there */
		ASSERT_TRUE(takes(&t, VECTOR));
		ASSERT_EQ(i + 1, vm_regs(&t).r9);
		ASSERT_FALSE(apic_any(&t, ISR));
	}
	vm_free(&t);
}

/* A page that the host has taken: it cannot be waited for at an entry. */
TEST(a_place_that_is_not_in_memory)
{
	struct test_vm t;

	with_handlers(&t, ends, ends_end - ends);
	ASSERT_EQ(1, vm_set_msr(&t, EOI, PLACE | 1));
	for (int i = 1; i <= 10; i++) {
		madvise(t.mem + G_DATA, 0x1000, MADV_DONTNEED);
		ASSERT_TRUE(takes(&t, VECTOR));
		ASSERT_EQ(i, vm_regs(&t).r8);
		ASSERT_FALSE(apic_any(&t, ISR));
	}
	vm_free(&t);
}

TEST_HARNESS_MAIN
