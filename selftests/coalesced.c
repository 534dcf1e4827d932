// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a guest's write into a coalesced zone is noted in the ring and makes no exit, unless the
 * ring is full; notes are in the order of the writes, and before the exit that follows; and
 * nothing that the VMM writes into the ring hurts.
 */
#include <pthread.h>

#include "lib/vm.h"

#define ENTRIES	170
#define ZONE	(G_HOLE + 0x1000)
#define PORT	0x1230

static struct minikvm_coalesced_mmio_ring *ring(struct test_vm *t)
{
	return (void *)t->run + sysconf(_SC_PAGESIZE) * MINIKVM_COALESCED_MMIO_PAGE_OFFSET;
}

/* 0 or -errno. */
static int zone_ioctl(struct test_vm *t, unsigned long request, uint64_t addr, uint32_t size,
		      uint32_t pio)
{
	struct minikvm_coalesced_mmio_zone zone = { .addr = addr, .size = size, .pio = pio };

	return ioctl(t->vm, request, &zone) ? -errno : 0;
}

static int add(struct test_vm *t, uint64_t addr, uint32_t size, uint32_t pio)
{
	return zone_ioctl(t, MINIKVM_REGISTER_COALESCED_MMIO, addr, size, pio);
}

static int del(struct test_vm *t, uint64_t addr, uint32_t size, uint32_t pio)
{
	return zone_ioctl(t, MINIKVM_UNREGISTER_COALESCED_MMIO, addr, size, pio);
}

static void set_regs(struct test_vm *t, uint64_t rdi, uint64_t rsi, uint64_t rcx)
{
	struct minikvm_regs r = vm_regs(t);

	r.rdi = rdi;
	r.rsi = rsi;
	r.rcx = rcx;
	r.rdx = PORT;
	r.rax = 0x1122334455667788;
	vm_set_regs(t, r);
}

#define EXPECT_NOTE(t, i, at, n, io, value) do {				\
	const struct minikvm_coalesced_mmio *e_ = &ring(t)->coalesced_mmio[i];	\
	uint64_t data_ = 0;							\
	memcpy(&data_, e_->data, e_->len & 15);					\
	ASSERT_EQ(at, e_->phys_addr);						\
	ASSERT_EQ(n, e_->len);							\
	ASSERT_EQ(io, e_->pio);							\
	ASSERT_EQ((uint64_t)(value), data_);					\
} while (0)

TEST(capabilities)
{
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(2, ioctl(t.vm, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_COALESCED_MMIO));
	ASSERT_EQ(1, ioctl(t.vm, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_COALESCED_PIO));
	ASSERT_LE(3 * sysconf(_SC_PAGESIZE), ioctl(t.dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0));
	ASSERT_EQ(0, ring(&t)->first);
	ASSERT_EQ(0, ring(&t)->last);
	vm_free(&t);
}

GUEST64(all_sizes, "mov %al, (%rdi); mov %ax, (%rdi); mov %eax, (%rdi); mov %rax, (%rdi);"
	"out %al, %dx; out %ax, %dx; out %eax, %dx; movl $5, 0xffc(%rdi); out %al, $0x11; hlt");

TEST(writes_of_all_sizes)
{
	struct test_vm t;
	int chips;

	for (chips = 0; chips < 2; chips++) {
		vm_make(&t, chips);
		guest_long(&t, all_sizes, all_sizes_end);
		set_regs(&t, ZONE, 0, 0);
		ASSERT_EQ(0, add(&t, ZONE, 0x1000, 0));
		ASSERT_EQ(0, add(&t, PORT, 4, 1));
		EXPECT_OUT(&t, 0x11, 0x88);
		ASSERT_EQ(0, ring(&t)->first);
		ASSERT_EQ(8, ring(&t)->last);
		EXPECT_NOTE(&t, 0, ZONE, 1, 0, 0x88);
		EXPECT_NOTE(&t, 1, ZONE, 2, 0, 0x7788);
		EXPECT_NOTE(&t, 2, ZONE, 4, 0, 0x55667788);
		EXPECT_NOTE(&t, 3, ZONE, 8, 0, 0x1122334455667788);
		EXPECT_NOTE(&t, 4, PORT, 1, 1, 0x88);
		EXPECT_NOTE(&t, 5, PORT, 2, 1, 0x7788);
		EXPECT_NOTE(&t, 6, PORT, 4, 1, 0x55667788);
		EXPECT_NOTE(&t, 7, ZONE + 0xffc, 4, 0, 5);
		vm_free(&t);
	}
}

/* The direction, what is beside the zone or reaches over its end, the other kind of address. */
GUEST64(not_noted, "mov (%rdi), %eax; in %dx, %al; mov %al, -1(%rdi); mov %eax, 0xd(%rdi);"
	"mov %al, 0x10(%rdi); hlt");

TEST(what_is_not_a_write_into_the_zone_exits)
{
	static const struct { int reason; uint64_t at; } expect[] = {
		{ MINIKVM_EXIT_MMIO, ZONE }, { MINIKVM_EXIT_IO, PORT },
		{ MINIKVM_EXIT_MMIO, ZONE - 1 }, { MINIKVM_EXIT_MMIO, ZONE + 0xd },
		{ MINIKVM_EXIT_MMIO, ZONE + 0x10 },
	};
	struct test_vm t;
	size_t i;

	vm_make(&t, false);
	guest_long(&t, not_noted, not_noted_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(0, add(&t, ZONE, 0x10, 0));
	ASSERT_EQ(0, add(&t, PORT, 1, 1));
	ASSERT_EQ(0, add(&t, ZONE, 0x1000, 1));
	ASSERT_EQ(0, add(&t, 0, 0, 0));
	for (i = 0; i < 5; i++) {
		ASSERT_EQ(expect[i].reason, vm_run(&t));
		ASSERT_EQ(expect[i].at, expect[i].reason == MINIKVM_EXIT_IO ? t.run->io.port
									     : t.run->mmio.phys_addr);
	}
	ASSERT_EQ(0, ring(&t)->last);
	vm_free(&t);
}

GUEST64(endless, "1: mov %ecx, (%rdi); inc %ecx; jmp 1b");

TEST(a_full_ring_is_an_exit)
{
	struct test_vm t;
	uint32_t start, i;

	vm_make(&t, false);
	guest_long(&t, endless, endless_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(0, add(&t, ZONE, 4, 0));
	for (start = 0; start < ENTRIES; start += 13) {
		uint32_t value = (uint32_t)vm_regs(&t).rcx;

		ring(&t)->first = ring(&t)->last = start;
		ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
		ASSERT_EQ(start, (ring(&t)->last + 1) % ENTRIES);
		/* With the exit of a write its instruction is done, on KVM at the next RUN. */
		for (i = 0; i < ENTRIES - 1; i++)
			EXPECT_NOTE(&t, (start + i) % ENTRIES, ZONE, 4, 0,
				    *(uint32_t *)t.run->mmio.data - (ENTRIES - 1) + i);
		if (!start)
			ASSERT_EQ(value + ENTRIES - 1, *(uint32_t *)t.run->mmio.data);
	}
	vm_free(&t);
}

GUEST64(mixed, "mov %al, (%rdi); mov %al, 0x1000(%rdi); mov %al, 1(%rdi); out %al, $0x11; hlt");

TEST(notes_come_before_the_exit_that_follows)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, mixed, mixed_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(0, add(&t, ZONE, 0x1000, 0));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(ZONE + 0x1000, t.run->mmio.phys_addr);
	ASSERT_EQ(1, ring(&t)->last);
	EXPECT_OUT(&t, 0x11, 0x88);
	ASSERT_EQ(2, ring(&t)->last);
	vm_free(&t);
}

GUEST64(crossing, "mov %rax, -4(%rdi); mov %rax, 0xffc(%rdi); hlt");

/* Its first half is an exit, so its second must not be noted before: on KVM it is. */
TEST(a_write_that_crosses_the_zones_bounds_stays_in_order)
{
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM notes the second half first");
	vm_make(&t, true);
	guest_long(&t, crossing, crossing_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(0, add(&t, ZONE, 0x1000, 0));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(ZONE - 4, t.run->mmio.phys_addr);
	ASSERT_EQ(4, t.run->mmio.len);
	ASSERT_EQ(0, ring(&t)->last);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));	/* the first half of the next one is noted */
	ASSERT_EQ(ZONE + 0x1000, t.run->mmio.phys_addr);
	ASSERT_EQ(2, ring(&t)->last);
	EXPECT_NOTE(&t, 0, ZONE, 4, 0, 0x11223344);
	EXPECT_NOTE(&t, 1, ZONE + 0xffc, 4, 0, 0x55667788);
	vm_free(&t);
}

GUEST64(strings, "cld; rep stosb; mov $3, %ecx; rep outsb; mov %rbx, %rdi; insb;"
	"movaps %xmm0, (%rbx); lock addl $1, 0x20(%rbx); out %al, $0x11; hlt");

TEST(strings_and_wide_ones)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, strings, strings_end);
	set_regs(&t, ZONE, G_DATA, 3);
	r = vm_regs(&t);
	r.rbx = ZONE + 0x100;
	vm_set_regs(&t, r);
	memcpy(t.mem + G_DATA, "abc", 3);
	ASSERT_EQ(0, add(&t, ZONE, 0x1000, 0));
	ASSERT_EQ(0, add(&t, PORT, 1, 1));
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));		/* the INS */
	ASSERT_EQ(6, ring(&t)->last);
	EXPECT_NOTE(&t, 0, ZONE, 1, 0, 0x88);
	EXPECT_NOTE(&t, 2, ZONE + 2, 1, 0, 0x88);
	EXPECT_NOTE(&t, 3, PORT, 1, 1, 'a');
	EXPECT_NOTE(&t, 5, PORT, 1, 1, 'c');
	while (t.run->exit_reason == MINIKVM_EXIT_IO && t.run->io.port == PORT) {
		memcpy(vm_io_data(&t), "x", 1);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_RUN, 0));
	}
	EXPECT_NOTE(&t, 6, ZONE + 0x100, 1, 0, 'x');
	ASSERT_EQ(MINIKVM_EXIT_MMIO, t.run->exit_reason);	/* the read of the ADD */
	ASSERT_EQ(0, t.run->mmio.is_write);
	EXPECT_NOTE(&t, 7, ZONE + 0x100, 8, 0, 0);
	EXPECT_NOTE(&t, 8, ZONE + 0x108, 8, 0, 0);
	memset(t.run->mmio.data, 0, 8);
	EXPECT_OUT(&t, 0x11, 0x88);
	EXPECT_NOTE(&t, 9, ZONE + 0x120, 4, 0, 1);
	ASSERT_EQ(10, ring(&t)->last);
	vm_free(&t);
}

TEST(zones_go)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, endless, endless_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(-EINVAL, add(&t, ZONE, 4, 2));
	ASSERT_EQ(-EINVAL, del(&t, ZONE, 4, 2));
	ASSERT_EQ(0, del(&t, ZONE, 4, 0));		/* there is none */
	ASSERT_EQ(0, add(&t, ZONE, 0x1000, 0));
	ASSERT_EQ(0, add(&t, ZONE, 0x100, 0));
	ASSERT_EQ(0, del(&t, ZONE, 0x1001, 0));		/* no zone contains it */
	ASSERT_EQ(0, del(&t, ZONE, 0x1000, 1));
	ASSERT_EQ(0, del(&t, ZONE + 0x200, 4, 0));	/* the wide one does */
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(ENTRIES - 1, ring(&t)->last);		/* by the narrow one: full */
	ring(&t)->first = ring(&t)->last;
	ASSERT_EQ(0, add(&t, ZONE, 0x1000, 0));
	ASSERT_EQ(0, del(&t, ZONE + 4, 4, 0));		/* both */
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(ENTRIES - 1, ring(&t)->last);
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_REGISTER_COALESCED_MMIO, NULL));
	ASSERT_EQ(EFAULT, errno);
	vm_free(&t);
}

TEST(zones_at_the_end_of_the_address_space)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, endless, endless_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(0, add(&t, ~0ull, ~0, 0));
	ASSERT_EQ(0, add(&t, -0x1000ull, ~0, 1));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(0, ring(&t)->last);
	vm_free(&t);
}

TEST(not_more_than_a_thousand)
{
	struct test_vm t;
	int i, ret = 0;

	vm_make(&t, false);
	for (i = 0; i < 1001 && !ret; i++)
		ret = add(&t, ZONE, 4, 0);
	ASSERT_EQ(-ENOSPC, ret);
	ASSERT_EQ(0, del(&t, ZONE, 4, 0));
	ASSERT_EQ(0, add(&t, ZONE, 4, 0));
	vm_free(&t);
}

/* One that is out of bounds is as a full ring; any other place is where the next note goes. */
TEST(a_hostile_ring)
{
	static const uint32_t bad[] = { ENTRIES, ENTRIES + 1, 0x7fffffff, 0x80000000, ~0u };
	struct test_vm t;
	size_t i;

	vm_make(&t, false);
	guest_long(&t, endless, endless_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(0, add(&t, ZONE, 4, 0));
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		ring(&t)->first = 0;
		ring(&t)->last = bad[i];
		ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
		ASSERT_EQ(bad[i], ring(&t)->last);
	}
	vm_free(&t);
}

static volatile bool stop;

static void *scribble(void *arg)
{
	struct minikvm_coalesced_mmio_ring *r = arg;
	uint32_t i;

	for (i = 1; !stop; i = i * 1664525 + 1013904223) {
		*(volatile uint32_t *)&r->last = i & 0x40000000 ? i : i % 256;
		*(volatile uint32_t *)&r->first = i >> 8;
	}
	return NULL;
}

TEST(a_ring_that_changes_all_the_time)
{
	pthread_t thread;
	struct test_vm t;
	int i;

	vm_make(&t, false);
	guest_long(&t, endless, endless_end);
	set_regs(&t, ZONE, 0, 0);
	ASSERT_EQ(0, add(&t, ZONE, 4, 0));
	stop = false;
	ASSERT_EQ(0, pthread_create(&thread, NULL, scribble, ring(&t)));
	for (i = 0; i < 300; i++)
		ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	stop = true;
	pthread_join(thread, NULL);
	vm_free(&t);
}

TEST(all_vcpus_have_one_ring)
{
	struct test_vm t, u;

	vm_make(&t, false);
	u = vm_add_vcpu(&t, 1);
	ring(&u)->first = 7;
	ASSERT_EQ(7, ring(&t)->first);
	t.run->request_interrupt_window = 1;
	ASSERT_EQ(0, u.run->request_interrupt_window);
	vm_free_vcpu(&u);
	vm_free(&t);
}

/* Its mapping outlives the VM. */
TEST(the_page_stays_as_long_as_it_is_mapped)
{
	struct minikvm_coalesced_mmio_ring *r;
	struct test_vm t;

	vm_make(&t, false);
	r = ring(&t);
	close(t.vcpu);
	close(t.vm);
	close(t.dev);
	r->last = 5;
	ASSERT_EQ(5, r->last);
	munmap(t.run, 3 * sysconf(_SC_PAGESIZE));
	munmap(t.mem, G_SIZE);
}

TEST_HARNESS_MAIN
