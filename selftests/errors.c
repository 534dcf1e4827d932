// SPDX-License-Identifier: GPL-2.0
/* Claim: each ioctl answers a wrong argument with KVM's errno. */
#include "lib/vm.h"

enum which { DEV, VM, VCPU, VM_CHIPS, VCPU_CHIPS };

#define BAD ((unsigned long)8)	/* an address that is never mapped */

static const struct {
	const char *what;
	enum which fd;
	unsigned long nr, arg;
	int error;
} table[] = {
	{ "GET_API_VERSION with an argument", DEV, MINIKVM_GET_API_VERSION, 1, EINVAL },
	{ "CREATE_VM of an unknown type", DEV, MINIKVM_CREATE_VM, 999, EINVAL },
	{ "GET_VCPU_MMAP_SIZE with an argument", DEV, MINIKVM_GET_VCPU_MMAP_SIZE, 1, EINVAL },
	{ "GET_MSR_INDEX_LIST to nowhere", DEV, MINIKVM_GET_MSR_INDEX_LIST, BAD, EFAULT },
	{ "GET_SUPPORTED_CPUID to nowhere", DEV, MINIKVM_GET_SUPPORTED_CPUID, BAD, EFAULT },
	{ "CREATE_VCPU with a huge id", VM, MINIKVM_CREATE_VCPU, 1ul << 32, EINVAL },
	{ "CREATE_VCPU with a used id", VM, MINIKVM_CREATE_VCPU, 0, EEXIST },
	{ "SET_USER_MEMORY_REGION from nowhere", VM, MINIKVM_SET_USER_MEMORY_REGION, BAD, EFAULT },
	{ "SET_NR_MMU_PAGES too low", VM, MINIKVM_SET_NR_MMU_PAGES, 63, EINVAL },
	{ "SET_TSS_ADDR too high", VM, MINIKVM_SET_TSS_ADDR, 0xfffff000, EINVAL },
	{ "CREATE_IRQCHIP after a vCPU", VM, MINIKVM_CREATE_IRQCHIP, 0, EINVAL },
	{ "CREATE_IRQCHIP twice", VM_CHIPS, MINIKVM_CREATE_IRQCHIP, 0, EEXIST },
	{ "CREATE_PIT2 from nowhere", VM_CHIPS, MINIKVM_CREATE_PIT2, BAD, EFAULT },
	{ "IRQ_LINE from nowhere", VM_CHIPS, MINIKVM_IRQ_LINE, BAD, EFAULT },
	{ "a vCPU ioctl on a VM", VM, MINIKVM_RUN, 0, ENOTTY },
	{ "a VM ioctl on a vCPU", VCPU, MINIKVM_CREATE_VCPU, 0, EINVAL },
	{ "RUN with an argument", VCPU, MINIKVM_RUN, 1, EINVAL },
	{ "SET_REGS from nowhere", VCPU, MINIKVM_SET_REGS, BAD, EFAULT },
	{ "GET_REGS to nowhere", VCPU, MINIKVM_GET_REGS, BAD, EFAULT },
	{ "SET_SREGS from nowhere", VCPU, MINIKVM_SET_SREGS, BAD, EFAULT },
	{ "SET_MSRS from nowhere", VCPU, MINIKVM_SET_MSRS, BAD, EFAULT },
	{ "SET_CPUID2 from nowhere", VCPU, MINIKVM_SET_CPUID2, BAD, EFAULT },
	{ "GET_LAPIC without one", VCPU, MINIKVM_GET_LAPIC, BAD, EINVAL },
	{ "SET_LAPIC from nowhere", VCPU_CHIPS, MINIKVM_SET_LAPIC, BAD, EFAULT },
	{ "SET_VAPIC_ADDR without a local APIC", VCPU, MINIKVM_SET_VAPIC_ADDR, BAD, EINVAL },
	{ "SET_VAPIC_ADDR from nowhere", VCPU_CHIPS, MINIKVM_SET_VAPIC_ADDR, BAD, EFAULT },
	{ "SET_FPU from nowhere", VCPU, MINIKVM_SET_FPU, BAD, EFAULT },
	{ "SET_XSAVE from nowhere", VCPU, MINIKVM_SET_XSAVE, BAD, EFAULT },
	{ "SET_MP_STATE from nowhere", VCPU, MINIKVM_SET_MP_STATE, BAD, EFAULT },
	{ "INTERRUPT from nowhere", VCPU, MINIKVM_INTERRUPT, BAD, EFAULT },
	{ "SET_VCPU_EVENTS from nowhere", VCPU, MINIKVM_SET_VCPU_EVENTS, BAD, EFAULT },
	{ "SET_DEBUGREGS from nowhere", VCPU, MINIKVM_SET_DEBUGREGS, BAD, EFAULT },
};

TEST(wrong_arguments)
{
	struct test_vm plain, chips;
	size_t i;

	vm_make(&plain, false);
	vm_make(&chips, true);
	for (i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		int fd[] = { plain.dev, plain.vm, plain.vcpu, chips.vm, chips.vcpu };

		errno = 0;
		EXPECT_EQ(-1, ioctl(fd[table[i].fd], table[i].nr, table[i].arg))
			TH_LOG("%s", table[i].what);
		EXPECT_EQ(table[i].error, errno) TH_LOG("%s", table[i].what);
	}
	vm_free(&plain);
	vm_free(&chips);
}

/* What QEMU does at each reset; then a page where there is no memory. */
TEST(no_page_for_the_tpr)
{
	struct minikvm_vapic_addr vapic = { 0 };
	struct test_vm t;

	vm_make(&t, true);
	EXPECT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VAPIC_ADDR, &vapic));
	vapic.vapic_addr = 1ull << 35;
	EXPECT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_VAPIC_ADDR, &vapic));
	EXPECT_EQ(EINVAL, errno);
	vm_free(&t);
}

/* ---- arguments that are structs: their size is in the number */

#define IN	1	/* the kernel reads it */
#define OUT	2	/* the kernel writes all of it */

static const struct {
	const char *what;
	enum which fd;
	unsigned long nr;
	int way;
} structs[] = {
#define S(fd, name, way) { #name, fd, MINIKVM_##name, way }
	S(VM_CHIPS, SET_USER_MEMORY_REGION, IN), S(VM_CHIPS, SET_USER_MEMORY_REGION2, IN),
	S(VM_CHIPS, GET_DIRTY_LOG, IN),
	S(VM_CHIPS, IRQ_LINE, IN), S(VM_CHIPS, IRQ_LINE_STATUS, IN),
	S(VM_CHIPS, SET_GSI_ROUTING, IN), S(VM_CHIPS, SIGNAL_MSI, IN), S(VM_CHIPS, IRQFD, IN),
	S(VM_CHIPS, IOEVENTFD, IN), S(VM_CHIPS, ENABLE_CAP, IN),
	S(VM_CHIPS, X86_SET_MSR_FILTER, IN), S(VM_CHIPS, CLEAR_DIRTY_LOG, IN),
	S(VM_CHIPS, GET_IRQCHIP, IN), S(VM_CHIPS, SET_IRQCHIP, IN),
	S(VCPU_CHIPS, GET_REGS, OUT), S(VCPU_CHIPS, SET_REGS, IN),
	S(VCPU_CHIPS, GET_SREGS, OUT), S(VCPU_CHIPS, SET_SREGS, IN),
	S(VCPU_CHIPS, GET_FPU, OUT), S(VCPU_CHIPS, SET_FPU, IN),
	S(VCPU_CHIPS, GET_XSAVE, OUT), S(VCPU_CHIPS, SET_XSAVE, IN),
	S(VCPU_CHIPS, GET_DEBUGREGS, OUT), S(VCPU_CHIPS, SET_DEBUGREGS, IN),
	S(VCPU_CHIPS, GET_VCPU_EVENTS, OUT), S(VCPU_CHIPS, SET_VCPU_EVENTS, IN),
	S(VCPU_CHIPS, GET_LAPIC, OUT), S(VCPU_CHIPS, SET_LAPIC, IN),
	S(VCPU_CHIPS, SET_VAPIC_ADDR, IN),
	S(VCPU_CHIPS, GET_MP_STATE, OUT), S(VCPU_CHIPS, SET_MP_STATE, IN),
	S(VCPU_CHIPS, TRANSLATE, IN), S(VCPU, INTERRUPT, IN),
#undef S
};

/* The end of a page, behind which there is none. */
static uint8_t *page_end(void)
{
	uint8_t *p = mmap(NULL, 16384, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	mprotect(p + 12288, 4096, PROT_NONE);
	return p + 12288;
}

TEST(structs_that_end_nowhere)
{
	struct test_vm plain, chips;
	uint8_t *end = page_end();
	size_t i;

	vm_make(&plain, false);
	vm_make(&chips, true);
	for (i = 0; i < sizeof(structs) / sizeof(structs[0]); i++) {
		int fd[] = { plain.dev, plain.vm, plain.vcpu, chips.vm, chips.vcpu };
		uint8_t *at = end - _IOC_SIZE(structs[i].nr) + 1;

		memset(end - 8192, 0, 8192);
		errno = 0;
		EXPECT_EQ(-1, ioctl(fd[structs[i].fd], structs[i].nr, at))
			TH_LOG("%s", structs[i].what);
		EXPECT_EQ(EFAULT, errno) TH_LOG("%s", structs[i].what);
	}
	vm_free(&plain);
	vm_free(&chips);
}

/* Not a byte is left as it was, which in the kernel would be somebody else's. */
TEST(every_byte_of_an_answer_is_written)
{
	uint8_t *end = page_end(), *end2 = page_end();
	struct test_vm t;
	size_t i;

	vm_make(&t, true);
	for (i = 0; i < sizeof(structs) / sizeof(structs[0]); i++) {
		size_t size = _IOC_SIZE(structs[i].nr);

		if (structs[i].way != OUT)
			continue;
		memset(end - 8192, 0x11, 8192);
		memset(end2 - 8192, 0xee, 8192);
		EXPECT_EQ(0, ioctl(t.vcpu, structs[i].nr, end - size)) TH_LOG("%s", structs[i].what);
		EXPECT_EQ(0, ioctl(t.vcpu, structs[i].nr, end2 - size));
		EXPECT_EQ(0, memcmp(end - size, end2 - size, size)) TH_LOG("%s", structs[i].what);
		EXPECT_EQ(0x11, end[-(ssize_t)size - 1]);
	}
	vm_free(&t);
}

TEST(how_many_cpuid_entries)
{
	static const struct { uint32_t n; int error; } counts[] = {
		{ 257, E2BIG }, { 0x06666667, E2BIG }, { 1u << 31, E2BIG }, { ~0u, E2BIG },
	};
	size_t room = sizeof(struct minikvm_cpuid2) + 256 * sizeof(struct minikvm_cpuid_entry2);
	struct minikvm_cpuid2 *c = calloc(1, room), *before = calloc(1, room), *at;
	struct test_vm t;
	size_t i;

	vm_make(&t, false);
	before->nent = 256;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_CPUID2, before));
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		c->nent = counts[i].n;
		EXPECT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_CPUID2, c)) TH_LOG("%#x", counts[i].n);
		EXPECT_EQ(counts[i].error, errno);
	}
	at = (void *)(page_end() - sizeof(*c) - sizeof(c->entries[0]));
	at->nent = 2;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_CPUID2, at));
	ASSERT_EQ(EFAULT, errno);
	c->nent = 256;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_CPUID2, c));
	ASSERT_EQ(0, memcmp(c, before, room));	/* nothing has changed */
	c->nent = ~0u;				/* more room than there is: enough */
	ASSERT_EQ(0, ioctl(t.dev, MINIKVM_GET_SUPPORTED_CPUID, c));
	ASSERT_LT(c->nent, 257);
	c->nent = 256;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, c));
	c->nent = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, c));
	vm_free(&t);
}

TEST(too_little_room)
{
	struct { struct minikvm_msr_list head; uint32_t i[1]; } l = { .head.nmsrs = 1 };
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[1]; } c = { .head.nent = 1 };
	int dev = test_open();

	ASSERT_EQ(-1, ioctl(dev, MINIKVM_GET_MSR_INDEX_LIST, &l));
	ASSERT_EQ(E2BIG, errno);
	ASSERT_LT(1, l.head.nmsrs);
	ASSERT_EQ(-1, ioctl(dev, MINIKVM_GET_SUPPORTED_CPUID, &c));
	ASSERT_EQ(E2BIG, errno);
	close(dev);
}

TEST(unknown_capabilities_are_0)
{
	int dev = test_open();

	ASSERT_EQ(0, ioctl(dev, MINIKVM_CHECK_EXTENSION, 99999));
	ASSERT_EQ(1, ioctl(dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_USER_MEMORY));
	ASSERT_EQ(12, ioctl(dev, MINIKVM_GET_API_VERSION, 0));
	close(dev);
}

/* Those without which QEMU does not begin: the lists in 7.2 and in 10. */
TEST(what_qemu_requires)
{
	static const int caps[] = {
		MINIKVM_CAP_USER_MEMORY, MINIKVM_CAP_DESTROY_MEMORY_REGION_WORKS,
		MINIKVM_CAP_JOIN_MEMORY_REGIONS_WORKS, MINIKVM_CAP_SET_TSS_ADDR,
		MINIKVM_CAP_EXT_CPUID, MINIKVM_CAP_MP_STATE, MINIKVM_CAP_SET_IDENTITY_MAP_ADDR,
		MINIKVM_CAP_INTERNAL_ERROR_DATA, MINIKVM_CAP_IOEVENTFD,
		MINIKVM_CAP_IOEVENTFD_ANY_LENGTH, MINIKVM_CAP_ADJUST_CLOCK,
		MINIKVM_CAP_DEBUGREGS, MINIKVM_CAP_IRQ_ROUTING, MINIKVM_CAP_MCE,
		MINIKVM_CAP_SIGNAL_MSI, MINIKVM_CAP_VCPU_EVENTS,
		MINIKVM_CAP_X86_ROBUST_SINGLESTEP, MINIKVM_CAP_XSAVE,
	};
	int dev = test_open();
	size_t i;

	for (i = 0; i < sizeof(caps) / sizeof(caps[0]); i++)
		EXPECT_LT(0, ioctl(dev, MINIKVM_CHECK_EXTENSION, caps[i])) TH_LOG("%d", caps[i]);
	close(dev);
}

TEST_HARNESS_MAIN
