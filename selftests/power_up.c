// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a new vCPU has the state, and the chips have the addresses and lines, that
 * Documentation/api.rst promises in "State after power-up" and "Interrupt chips in the kernel".
 */
#include "lib/vm.h"

#define EXPECT_SEGMENT(s, sel, b, t) do {				\
	ASSERT_EQ(sel, (s).selector) TH_LOG(#s);			\
	ASSERT_EQ(b, (s).base);						\
	ASSERT_EQ(0xffff, (s).limit);					\
	ASSERT_EQ(t, (s).type);						\
	ASSERT_EQ(1, (s).present);					\
	ASSERT_EQ(0, (s).unusable);					\
} while (0)

/* A VM with chips and a second vCPU. */
static struct test_vm new_vcpu(struct test_vm *t)
{
	vm_make(t, true);
	return vm_add_vcpu(t, 1);
}

TEST(registers)
{
	struct minikvm_regs r, want = { .rdx = 0x600, .rip = 0xfff0, .rflags = 2 };
	struct test_vm t, v = new_vcpu(&t);

	r = vm_regs(&v);
	ASSERT_EQ(0, memcmp(&want, &r, sizeof(r)));
	vm_free_vcpu(&v);
	vm_free(&t);
}

TEST(system_registers)
{
	struct minikvm_debugregs d;
	struct test_vm t, v = new_vcpu(&t);
	struct minikvm_sregs s = vm_sregs(&v);

	EXPECT_SEGMENT(s.cs, 0xf000, 0xffff0000, 11);
	EXPECT_SEGMENT(s.ds, 0, 0, 3);
	EXPECT_SEGMENT(s.es, 0, 0, 3);
	EXPECT_SEGMENT(s.fs, 0, 0, 3);
	EXPECT_SEGMENT(s.gs, 0, 0, 3);
	EXPECT_SEGMENT(s.ss, 0, 0, 3);
	EXPECT_SEGMENT(s.ldt, 0, 0, 2);
	EXPECT_SEGMENT(s.tr, 0, 0, 11);
	ASSERT_EQ(0, s.gdt.base | s.idt.base);
	ASSERT_EQ(0xffff, s.gdt.limit);
	ASSERT_EQ(0xffff, s.idt.limit);
	ASSERT_EQ(0x60000010, s.cr0);
	ASSERT_EQ(0, s.cr2 | s.cr3 | s.cr4 | s.cr8 | s.efer);
	ASSERT_EQ(0xfee00800, s.apic_base);
	ASSERT_EQ(0xfee00900, vm_sregs(&t).apic_base);
	ASSERT_EQ(0, ioctl(v.vcpu, MINIKVM_GET_DEBUGREGS, &d));
	ASSERT_EQ(0, d.db[0] | d.db[1] | d.db[2] | d.db[3]);
	ASSERT_EQ(0xffff0ff0, d.dr6);
	ASSERT_EQ(0x400, d.dr7);
	vm_free_vcpu(&v);
	vm_free(&t);
}

TEST(fpu)
{
	struct test_vm t, v = new_vcpu(&t);
	struct minikvm_xcrs x = { };
	struct minikvm_xsave s;
	uint16_t fcw;

	ASSERT_EQ(0, ioctl(v.vcpu, MINIKVM_GET_XSAVE, &s));
	memcpy(&fcw, s.region, 2);
	ASSERT_EQ(0x37f, fcw);
	ASSERT_EQ(0x1f80, s.region[6]);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_XCRS) > 0) {
		ASSERT_EQ(0, ioctl(v.vcpu, MINIKVM_GET_XCRS, &x));
		ASSERT_EQ(1, x.xcrs[0].value);
	}
	vm_free_vcpu(&v);
	vm_free(&t);
}

static uint64_t msr(struct test_vm *t, uint32_t index)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry entry; } m = {
		.head.nmsrs = 1, .entry.index = index,
	};

	return ioctl(t->vcpu, MINIKVM_GET_MSRS, &m) == 1 ? m.entry.data : ~0ull;
}

TEST(msrs)
{
	static const uint32_t zero[] = {
		0x174, 0x175, 0x176, 0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, 0xc0000100,
		0xc0000101, 0xc0000102, 0x3a, 0x3b, 0x140, 0x17a, 0x1fc, 0x6e0, 0x2ff,
	};
	struct test_vm t, v = new_vcpu(&t);
	size_t i;

	ASSERT_EQ(0x0007040600070406, msr(&v, 0x277));
	ASSERT_EQ(0x1800, msr(&v, 0x1a0));
	ASSERT_EQ(1ull << 32, msr(&v, 0x8b));
	ASSERT_EQ(32, msr(&v, 0x179) & 0xff);
	for (i = 0; i < sizeof(zero) / sizeof(zero[0]); i++)
		ASSERT_EQ(0, msr(&v, zero[i])) TH_LOG("MSR %#x", zero[i]);
	vm_free_vcpu(&v);
	vm_free(&t);
}

TEST(events_and_mp_state)
{
	struct test_vm t, v = new_vcpu(&t);
	struct minikvm_vcpu_events e;
	struct minikvm_mp_state mp;

	ASSERT_EQ(0, ioctl(v.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(0, e.exception.injected | e.exception.pending | e.interrupt.injected |
		     e.interrupt.shadow | e.nmi.injected | e.nmi.pending | e.nmi.masked |
		     e.smi.latched_init);
	ASSERT_EQ(0, ioctl(v.vcpu, MINIKVM_GET_MP_STATE, &mp));
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp.mp_state);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_MP_STATE, &mp));
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp.mp_state);
	vm_free_vcpu(&v);
	vm_free(&t);
}

static uint32_t lapic_reg(struct test_vm *t, int reg)
{
	struct minikvm_lapic_state s;
	uint32_t val = 0xdead;

	if (!ioctl(t->vcpu, MINIKVM_GET_LAPIC, &s))
		memcpy(&val, s.regs + reg, 4);
	return val;
}

TEST(local_apic)
{
	struct test_vm t, v = new_vcpu(&t);
	int lvt;

	ASSERT_EQ(1u << 24, lapic_reg(&v, 0x20));
	ASSERT_EQ(0xff, lapic_reg(&v, 0xf0));
	ASSERT_EQ(0xffffffff, lapic_reg(&v, 0xe0));
	for (lvt = 0x320; lvt <= 0x370; lvt += 0x10)
		ASSERT_EQ(0x10000, lapic_reg(&v, lvt)) TH_LOG("%#x", lvt);
	ASSERT_EQ(0x700, lapic_reg(&t, 0x350));
	vm_free_vcpu(&v);
	vm_free(&t);
}

/* The versions of IOAPIC and local APIC; then the PIT counts down, until the PIC's line 0 rose. */
GUEST64(chips, "mov $0xfec00000, %edi; movl $1, (%rdi); mov 0x10(%rdi), %eax; out %eax, $0x10;"
	"mov $0xfee00000, %edi; mov 0x30(%rdi), %eax; out %eax, $0x10;"
	"in $0x20, %al; and $1, %al; out %al, $0x10;"
	"mov $0x30, %al; out %al, $0x43; mov $0x10, %al; out %al, $0x40; xor %al, %al; out %al, $0x40;"
	"1: in $0x20, %al; and $1, %al; jz 1b; out %al, $0x10");

TEST(addresses_and_lines)
{
	struct minikvm_pit_config config = { };
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_PIT2, &config));
	guest_long(&t, chips, chips_end);
	EXPECT_OUT(&t, 0x10, 0x170011);
	EXPECT_OUT(&t, 0x10, 0x50014);
	EXPECT_OUT(&t, 0x10, 0);
	EXPECT_OUT(&t, 0x10, 1);
	vm_free(&t);
}

TEST_HARNESS_MAIN
