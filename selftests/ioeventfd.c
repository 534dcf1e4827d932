// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a guest's write to a port or a device's memory that the VMM has given to an eventfd
 * signals that and makes no exit; every other access comes to the VMM as before.
 */
#include "lib/irq.h"

#define PIO	MINIKVM_IOEVENTFD_FLAG_PIO
#define MATCH	MINIKVM_IOEVENTFD_FLAG_DATAMATCH
#define DEASSIGN MINIKVM_IOEVENTFD_FLAG_DEASSIGN
#define PORT	0x510
#define ADDR	(G_HOLE + 0x50)

/* Accesses, and after each an OUT to 0x11 that says that it is over. */
#define TELL	"out %al, $0x11;"
GUEST64(outs, "mov $0x510, %edx; mov $0x1234, %eax; out %al, %dx;" TELL "out %ax, %dx;" TELL
	"out %eax, %dx;" TELL "in %dx, %al;" TELL "hlt");
GUEST64(stores, "mov $0xd0000050, %ebx; mov $0x1234, %eax; mov %al, (%rbx);" TELL
	"mov %ax, (%rbx);" TELL "mov %eax, (%rbx);" TELL "mov %rax, (%rbx);" TELL
	"mov (%rbx), %ecx;" TELL "hlt");
/* By ways that are not a plain move: strings, an immediate, a non-temporal one. */
GUEST64(others, "mov $0xd0000050, %ebx; mov $0x40000, %esi; mov %ebx, %edi; movsl;" TELL
	"mov %ebx, %edi; mov $2, %ecx; mov $7, %eax; rep stosl;" TELL
	"movl $3, (%rbx);" TELL "movnti %eax, (%rbx);" TELL "hlt");
GUEST64(wide, "mov $0xd0000050, %ebx; movaps %xmm0, (%rbx);" TELL "movaps %xmm0, (%rbx);" TELL "hlt");
GUEST64(string_out, "mov $0x510, %edx; mov $0x40000, %esi; mov $3, %ecx; rep outsb;" TELL "hlt");
GUEST64(many, "mov $0x510, %edx; mov $0xd0000050, %ebx; mov $1000, %ecx; 1: out %al, %dx;"
	"mov %eax, (%rbx); dec %ecx; jnz 1b;" TELL "hlt");

static int set(struct test_vm *t, int fd, uint64_t addr, uint32_t len, uint32_t flags,
	       uint64_t match)
{
	struct minikvm_ioeventfd args = { .datamatch = match, .addr = addr, .len = len,
					  .fd = fd, .flags = flags };

	return ioctl(t->vm, MINIKVM_IOEVENTFD, &args) ? -errno : 0;
}

static int count_of(int fd)
{
	eventfd_t n;

	return eventfd_read(fd, &n) ? 0 : n;
}

FIXTURE(ioeventfd) {
	struct test_vm t;
	int fd, other;
};
FIXTURE_VARIANT(ioeventfd) { bool chips; };
FIXTURE_VARIANT_ADD(ioeventfd, chips) { .chips = true };
FIXTURE_VARIANT_ADD(ioeventfd, no_chips) { .chips = false };

FIXTURE_SETUP(ioeventfd)
{
	vm_make(&self->t, variant->chips);
	self->fd = irq_must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
	self->other = irq_must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
}

FIXTURE_TEARDOWN(ioeventfd)
{
	vm_free(&self->t);
	close(self->fd);
	close(self->other);
}

/* An access has been signalled, @n times, without an exit. */
#define EXPECT_SIGNAL(n) do {						\
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&self->t));			\
	ASSERT_EQ(0x11, self->t.run->io.port);				\
	ASSERT_EQ(n, count_of(self->fd));				\
	ASSERT_EQ(0, count_of(self->other));				\
} while (0)

/* An access came to the VMM; then the guest says that it is over. */
#define EXPECT_EXIT(what) do {						\
	ASSERT_EQ(what, vm_run(&self->t));				\
	if ((what) == MINIKVM_EXIT_IO)					\
		ASSERT_EQ(PORT, self->t.run->io.port);			\
	ASSERT_EQ(0, count_of(self->fd));				\
	EXPECT_SIGNAL(0);						\
} while (0)

TEST_F(ioeventfd, capabilities)
{
	ASSERT_EQ(1, irq_cap(&self->t, MINIKVM_CAP_IOEVENTFD));
	ASSERT_EQ(1, irq_cap(&self->t, MINIKVM_CAP_IOEVENTFD_NO_LENGTH));
	ASSERT_EQ(1, irq_cap(&self->t, MINIKVM_CAP_IOEVENTFD_ANY_LENGTH));
}

TEST_F(ioeventfd, a_port_of_one_length)
{
	guest_long(&self->t, outs, outs_end);
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 2, PIO, 0));
	EXPECT_EXIT(MINIKVM_EXIT_IO);
	EXPECT_SIGNAL(1);
	EXPECT_EXIT(MINIKVM_EXIT_IO);
	EXPECT_EXIT(MINIKVM_EXIT_IO);		/* IN */
}

TEST_F(ioeventfd, a_port_of_any_length)
{
	guest_long(&self->t, outs, outs_end);
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 0, PIO, 0));
	EXPECT_SIGNAL(1);
	EXPECT_SIGNAL(1);
	EXPECT_SIGNAL(1);
	EXPECT_EXIT(MINIKVM_EXIT_IO);
}

TEST_F(ioeventfd, values_of_a_port)
{
	guest_long(&self->t, outs, outs_end);
	ASSERT_EQ(0, set(&self->t, self->other, PORT, 1, PIO | MATCH, 0x35));
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 1, PIO | MATCH, 0x34));
	ASSERT_EQ(0, set(&self->t, self->other, PORT, 2, PIO | MATCH, 0x34));
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 4, PIO | MATCH, 0x1234));
	EXPECT_SIGNAL(1);
	EXPECT_EXIT(MINIKVM_EXIT_IO);
	EXPECT_SIGNAL(1);
}

TEST_F(ioeventfd, memory_of_one_length)
{
	guest_long(&self->t, stores, stores_end);
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 4, 0, 0));
	ASSERT_EQ(0, set(&self->t, self->other, ADDR, 4, PIO, 0));	/* another address */
	EXPECT_EXIT(MINIKVM_EXIT_MMIO);
	EXPECT_EXIT(MINIKVM_EXIT_MMIO);
	EXPECT_SIGNAL(1);
	EXPECT_EXIT(MINIKVM_EXIT_MMIO);
	EXPECT_EXIT(MINIKVM_EXIT_MMIO);		/* a read */
}

TEST_F(ioeventfd, memory_of_any_length)
{
	guest_long(&self->t, stores, stores_end);
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 0, 0, 0));
	EXPECT_SIGNAL(1);
	EXPECT_SIGNAL(1);
	EXPECT_SIGNAL(1);
	EXPECT_SIGNAL(1);
}

TEST_F(ioeventfd, values_of_memory)
{
	guest_long(&self->t, stores, stores_end);
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 8, MATCH, 0x1234));
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 2, MATCH, 0x1234));
	ASSERT_EQ(0, set(&self->t, self->other, ADDR, 4, MATCH, 0x100001234));
	EXPECT_EXIT(MINIKVM_EXIT_MMIO);
	EXPECT_SIGNAL(1);
	EXPECT_EXIT(MINIKVM_EXIT_MMIO);
	EXPECT_SIGNAL(1);
}

/* With length 0 KVM takes a REP for one write. */
TEST_F(ioeventfd, every_kind_of_store)
{
	guest_long(&self->t, others, others_end);
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 4, 0, 0));
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR + 4, 4, MATCH, 7));
	EXPECT_SIGNAL(1);
	EXPECT_SIGNAL(2);
	EXPECT_SIGNAL(1);
	EXPECT_SIGNAL(1);
}

/* One that the processor itself carries out: its bytes come in eights. */
TEST_F(ioeventfd, a_wide_store)
{
	if (test_on_kvm())
		SKIP(return, "on KVM such a store is an exit");
	guest_long(&self->t, wide, wide_end);
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 8, 0, 0));
	ASSERT_EQ(0, set(&self->t, self->other, ADDR + 8, 0, 0, 0));
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&self->t));
	ASSERT_EQ(1, count_of(self->fd));
	ASSERT_EQ(1, count_of(self->other));
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 8, DEASSIGN, 0));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&self->t));
	ASSERT_EQ(ADDR, self->t.run->mmio.phys_addr);
	ASSERT_EQ(8, self->t.run->mmio.len);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&self->t));
	ASSERT_EQ(1, count_of(self->other));
}

TEST_F(ioeventfd, string_output)
{
	guest_long(&self->t, string_out, string_out_end);
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 1, PIO, 0));
	EXPECT_SIGNAL(3);
}

TEST_F(ioeventfd, a_thousand_writes_and_no_exit)
{
	guest_long(&self->t, many, many_end);
	ASSERT_EQ(0, set(&self->t, self->fd, ADDR, 4, 0, 0));
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 1, PIO, 0));
	EXPECT_SIGNAL(2000);
}

TEST_F(ioeventfd, two_that_a_write_would_mean)
{
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 2, PIO | MATCH, 5));
	ASSERT_EQ(-EEXIST, set(&self->t, self->fd, PORT, 2, PIO | MATCH, 5));
	ASSERT_EQ(-EEXIST, set(&self->t, self->other, PORT, 2, PIO | MATCH, 5));
	ASSERT_EQ(-EEXIST, set(&self->t, self->other, PORT, 2, PIO, 0));
	ASSERT_EQ(-EEXIST, set(&self->t, self->other, PORT, 0, PIO, 0));
	ASSERT_EQ(0, set(&self->t, self->other, PORT, 2, PIO | MATCH, 6));
	ASSERT_EQ(0, set(&self->t, self->other, PORT, 4, PIO, 0));
	ASSERT_EQ(0, set(&self->t, self->other, PORT, 2, 0, 0));
	ASSERT_EQ(0, set(&self->t, self->other, PORT + 1, 0, PIO, 0));
	ASSERT_EQ(-EEXIST, set(&self->t, self->other, PORT + 1, 1, PIO | MATCH, 0));
}

TEST_F(ioeventfd, refusals)
{
	int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	static const uint32_t lengths[] = { 3, 5, 6, 7, 9, 16, 256, 0x80000000, ~0 };
	size_t i;

	for (i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++)
		ASSERT_EQ(-EINVAL, set(&self->t, self->fd, ADDR, lengths[i], 0, 0));
	ASSERT_EQ(-EINVAL, set(&self->t, self->fd, ~0ull - 3, 8, 0, 0));
	ASSERT_EQ(0, set(&self->t, self->fd, ~0ull - 8, 8, 0, 0));
	ASSERT_EQ(-EINVAL, set(&self->t, self->fd, ADDR, 0, MATCH, 0));
	ASSERT_EQ(-EINVAL, set(&self->t, self->fd, ADDR, 4, 1 << 5, 0));
	ASSERT_EQ(-EBADF, set(&self->t, -1, ADDR, 4, 0, 0));
	ASSERT_EQ(-EBADF, set(&self->t, 999, ADDR, 4, 0, 0));
	ASSERT_EQ(-EINVAL, set(&self->t, file, ADDR, 4, 0, 0));
	close(file);
}

TEST_F(ioeventfd, deassign)
{
	guest_long(&self->t, outs, outs_end);
	ASSERT_EQ(-ENOENT, set(&self->t, self->fd, PORT, 1, PIO | DEASSIGN, 0));
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 1, PIO | MATCH, 0x34));
	ASSERT_EQ(-ENOENT, set(&self->t, self->fd, PORT, 1, PIO | DEASSIGN, 0));
	ASSERT_EQ(-ENOENT, set(&self->t, self->fd, PORT, 1, MATCH | DEASSIGN, 0x34));
	ASSERT_EQ(-ENOENT, set(&self->t, self->fd, PORT, 2, PIO | MATCH | DEASSIGN, 0x34));
	ASSERT_EQ(-ENOENT, set(&self->t, self->fd, PORT, 1, PIO | MATCH | DEASSIGN, 0x35));
	ASSERT_EQ(-ENOENT, set(&self->t, self->fd, PORT + 1, 1, PIO | MATCH | DEASSIGN, 0x34));
	ASSERT_EQ(-ENOENT, set(&self->t, self->other, PORT, 1, PIO | MATCH | DEASSIGN, 0x34));
	ASSERT_EQ(-EBADF, set(&self->t, 999, PORT, 1, PIO | MATCH | DEASSIGN, 0x34));
	EXPECT_SIGNAL(1);
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 1, PIO | MATCH | DEASSIGN, 0x34));
	guest_long(&self->t, outs, outs_end);
	EXPECT_EXIT(MINIKVM_EXIT_IO);
	ASSERT_EQ(0, set(&self->t, self->fd, PORT, 1, PIO | MATCH, 0x34));
}

/* The VM holds the eventfd: it can be closed; and the VM's descriptor before the vCPU's. */
TEST_F(ioeventfd, closing)
{
	int fd = dup(self->fd);

	guest_long(&self->t, outs, outs_end);
	ASSERT_EQ(0, set(&self->t, fd, PORT, 0, PIO, 0));
	close(fd);
	EXPECT_SIGNAL(1);
	close(self->t.vm);
	EXPECT_SIGNAL(1);
	self->t.vm = dup(self->t.dev);
}

/* A guest that rings interrupts itself: from a write to a handler, the VMM hears nothing. */
TEST(an_eventfd_that_is_an_irqfd_too)
{
	struct test_vm t;
	int fd = irq_must(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd");
	struct minikvm_irqfd irqfd = { .fd = fd, .gsi = 30 };
	int i;

	irq_make(&t);
	ASSERT_EQ(0, irq_route_one(&t, irq_to_msi(30, 0, 0x61)));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_IRQFD, &irqfd));
	ASSERT_EQ(0, set(&t, fd, PORT_IDLE, 1, PIO, 0));
	for (i = 0; i < 5; i++)
		ASSERT_EQ(0x61, irq_next(&t));
	vm_free(&t);
	close(fd);
}

TEST_HARNESS_MAIN
