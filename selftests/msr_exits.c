// SPDX-License-Identifier: GPL-2.0
/* Claim: a VMM serves the MSRs that the kernel does not have or refuses, and those that it keeps
 * from the guest, if it asks for them; a filter counts from its ioctl on.
 */
#include <pthread.h>

#include "lib/vm.h"

#define UNKNOWN_MSR	0x474f4f00
#define FS_BASE		0xc0000100
#define GS_BASE		0xc0000101
#define PAT		0x277
#define INVAL		MINIKVM_MSR_EXIT_REASON_INVAL
#define UNKNOWN		MINIKVM_MSR_EXIT_REASON_UNKNOWN
#define FILTER		MINIKVM_MSR_EXIT_REASON_FILTER

/* RDMSR and WRMSR of ESI; the value, and what is to be written, in EDI (both halves). */
GUEST64(reads, "1: mov %esi, %ecx; mov $-1, %rax; mov $-1, %rdx; rdmsr; out %al, $0x10; jmp 1b");
GUEST64(writes, "1: mov %esi, %ecx; mov %edi, %eax; mov %edi, %edx; wrmsr; out %al, $0x10; jmp 1b");
/* Interrupts on: an emulated processor may hold the host's back with the guest's. */
GUEST64(spins, "sti; mov %esi, %ecx; 1: rdmsr; incq (%rbx); jmp 1b");

static int enable(struct test_vm *t, uint64_t reasons)
{
	struct minikvm_enable_cap cap = {
		.cap = MINIKVM_CAP_X86_USER_SPACE_MSR, .args = { reasons },
	};

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static int set_filter(struct test_vm *t, const struct minikvm_msr_filter *f)
{
	return ioctl(t->vm, MINIKVM_X86_SET_MSR_FILTER, f) ? -errno : 0;
}

static uint64_t nothing[24], everything[24] = { [0 ... 23] = ~0ull };

/* One range, all of it denied; all else allowed. */
static int deny(struct test_vm *t, uint32_t flags, uint32_t base, uint32_t nmsrs)
{
	struct minikvm_msr_filter f = {
		.ranges[3] = { .flags = flags, .base = base, .nmsrs = nmsrs,
			       .bitmap = (uint8_t *)nothing },
	};

	return set_filter(t, &f);
}

#define RD	MINIKVM_MSR_FILTER_READ
#define WR	MINIKVM_MSR_FILTER_WRITE

static void begin(struct test_vm *t, const uint8_t *code, const uint8_t *end, uint32_t msr,
		  uint32_t value)
{
	struct minikvm_regs r;

	/* What the last guest left open is not for this one. */
	t->run->immediate_exit = 1;
	if (vm_run(t) != -EINTR)
		abort();
	t->run->immediate_exit = 0;
	guest_long(t, code, end);
	r = vm_regs(t);
	r.rsi = msr;
	r.rdi = value;
	r.rbx = G_DATA;
	vm_set_regs(t, r);
}

#define BEGIN(t, guest, msr, value) begin(t, guest, guest##_end, msr, value)

#define EXPECT_MSR(t, way, why, msr_) do {				\
	ASSERT_EQ(MINIKVM_EXIT_X86_##way, vm_run(t));			\
	ASSERT_EQ((uint32_t)(why), (t)->run->msr.reason);		\
	ASSERT_EQ((uint32_t)(msr_), (t)->run->msr.index);		\
	ASSERT_EQ(0, (t)->run->msr.error);				\
} while (0)

FIXTURE(msr) { struct test_vm t; };
FIXTURE_SETUP(msr) { vm_make(&self->t, false); }
FIXTURE_TEARDOWN(msr) { vm_free(&self->t); }

TEST_F(msr, nobody_asked)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(1, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_X86_USER_SPACE_MSR));
	ASSERT_EQ(1, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_X86_MSR_FILTER));
	BEGIN(t, reads, UNKNOWN_MSR, 0);
	EXPECT_OUT(t, PORT_EXCEPTION, 13);
	BEGIN(t, writes, PAT, 2);
	EXPECT_OUT(t, PORT_EXCEPTION, 13);
	/* A filter alone is #GP. */
	ASSERT_EQ(0, deny(t, RD | WR, PAT, 1));
	BEGIN(t, reads, PAT, 0);
	EXPECT_OUT(t, PORT_EXCEPTION, 13);
}

TEST_F(msr, unknown_ones)
{
	struct test_vm *t = &self->t;
	struct minikvm_regs r;

	ASSERT_EQ(0, enable(t, UNKNOWN));
	BEGIN(t, reads, UNKNOWN_MSR, 0);
	EXPECT_MSR(t, RDMSR, UNKNOWN, UNKNOWN_MSR);
	r = vm_regs(t);
	ASSERT_EQ(0x0f, t->mem[r.rip]) TH_LOG("at the instruction");
	t->run->msr.data = 0x1122334455667788;
	EXPECT_OUT(t, 0x10, 0x88);
	r = vm_regs(t);
	ASSERT_EQ(0x55667788, r.rax);
	ASSERT_EQ(0x11223344, r.rdx);
	EXPECT_MSR(t, RDMSR, UNKNOWN, UNKNOWN_MSR);
	t->run->msr.error = 1;
	EXPECT_OUT(t, PORT_EXCEPTION, 13);

	BEGIN(t, writes, UNKNOWN_MSR, 0x1234);
	EXPECT_MSR(t, WRMSR, UNKNOWN, UNKNOWN_MSR);
	ASSERT_EQ(0x123400001234, t->run->msr.data);
	EXPECT_OUT(t, 0x10, 0x34);
	EXPECT_MSR(t, WRMSR, UNKNOWN, UNKNOWN_MSR);
	t->run->msr.error = 0x80;
	EXPECT_OUT(t, PORT_EXCEPTION, 13);
	/* One that is refused is not unknown. */
	BEGIN(t, writes, PAT, 2);
	EXPECT_OUT(t, PORT_EXCEPTION, 13);
}

TEST_F(msr, refused_ones)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, enable(t, INVAL));
	BEGIN(t, writes, PAT, 2);
	EXPECT_MSR(t, WRMSR, INVAL, PAT);
	ASSERT_EQ(0x200000002, t->run->msr.data);
	EXPECT_OUT(t, 0x10, 2);
	BEGIN(t, reads, UNKNOWN_MSR, 0);
	EXPECT_OUT(t, PORT_EXCEPTION, 13);
}

/* What the VMM answers is finished with immediate_exit, too. */
TEST_F(msr, the_answer_is_taken_by_the_next_run)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(0, enable(t, UNKNOWN));
	BEGIN(t, reads, UNKNOWN_MSR, 0);
	EXPECT_MSR(t, RDMSR, UNKNOWN, UNKNOWN_MSR);
	t->run->msr.data = 0x77;
	t->run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, vm_run(t));
	ASSERT_EQ(0x77, vm_regs(t).rax);
	ASSERT_EQ(0xe6, t->mem[vm_regs(t).rip]);
	t->run->immediate_exit = 0;
	EXPECT_OUT(t, 0x10, 0x77);
}

static void filtered(struct __test_metadata *_metadata, struct test_vm *t, uint32_t msr)
{
	ASSERT_EQ(0, deny(t, RD, msr, 1));
	BEGIN(t, reads, msr, 0);
	EXPECT_MSR(t, RDMSR, FILTER, msr);
	t->run->msr.data = 0x5a;
	EXPECT_OUT(t, 0x10, 0x5a);
	BEGIN(t, writes, msr, 0);
	EXPECT_OUT(t, 0x10, 0);
	ASSERT_EQ(0, deny(t, WR, msr, 1));
	BEGIN(t, writes, msr, 0);
	EXPECT_MSR(t, WRMSR, FILTER, msr);
	EXPECT_OUT(t, 0x10, 0);
	BEGIN(t, reads, msr, 0);
	EXPECT_OUT(t, 0x10, 0);
	/* Gone, from the next entry on. */
	ASSERT_EQ(0, deny(t, RD, 0, 0));
	BEGIN(t, writes, msr, 0);
	EXPECT_OUT(t, 0x10, 0);
	BEGIN(t, reads, msr, 0);
	EXPECT_OUT(t, 0x10, 0);
}

/* Of memory, of the VMCS, and those that the guest accesses without an exit. */
TEST_F(msr, filtered_ones)
{
	static const uint32_t msrs[] = { 0x174, 0x175, 0x176, FS_BASE, GS_BASE, 0xc0000102, 0x17a,
					 0xc0000082, 0x26f };
	unsigned int i;

	ASSERT_EQ(0, enable(&self->t, FILTER));
	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++)
		filtered(_metadata, &self->t, msrs[i]);
}

TEST_F(msr, the_rest_is_denied)
{
	struct test_vm *t = &self->t;
	struct minikvm_msr_filter f = {
		.flags = MINIKVM_MSR_FILTER_DEFAULT_DENY,
		.ranges[0] = { .flags = RD, .base = 0x174, .nmsrs = 3,
			       .bitmap = (uint8_t *)everything },
	};

	ASSERT_EQ(0, enable(t, FILTER | UNKNOWN));
	ASSERT_EQ(0, set_filter(t, &f));
	BEGIN(t, reads, 0x176, 0);
	EXPECT_OUT(t, 0x10, 0);
	BEGIN(t, writes, 0x176, 0);
	EXPECT_MSR(t, WRMSR, FILTER, 0x176);
	BEGIN(t, reads, 0x177, 0);
	EXPECT_MSR(t, RDMSR, FILTER, 0x177);
	BEGIN(t, reads, UNKNOWN_MSR, 0);
	EXPECT_MSR(t, RDMSR, FILTER, UNKNOWN_MSR);
}

TEST_F(msr, a_vcpu_that_comes_later)
{
	struct test_vm *t = &self->t, late;

	ASSERT_EQ(0, enable(t, FILTER));
	ASSERT_EQ(0, deny(t, RD, FS_BASE, 1));
	late = vm_add_vcpu(t, 1);
	BEGIN(&late, reads, FS_BASE, 0);
	EXPECT_MSR(&late, RDMSR, FILTER, FS_BASE);
	vm_free_vcpu(&late);
}

static void *run_thread(void *arg)
{
	return (void *)(long)vm_run(arg);
}

/* It reads without an exit, until it may not any more. */
TEST_F(msr, a_guest_that_runs)
{
	struct test_vm *t = &self->t;
	volatile uint64_t *count = (uint64_t *)(t->mem + G_DATA);
	pthread_t thread;
	void *exit;
	int i;

	ASSERT_EQ(0, enable(t, FILTER));
	for (i = 0; i < 20; i++) {
		ASSERT_EQ(0, deny(t, RD, 0, 0));
		*count = 0;
		BEGIN(t, spins, FS_BASE, 0);
		ASSERT_EQ(0, pthread_create(&thread, NULL, run_thread, t));
		while (*count < 100)
			usleep(1000);
		ASSERT_EQ(0, deny(t, RD, FS_BASE, 1));
		ASSERT_EQ(0, pthread_join(thread, &exit));
		ASSERT_EQ(MINIKVM_EXIT_X86_RDMSR, (long)exit);
		ASSERT_EQ(FILTER, t->run->msr.reason);
	}
}

TEST_F(msr, refusals)
{
	struct test_vm *t = &self->t;
	struct minikvm_msr_filter f = {
		.ranges[15] = { .flags = RD, .nmsrs = 1, .bitmap = (uint8_t *)nothing },
	};
	int i;

	for (i = 3; i < 64; i++)
		ASSERT_EQ(-EINVAL, enable(t, 1ull << i));
	ASSERT_EQ(0, enable(t, 7));
	ASSERT_EQ(0, set_filter(t, &f));
	for (i = 1; i < 32; i++) {
		f.flags = 1u << i;
		ASSERT_EQ(-EINVAL, set_filter(t, &f));
	}
	f.flags = 0;
	for (i = 2; i < 32; i++) {
		f.ranges[15].flags = 1u << i;
		ASSERT_EQ(-EINVAL, set_filter(t, &f));
	}
	f.ranges[15].flags = 0;
	ASSERT_EQ(-EINVAL, set_filter(t, &f));
	f.ranges[15].flags = RD;
	f.ranges[15].nmsrs = MINIKVM_MSR_FILTER_MAX_BITMAP_SIZE * 8 + 1;
	ASSERT_EQ(-EINVAL, set_filter(t, &f));
	f.ranges[15].nmsrs = ~0u;
	ASSERT_EQ(-EINVAL, set_filter(t, &f));
	f.ranges[15].nmsrs = 65;
	f.ranges[15].bitmap = NULL;
	ASSERT_EQ(-EFAULT, set_filter(t, &f));
	/* Nothing is denied by name, all else is: that is a mistake. */
	f = (struct minikvm_msr_filter) { .flags = MINIKVM_MSR_FILTER_DEFAULT_DENY };
	ASSERT_EQ(-EINVAL, set_filter(t, &f));
	ASSERT_EQ(-EFAULT, set_filter(t, NULL));
	/* The last that was taken counts. */
	BEGIN(t, reads, 0, 0);
	EXPECT_MSR(t, RDMSR, FILTER, 0);
}

TEST_HARNESS_MAIN
