// SPDX-License-Identifier: GPL-2.0
/* Claim: what a GET ioctl gives, the SET of the same name takes, and GET gives it again; what it
 * must not take is EINVAL and changes nothing.
 */
#include "lib/vm.h"

GUEST16(halts, "hlt");

TEST(general_registers)
{
	struct minikvm_regs r, back;
	struct test_vm t;

	vm_make(&t, false);
	memset(&r, 0x5a, sizeof(r));
	r.rflags = 0x246;
	vm_set_regs(&t, r);
	back = vm_regs(&t);
	ASSERT_EQ(0, memcmp(&r, &back, sizeof(r)));
	vm_free(&t);
}

TEST(segments_and_control_registers)
{
	struct minikvm_sregs s, back;
	struct test_vm t;

	vm_make(&t, false);
	s = vm_sregs(&t);
	s.ds.base = 0x1230;
	s.ds.selector = 0x123;
	s.gdt.base = 0x5000;
	s.gdt.limit = 0x7f;
	s.cr2 = 0x1234;
	s.cr3 = 0x3000;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	back = vm_sregs(&t);
	ASSERT_EQ(0, memcmp(&s, &back, sizeof(s)));
	vm_free(&t);
}

#define REFUSED(change) do {						\
	struct minikvm_sregs s_ = before;				\
	s_.change;							\
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s_)) TH_LOG(#change); \
	ASSERT_EQ(EINVAL, errno);					\
	after = vm_sregs(&t);						\
	ASSERT_EQ(0, memcmp(&before, &after, sizeof(before)));		\
} while (0)

TEST(impossible_control_registers_are_refused)
{
	struct minikvm_sregs before, after;
	struct test_vm t;

	vm_make(&t, false);
	before = vm_sregs(&t);
	REFUSED(cr4 |= 1ull << 15);
	REFUSED(cr4 |= 1ull << 31);
	REFUSED(cr0 |= 1ull << 32);
	REFUSED(cr0 |= 1ull << 31);
	REFUSED(efer |= 1ull << 10);
	vm_free(&t);
}

TEST(debug_registers)
{
	struct minikvm_debugregs d = { .db = { 1, 2, 3, 4 }, .dr6 = 0xffff0ff1, .dr7 = 0x400 };
	struct minikvm_debugregs back;
	struct test_vm t;

	vm_make(&t, false);
	memset(&back, 0xee, sizeof(back));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &d));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &back));
	ASSERT_EQ(0, memcmp(&d, &back, sizeof(d)));
	d.dr6 |= 1ull << 32;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &d));
	ASSERT_EQ(EINVAL, errno);
	vm_free(&t);
}

/* What a VMM sets comes back, with bits that a guest could not have set. */
TEST(fixed_bits_come_back_as_they_were_set)
{
	struct minikvm_debugregs d = { .dr6 = 0, .dr7 = 0xffffffff & ~0xffu }, back;
	struct minikvm_sregs s, s2;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &d));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &back));
	ASSERT_EQ(0, memcmp(&d, &back, sizeof(d)));
	guest_real(&t, halts, halts_end);
	s = vm_sregs(&t);
	s.cr0 = (s.cr0 & ~0x10ull) | 0x1ff8ffc0;	/* without ET, with all reserved bits */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	s2 = vm_sregs(&t);
	ASSERT_EQ(s.cr0, s2.cr0);
	EXPECT_HLT(&t);
	s2 = vm_sregs(&t);
	ASSERT_EQ(s.cr0, s2.cr0);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &back));
	ASSERT_EQ(0, memcmp(&d, &back, sizeof(d)));
	vm_free(&t);
}

/* What KVM makes of values that mean nothing. */
TEST(what_does_not_count_is_as_on_kvm)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } deadline = {
		.head.nmsrs = 1, .e = { .index = 0x6e0, .data = 0x123456789 },
	};
	struct minikvm_vcpu_events e;
	struct minikvm_sregs s;
	struct test_vm t;

	vm_make(&t, false);
	s = vm_sregs(&t);
	s.fs.type = 2;
	s.fs.unusable = 1;	/* and so is not present, but has been accessed */
	s.tr.type = 10;
	s.ldt.type = 2;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	s = vm_sregs(&t);
	ASSERT_EQ(3, s.fs.type);
	ASSERT_EQ(1, s.fs.unusable);
	ASSERT_EQ(0, s.fs.present);
	ASSERT_EQ(11, s.tr.type);
	ASSERT_EQ(2, s.ldt.type);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.interrupt.nr = 0x33;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(0x33, e.interrupt.nr);
	ASSERT_EQ(0, e.interrupt.injected);
	ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_SET_MSRS, &deadline));	/* no timer to set */
	ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_GET_MSRS, &deadline));
	ASSERT_EQ(0, deadline.e.data);
	vm_free(&t);
}

TEST(two_shadows_are_the_wider_one)
{
	struct minikvm_vcpu_events e;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_INTR_SHADOW));
	guest_real(&t, halts, halts_end);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.interrupt.shadow = MINIKVM_X86_SHADOW_INT_STI | MINIKVM_X86_SHADOW_INT_MOV_SS;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(MINIKVM_X86_SHADOW_INT_MOV_SS, e.interrupt.shadow);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(pending_events)
{
	struct minikvm_vcpu_events e, back;
	struct test_vm t;

	vm_make(&t, false);
	memset(&back, 0xee, sizeof(back));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.nmi.pending = 1;
	e.nmi.masked = 1;
	e.interrupt.shadow = MINIKVM_X86_SHADOW_INT_STI;
	e.exception.injected = 1;
	e.exception.nr = 13;
	e.exception.has_error_code = 1;
	e.exception.error_code = 0x18;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &back));
	ASSERT_EQ(0, memcmp(&e, &back, sizeof(e)));
	e.flags = 0x80000000;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	ASSERT_EQ(EINVAL, errno);
	vm_free(&t);
}

TEST(every_listed_msr)
{
	struct { struct minikvm_msr_list head; uint32_t index[512]; } l = { .head.nmsrs = 512 };
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m = { .head.nmsrs = 1 };
	struct test_vm t;
	uint32_t i;

	vm_make(&t, true);
	ASSERT_EQ(0, ioctl(t.dev, MINIKVM_GET_MSR_INDEX_LIST, &l));
	ASSERT_LT(5, l.head.nmsrs);
	for (i = 0; i < l.head.nmsrs; i++) {
		m.e.index = l.head.indices[i];
		ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_GET_MSRS, &m)) TH_LOG("get %#x", m.e.index);
		ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_SET_MSRS, &m)) TH_LOG("set %#x", m.e.index);
	}
	vm_free(&t);
}

TEST(msrs_stop_at_the_first_that_fails)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e[3]; } m = {
		.head.nmsrs = 3,
		.e = { { .index = 0x174, .data = 8 }, { .index = 0xdeadbeef }, { .index = 0x175 } },
	};
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_SET_MSRS, &m));
	m.e[0].data = 0;
	ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_GET_MSRS, &m));
	ASSERT_EQ(8, m.e[0].data);
	vm_free(&t);
}

#define MSR_SYSENTER_CS	0x174

/* Two pages, of which the second cannot be read: room for @n whole MSRs at the end of the first. */
static struct minikvm_msrs *before_a_guard(uint32_t n, uint32_t nmsrs)
{
	uint8_t *p = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct minikvm_msrs *m;
	uint32_t i;

	mprotect(p + 4096, 4096, PROT_NONE);
	m = (void *)(p + 4096 - sizeof(*m) - n * sizeof(m->entries[0]));
	m->nmsrs = nmsrs;
	for (i = 0; i < n; i++)
		m->entries[i].index = MSR_SYSENTER_CS;
	return m;
}

TEST(a_list_of_msrs_that_ends_nowhere_changes_nothing)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e[1]; } m = {
		.head.nmsrs = 1, .e[0] = { .index = MSR_SYSENTER_CS, .data = 8 },
	};
	struct minikvm_msrs *list = before_a_guard(2, 3);
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_SET_MSRS, &m));
	list->entries[0].data = list->entries[1].data = 0x10;
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_MSRS, list));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(1, ioctl(t.vcpu, MINIKVM_GET_MSRS, &m));
	ASSERT_EQ(8, m.e[0].data);
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_GET_MSRS, list));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(0x10, list->entries[0].data);
	list->nmsrs = 2;
	ASSERT_EQ(2, ioctl(t.vcpu, MINIKVM_SET_MSRS, list));
	vm_free(&t);
}

TEST(how_many_msrs)
{
	static const struct { uint32_t n; int ret, error; } counts[] = {
		{ 0, 0, 0 }, { 1, 1, 0 }, { 255, 255, 0 }, { 256, -1, E2BIG }, { 257, -1, E2BIG },
		{ 0x10000000, -1, E2BIG }, { 0x10000001, -1, E2BIG }, { 1u << 31, -1, E2BIG },
		{ ~0u, -1, E2BIG },
	};
	struct minikvm_msrs *list = calloc(1, sizeof(*list) + 256 * sizeof(list->entries[0]));
	struct test_vm t;
	size_t i;

	vm_make(&t, false);
	for (i = 0; i < 256; i++)
		list->entries[i].index = MSR_SYSENTER_CS;
	for (i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		errno = 0;
		list->nmsrs = counts[i].n;
		EXPECT_EQ(counts[i].ret, ioctl(t.vcpu, MINIKVM_SET_MSRS, list))
			TH_LOG("%#x", counts[i].n);
		EXPECT_EQ(counts[i].ret, ioctl(t.vcpu, MINIKVM_GET_MSRS, list))
			TH_LOG("%#x", counts[i].n);
		EXPECT_EQ(counts[i].error, errno);
	}
	vm_free(&t);
}

TEST(feature_msrs_of_the_device)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e[3]; } m = {
		.head.nmsrs = 3, .e = { { .index = 0x8b }, { .index = 0x8b, .data = 5 },
					{ .index = 0xdeadbeef, .data = 7 } },
	};
	int dev = test_open();

	ASSERT_EQ(2, ioctl(dev, MINIKVM_GET_MSRS, &m));
	ASSERT_EQ(m.e[0].data, m.e[1].data);
	ASSERT_EQ(-1, ioctl(dev, MINIKVM_GET_MSRS, before_a_guard(1, 2)));
	ASSERT_EQ(EFAULT, errno);
	close(dev);
}

/* As many ppm as two boots of a host may differ in what they measure. */
TEST(tsc_frequencies_that_are_near_are_the_same)
{
	struct test_vm t;
	long khz, low, high;

	vm_make(&t, false);
	khz = ioctl(t.vcpu, MINIKVM_GET_TSC_KHZ, 0);
	ASSERT_LT(0, khz);
	low = khz * 999750 / 1000000;
	high = khz * 1000250 / 1000000;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_TSC_KHZ, low));
	ASSERT_EQ(low, ioctl(t.vcpu, MINIKVM_GET_TSC_KHZ, 0));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_TSC_KHZ, high));
	ASSERT_EQ(high, ioctl(t.vcpu, MINIKVM_GET_TSC_KHZ, 0));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_TSC_KHZ, 0));
	ASSERT_EQ(khz, ioctl(t.vcpu, MINIKVM_GET_TSC_KHZ, 0));
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_TSC_CONTROL) <= 0) {
		ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_TSC_KHZ, low - 2));
		ASSERT_EQ(EINVAL, errno);
	}
	/* KVM runs slow guests by hand, and keeps what it refuses. */
	if (!test_on_kvm() && !ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_TSC_CONTROL)) {
		ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_TSC_KHZ, high + 1));
		ASSERT_EQ(EINVAL, errno);
		ASSERT_EQ(khz, ioctl(t.vcpu, MINIKVM_GET_TSC_KHZ, 0));
		ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_SET_TSC_KHZ, low - 2));
		ASSERT_EQ(EINVAL, errno);
	}
	vm_free(&t);
}

TEST(a_vms_tsc_frequency_is_that_of_vcpus_to_come)
{
	struct test_vm t;
	long khz;
	int vcpu;

	vm_make(&t, false);
	khz = ioctl(t.vm, MINIKVM_GET_TSC_KHZ, 0);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_TSC_KHZ, khz + 1));
	ASSERT_EQ(khz + 1, ioctl(t.vm, MINIKVM_GET_TSC_KHZ, 0));
	ASSERT_EQ(khz, ioctl(t.vcpu, MINIKVM_GET_TSC_KHZ, 0));
	vcpu = ioctl(t.vm, MINIKVM_CREATE_VCPU, 1);
	ASSERT_LE(0, vcpu);
	ASSERT_EQ(khz + 1, ioctl(vcpu, MINIKVM_GET_TSC_KHZ, 0));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_TSC_KHZ, 0));
	ASSERT_EQ(khz, ioctl(t.vm, MINIKVM_GET_TSC_KHZ, 0));
	close(vcpu);
	vm_free(&t);
}

TEST(lapic_irqchip_and_mp_state)
{
	struct minikvm_lapic_state l, l2;
	struct minikvm_irqchip c = { .chip_id = MINIKVM_IRQCHIP_IOAPIC }, c2;
	struct minikvm_mp_state mp = { .mp_state = MINIKVM_MP_STATE_HALTED };
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &l));
	*(uint32_t *)&l.regs[0x350] = 0x700;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_LAPIC, &l));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_LAPIC, &l2));
	ASSERT_EQ(0, memcmp(&l, &l2, sizeof(l)));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_IRQCHIP, &c));
	c.chip.ioapic.redirtbl[3].bits = 0x10033;
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_IRQCHIP, &c));
	memset(&c2, 0xee, sizeof(c2));
	c2.chip_id = MINIKVM_IRQCHIP_IOAPIC;
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_GET_IRQCHIP, &c2));
	ASSERT_EQ(0, memcmp(&c.chip.ioapic, &c2.chip.ioapic, sizeof(c.chip.ioapic)));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_MP_STATE, &mp));
	mp.mp_state = 99;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_MP_STATE, &mp));
	ASSERT_EQ(MINIKVM_MP_STATE_HALTED, mp.mp_state);
	vm_free(&t);
}

TEST_HARNESS_MAIN
