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

TEST(fpu)
{
	struct minikvm_fpu f, back;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_FPU, &f));
	ASSERT_EQ(0x37f, f.fcw);
	memset(f.xmm, 0x11, sizeof(f.xmm));
	f.fcw = 0x27f;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_FPU, &f));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_FPU, &back));
	ASSERT_EQ(0, memcmp(&f, &back, sizeof(f)));
	vm_free(&t);
}

TEST(xsave)
{
	struct minikvm_xsave *x = aligned_alloc(64, 4096), *back = aligned_alloc(64, 4096);
	struct test_vm t;

	vm_make(&t, false);
	memset(back, 0xee, 4096);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE, x));
	((uint8_t *)x)[160] = 0x77;		/* XMM0 */
	((uint64_t *)x)[64] |= 3;		/* x87 and SSE are not in their first state */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_XSAVE, x));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XSAVE, back));
	ASSERT_EQ(0x77, ((uint8_t *)back)[160]);
	ASSERT_EQ(0, memcmp((uint8_t *)x + 1024, (uint8_t *)back + 1024, 3072));
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
