// SPDX-License-Identifier: GPL-2.0
/* Claim: an instruction that the VMM's CPUID hides is #UD where VMX can take it from the guest, and
 * works where CPUID shows it; before there is a CPUID, there is no long mode; after the first RUN
 * there is no other.
 */
#include "lib/vm.h"

GUEST16(rdtscp, "rdtscp; hlt");
GUEST16(rdpid, ".byte 0xf3, 0x0f, 0xc7, 0xf8; hlt");	/* to EAX */
GUEST16(rdrand, "rdrand %eax; hlt");
GUEST16(rdseed, "rdseed %eax; hlt");
GUEST16(nothing, "hlt");
GUEST16(invpcid, "xor %eax, %eax; mov $0x800, %bx; invpcid (%bx), %eax; hlt");

struct feature { uint32_t function; int reg; uint32_t bit; };	/* reg: 0 EAX to 3 EDX */

enum { EBX = 1, ECX, EDX };

#define RDTSCP	{ 0x80000001, EDX, 1u << 27 }
#define RDPID	{ 7, ECX, 1u << 22 }

static const struct {
	const char *name;
	const uint8_t *code, *end;
	struct feature feature, same_control;	/* both are to be hidden */
} table[] = {
	{ "RDTSCP", rdtscp, rdtscp_end, RDTSCP, RDPID },
	{ "RDPID", rdpid, rdpid_end, RDPID, RDTSCP },
	{ "RDRAND", rdrand, rdrand_end, { 1, ECX, 1u << 30 }, },
	{ "RDSEED", rdseed, rdseed_end, { 7, EBX, 1u << 18 }, },
	{ "INVPCID", invpcid, invpcid_end, { 7, EBX, 1u << 10 }, },
};

static struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } cpuid;

/* The register in the device's answers, to be changed. */
static uint32_t *word(const struct feature *f)
{
	static uint32_t none;
	uint32_t i;

	for (i = 0; i < cpuid.head.nent; i++)
		if (cpuid.e[i].function == f->function && !cpuid.e[i].index)
			return &cpuid.e[i].eax + f->reg;
	none = 0;
	return &none;
}

static int supported(struct test_vm *t)
{
	cpuid.head.nent = 100;
	return ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, &cpuid);
}

TEST(what_is_hidden_is_undefined)
{
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		vm_make(&t, false);
		ASSERT_EQ(0, supported(&t));
		*word(&table[i].feature) &= ~table[i].feature.bit;
		if (table[i].same_control.function)
			*word(&table[i].same_control) &= ~table[i].same_control.bit;
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &cpuid));
		guest_real(&t, table[i].code, table[i].end);
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t)) TH_LOG("%s", table[i].name);
		ASSERT_EQ(PORT_EXCEPTION, t.run->io.port);
		ASSERT_EQ(6, *(uint8_t *)vm_io_data(&t));
		vm_free(&t);
	}
}

/* Also if it was hidden first, and shown again before the first RUN. */
TEST(what_is_shown_runs)
{
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		vm_make(&t, false);
		ASSERT_EQ(0, supported(&t));
		if (*word(&table[i].feature) & table[i].feature.bit) {
			*word(&table[i].feature) &= ~table[i].feature.bit;
			ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &cpuid));
			ASSERT_EQ(0, supported(&t));
			ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &cpuid));
			guest_real(&t, table[i].code, table[i].end);
			ASSERT_EQ(MINIKVM_EXIT_HLT, vm_run(&t)) TH_LOG("%s", table[i].name);
		}
		vm_free(&t);
	}
}

TEST(without_a_cpuid_there_is_no_long_mode)
{
	struct minikvm_sregs s, before, after;
	struct test_vm t = { .dev = test_open() };

	t.vm = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	t.vcpu = ioctl(t.vm, MINIKVM_CREATE_VCPU, 0);
	ASSERT_LE(0, t.vcpu);
	before = s = vm_sregs(&t);
	s.cr0 = 0x80010033;
	s.cr4 = 0x620;
	s.efer = 0x500;
	s.cs.l = 1;
	s.cs.db = 0;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(EINVAL, errno);
	after = vm_sregs(&t);
	ASSERT_EQ(0, memcmp(&before, &after, sizeof(before)));
	ASSERT_EQ(0, supported(&t));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &cpuid));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	close(t.vcpu);
	close(t.vm);
	close(t.dev);
}

/* Nothing says how much room there would have to be: nent stays what it was. */
TEST(too_little_room_for_the_answers)
{
	struct test_vm t;
	uint32_t n;

	vm_make(&t, false);
	cpuid.head.nent = 100;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_CPUID2, &cpuid));
	n = cpuid.head.nent;
	ASSERT_LT(1, n);
	cpuid.head.nent = n - 1;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_GET_CPUID2, &cpuid));
	ASSERT_EQ(E2BIG, errno);
	ASSERT_EQ(n - 1, cpuid.head.nent);
	cpuid.head.nent = 1;
	ASSERT_EQ(-1, ioctl(t.dev, MINIKVM_GET_SUPPORTED_CPUID, &cpuid));
	ASSERT_EQ(E2BIG, errno);
	ASSERT_EQ(1, cpuid.head.nent);
	vm_free(&t);
}

/* Once the vCPU has run, its processor stays the one it is. */
TEST(the_same_cpuid_can_be_set_again_and_no_other)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, nothing, nothing_end);
	EXPECT_HLT(&t);
	cpuid.head.nent = 100;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_CPUID2, &cpuid));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &cpuid));
	cpuid.e[cpuid.head.nent - 1].ebx ^= 1;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &cpuid));
	ASSERT_EQ(EINVAL, errno);
	cpuid.e[cpuid.head.nent - 1].ebx ^= 1;
	cpuid.head.nent--;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &cpuid));
	ASSERT_EQ(EINVAL, errno);
	vm_free(&t);
}

TEST_HARNESS_MAIN
