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

TEST_HARNESS_MAIN
