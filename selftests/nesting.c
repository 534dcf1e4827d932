// SPDX-License-Identifier: GPL-2.0
/* Claim: a VMM that saves a vCPU's nested state, and its extended state by the longer ioctl, gets
 * what there is, and can put it back.
 */
#include "lib/vm.h"

static const struct minikvm_nested_state none = {
	.size = sizeof(none), .hdr.vmx.vmxon_pa = ~0ull, .hdr.vmx.vmcs12_pa = ~0ull,
};

static int get(struct test_vm *t, struct minikvm_nested_state *s, uint32_t room)
{
	memset(s, 0x5a, sizeof(*s));
	s->size = room;
	return ioctl(t->vcpu, MINIKVM_GET_NESTED_STATE, s) ? -errno : 0;
}

static int set(struct test_vm *t, struct minikvm_nested_state s)
{
	return ioctl(t->vcpu, MINIKVM_SET_NESTED_STATE, &s) ? -errno : 0;
}

TEST(no_nested_state)
{
	struct { struct minikvm_nested_state s; char more[8192]; } big;
	struct minikvm_nested_state s;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_LE(128, ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_NESTED_STATE));
	ASSERT_EQ(0, get(&t, &s, sizeof(s)));
	ASSERT_EQ(0, memcmp(&s, &none, sizeof(s)));
	memset(&big, 0x5a, sizeof(big));
	big.s.size = sizeof(big);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_NESTED_STATE, &big));
	ASSERT_EQ(0, memcmp(&big, &none, sizeof(none)));
	ASSERT_EQ(0x5a, big.more[0]);
	ASSERT_EQ(0, set(&t, s));
	vm_free(&t);
}

TEST(refusals)
{
	struct minikvm_nested_state s;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(-E2BIG, get(&t, &s, 127));
	ASSERT_EQ(128, s.size);
	ASSERT_EQ(-E2BIG, get(&t, &s, 0));
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_GET_NESTED_STATE, NULL));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_NESTED_STATE, NULL));
	ASSERT_EQ(EFAULT, errno);
#define REFUSED(field, v) do { s = none; s.field = v; ASSERT_EQ(-EINVAL, set(&t, s)); } while (0)
	REFUSED(size, 127);
	REFUSED(format, 1);
	REFUSED(flags, 1);
	REFUSED(flags, 2);
	REFUSED(flags, 3);
	REFUSED(flags, 4);
	REFUSED(flags, 8);
	REFUSED(flags, 0x8000);
	REFUSED(hdr.vmx.smm.flags, 1);
	REFUSED(hdr.vmx.vmcs12_pa, 0x1000);
	if (!test_on_kvm())	/* which has nesting */
		REFUSED(hdr.vmx.vmxon_pa, 0x1000);
	vm_free(&t);
}

TEST(extended_state_by_either_ioctl)
{
	struct { struct minikvm_xsave x; char more[64]; } longer;
	struct minikvm_xsave shorter;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(4096, ioctl(t.vm, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_XSAVE2));
	memset(&longer, 0x5a, sizeof(longer));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE2, &longer));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE, &shorter));
	ASSERT_EQ(0, memcmp(&longer, &shorter, sizeof(shorter)));
	ASSERT_EQ(0x5a, longer.more[0]);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_XSAVE, &longer));
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_GET_XSAVE2, NULL));
	ASSERT_EQ(EFAULT, errno);
	vm_free(&t);
}

TEST_HARNESS_MAIN
