// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a guest that asks is told how long its vCPU waited for a processor and sends one message
 * to many, and gets none of it when the VMM keeps it from it.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include "lib/irq.h"

#define STEAL		0x4b564d03u
#define EOI		0x4b564d04u
#define SYSTEM		0x4b564d01u

GUEST64(idles, "sti; 1: out %al, $0x10; jmp 1b");
GUEST64(reads, "rdmsr; out %al, $0x10; wrmsr; out %al, $0x10; 1: out %al, $0x10; jmp 1b");
GUEST64(calls, "mov %rbx, %rax; vmcall; out %al, $0x10; hlt");
GUEST64(many, "mov $10, %eax; vmcall; out %al, $0x10; hlt");
GUEST32(many32, "mov $10, %eax; vmcall; out %al, $0x10; hlt");

struct steal {		/* Linux' struct kvm_steal_time */
	uint64_t steal;
	uint32_t version, flags;
	uint8_t preempted, pad[3];
	uint32_t more[11];
};

static struct steal *steal_at(struct test_vm *t, uint64_t gpa)
{
	return (struct steal *)(t->mem + gpa);
}

struct one_msr { struct minikvm_msrs head; struct minikvm_msr_entry e; };

static int get_msr(struct test_vm *t, uint32_t index, uint64_t *value)
{
	struct one_msr m = { { .nmsrs = 1 }, { .index = index } };
	int ret = ioctl(t->vcpu, MINIKVM_GET_MSRS, &m);

	*value = m.e.data;
	return ret;
}

/* RDMSR or WRMSR by the guest: an exception's vector, or -1. */
static int guest_msr(struct test_vm *t, uint32_t index, uint64_t value, bool write)
{
	struct minikvm_regs r;

	guest_long(t, reads, reads_end);
	r = vm_regs(t);
	r.rip += write ? 4 : 0;
	r.rcx = index;
	r.rax = (uint32_t)value;
	r.rdx = value >> 32;
	vm_set_regs(t, r);
	if (vm_run(t) != MINIKVM_EXIT_IO)
		return -2;
	return t->run->io.port == PORT_EXCEPTION ? *(uint8_t *)vm_io_data(t) : -1;
}

/* ---- steal time */

static volatile bool burning;

static void *burn(void *unused)
{
	while (burning)
		;
	return NULL;
}

TEST(steal_time_grows_while_others_run)
{
	cpu_set_t one;
	pthread_t other;
	struct test_vm t;
	struct timespec from, now;
	uint32_t version;
	uint64_t steal, took;
	int i;

	CPU_ZERO(&one);
	CPU_SET(0, &one);
	sched_setaffinity(0, sizeof(one), &one);
	vm_make(&t, false);
	guest_long(&t, idles, idles_end);
	ASSERT_EQ(1, vm_set_msr(&t, STEAL, G_DATA | 1));
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	version = steal_at(&t, G_DATA)->version;
	ASSERT_NE(0, version);
	ASSERT_EQ(0, version % 2);
	steal = steal_at(&t, G_DATA)->steal;
	clock_gettime(CLOCK_MONOTONIC, &from);
	burning = true;
	pthread_create(&other, NULL, burn, NULL);
	for (i = 0; i < 20000 && steal_at(&t, G_DATA)->steal < steal + 20000000; i++) {
		sched_yield();
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	}
	burning = false;
	pthread_join(other, NULL);
	clock_gettime(CLOCK_MONOTONIC, &now);
	took = (now.tv_sec - from.tv_sec) * 1000000000ull + now.tv_nsec - from.tv_nsec;
	ASSERT_LE(steal + 20000000, steal_at(&t, G_DATA)->steal);
	ASSERT_GE(steal + took, steal_at(&t, G_DATA)->steal);
	ASSERT_EQ(0, steal_at(&t, G_DATA)->version % 2);
	ASSERT_LT(version, steal_at(&t, G_DATA)->version);
	ASSERT_EQ(0, steal_at(&t, G_DATA)->flags);
	ASSERT_EQ(0, steal_at(&t, G_DATA)->preempted);
	vm_free(&t);
}

TEST(steal_time_refuses_reserved_bits)
{
	static const uint64_t nowhere[] = { G_HOLE | 1, ~0x3full << 32 | 1, G_SIZE | 1 };
	struct test_vm t;
	uint64_t value;

	vm_make(&t, false);
	ASSERT_EQ(0, vm_set_msr(&t, STEAL, G_DATA | 0x3e));
	ASSERT_EQ(13, guest_msr(&t, STEAL, G_DATA | 2, true));
	ASSERT_EQ(-1, guest_msr(&t, STEAL, G_DATA | 1, true));
	ASSERT_EQ(1, get_msr(&t, STEAL, &value));
	ASSERT_EQ(G_DATA | 1, value);
	for (int i = 0; i < 3; i++)
		ASSERT_EQ(-1, guest_msr(&t, STEAL, nowhere[i], true));
	vm_free(&t);
}

/* ---- what the VMM keeps from the guest, and hypercalls */

static int enforce(struct test_vm *t, uint64_t on)
{
	struct minikvm_enable_cap cap = {
		.cap = MINIKVM_CAP_ENFORCE_PV_FEATURE_CPUID, .args = { on },
	};

	return ioctl(t->vcpu, MINIKVM_ENABLE_CAP, &cap) ? -errno : 0;
}

static uint64_t call(struct test_vm *t, uint64_t nr)
{
	struct minikvm_regs r;

	guest_long(t, calls, calls_end);
	r = vm_regs(t);
	r.rbx = nr;
	vm_set_regs(t, r);
	if (vm_run(t) != MINIKVM_EXIT_IO)
		abort();
	return vm_regs(t).rax;
}

TEST(what_cpuid_does_not_show)
{
	static const uint32_t msrs[] = { 0x11, 0x12, 0x4b564d00, SYSTEM, STEAL, EOI };
	static const uint32_t absent[] = { 0x4b564d02, 0x4b564d05, 0x4b564d06, 0x4b564d07, 0x4b564d08 };
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[2]; } c = {
		{ 2 }, { { .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b,
			   .ecx = 0x564b4d56, .edx = 0x4d }, { .function = 0x40000001 } },
	};
	struct minikvm_enable_cap bad = { .cap = MINIKVM_CAP_ENFORCE_PV_FEATURE_CPUID, .flags = 1 };
	struct test_vm t, u;
	uint64_t value;

	vm_make(&t, true);
	ASSERT_EQ(1, ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_ENFORCE_PV_FEATURE_CPUID));
	u = vm_add_vcpu(&t, 1);
	ASSERT_EQ(-1, ioctl(u.vcpu, MINIKVM_ENABLE_CAP, &bad));
	ASSERT_EQ(EINVAL, errno);
	/* A vCPU without long mode can still be asked by the VMM. */
	ASSERT_EQ(0, ioctl(u.vcpu, MINIKVM_SET_CPUID2, &c));
	for (size_t i = 0; i < 6; i++)
		ASSERT_EQ(1, get_msr(&u, msrs[i], &value));
	ASSERT_EQ(1, vm_set_msr(&u, SYSTEM, G_DATA | 1));
	ASSERT_EQ(0, enforce(&u, 1));
	ASSERT_EQ(0, vm_set_msr(&u, SYSTEM, G_DATA | 1));
	for (size_t i = 0; i < 6; i++) {
		ASSERT_EQ(1, get_msr(&u, msrs[i], &value)) TH_LOG("MSR %#x", msrs[i]);
		ASSERT_EQ(0, value);
		ASSERT_EQ(1, vm_set_msr(&u, msrs[i], 0));
	}
	ASSERT_EQ(0, enforce(&u, 0));
	ASSERT_EQ(1, vm_set_msr(&u, SYSTEM, G_DATA | 1));
	vm_free_vcpu(&u);
	/* The guest: CPUID of the library shows all that there is. */
	ASSERT_EQ(0, enforce(&t, 1));
	for (size_t i = 0; i < 6; i++)
		ASSERT_EQ(-1, guest_msr(&t, msrs[i], 0, false));
	if (!test_on_kvm())
		for (size_t i = 0; i < 5; i++)
			ASSERT_EQ(13, guest_msr(&t, absent[i], 0, false));
	vm_free(&t);
}

TEST(hypercalls_that_need_a_feature)
{
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(0, call(&t, 1));
	ASSERT_EQ(0, call(&t, 11));
	ASSERT_EQ(-1000ull, call(&t, 77));
	ASSERT_EQ(0, enforce(&t, 1));
	ASSERT_EQ(0, call(&t, 1));
	if (!test_on_kvm())	/* which shows it */
		ASSERT_EQ(-1000ull, call(&t, 11));
	ASSERT_EQ(-1000ull, call(&t, 77));
	vm_free(&t);
}

/* ---- one message to many */

static void lapic_on(struct test_vm *t)
{
	struct minikvm_lapic_state l;

	if (ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l))
		abort();
	*(uint32_t *)&l.regs[0xf0] = 0x1ff;
	if (ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l))
		abort();
}

static bool is_requested(struct test_vm *t, uint8_t vector)
{
	struct minikvm_lapic_state l;

	if (ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l))
		abort();
	return *(uint32_t *)&l.regs[0x200 + vector / 32 * 16] >> vector % 32 & 1;
}

static uint64_t send_from(struct test_vm *t, uint64_t low, uint64_t high, uint64_t first,
			  uint64_t icr)
{
	struct minikvm_regs r = vm_regs(t);

	r.rbx = low;
	r.rcx = high;
	r.rdx = first;
	r.rsi = icr;
	vm_set_regs(t, r);
	if (vm_run(t) != MINIKVM_EXIT_IO)
		abort();
	return vm_regs(t).rax;
}

static uint64_t send_many(struct test_vm *t, uint64_t low, uint64_t high, uint64_t first,
			  uint64_t icr)
{
	guest_long(t, many, many_end);
	return send_from(t, low, high, first, icr);
}

TEST(a_message_to_many)
{
	struct test_vm t, u;

	vm_make(&t, true);
	u = vm_add_vcpu(&t, 1);
	lapic_on(&t);
	ASSERT_EQ(1, send_many(&t, 3, 0, 0, 0x51));	/* one is switched off */
	lapic_on(&u);
	ASSERT_EQ(2, send_many(&t, 7, 0, 0, 0x52));
	ASSERT_EQ(1, is_requested(&t, 0x52));
	ASSERT_EQ(1, is_requested(&u, 0x52));
	ASSERT_EQ(1, send_many(&t, 1, 0, 1, 0x53));
	ASSERT_EQ(0, is_requested(&t, 0x53));
	ASSERT_EQ(1, is_requested(&u, 0x53));
	ASSERT_EQ(0, send_many(&t, 0, ~0ull, 0, 0x54));
	ASSERT_EQ(0, send_many(&t, ~0ull, 0, 0xffffffff, 0));
	ASSERT_EQ(-22ull, send_many(&t, 3, 0, 0, 0x40055));
	ASSERT_EQ(-22ull, send_many(&t, 3, 0, 0, 0x855));
	ASSERT_EQ(0, is_requested(&t, 0x55));
	ASSERT_EQ(0, enforce(&t, 1));
	if (!test_on_kvm())	/* which shows it */
		ASSERT_EQ(-1000ull, send_many(&t, 3, 0, 0, 0x57));
	vm_free_vcpu(&u);
	vm_free(&t);
}

TEST(a_message_to_many_in_32_bits)
{
	struct test_vm t, u;

	vm_make(&t, true);
	u = vm_add_vcpu(&t, 1);
	lapic_on(&t);
	lapic_on(&u);
	guest_protected(&t, many32, many32_end);
	ASSERT_EQ(1, send_from(&t, 2ull << 32 | 1, 3ull << 32, 0, 0x56));
	ASSERT_EQ(0, is_requested(&u, 0x56));
	vm_free_vcpu(&u);
	vm_free(&t);
}

TEST(a_message_to_many_without_a_local_apic)
{
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(-95ull, send_many(&t, 1, 0, 0, 0x51));
	vm_free(&t);
}

TEST_HARNESS_MAIN
