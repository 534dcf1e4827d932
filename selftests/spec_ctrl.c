// SPDX-License-Identifier: GPL-2.0
/* Claim: once a guest has used SPEC_CTRL it reads and writes the register without an exit, and a
 * VMM finds there what the guest wrote last, as the guest finds what the VMM wrote.
 */
#include "lib/vm.h"

#define SPEC_CTRL	0x48
#define IBRS		1

static void need_spec_ctrl(void)
{
	uint32_t eax = 7, ebx, ecx = 0, edx;

	asm volatile("cpuid" : "+a"(eax), "=b"(ebx), "+c"(ecx), "=d"(edx));
	if (!(edx & 1u << 26)) {
		printf("ok 1 # SKIP this processor has no SPEC_CTRL\n");
		exit(KSFT_SKIP);
	}
}

static struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } msr = {
	.head = { .nmsrs = 1 }, .e = { .index = SPEC_CTRL },
};

static uint64_t get(struct test_vm *t)
{
	msr.e.data = 0x5a5a;
	return ioctl(t->vcpu, MINIKVM_GET_MSRS, &msr) == 1 ? msr.e.data : ~0ull;
}

static int set(struct test_vm *t, uint64_t value)
{
	msr.e.data = value;
	return ioctl(t->vcpu, MINIKVM_SET_MSRS, &msr);
}

GUEST64(values, "mov $0x48, %ecx; xor %edx, %edx\n"
	"xor %eax, %eax; wrmsr; out %al, $0x10\n"
	"mov $1, %eax; wrmsr; out %al, $0x10\n"
	"rdmsr; out %al, $0x11\n"
	"xor %eax, %eax; wrmsr; out %al, $0x10\n"
	"rdmsr; out %al, $0x11\n"
	"mov $1, %eax; wrmsr\n"
	"rdmsr; out %al, $0x11\n");

TEST(guest_and_vmm_see_the_same)
{
	struct test_vm t;

	need_spec_ctrl();
	vm_make(&t, false);
	guest_long(&t, values, values_end);
	ASSERT_EQ(0, get(&t));
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(0, get(&t));
	EXPECT_OUT(&t, 0x10, IBRS);
	ASSERT_EQ(IBRS, get(&t));
	ASSERT_EQ(1, set(&t, 0));
	EXPECT_OUT(&t, 0x11, 0);
	ASSERT_EQ(1, set(&t, IBRS));
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(0, get(&t));
	ASSERT_EQ(1, set(&t, IBRS));
	EXPECT_OUT(&t, 0x11, IBRS);
	ASSERT_EQ(1, set(&t, 0));
	EXPECT_OUT(&t, 0x11, IBRS);
	ASSERT_EQ(IBRS, get(&t));
	vm_free(&t);
}

/* Two vCPUs of one thread take turns: neither finds the other's value, nor the host's. */
TEST(each_vcpu_has_its_own)
{
	struct test_vm a, b;

	need_spec_ctrl();
	vm_make(&a, false);
	vm_make(&b, false);
	guest_long(&a, values, values_end);
	guest_long(&b, values, values_end);
	EXPECT_OUT(&a, 0x10, 0);
	EXPECT_OUT(&a, 0x10, IBRS);
	EXPECT_OUT(&b, 0x10, 0);
	ASSERT_EQ(0, get(&b));
	EXPECT_OUT(&a, 0x11, IBRS);
	EXPECT_OUT(&b, 0x10, IBRS);
	EXPECT_OUT(&a, 0x10, 0);
	EXPECT_OUT(&b, 0x11, IBRS);
	EXPECT_OUT(&a, 0x11, 0);
	ASSERT_EQ(IBRS, get(&b));
	vm_free(&b);
	vm_free(&a);
}

/* WRMSR exits of the only vCPU there is: minikvm's counters say. */
static long wrmsr_exits(void)
{
	FILE *f = fopen("/sys/kernel/debug/minikvm/vcpus", "r");
	char line[4096] = "", *at;
	long n = -1;

	if (!f)
		return -1;
	if (fgets(line, sizeof(line), f)) {
		at = strstr(line, " exit_WRMSR ");
		n = at ? atol(at + strlen(" exit_WRMSR ")) : 0;
	}
	fclose(f);
	return n;
}

GUEST64(many, "mov $0x48, %ecx; xor %edx, %edx; mov $100, %ebx\n"
	"1: mov $1, %eax; wrmsr; xor %eax, %eax; wrmsr; dec %ebx; jnz 1b; hlt");

TEST(only_the_first_use_exits)
{
	struct test_vm t;

	need_spec_ctrl();
	vm_make(&t, false);
	guest_long(&t, many, many_end);
	if (test_on_kvm() || wrmsr_exits() < 0)
		SKIP(return, "minikvm's counters are needed");
	EXPECT_HLT(&t);
	ASSERT_EQ(1, wrmsr_exits());
	vm_free(&t);
}

/* PRED_CMD is no place to keep a value: one bit, which does something at once. */
GUEST64(predict, "mov $0x49, %ecx; xor %edx, %edx; mov $1, %eax; wrmsr; out %al, $0x10; mov $2, %eax; wrmsr");

TEST(pred_cmd_takes_one_bit)
{
	struct test_vm t;

	need_spec_ctrl();
	vm_make(&t, false);
	guest_long(&t, predict, predict_end);
	ASSERT_EQ(1, vm_set_msr(&t, 0x49, 0));
	ASSERT_EQ(1, vm_set_msr(&t, 0x49, 1));
	ASSERT_EQ(0, vm_set_msr(&t, 0x49, 2));
	EXPECT_OUT(&t, 0x10, 1);
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	vm_free(&t);
}

TEST_HARNESS_MAIN
