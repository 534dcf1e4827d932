// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: what the tests of the Rust bindings for KVM expect of each ioctl holds: the answers of a
 * fresh device, VM and vCPU, states that come back as they were set, and what is refused.
 */
#include <sys/eventfd.h>

#include "lib/vm.h"

#define MSR_ARCH_CAPABILITIES	0x10a
#define MSR_PERF_CAPABILITIES	0x345

struct cpuid { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[256]; };
struct msrs { struct minikvm_msrs head; struct minikvm_msr_entry e[2]; };

static int refused(int ret)
{
	return ret == -1 ? errno : 0;
}

/* A VM, and its vCPU 0 unless the test has its own. */
static void make(struct test_vm *t, bool chips, bool vcpu)
{
	*t = (struct test_vm) { .dev = test_open(), .vcpu = -1 };
	t->vm = ioctl(t->dev, MINIKVM_CREATE_VM, 0);
	if (chips && ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0))
		abort();
	if (vcpu)
		t->vcpu = ioctl(t->vm, MINIKVM_CREATE_VCPU, 0);
	if (t->vm < 0 || (vcpu && t->vcpu < 0))
		abort();
}

static void end(struct test_vm *t)
{
	if (t->vcpu >= 0)
		close(t->vcpu);
	close(t->vm);
	close(t->dev);
}

/* ---- the device */

TEST(what_is_emulated_is_a_table_of_cpuid)
{
	struct cpuid c = { .head.nent = 256 };
	int dev = test_open();

	ASSERT_EQ(1, ioctl(dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_EXT_EMUL_CPUID));
	ASSERT_EQ(0, ioctl(dev, MINIKVM_GET_EMULATED_CPUID, &c));
	ASSERT_LE(1, c.head.nent);
	ASSERT_GE(256, c.head.nent);
	ASSERT_EQ(0, c.e[0].function);
	c.head.nent = 0;
	ASSERT_EQ(E2BIG, refused(ioctl(dev, MINIKVM_GET_EMULATED_CPUID, &c)));
	ASSERT_EQ(EFAULT, refused(ioctl(dev, MINIKVM_GET_EMULATED_CPUID, 8ul)));
	close(dev);
}

TEST(feature_msrs)
{
	struct msrs m = { .head.nmsrs = 2, .e = { { MSR_ARCH_CAPABILITIES },
						  { MSR_PERF_CAPABILITIES } } };
	int dev = test_open();

	ASSERT_EQ(2, ioctl(dev, MINIKVM_GET_MSRS, &m));
	close(dev);
}

/* ---- the VM */

TEST(ids_of_vcpus)
{
	struct test_vm t;
	int ids, vcpu;

	make(&t, false, false);
	ids = ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPU_ID);
	ASSERT_LT(0, ids);
	ASSERT_EQ(EINVAL, refused(ioctl(t.vm, MINIKVM_CREATE_VCPU, 65537)));
	ASSERT_EQ(EINVAL, refused(ioctl(t.vm, MINIKVM_CREATE_VCPU, ids)));
	vcpu = ioctl(t.vm, MINIKVM_CREATE_VCPU, ids - 1);
	ASSERT_LE(0, vcpu);
	close(vcpu);
	end(&t);
}

TEST(what_a_vm_refuses)
{
	struct minikvm_userspace_memory_region none = { .slot = 0 };
	struct minikvm_irq_routing routing = { .nr = 0 };
	struct minikvm_enable_cap cap = { .cap = 0 };
	struct minikvm_msi msi = { 0 };
	uint64_t address = 0xfffbc000;
	struct test_vm t;

	make(&t, false, false);
	EXPECT_NE(0, refused(ioctl(t.vm, MINIKVM_SET_USER_MEMORY_REGION, &none)));
	EXPECT_NE(0, refused(ioctl(t.vm, MINIKVM_ENABLE_CAP, &cap)));
	EXPECT_NE(0, refused(ioctl(t.vm, MINIKVM_SIGNAL_MSI, &msi)));
	EXPECT_NE(0, refused(ioctl(t.vm, MINIKVM_SET_GSI_ROUTING, &routing)));
	EXPECT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_IRQCHIP, 0));
	EXPECT_EQ(0, ioctl(t.vm, MINIKVM_SET_GSI_ROUTING, &routing));
	EXPECT_EQ(0, ioctl(t.vm, MINIKVM_SET_IDENTITY_MAP_ADDR, &address));
	t.vcpu = ioctl(t.vm, MINIKVM_CREATE_VCPU, 0);
	EXPECT_NE(0, refused(ioctl(t.vm, MINIKVM_SET_IDENTITY_MAP_ADDR, &address)));
	end(&t);
}

/* Memory at address 0 of the process, where there is none: it is a slot all the same. */
TEST(a_slot_without_memory)
{
	struct test_vm t;

	make(&t, false, false);
	ASSERT_EQ(0, vm_slot(&t, 0, 0, 0x10000, 0x10000, NULL));
	end(&t);
}

TEST(chips_keep_what_they_are_given)
{
	struct minikvm_irqchip pic = { .chip_id = MINIKVM_IRQCHIP_PIC_MASTER }, again = pic;
	struct minikvm_pit_state2 pit, pit_again;
	struct minikvm_pit_config config = { 0 };
	struct test_vm t;
	int i;

	make(&t, true, false);
	pic.chip.pic.irq_base = 10;
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_IRQCHIP, &pic));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_IRQCHIP, &again));
	ASSERT_EQ(0, memcmp(&pic.chip.pic, &again.chip.pic, sizeof(pic.chip.pic)));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_PIT2, &config));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_PIT2, &pit));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_PIT2, &pit));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_PIT2, &pit_again));
	for (i = 0; i < 3; i++)
		pit_again.channels[i].count_load_time = pit.channels[i].count_load_time;
	ASSERT_EQ(0, memcmp(&pit, &pit_again, sizeof(pit)));
	end(&t);
}

TEST(the_clock_begins_anew)
{
	struct minikvm_clock_data before, set = { .clock = 10 }, after;
	struct test_vm t;

	make(&t, false, false);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_CLOCK, &before));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_CLOCK, &set));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_CLOCK, &after));
	ASSERT_LT(10, after.clock);
	ASSERT_LT(after.clock, before.clock);
	end(&t);
}

static int doorbell(struct test_vm *t, int fd, uint64_t addr, uint32_t len, uint64_t value,
		    uint32_t flags)
{
	struct minikvm_ioeventfd e = { .addr = addr, .len = len, .datamatch = value, .fd = fd,
				       .flags = flags | (len ? MINIKVM_IOEVENTFD_FLAG_DATAMATCH : 0) };

	return ioctl(t->vm, MINIKVM_IOEVENTFD, &e);
}

TEST(ioeventfds)
{
	const uint32_t pio = MINIKVM_IOEVENTFD_FLAG_PIO, off = MINIKVM_IOEVENTFD_FLAG_DEASSIGN;
	int fd = eventfd(0, EFD_NONBLOCK);
	struct test_vm t;

	make(&t, false, false);
	EXPECT_NE(0, refused(doorbell(&t, fd, 0xf4, 0, 0, pio | off)));
	EXPECT_NE(0, refused(doorbell(&t, fd, 0x1000, 0, 0, off)));
	EXPECT_EQ(0, doorbell(&t, fd, 0xf4, 0, 0, pio));
	EXPECT_EQ(0, doorbell(&t, fd, 0x1000, 0, 0, 0));
	EXPECT_EQ(0, doorbell(&t, fd, 0xc1, 1, 0x7f, pio));
	EXPECT_EQ(0, doorbell(&t, fd, 0xc2, 2, 0x1337, pio));
	EXPECT_EQ(0, doorbell(&t, fd, 0xc4, 4, 0xdeadbeef, pio));
	EXPECT_EQ(0, doorbell(&t, fd, 0xc8, 8, 0xdeadbeefdeadbeef, pio));
	EXPECT_EQ(0, doorbell(&t, fd, 0x2000, 2, 0x1337, 0));
	EXPECT_EQ(0, doorbell(&t, fd, 0x2000, 2, 0x1337, off));
	EXPECT_EQ(0, doorbell(&t, fd, 0xf4, 0, 0, pio | off));
	close(fd);
	end(&t);
}

static int irqfd(struct test_vm *t, int fd, uint32_t gsi, uint32_t flags, int resample)
{
	struct minikvm_irqfd i = { .fd = fd, .gsi = gsi, .flags = flags, .resamplefd = resample };

	return ioctl(t->vm, MINIKVM_IRQFD, &i);
}

TEST(irqfds)
{
	const uint32_t off = MINIKVM_IRQFD_FLAG_DEASSIGN;
	struct test_vm t;
	int fd[5], i;

	for (i = 0; i < 5; i++)
		fd[i] = eventfd(0, EFD_NONBLOCK);
	make(&t, true, false);
	EXPECT_EQ(0, irqfd(&t, fd[0], 4, 0, 0));
	EXPECT_EQ(0, irqfd(&t, fd[1], 8, 0, 0));
	EXPECT_EQ(0, irqfd(&t, fd[2], 4, 0, 0));
	EXPECT_EQ(0, irqfd(&t, fd[1], 8, off, 0));
	EXPECT_EQ(0, irqfd(&t, fd[1], 8, off, 0));
	EXPECT_NE(0, refused(irqfd(&t, fd[2], 4, 0, 0)));
	EXPECT_NE(0, refused(irqfd(&t, fd[2], 5, 0, 0)));
	EXPECT_EQ(0, irqfd(&t, fd[2], 5, off, 0));
	EXPECT_EQ(0, irqfd(&t, fd[3], 6, MINIKVM_IRQFD_FLAG_RESAMPLE, fd[4]));
	EXPECT_EQ(0, irqfd(&t, fd[3], 6, off, 0));
	for (i = 0; i < 5; i++)
		close(fd[i]);
	end(&t);
}

/* ---- the vCPU */

#define SAME_AGAIN(t, name, type) do {						\
	static struct type a_, b_;						\
	EXPECT_EQ(0, ioctl((t)->vcpu, MINIKVM_GET_##name, &a_));		\
	EXPECT_EQ(0, ioctl((t)->vcpu, MINIKVM_SET_##name, &a_));		\
	EXPECT_EQ(0, ioctl((t)->vcpu, MINIKVM_GET_##name, &b_));		\
	EXPECT_EQ(0, memcmp(&a_, &b_, sizeof(a_))) TH_LOG(#name);		\
} while (0)

TEST(states_of_a_fresh_vcpu)
{
	struct { struct minikvm_nested_state n; char room[8192]; } nested = { .n.size = 8320 };
	struct minikvm_debugregs debug = { .dr6 = 0xffff0ff0 };
	struct minikvm_lapic_state lapic;
	struct test_vm t;

	make(&t, false, true);
	SAME_AGAIN(&t, MP_STATE, minikvm_mp_state);
	SAME_AGAIN(&t, XSAVE, minikvm_xsave);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_XCRS) > 0)
		SAME_AGAIN(&t, XCRS, minikvm_xcrs);
	SAME_AGAIN(&t, DEBUGREGS, minikvm_debugregs);
	SAME_AGAIN(&t, VCPU_EVENTS, minikvm_vcpu_events);
	debug.dr7 = 13;
	EXPECT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &debug));
	EXPECT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &debug));
	EXPECT_EQ(13, debug.dr7);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_NESTED_STATE) > 0) {
		EXPECT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_NESTED_STATE, &nested));
		EXPECT_EQ(128, nested.n.size);
		EXPECT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_NESTED_STATE, &nested));
	}
	end(&t);
	make(&t, true, true);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &lapic));
	lapic.regs[0x300] = 2;			/* ICR */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_LAPIC, &lapic));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &lapic));
	ASSERT_EQ(2, *(uint32_t *)&lapic.regs[0x300]);
	end(&t);
}

TEST(cpuid_comes_back)
{
	static struct cpuid set, got;
	struct test_vm t;
	uint32_t n;

	make(&t, false, true);
	set.head.nent = 256;
	ASSERT_EQ(0, ioctl(t.dev, MINIKVM_GET_SUPPORTED_CPUID, &set));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &set));
	n = set.head.nent;
	got.head.nent = n - 1;
	ASSERT_EQ(E2BIG, refused(ioctl(t.vcpu, MINIKVM_GET_CPUID2, &got)));
	got.head.nent = n;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_CPUID2, &got));
	ASSERT_EQ(0, memcmp(set.e, got.e, 3 * sizeof(set.e[0])));
	memcpy(&set.e[0].ebx, "KVMKVMKVM\0\0", 12);	/* another vendor, before the first RUN */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &set));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_CPUID2, &got));
	ASSERT_EQ(0, memcmp(&set.e[0], &got.e[0], sizeof(set.e[0])));
	end(&t);
}

TEST(translation_without_paging)
{
	struct minikvm_translation tr = { .linear_address = 0x10000 };
	struct test_vm t;

	make(&t, false, true);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_TRANSLATE, &tr));
	ASSERT_EQ(1, tr.valid);
	ASSERT_EQ(0x10000, tr.physical_address);
	tr.linear_address = ~0ull;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_TRANSLATE, &tr));
	ASSERT_EQ(0, tr.valid);
	end(&t);
}

/* Three steps, then a device of one byte, then a page of memory. */
GUEST16(steps, "1: mov $0x3f8, %dx; add %bl, %al; add $0x30, %al; out %al, %dx; in %dx, %al;"
	"movb $0, 0x8000; movb 0x8000, %dl; movb $0, 0x2000; hlt;"
	"hlt; jmp 1b");

static int run_steps(struct test_vm *t, int *done)
{
	struct minikvm_guest_debug off = { 0 };
	int reason;

	while ((reason = ioctl(t->vcpu, MINIKVM_RUN, 0) ? -1 : (int)t->run->exit_reason) !=
	       MINIKVM_EXIT_HLT) {
		if (reason == MINIKVM_EXIT_IO || reason == MINIKVM_EXIT_MMIO)
			continue;
		if (reason != MINIKVM_EXIT_DEBUG)
			return reason;
		if ((t->run->debug.arch.dr6 & 0xffff) != 0x4ff0 || t->run->debug.arch.dr7 != 0x400 ||
		    t->run->debug.arch.exception != 1 ||
		    t->run->debug.arch.pc != (uint64_t)G_CODE + 3 + 2 * (*done)++)
			return -2;
		if (*done == 3)
			ioctl(t->vcpu, MINIKVM_SET_GUEST_DEBUG, &off);
	}
	return reason;
}

TEST(steps_and_the_pages_that_are_dirty_then)
{
	struct minikvm_guest_debug debug = { .control = MINIKVM_GUESTDBG_ENABLE |
							MINIKVM_GUESTDBG_SINGLESTEP };
	/* The last HLT first: it has the page mapped. Bochs 2.7 has a #DB too many where it is not. */
	struct minikvm_regs r = { .rip = G_CODE + (steps_end - steps) - 3, .rflags = 2 };
	uint64_t bits = 0;
	struct minikvm_dirty_log log = { .dirty_bitmap = &bits };
	struct minikvm_sregs s;
	struct test_vm t;
	int done = 0;
	void *mem;

	make(&t, false, true);
	mem = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_ANONYMOUS | MAP_SHARED | MAP_NORESERVE,
		   -1, 0);
	t.run = mmap(NULL, ioctl(t.dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		     MAP_SHARED, t.vcpu, 0);
	ASSERT_EQ(0, vm_slot(&t, 0, MINIKVM_MEM_LOG_DIRTY_PAGES, G_CODE, 0x4000, mem));
	memcpy(mem, steps, steps_end - steps);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_SREGS, &s));
	ASSERT_NE(0, s.cs.base);
	ASSERT_NE(0, s.cs.selector);
	s.cs.base = s.cs.selector = 0;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_REGS, &r));
	ASSERT_EQ(MINIKVM_EXIT_HLT, run_steps(&t, &done));
	r = (struct minikvm_regs){ .rip = G_CODE, .rax = 2, .rbx = 3, .rflags = 2 };
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_REGS, &r));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, &debug));
	ASSERT_EQ(MINIKVM_EXIT_HLT, run_steps(&t, &done));
	ASSERT_EQ(3, done);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_DIRTY_LOG, &log));
	ASSERT_EQ(2, __builtin_popcountll(bits));
	munmap(t.run, sizeof(*t.run));
	munmap(mem, 0x4000);
	end(&t);
}

TEST_HARNESS_MAIN
