// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the FPU's state that a VMM sets, with SET_FPU or SET_XSAVE, is what it gets; components
 * that it leaves out are in their initial state, and what XRSTOR would refuse is EINVAL.
 */
#include "lib/vm.h"

TEST(fpu)
{
	struct minikvm_fpu f, back;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_FPU, &f));
	ASSERT_EQ(0x37f, f.fcw);
	memset(f.xmm, 0x11, sizeof(f.xmm));
	f.fcw = 0x27f;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_FPU, &f));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_FPU, &back));
	ASSERT_EQ(0, memcmp(&f, &back, sizeof(f)));
	vm_free(&t);
}

static void set_mxcsr(struct test_vm *t, struct minikvm_xsave *x, uint32_t mxcsr)
{
	memset(x, 0, 4096);
	x->region[6] = mxcsr;
	x->region[128] = 3;
	if (ioctl(t->vcpu, MINIKVM_SET_XSAVE, x))
		exit(1);
}

TEST(mxcsr_is_in_xsave_not_in_fpu)
{
	struct minikvm_xsave *x = aligned_alloc(64, 4096);
	struct minikvm_fpu f;
	struct test_vm t;

	vm_make(&t, false);
	set_mxcsr(&t, x, 0x1fa0);
	memset(&f, 0xee, sizeof(f));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_FPU, &f));
	ASSERT_EQ(0, f.mxcsr);
	ASSERT_EQ(0, f.pad1);
	ASSERT_EQ(0, f.pad2);
	f.mxcsr = 0x1f80;
	f.xmm[3][5] = 0x55;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_FPU, &f));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE, x));
	ASSERT_EQ(0x1fa0, x->region[6]);
	ASSERT_EQ(0x55, ((uint8_t *)x)[160 + 3 * 16 + 5]);
	vm_free(&t);
}

TEST(xsave)
{
	struct minikvm_xsave *x = aligned_alloc(64, 4096), *back = aligned_alloc(64, 4096);
	struct test_vm t;

	vm_make(&t, false);
	memset(back, 0xee, 4096);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE, x));
	((uint8_t *)x)[160] = 0x77;		/* XMM0 */
	((uint64_t *)x)[64] |= 3;		/* x87 and SSE are not in their first state */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_XSAVE, x));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE, back));
	ASSERT_EQ(0x77, ((uint8_t *)back)[160]);
	ASSERT_EQ(0, memcmp((uint8_t *)x + 1024, (uint8_t *)back + 1024, 3072));
	vm_free(&t);
}

static int has_xsave(struct test_vm *t)
{
	struct minikvm_xcrs x;

	return !ioctl(t->vcpu, MINIKVM_GET_XCRS, &x) && x.nr_xcrs;
}

static uint32_t host_xcr0(void)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a" (low), "=d" (high) : "c" (0));
	return low;
}

/* What the header does not name is in its initial state, whatever stands there. */
TEST(components_that_do_not_come_are_initial)
{
	struct minikvm_xsave *x = aligned_alloc(64, 4096);
	struct minikvm_fpu f;
	struct test_vm t;
	int i;

	vm_make(&t, false);
	if (!has_xsave(&t))
		SKIP(return, "no XSAVE");
	memset(x, 0xee, 4096);
	memset(x->region + 128, 0, 64);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_XSAVE, x));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE, x));
	ASSERT_EQ(0x37f, x->region[0]);
	ASSERT_EQ(0x1f80, x->region[6]);
	for (i = 8; i < 1024; i++)
		/* Where XSAVE leaves room Linux says what the host's XCR0 is. */
		ASSERT_EQ(i == 116 ? host_xcr0() : 0, x->region[i]) TH_LOG("word %d", i);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_FPU, &f));
	ASSERT_EQ(0x37f, f.fcw);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_FPU, &f));
	vm_free(&t);
	free(x);
}

#define XSAVE_REFUSED(word, bits) do {						\
	x->region[word] |= (bits);						\
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_XSAVE, x)) TH_LOG("word %d", word); \
	ASSERT_EQ(EINVAL, errno);						\
	x->region[word] &= ~(bits);						\
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_XSAVE, x));			\
} while (0)

TEST(impossible_fpu_state_is_refused)
{
	struct minikvm_xsave *x = aligned_alloc(64, 4096);
	struct test_vm t;
	uint32_t parts;

	vm_make(&t, false);
	for (parts = 1; parts <= 3; parts++) {
		set_mxcsr(&t, x, 0x1f80);
		x->region[128] = parts;
		XSAVE_REFUSED(6, 1u << 31);		/* MXCSR */
		XSAVE_REFUSED(128, 1u << 30);		/* no such component */
		if (!has_xsave(&t))
			continue;
		XSAVE_REFUSED(131, 1u << 31);		/* compacted */
		XSAVE_REFUSED(132, 1u);
		XSAVE_REFUSED(143, 1u << 31);
	}
	vm_free(&t);
	free(x);
}

TEST_HARNESS_MAIN
