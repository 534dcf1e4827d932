// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the TSCs of a VM's vCPUs are one counter, whatever VMM and guest write one after the
 * other, and it has the frequency that the VMM has chosen, if the processor can do that.
 */
#include "lib/vm.h"

#define TSC		0x10
#define TSC_ADJUST	0x3b
#define SYSTEM		0x4b564d01u
#define TELL		"rdtsc; shl $32, %rdx; or %rdx, %rax; out %al, $0x10;"

GUEST64(tells, "1:" TELL "jmp 1b");
/* MSR ecx becomes edx:eax, then as above. */
GUEST64(writes, "wrmsr; 1:" TELL "jmp 1b");
/* The local APIC's timer in TSC-deadline mode, rbx from now; the TSC before and after. */
GUEST64(waits, "mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr;"
	"mov $0x832, %ecx; mov $0x40041, %eax; wrmsr;"
	"rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %r8; add %rbx, %rax; mov %rax, %rdx;"
	"shr $32, %rdx; mov $0x6e0, %ecx; wrmsr; 1: sti; hlt; cli; test %r9d, %r9d; jz 1b;"
	"rdtsc; shl $32, %rdx; or %rdx, %rax; sub %r8, %rax; out %al, $0x10; hlt");
/* The same, without HLT: the guest is in the processor when it expires. */
GUEST64(spins, "mov $0x1b, %ecx; rdmsr; or $0xc00, %eax; wrmsr;"
	"mov $0x80f, %ecx; mov $0x1ff, %eax; xor %edx, %edx; wrmsr;"
	"mov $0x832, %ecx; mov $0x40041, %eax; wrmsr;"
	"rdtsc; shl $32, %rdx; or %rdx, %rax; mov %rax, %r8; add %rbx, %rax; mov %rax, %rdx;"
	"shr $32, %rdx; mov $0x6e0, %ecx; wrmsr; sti; 1: test %r9d, %r9d; jz 1b;"
	"rdtsc; shl $32, %rdx; or %rdx, %rax; sub %r8, %rax; out %al, $0x10; hlt");
GUEST64(comes, "inc %r9d; mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; iretq");

static uint64_t host_tsc(void)
{
	return __builtin_ia32_rdtsc();
}

static int attr(struct test_vm *t, unsigned long ioctl_nr, uint32_t group, uint64_t nr, void *value)
{
	struct minikvm_device_attr a = { .group = group, .attr = nr, .addr = (uintptr_t)value };

	return ioctl(t->vcpu, ioctl_nr, &a) ? -errno : 0;
}

static uint64_t offset(struct test_vm *t)
{
	uint64_t value = 0;

	if (attr(t, MINIKVM_GET_DEVICE_ATTR, MINIKVM_VCPU_TSC_CTRL, MINIKVM_VCPU_TSC_OFFSET, &value))
		abort();
	return value;
}

static int set_offset(struct test_vm *t, uint64_t value)
{
	return attr(t, MINIKVM_SET_DEVICE_ATTR, MINIKVM_VCPU_TSC_CTRL, MINIKVM_VCPU_TSC_OFFSET, &value);
}

static uint64_t khz_of(struct test_vm *t)
{
	return ioctl(t->vcpu, MINIKVM_GET_TSC_KHZ, 0);
}

/* The next TSC that the guest reads, or 0. */
static uint64_t guest_tsc(struct test_vm *t)
{
	return vm_run(t) == MINIKVM_EXIT_IO ? vm_regs(t).rax : 0;
}

/* Which GET_SUPPORTED_CPUID leaves to the VMM, who has the local APIC or not. */
static void show_deadline_timer(struct test_vm *t)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[256]; } c = { { 256 } };

	if (ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, &c))
		abort();
	for (uint32_t i = 0; i < c.head.nent; i++)
		if (c.e[i].function == 1)
			c.e[i].ecx |= 1 << 24;
	if (ioctl(t->vcpu, MINIKVM_SET_CPUID2, &c))
		abort();
}

static bool scales(struct test_vm *t)
{
	return ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_TSC_CONTROL) > 0;
}

FIXTURE(tsc) { struct test_vm t, u; };
FIXTURE_SETUP(tsc)
{
	vm_make(&self->t, true);
	self->u = vm_add_vcpu(&self->t, 1);
	guest_long(&self->t, tells, tells_end);
}

FIXTURE_TEARDOWN(tsc)
{
	vm_free_vcpu(&self->u);
	vm_free(&self->t);
}

TEST_F(tsc, the_offset_is_an_attribute)
{
	struct test_vm *t = &self->t;
	uint64_t now, value = 5;
	static const uint64_t offsets[] = { 0, 1ull << 40, -(1ull << 30), 12345 };

	ASSERT_EQ(1, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_VCPU_ATTRIBUTES));
	ASSERT_EQ(0, attr(t, MINIKVM_HAS_DEVICE_ATTR, 0, 0, NULL));
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		ASSERT_EQ(0, set_offset(t, offsets[i]));
		ASSERT_EQ(offsets[i], offset(t));
		now = host_tsc() + offsets[i];
		value = guest_tsc(t);
		ASSERT_LE(0, (int64_t)(value - now));
		ASSERT_LE(0, (int64_t)(host_tsc() + offsets[i] - value));
	}
}

TEST_F(tsc, of_attributes_there_are_no_others)
{
	static const unsigned long ioctls[] = {
		MINIKVM_HAS_DEVICE_ATTR, MINIKVM_GET_DEVICE_ATTR, MINIKVM_SET_DEVICE_ATTR,
	};
	struct test_vm *t = &self->t;
	uint64_t value = 5, was = offset(t);

	for (int i = 0; i < 3; i++) {
		ASSERT_EQ(-ENXIO, attr(t, ioctls[i], 1, 0, &value));
		ASSERT_EQ(-ENXIO, attr(t, ioctls[i], 0, 1, &value));
		ASSERT_EQ(-1, ioctl(t->vcpu, ioctls[i], NULL));
		ASSERT_EQ(EFAULT, errno);
	}
	ASSERT_EQ(-EFAULT, attr(t, MINIKVM_GET_DEVICE_ATTR, 0, 0, NULL));
	ASSERT_EQ(-EFAULT, attr(t, MINIKVM_SET_DEVICE_ATTR, 0, 0, NULL));
	ASSERT_EQ(was, offset(t));
	ASSERT_EQ(5, value);
}

/* As VMMs do it: each vCPU in its turn, a little later, and the same number, or 0. */
TEST_F(tsc, writes_that_mean_the_same_moment)
{
	struct test_vm *t = &self->t, *u = &self->u;
	uint64_t second = khz_of(t) * 1000, was = offset(t);

	ASSERT_EQ(was, offset(u));
	ASSERT_EQ(1, vm_set_msr(t, TSC, 0));
	ASSERT_EQ(1, vm_set_msr(u, TSC, 0));
	ASSERT_EQ(was, offset(t));
	ASSERT_EQ(was, offset(u));
	/* Elsewhere, an hour later: a VM that goes on. */
	ASSERT_EQ(1, vm_set_msr(t, TSC, 3600 * second));
	was = offset(t);
	ASSERT_EQ(1, vm_set_msr(u, TSC, 3600 * second + second / 2));
	ASSERT_EQ(was, offset(u));
	ASSERT_EQ(1, vm_set_msr(t, TSC, 0));
	ASSERT_EQ(was, offset(t));
	/* Another hour is another moment. */
	ASSERT_EQ(1, vm_set_msr(u, TSC, 7200 * second));
	ASSERT_NE(was, offset(u));
	ASSERT_EQ(1, vm_set_msr(t, TSC, 7200 * second));
	ASSERT_EQ(offset(u), offset(t));
}

TEST_F(tsc, an_offset_counts_for_those_that_come)
{
	struct test_vm v;

	ASSERT_EQ(0, set_offset(&self->t, 1ull << 44));
	ASSERT_NE(1ull << 44, offset(&self->u));
	ASSERT_EQ(1, vm_set_msr(&self->u, TSC, 0));
	ASSERT_EQ(1ull << 44, offset(&self->u));
	v = vm_add_vcpu(&self->t, 2);
	ASSERT_EQ(1ull << 44, offset(&v));
	vm_free_vcpu(&v);
}

TEST_F(tsc, a_guests_write_is_its_own)
{
	struct test_vm *t = &self->t;
	struct minikvm_regs r;
	uint64_t was = offset(t);

	guest_long(t, writes, writes_end);
	r = vm_regs(t);
	r.rcx = TSC_ADJUST;
	r.rax = 0x1000000;
	r.rdx = 0;
	vm_set_regs(t, r);
	ASSERT_NE(0, guest_tsc(t));
	ASSERT_EQ(was + 0x1000000, offset(t));
	ASSERT_EQ(was, offset(&self->u));
}

TEST_F(tsc, has_the_frequency_that_the_vmm_chooses)
{
	static const int percent[] = { 50, 90, 100, 150, 300 };
	struct test_vm *t = &self->t, *u = &self->u;
	uint64_t khz = khz_of(t), host, guest, least;

	if (!scales(t))
		SKIP(return, "the processor cannot scale a TSC");
	for (int i = 0; i < 5; i++) {
		ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_TSC_KHZ, khz * percent[i] / 100));
		ASSERT_EQ(0, ioctl(u->vcpu, MINIKVM_SET_TSC_KHZ, khz * percent[i] / 100));
		ASSERT_EQ(khz * percent[i] / 100, khz_of(t));
		if (!test_on_kvm())	/* KVM leaves it where it was */
			ASSERT_EQ(offset(t), offset(u));
		host = host_tsc();
		guest = guest_tsc(t);
		usleep(20000);
		least = host_tsc() - host;	/* at least so long between the two, and somewhat more */
		guest = guest_tsc(t) - guest;
		host = host_tsc() - host;
		ASSERT_LE(least / 2 * percent[i] / 100, guest);
		ASSERT_GE(host * percent[i] / 100 + 1000, guest);
	}
	ASSERT_EQ(-1, ioctl(t->vcpu, MINIKVM_SET_TSC_KHZ, 0xffffffff));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(-1, ioctl(t->vm, MINIKVM_SET_TSC_KHZ, 0x7fffffff));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_TSC_KHZ, 0));
	ASSERT_EQ(khz, khz_of(t));
}

TEST_F(tsc, a_deadline_is_met_in_the_guests_time)
{
	struct test_vm *t = &self->t;
	uint64_t khz = khz_of(t), took;
	struct minikvm_regs r;

	show_deadline_timer(t);
	for (int i = 0; i < 6; i++) {
		int percent = i / 2 == 0 ? 100 : i / 2 == 1 ? 40 : 250;

		if (percent != 100 && !scales(t))
			break;
		ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_TSC_KHZ, khz * percent / 100));
		guest_long(t, i % 2 ? spins : waits, i % 2 ? spins_end : waits_end);
		memcpy(t->mem + 0x3000, comes, comes_end - comes);
		/* The gate of vector 0x41 leads there. */
		*(uint16_t *)(t->mem + G_IDT + 16 * 0x41) = 0x3000;
		r = vm_regs(t);
		r.r9 = 0;
		r.rbx = khz * percent / 100 * 5;	/* 5 ms */
		vm_set_regs(t, r);
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(t));
		ASSERT_EQ(0x10, t->run->io.port);
		took = vm_regs(t).rax;
		ASSERT_LE(r.rbx, took);
		ASSERT_GE(100 * r.rbx, took);
	}
}

TEST_HARNESS_MAIN
