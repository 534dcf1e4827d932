// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a GSI leads where SET_GSI_ROUTING has it lead, from the moment when the ioctl returns:
 * to pins, or as a message; a table that cannot be is refused and changes nothing; and
 * SIGNAL_MSI delivers what a route would.
 */
#include "lib/irq.h"

#define MASTER	MINIKVM_IRQCHIP_PIC_MASTER
#define SLAVE	MINIKVM_IRQCHIP_PIC_SLAVE
#define IOAPIC	MINIKVM_IRQCHIP_IOAPIC

/* Returns what the ioctl does, or -errno. */
static int signal_msi(struct test_vm *t, uint64_t address, uint32_t data, uint32_t flags)
{
	struct minikvm_msi msi = {
		.address_lo = address, .address_hi = address >> 32, .data = data, .flags = flags,
		.devid = 0xdeadbeef,
	};
	int ret = ioctl(t->vm, MINIKVM_SIGNAL_MSI, &msi);

	return ret < 0 ? -errno : ret;
}

static int enable_x2apic_api(struct test_vm *t, uint64_t flags)
{
	struct minikvm_enable_cap cap = { .cap = MINIKVM_CAP_X2APIC_API, .args = { flags } };

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &cap) ? -errno : 0;
}

TEST(capabilities)
{
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(4096, irq_cap(&t, MINIKVM_CAP_IRQ_ROUTING));
	ASSERT_EQ(1, irq_cap(&t, MINIKVM_CAP_SIGNAL_MSI));
	ASSERT_EQ(3, irq_cap(&t, MINIKVM_CAP_X2APIC_API));
	ASSERT_EQ(1, irq_cap(&t, MINIKVM_CAP_ENABLE_CAP_VM));
	vm_free(&t);
}

TEST(a_vm_begins_with_the_routing_of_a_pc)
{
	struct test_vm t;

	irq_make(&t);
	irq_ioapic(&t, 20, 0x51);
	ASSERT_EQ(1, irq_line(&t, 20, 1));
	ASSERT_EQ(0x51, irq_next(&t));
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	ASSERT_EQ(-1, irq_line(&t, 24, 1));
	ASSERT_EQ(-1, irq_line(&t, ~0, 1));
	vm_free(&t);
}

TEST(a_gsi_leads_to_another_pin)
{
	struct test_vm t;

	irq_make(&t);
	irq_ioapic(&t, 2, 0x52);
	irq_ioapic(&t, 20, 0x53);
	irq_table.e[0] = irq_to_pin(0, IOAPIC, 2);
	irq_table.e[1] = irq_to_pin(4095, IOAPIC, 20);
	ASSERT_EQ(0, irq_route(&t, 2));
	ASSERT_EQ(1, irq_line(&t, 0, 1));
	ASSERT_EQ(0x52, irq_next(&t));
	ASSERT_EQ(1, irq_line(&t, 4095, 1));
	ASSERT_EQ(0x53, irq_next(&t));
	ASSERT_EQ(-1, irq_line(&t, 20, 0));
	ASSERT_EQ(0, irq_route(&t, 0));
	ASSERT_EQ(-1, irq_line(&t, 0, 1));
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	vm_free(&t);
}

TEST(a_line_may_lead_to_a_pin_of_each_chip)
{
	struct test_vm t;

	irq_make(&t);
	irq_table.e[0] = irq_to_pin(7, MASTER, 4);
	irq_table.e[1] = irq_to_pin(7, SLAVE, 3);
	irq_table.e[2] = irq_to_pin(7, IOAPIC, 5);
	ASSERT_EQ(0, irq_route(&t, 3));
	irq_ioapic(&t, 5, 0x54);
	ASSERT_EQ(3, irq_line(&t, 7, 1));
	vm_free(&t);
}

TEST(a_line_that_leads_to_a_message_sends_one_when_it_is_high)
{
	struct test_vm t;

	irq_make(&t);
	ASSERT_EQ(0, irq_route_one(&t, irq_to_msi(30, 0, 0x61)));
	ASSERT_EQ(-1, irq_line(&t, 30, 0));
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	ASSERT_EQ(1, irq_line(&t, 30, 1));
	ASSERT_EQ(0x61, irq_next(&t));
	ASSERT_EQ(1, irq_line(&t, 30, 1));	/* without having been low */
	ASSERT_EQ(0x61, irq_next(&t));
	ASSERT_EQ(0, irq_route_one(&t, irq_to_msi(30, 0, 0x62)));
	ASSERT_EQ(1, irq_line(&t, 30, 1));
	ASSERT_EQ(0x62, irq_next(&t));
	vm_free(&t);
}

/* Each with a good entry before it, of which nothing may be seen. */
TEST(what_cannot_be_is_refused_and_changes_nothing)
{
	struct minikvm_irq_routing_entry msi = irq_to_msi(9, 0, 0x61), flagged = msi, pin;
	struct minikvm_irq_routing_entry bad[] = {
		irq_to_pin(5, MASTER, 8), irq_to_pin(5, SLAVE, 8), irq_to_pin(5, IOAPIC, 24),
		irq_to_pin(5, IOAPIC, ~0), irq_to_pin(5, 3, 0), irq_to_pin(4096, IOAPIC, 1),
		irq_to_pin(~0, IOAPIC, 1), irq_to_pin(8, IOAPIC, 7), msi, flagged, flagged,
	};
	struct test_vm t;
	size_t i;

	bad[8].gsi = 8;			/* a pin and a message */
	bad[9].flags = 2;
	bad[10].type = 7;
	irq_make(&t);
	irq_ioapic(&t, 20, 0x51);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		irq_table.e[0] = irq_to_pin(8, IOAPIC, 20);
		irq_table.e[1] = bad[i];
		ASSERT_EQ(-EINVAL, irq_route(&t, 2)) TH_LOG("entry %zu", i);
	}
	pin = irq_to_pin(5, IOAPIC, 5);
	pin.flags = MINIKVM_MSI_VALID_DEVID;
	ASSERT_EQ(-EINVAL, irq_route_one(&t, pin));
	irq_table.e[0] = irq_table.e[1] = msi;
	ASSERT_EQ(-EINVAL, irq_route(&t, 2));
	ASSERT_EQ(-EINVAL, irq_route(&t, 4097));
	ASSERT_EQ(-EINVAL, irq_route(&t, ~0));
	irq_table.head.flags = 1;
	ASSERT_EQ(-EINVAL, irq_route(&t, 1));
	irq_table.head.flags = 0;
	ASSERT_EQ(2, irq_line(&t, 8, 0));	/* two pins, as in the beginning */
	ASSERT_EQ(1, irq_line(&t, 20, 1));
	ASSERT_EQ(0x51, irq_next(&t));
	vm_free(&t);
}

TEST(all_gsis_at_once)
{
	struct test_vm t;
	int i;

	irq_make(&t);
	for (i = 0; i < 4096; i++)
		irq_table.e[i] = irq_to_msi(4095 - i, 0, 0x40 + i % 64);
	ASSERT_EQ(0, irq_route(&t, 4096));
	ASSERT_EQ(1, irq_line(&t, 0, 1));
	ASSERT_EQ(0x40 + 4095 % 64, irq_next(&t));
	ASSERT_EQ(1, irq_line(&t, 4095, 1));
	ASSERT_EQ(0x40, irq_next(&t));
	vm_free(&t);
}

TEST(without_chips_there_is_nothing_to_route)
{
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(-EINVAL, irq_route(&t, 0));
	ASSERT_EQ(-EINVAL, signal_msi(&t, 0xfee00000, 0x61, 0));
	vm_free(&t);
}

TEST(a_table_that_cannot_be_read)
{
	long page = sysconf(_SC_PAGESIZE);
	struct minikvm_irq_routing *head;
	struct test_vm t;
	uint8_t *mem;

	irq_make(&t);
	mem = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, mem);
	ASSERT_EQ(0, munmap(mem + page, page));
	head = (void *)(mem + page - 8 - 48);
	head->nr = 1;
	head->entries[0] = irq_to_msi(30, 0, 0x61);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_GSI_ROUTING, head));
	head->nr = 2;
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_SET_GSI_ROUTING, head));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(1, irq_line(&t, 30, 1));
	vm_free(&t);
	munmap(mem, page);
}

TEST(a_message_of_the_vmm)
{
	struct test_vm t;

	irq_make(&t);
	ASSERT_EQ(1, signal_msi(&t, 0xfee00000, 0x61, 0));
	ASSERT_EQ(0x61, irq_next(&t));
	ASSERT_EQ(1, signal_msi(&t, 0xfee00000, 0x62, MINIKVM_MSI_VALID_DEVID));
	ASSERT_EQ(0x62, irq_next(&t));
	ASSERT_EQ(1, signal_msi(&t, 0xfeeff000, 0x63, 0));	/* everybody */
	ASSERT_EQ(0x63, irq_next(&t));
	ASSERT_EQ(-EINVAL, signal_msi(&t, 0xfee00000, 0x61, 2));
	ASSERT_EQ(0, signal_msi(&t, 0xfee05000, 0x61, 0));	/* nobody */
	ASSERT_EQ(NO_IRQ, irq_next(&t));
	vm_free(&t);
	vm_make(&t, true);					/* its APIC is not enabled */
	ASSERT_EQ(0, signal_msi(&t, 0xfee00000, 0x61, 0));
	vm_free(&t);
}

static void to_x2apic(struct test_vm *t)
{
	struct minikvm_sregs s = vm_sregs(t);

	s.apic_base |= 1 << 10;
	irq_must(ioctl(t->vcpu, MINIKVM_SET_SREGS, &s), "SET_SREGS");
}

TEST(ids_of_32_bits)
{
	struct minikvm_lapic_state l;
	struct test_vm t, u;

	irq_make(&t);
	u = vm_add_vcpu(&t, 3);
	to_x2apic(&u);
	irq_enable_apic(&u);
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(3 << 24, *(uint32_t *)&l.regs[0x20]);
	ASSERT_EQ(1, signal_msi(&t, 0x7700fee03000, 0x61, 0));
	ASSERT_EQ(0, irq_route_one(&t, (struct minikvm_irq_routing_entry) {
		.gsi = 30, .type = MINIKVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = 0xfee03000, .address_hi = 1, .data = 0x61 } }));
	ASSERT_EQ(1, irq_line(&t, 30, 1));

	ASSERT_EQ(-EINVAL, enable_x2apic_api(&t, 4));
	ASSERT_EQ(-EINVAL, enable_x2apic_api(&t, 1ull << 32 | 1));
	ASSERT_EQ(0, enable_x2apic_api(&t, 0));
	ASSERT_EQ(0, enable_x2apic_api(&t, MINIKVM_X2APIC_API_USE_32BIT_IDS));
	ASSERT_EQ(-1, irq_line(&t, 30, 1));		/* not a message any more */
	ASSERT_EQ(-EINVAL, irq_route(&t, 1));
	ASSERT_EQ(-EINVAL, signal_msi(&t, 0x1fee03000, 0x61, 0));
	ASSERT_EQ(0, signal_msi(&t, 0x7700fee03000, 0x61, 0));	/* to 0x7703 */
	ASSERT_EQ(1, signal_msi(&t, 0xfee03000, 0x61, 0));
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_GET_LAPIC, &l));
	ASSERT_EQ(3, *(uint32_t *)&l.regs[0x20]);
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_SET_LAPIC, &l));
	*(uint32_t *)&l.regs[0x20] = 3 << 24;
	ASSERT_EQ(-1, ioctl(u.vcpu, MINIKVM_SET_LAPIC, &l));
	ASSERT_EQ(EINVAL, errno);
	vm_free_vcpu(&u);
	vm_free(&t);
}

TEST(broadcast_is_an_id_if_the_vmm_wants_it)
{
	struct test_vm t, u;

	irq_make(&t);
	u = vm_add_vcpu(&t, 1);
	to_x2apic(&t);
	to_x2apic(&u);
	irq_enable_apic(&u);
	ASSERT_EQ(2, signal_msi(&t, 0xfeeff000, 0x61, 0));
	ASSERT_EQ(0, enable_x2apic_api(&t, MINIKVM_X2APIC_API_DISABLE_BROADCAST_QUIRK));
	ASSERT_EQ(0, signal_msi(&t, 0xfeeff000, 0x61, 0));
	ASSERT_EQ(0, enable_x2apic_api(&t, MINIKVM_X2APIC_API_USE_32BIT_IDS));
	ASSERT_EQ(0, signal_msi(&t, 0xfeeff000, 0x61, 0));
	ASSERT_EQ(2, signal_msi(&t, 0xffffff00feeff000, 0x61, 0));
	vm_free_vcpu(&u);
	vm_free(&t);
}

TEST(other_capabilities_cannot_be_enabled)
{
	struct minikvm_enable_cap cap = { .cap = MINIKVM_CAP_IRQCHIP };
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_ENABLE_CAP, &cap));
	ASSERT_EQ(EINVAL, errno);
	cap = (struct minikvm_enable_cap) { .cap = MINIKVM_CAP_X2APIC_API, .flags = 1 };
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_ENABLE_CAP, &cap));
	ASSERT_EQ(EINVAL, errno);
	vm_free(&t);
}

TEST_HARNESS_MAIN
