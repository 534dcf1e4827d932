// SPDX-License-Identifier: GPL-2.0
/* Claim: RUN leaves in the run page what kvm_valid_regs asks for, takes over first what
 * kvm_dirty_regs marks, and refuses bits and values that it does not know.
 */
#include "lib/vm.h"

#define ALL MINIKVM_SYNC_X86_VALID_FIELDS

GUEST16(count, "1: inc %bx; out %al, $0x10; jmp 1b");

static void make(struct test_vm *t)
{
	vm_make(t, false);
	guest_real(t, count, count_end);
}

TEST(the_capability_says_which)
{
	int dev = test_open();

	ASSERT_EQ(ALL, ioctl(dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_SYNC_REGS));
	close(dev);
}

TEST(unknown_bits_are_refused)
{
	struct test_vm t;

	make(&t);
	t.run->kvm_valid_regs = ALL + 1;
	ASSERT_EQ(-EINVAL, vm_run(&t));
	t.run->kvm_valid_regs = 1ull << 31;
	ASSERT_EQ(-EINVAL, vm_run(&t));
	t.run->kvm_valid_regs = 0;
	t.run->kvm_dirty_regs = ALL + 1;
	ASSERT_EQ(-EINVAL, vm_run(&t));
	t.run->kvm_dirty_regs = 0;
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(1, (uint16_t)vm_regs(&t).rbx);	/* none of the others ran */
	vm_free(&t);
}

TEST(valid_registers_are_those_of_the_ioctls)
{
	struct minikvm_vcpu_events events;
	struct minikvm_sregs sregs;
	struct minikvm_regs regs;
	struct test_vm t;

	make(&t);
	t.run->kvm_valid_regs = ALL;
	EXPECT_OUT(&t, 0x10, 0);
	regs = vm_regs(&t);
	sregs = vm_sregs(&t);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &events));
	ASSERT_EQ(0, memcmp(&regs, &t.run->s.regs.regs, sizeof(regs)));
	ASSERT_EQ(0, memcmp(&sregs, &t.run->s.regs.sregs, sizeof(sregs)));
	ASSERT_EQ(0, memcmp(&events, &t.run->s.regs.events, sizeof(events)));
	vm_free(&t);
}

TEST(what_is_not_asked_for_is_left_alone)
{
	struct test_vm t;

	make(&t);
	memset(&t.run->s, 0x5a, sizeof(t.run->s));
	t.run->kvm_valid_regs = MINIKVM_SYNC_X86_REGS;
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(1, (uint16_t)t.run->s.regs.regs.rbx);
	ASSERT_EQ(0x5a5a5a5a5a5a5a5aull, t.run->s.regs.sregs.cr0);
	t.run->kvm_valid_regs = 0;
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(1, (uint16_t)t.run->s.regs.regs.rbx);
	vm_free(&t);
}

TEST(dirty_registers_count_and_are_clean_again)
{
	struct test_vm t;

	make(&t);
	t.run->kvm_valid_regs = ALL;
	EXPECT_OUT(&t, 0x10, 0);
	t.run->s.regs.regs.rbx = 0x100;
	EXPECT_OUT(&t, 0x10, 0);			/* not marked */
	ASSERT_EQ(2, (uint16_t)t.run->s.regs.regs.rbx);
	t.run->s.regs.regs.rbx = 0x100;
	t.run->s.regs.sregs.es.base = 0x1230;
	t.run->s.regs.sregs.es.selector = 0x123;
	t.run->kvm_dirty_regs = MINIKVM_SYNC_X86_REGS | MINIKVM_SYNC_X86_SREGS;
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(0, t.run->kvm_dirty_regs);
	ASSERT_EQ(0x101, (uint16_t)t.run->s.regs.regs.rbx);
	ASSERT_EQ(0x1230, vm_sregs(&t).es.base);
	vm_free(&t);
}

TEST(dirty_events_count_and_are_checked)
{
	struct minikvm_vcpu_events *e;
	struct test_vm t;

	make(&t);
	e = &t.run->s.regs.events;
	t.run->kvm_valid_regs = ALL;
	EXPECT_OUT(&t, 0x10, 0);
	e->exception.nr = 2;		/* no exception has this number */
	e->exception.injected = 1;
	t.run->kvm_dirty_regs = MINIKVM_SYNC_X86_EVENTS;
	ASSERT_EQ(-EINVAL, vm_run(&t));
	e->flags = MINIKVM_VCPUEVENT_VALID_NMI_PENDING;
	e->exception.injected = 0;
	e->nmi.pending = 1;
	EXPECT_OUT(&t, PORT_EXCEPTION, 2);
	ASSERT_EQ(0, t.run->kvm_dirty_regs);
	ASSERT_EQ(0, e->nmi.pending);
	ASSERT_EQ(1, e->nmi.masked);
	vm_free(&t);
}

TEST(a_dirty_register_that_cannot_be_is_refused)
{
	struct test_vm t;

	make(&t);
	t.run->kvm_valid_regs = ALL;
	EXPECT_OUT(&t, 0x10, 0);
	t.run->s.regs.sregs.cr4 |= 1ull << 31;
	t.run->kvm_dirty_regs = MINIKVM_SYNC_X86_SREGS;
	ASSERT_EQ(-EINVAL, vm_run(&t));
	ASSERT_EQ(0, vm_sregs(&t).cr4 >> 31);
	t.run->kvm_dirty_regs = 0;
	EXPECT_OUT(&t, 0x10, 0);
	vm_free(&t);
}

TEST_HARNESS_MAIN
