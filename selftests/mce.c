// SPDX-License-Identifier: GPL-2.0
/* Claim: a VMM gives its guest machine-check banks and reports errors in them, which the guest
 * finds there, with #MC if they are uncorrected.
 */
#include "lib/vm.h"

#define MCG_CAP		0x179
#define MCG_STATUS	0x17a
#define MCG_CTL		0x17b
#define MC_STATUS(n)	(0x401 + 4 * (n))

#define CTL_P		(1ull << 8)
#define SER_P		(1ull << 24)
#define VAL		(1ull << 63)
#define OVER		(1ull << 62)
#define UC		(1ull << 61)
#define PCC		(1ull << 57)

GUEST64(waits, "out %al, $0x10; hlt");

static int setup(struct test_vm *t, uint64_t cap)
{
	return ioctl(t->vcpu, MINIKVM_X86_SETUP_MCE, &cap) ? -errno : 0;
}

static int report(struct test_vm *t, uint8_t bank, uint64_t status, uint64_t mcg_status)
{
	struct minikvm_x86_mce mce = {
		.status = status, .addr = 0x123000, .misc = 0x8c, .mcg_status = mcg_status, .bank = bank,
	};

	memset(mce.pad1, 0x5a, sizeof(mce.pad1));
	return ioctl(t->vcpu, MINIKVM_X86_SET_MCE, &mce) ? -errno : 0;
}

static uint64_t msr(struct test_vm *t, uint32_t index)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m = {
		.head.nmsrs = 1, .e.index = index,
	};

	return ioctl(t->vcpu, MINIKVM_GET_MSRS, &m) == 1 ? m.e.data : 0xbad;
}

FIXTURE(mce) { struct test_vm t; };
FIXTURE_SETUP(mce)
{
	struct minikvm_sregs s;

	vm_make(&self->t, false);
	guest_long(&self->t, waits, waits_end);
	s = vm_sregs(&self->t);
	s.cr4 |= 1 << 6;	/* MCE */
	if (ioctl(self->t.vcpu, MINIKVM_SET_SREGS, &s) || setup(&self->t, 10 | CTL_P))
		abort();
}
FIXTURE_TEARDOWN(mce) { vm_free(&self->t); }

TEST_F(mce, what_there_is)
{
	struct test_vm *t = &self->t;
	uint64_t supported = 0;

	ASSERT_EQ(32, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MCE));
	ASSERT_EQ(0, ioctl(t->dev, MINIKVM_X86_GET_MCE_CAP_SUPPORTED, &supported));
	ASSERT_EQ(CTL_P | SER_P, supported & (CTL_P | SER_P));
	ASSERT_EQ(0, supported & 0xff);
	ASSERT_EQ(0, setup(t, 10 | supported));
	ASSERT_EQ(10 | supported, msr(t, MCG_CAP));
	ASSERT_EQ(~0ull, msr(t, MCG_CTL));
	ASSERT_EQ(~0ull, msr(t, 0x400 + 4 * 9));
	ASSERT_EQ(0xbad, msr(t, 0x400 + 4 * 10));
	ASSERT_EQ(0, setup(t, 32 | CTL_P));
	ASSERT_EQ(~0ull, msr(t, 0x400 + 4 * 31));
}

TEST_F(mce, refusals)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(-EINVAL, setup(t, CTL_P));
	ASSERT_EQ(-EINVAL, setup(t, 33));
	ASSERT_EQ(-EINVAL, setup(t, 0xff));
	ASSERT_EQ(-EINVAL, setup(t, 10 | 1ull << 63));
	ASSERT_EQ(-EINVAL, setup(t, 10 | 1 << 9));
	ASSERT_EQ(10 | CTL_P, msr(t, MCG_CAP));
	ASSERT_EQ(-EINVAL, report(t, 10, VAL, 0));
	ASSERT_EQ(-EINVAL, report(t, 255, VAL, 0));
	ASSERT_EQ(-EINVAL, report(t, 0, UC, 0));
	ASSERT_EQ(-1, ioctl(t->vcpu, MINIKVM_X86_SETUP_MCE, NULL));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(-1, ioctl(t->vcpu, MINIKVM_X86_SET_MCE, NULL));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(-1, ioctl(t->dev, MINIKVM_X86_GET_MCE_CAP_SUPPORTED, NULL));
	ASSERT_EQ(EFAULT, errno);
}

TEST_F(mce, corrected_ones_wait_in_their_bank)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, report(t, 3, VAL | 0x11, 0));
	ASSERT_EQ(VAL | 0x11, msr(t, MC_STATUS(3)));
	ASSERT_EQ(0x123000, msr(t, MC_STATUS(3) + 1));
	ASSERT_EQ(0x8c, msr(t, MC_STATUS(3) + 2));
	ASSERT_EQ(0, report(t, 3, VAL | 0x12, 0));
	ASSERT_EQ(VAL | OVER | 0x12, msr(t, MC_STATUS(3)));
	EXPECT_OUT(t, 0x10, 0);
	EXPECT_HLT(t);
}

TEST_F(mce, uncorrected_ones_are_exceptions)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, report(t, 1, VAL | UC | PCC | 0x11, 5));
	ASSERT_EQ(5, msr(t, MCG_STATUS));
	ASSERT_EQ(VAL | UC | PCC | 0x11, msr(t, MC_STATUS(1)));
	EXPECT_OUT(t, PORT_EXCEPTION, 18);
	/* One more, while the first is being handled. */
	ASSERT_EQ(0, report(t, 2, VAL | UC | PCC | 0x11, 5));
	ASSERT_EQ(MINIKVM_EXIT_SHUTDOWN, vm_run(t));
}

TEST_F(mce, without_cr4_mce_they_end_the_machine)
{
	struct test_vm *t = &self->t;
	struct minikvm_sregs s = vm_sregs(t);

	s.cr4 &= ~(1ull << 6);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(0, report(t, 1, VAL | UC | PCC | 0x11, 5));
	ASSERT_EQ(MINIKVM_EXIT_SHUTDOWN, vm_run(t));
}

TEST_HARNESS_MAIN
