// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a write to an eventfd raises a GSI of the VM, until the eventfd is taken away again or
 * closed, or the VM's descriptor is; one with RESAMPLE stays high until the guest's EOI, which
 * the other eventfd hears of.
 */
#include "lib/irq.h"

#define GSI		30		/* a message to vCPU 0: VECTOR */
#define VECTOR		0x61
#define PIN		10		/* of the IOAPIC, level triggered: LEVEL_VECTOR */
#define LEVEL_VECTOR	0x71

static int new_eventfd(int count)
{
	return irq_must(eventfd(count, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
}

static int irqfd_call(struct test_vm *t, int fd, uint32_t gsi, uint32_t flags, int resamplefd)
{
	struct minikvm_irqfd args = { .fd = fd, .gsi = gsi, .flags = flags,
				      .resamplefd = resamplefd };

	return ioctl(t->vm, MINIKVM_IRQFD, &args) ? -errno : 0;
}

static int assign(struct test_vm *t, int fd, uint32_t gsi)
{
	return irqfd_call(t, fd, gsi, 0, 0);
}

static int deassign(struct test_vm *t, int fd, uint32_t gsi)
{
	return irqfd_call(t, fd, gsi, MINIKVM_IRQFD_FLAG_DEASSIGN, 0);
}

static int assign_resampling(struct test_vm *t, int fd, uint32_t gsi, int resamplefd)
{
	return irqfd_call(t, fd, gsi, MINIKVM_IRQFD_FLAG_RESAMPLE, resamplefd);
}

/* KVM has a thread of the kernel raise a pin. */
static void raise_fd(int fd)
{
	eventfd_write(fd, 1);
	if (test_on_kvm())
		usleep(20000);
}

/* How often an eventfd was signalled since; it is 0 afterwards. */
static int count_of(int fd)
{
	eventfd_t n;

	return eventfd_read(fd, &n) ? 0 : n;
}

/* PIN is level triggered there, too; and the local APIC lets the PIC through. */
static void program_pic(struct test_vm *t, uint8_t mask)
{
	struct minikvm_irqchip chip = { .chip_id = MINIKVM_IRQCHIP_PIC_SLAVE };
	struct minikvm_lapic_state l;
	int i;

	for (i = 0; i < 2; i++) {
		chip.chip_id = i;
		irq_must(ioctl(t->vm, MINIKVM_GET_IRQCHIP, &chip), "GET_IRQCHIP");
		chip.chip.pic.irq_base = 0x80 + 8 * i;
		chip.chip.pic.imr = mask;
		chip.chip.pic.elcr = i ? 1 << (PIN - 8) : 0;
		irq_must(ioctl(t->vm, MINIKVM_SET_IRQCHIP, &chip), "SET_IRQCHIP");
	}
	irq_must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*(uint32_t *)&l.regs[0x350] = 0x700;
	irq_must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
}

FIXTURE(irqfd) {
	struct test_vm t;
	int fd, other, resamplefd;
};

FIXTURE_SETUP(irqfd)
{
	irq_make(&self->t);
	program_pic(&self->t, 0xff);
	irq_ioapic(&self->t, PIN, IOAPIC_LEVEL | LEVEL_VECTOR);
	irq_table.e[0] = irq_to_msi(GSI, 0, VECTOR);
	irq_table.e[1] = irq_to_msi(GSI + 1, 0, VECTOR + 1);
	irq_table.e[2] = irq_to_pin(PIN, MINIKVM_IRQCHIP_IOAPIC, PIN);
	irq_table.e[3] = irq_to_pin(PIN, MINIKVM_IRQCHIP_PIC_SLAVE, PIN - 8);
	ASSERT_EQ(0, irq_route(&self->t, 4));
	self->fd = new_eventfd(0);
	self->other = new_eventfd(0);
	self->resamplefd = new_eventfd(0);
}

FIXTURE_TEARDOWN(irqfd)
{
	vm_free(&self->t);
	close(self->fd);
	close(self->other);
	close(self->resamplefd);
}

TEST_F(irqfd, capabilities)
{
	ASSERT_EQ(1, irq_cap(&self->t, MINIKVM_CAP_IRQFD));
	ASSERT_EQ(1, irq_cap(&self->t, MINIKVM_CAP_IRQFD_RESAMPLE));
}

TEST_F(irqfd, a_write_is_an_interrupt)
{
	int i;

	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	for (i = 0; i < 3; i++) {
		raise_fd(self->fd);
		ASSERT_EQ(VECTOR, irq_next(&self->t));
		ASSERT_EQ(NO_IRQ, irq_next(&self->t));
		ASSERT_EQ(0, count_of(self->fd));	/* it was taken */
	}
}

TEST_F(irqfd, two_of_them)
{
	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	ASSERT_EQ(0, assign(&self->t, self->other, GSI + 1));
	raise_fd(self->fd);
	raise_fd(self->other);
	ASSERT_EQ(VECTOR + 1, irq_next(&self->t));
	ASSERT_EQ(VECTOR, irq_next(&self->t));
	ASSERT_EQ(0, deassign(&self->t, self->fd, GSI));
	raise_fd(self->fd);
	raise_fd(self->other);
	ASSERT_EQ(VECTOR + 1, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
}

TEST_F(irqfd, an_edge_of_a_pin)
{
	irq_ioapic(&self->t, PIN, LEVEL_VECTOR);
	ASSERT_EQ(0, assign(&self->t, self->fd, PIN));
	raise_fd(self->fd);
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	raise_fd(self->fd);
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
}

TEST_F(irqfd, a_write_from_before_is_not_missed)
{
	raise_fd(self->fd);
	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	usleep(20000);		/* likewise */
	ASSERT_EQ(VECTOR, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
}

TEST_F(irqfd, it_follows_the_routing)
{
	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	ASSERT_EQ(0, irq_route_one(&self->t, irq_to_msi(GSI, 0, VECTOR + 4)));
	raise_fd(self->fd);
	ASSERT_EQ(VECTOR + 4, irq_next(&self->t));
	ASSERT_EQ(0, irq_route(&self->t, 0));
	raise_fd(self->fd);
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
}

TEST_F(irqfd, deassign)
{
	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	ASSERT_EQ(0, deassign(&self->t, self->fd, GSI + 1));	/* another one's */
	raise_fd(self->fd);
	ASSERT_EQ(VECTOR, irq_next(&self->t));
	ASSERT_EQ(0, deassign(&self->t, self->fd, GSI));
	raise_fd(self->fd);
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	ASSERT_EQ(1, count_of(self->fd));
	ASSERT_EQ(0, deassign(&self->t, self->fd, GSI));	/* there is none */
	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	raise_fd(self->fd);
	ASSERT_EQ(VECTOR, irq_next(&self->t));
}

TEST_F(irqfd, refusals)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct test_vm bare;

	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	ASSERT_EQ(-EBUSY, assign(&self->t, self->fd, GSI));
	ASSERT_EQ(-EBUSY, assign(&self->t, self->fd, GSI + 1));
	ASSERT_EQ(-EBUSY, assign_resampling(&self->t, self->fd, PIN, self->resamplefd));
	ASSERT_EQ(-EBADF, assign(&self->t, -1, GSI));
	ASSERT_EQ(-EBADF, assign(&self->t, 999, GSI));
	ASSERT_EQ(-EINVAL, assign(&self->t, file, GSI));
	ASSERT_EQ(-EBADF, assign_resampling(&self->t, self->other, PIN, 999));
	ASSERT_EQ(-EINVAL, assign_resampling(&self->t, self->other, PIN, file));
	ASSERT_EQ(-EINVAL, irqfd_call(&self->t, self->other, GSI, 4, 0));
	ASSERT_EQ(-EBADF, deassign(&self->t, 999, GSI));
	ASSERT_EQ(-EINVAL, deassign(&self->t, file, GSI));
	ASSERT_EQ(0, assign(&self->t, self->other, ~0));	/* leads nowhere */
	raise_fd(self->other);
	raise_fd(self->fd);
	ASSERT_EQ(VECTOR, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	vm_make(&bare, false);
	ASSERT_EQ(-EINVAL, assign(&bare, self->fd, 0));
	ASSERT_EQ(0, deassign(&bare, self->fd, 0));
	vm_free(&bare);
	close(file);
}

TEST_F(irqfd, a_closed_one_is_gone)
{
	int i, fd;

	for (i = 0; i < 20; i++) {
		fd = new_eventfd(0);
		ASSERT_EQ(0, assign(&self->t, fd, GSI));
		raise_fd(fd);
		ASSERT_EQ(VECTOR, irq_next(&self->t));
		close(fd);
	}
	fd = new_eventfd(0);
	ASSERT_EQ(0, assign_resampling(&self->t, fd, PIN, self->resamplefd));
	raise_fd(fd);
	close(fd);
	usleep(20000);
	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));
	ASSERT_EQ(0, deassign(&self->t, self->fd, GSI));	/* by now it has let go of the line */
	while (irq_next(&self->t) == LEVEL_VECTOR)
		i++;
	ASSERT_GE(21, i);
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
}

TEST_F(irqfd, it_goes_with_the_descriptor_of_the_vm)
{
	struct test_vm u;

	irq_make(&u);
	ASSERT_EQ(0, irq_route_one(&u, irq_to_msi(GSI, 0, VECTOR)));
	ASSERT_EQ(0, assign(&u, self->fd, GSI));
	ASSERT_EQ(0, assign_resampling(&u, self->other, PIN, self->resamplefd));
	raise_fd(self->fd);
	ASSERT_EQ(VECTOR, irq_next(&u));
	close(u.vm);
	raise_fd(self->fd);
	raise_fd(self->other);
	ASSERT_EQ(NO_IRQ, irq_next(&u));
	ASSERT_EQ(1, count_of(self->fd));
	u.vm = dup(u.dev);
	vm_free(&u);
	ASSERT_EQ(0, assign(&self->t, self->fd, GSI));	/* in another VM */
}

TEST_F(irqfd, a_resampled_line_is_high_until_the_eoi)
{
	int i;

	ASSERT_EQ(0, assign_resampling(&self->t, self->fd, PIN, self->resamplefd));
	for (i = 0; i < 3; i++) {
		raise_fd(self->fd);
		ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
		ASSERT_EQ(0, count_of(self->resamplefd));
		ASSERT_EQ(NO_IRQ, irq_next(&self->t));	/* after the EOI: low */
		ASSERT_EQ(1, count_of(self->resamplefd));
	}
	raise_fd(self->fd);
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	raise_fd(self->fd);			/* is high already */
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	ASSERT_EQ(1, count_of(self->resamplefd));
	ASSERT_EQ(0, deassign(&self->t, self->fd, PIN));
}

TEST_F(irqfd, devices_share_a_resampled_line)
{
	int second = new_eventfd(0);

	ASSERT_EQ(0, assign_resampling(&self->t, self->fd, PIN, self->resamplefd));
	ASSERT_EQ(0, assign_resampling(&self->t, self->other, PIN, second));
	raise_fd(self->other);
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	ASSERT_EQ(1, count_of(self->resamplefd));
	ASSERT_EQ(1, count_of(second));
	ASSERT_EQ(0, deassign(&self->t, self->other, PIN));
	raise_fd(self->fd);
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	ASSERT_EQ(1, count_of(self->resamplefd));
	ASSERT_EQ(0, count_of(second));
	close(second);
}

/* LEVEL_VECTOR's entry is not masked any more. */
GUEST64(unmask, "mov $0xfec00000, %ebx; movl $0x24, (%rbx); movl $0x8071, 0x10(%rbx); sti;"
	"1: out %al, $0x10; jmp 1b");

/* A device that the guest acknowledged meanwhile has no line of its own to say so. */
TEST_F(irqfd, unmasking_asks_who_resamples)
{
	ASSERT_EQ(0, assign_resampling(&self->t, self->fd, PIN, self->resamplefd));
	irq_ioapic(&self->t, PIN, IOAPIC_MASKED | IOAPIC_LEVEL | LEVEL_VECTOR);
	raise_fd(self->fd);
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	ASSERT_EQ(0, count_of(self->resamplefd));
	guest_long(&self->t, unmask, unmask_end);
	irq_stubs(&self->t);
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	ASSERT_EQ(1, count_of(self->resamplefd));
	raise_fd(self->fd);			/* it still wants the interrupt */
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	ASSERT_EQ(1, count_of(self->resamplefd));
}

/* The VMM's level is its own: neither the EOI nor the irqfd's end lowers it. */
TEST_F(irqfd, the_vmm_shares_a_resampled_line)
{
	ASSERT_EQ(0, assign_resampling(&self->t, self->fd, PIN, self->resamplefd));
	irq_line(&self->t, PIN, 1);
	raise_fd(self->fd);
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	ASSERT_EQ(1, count_of(self->resamplefd));
	irq_line(&self->t, PIN, 0);
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
	raise_fd(self->fd);
	irq_line(&self->t, PIN, 1);
	irq_line(&self->t, PIN, 0);
	ASSERT_EQ(LEVEL_VECTOR, irq_next(&self->t));
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
}

TEST_F(irqfd, the_last_one_leaves_the_line_low)
{
	irq_ioapic(&self->t, PIN, IOAPIC_MASKED | IOAPIC_LEVEL | LEVEL_VECTOR);
	ASSERT_EQ(0, assign_resampling(&self->t, self->fd, PIN, self->resamplefd));
	raise_fd(self->fd);
	ASSERT_EQ(0, deassign(&self->t, self->fd, PIN));
	irq_ioapic(&self->t, PIN, IOAPIC_LEVEL | LEVEL_VECTOR);
	ASSERT_EQ(NO_IRQ, irq_next(&self->t));
}

/* A device that always wants one: its owner is the kernel. Each EOI brings the next. */
TEST_F(irqfd, who_resamples_may_raise_the_line_again)
{
	int i;

	ASSERT_EQ(0, assign_resampling(&self->t, self->fd, PIN, self->fd));
	raise_fd(self->fd);
	for (i = 0; i < 5; i++) {
		int irq = NO_IRQ, tries = 0;

		while (irq == NO_IRQ && tries++ < (test_on_kvm() ? 10000 : 1))
			irq = irq_next(&self->t);
		ASSERT_EQ(LEVEL_VECTOR, irq);
	}
}

TEST_F(irqfd, the_pic_resamples_too)
{
	int i;

	irq_ioapic(&self->t, PIN, IOAPIC_MASKED);
	program_pic(&self->t, 0);
	ASSERT_EQ(0, assign_resampling(&self->t, self->fd, PIN, self->resamplefd));
	for (i = 0; i < 3; i++) {
		raise_fd(self->fd);
		ASSERT_EQ(0x80 + PIN, irq_next(&self->t));
		ASSERT_EQ(0, count_of(self->resamplefd));
		ASSERT_EQ(NO_IRQ, irq_next(&self->t));
		ASSERT_EQ(1, count_of(self->resamplefd));
	}
}

TEST_HARNESS_MAIN
