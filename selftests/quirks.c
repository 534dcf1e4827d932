// SPDX-License-Identifier: GPL-2.0
/* Claim: each oddity that a VMM can switch off is there until then, and gone afterwards; and what
 * else it can choose of a VM's behaviour.
 */
#include "lib/vm.h"

#define LINT0		0x350
#define ARCH_CAPABILITIES	0x10a
#define MISC_ENABLE	0x1a0
#define QUIRK(name)	MINIKVM_X86_QUIRK_##name

GUEST64(out_7e, "out %al, $0x7e; hlt");
GUEST64(monitor, "lea (%rip), %rax; xor %ecx, %ecx; xor %edx, %edx; monitor; out %al, $0x10; hlt");
GUEST64(mwait, "xor %eax, %eax; xor %ecx, %ecx; mwait; out %al, $0x10; hlt");
GUEST64(asks, "1: mov $1, %eax; cpuid; shr $3, %ecx; and $1, %ecx; mov %ecx, %eax; out %al, $0x10; jmp 1b");
GUEST64(vmmcall, "mov $0x12345, %eax; vmmcall; out %al, $0x10; hlt");
GUEST64(reads_apic, "mov $0xfee00030, %edi; mov (%rdi), %eax; out %eax, $0x10; hlt");
/* FNSTENV: neither this kernel nor KVM's emulator has it. */
GUEST64(fnstenv, "mov $0xd0000000, %edi; fnstenv (%rdi); out %al, $0x10; hlt");
/* FLDS: what the processor carries out for minikvm. */
GUEST64(flds, "mov $0xd0000000, %edi; flds (%rdi); out %al, $0x10; hlt");
GUEST64(waits, "out %al, $0x10; hlt");

static int enable(struct test_vm *t, uint32_t cap, uint64_t arg)
{
	struct minikvm_enable_cap c = { .cap = cap, .args = { arg } };

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &c) ? -errno : 0;
}

static int off(struct test_vm *t, uint64_t quirks)
{
	return enable(t, MINIKVM_CAP_DISABLE_QUIRKS2, quirks);
}

static int extension(struct test_vm *t, int cap)
{
	return ioctl(t->vm, MINIKVM_CHECK_EXTENSION, cap);
}

static int msr(struct test_vm *t, unsigned long ioctl_nr, uint32_t index, uint64_t *data)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m = {
		.head.nmsrs = 1, .e = { .index = index, .data = *data },
	};
	int n = ioctl(t->vcpu, ioctl_nr, &m);

	*data = m.e.data;
	return n;
}

/* CPUID as it is, with MONITOR or without. */
static void show_mwait(struct test_vm *t, bool shown)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } c = {
		.head.nent = 100,
	};
	uint32_t i;

	if (ioctl(t->vcpu, MINIKVM_GET_CPUID2, &c))
		abort();
	for (i = 0; i < c.head.nent; i++)
		if (c.head.entries[i].function == 1)
			c.head.entries[i].ecx = (c.head.entries[i].ecx & ~8u) | (shown ? 8 : 0);
	if (ioctl(t->vcpu, MINIKVM_SET_CPUID2, &c))
		abort();
}

FIXTURE(quirk) { struct test_vm t; };
FIXTURE_SETUP(quirk) { vm_make(&self->t, false); }
FIXTURE_TEARDOWN(quirk) { vm_free(&self->t); }

TEST_F(quirk, what_there_is)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(1, extension(t, MINIKVM_CAP_DISABLE_QUIRKS));
	ASSERT_EQ(MINIKVM_X86_QUIRKS_VALID_MASK,
		  MINIKVM_X86_QUIRKS_VALID_MASK & extension(t, MINIKVM_CAP_DISABLE_QUIRKS2));
	ASSERT_EQ(1, extension(t, MINIKVM_CAP_EXIT_ON_EMULATION_FAILURE));
	ASSERT_EQ(1, extension(t, MINIKVM_CAP_X86_TRIPLE_FAULT_EVENT));
	ASSERT_EQ(-EINVAL, off(t, 1u << 31));
	ASSERT_EQ(-EINVAL, off(t, 1ull << 40 | QUIRK(OUT_7E_INC_RIP)));
	guest_long(t, out_7e, out_7e_end);
	EXPECT_OUT(t, 0x7e, 0);
	ASSERT_EQ(G_CODE + 2, vm_regs(t).rip);
	/* The older one has it that nobody knows what is not known. */
	ASSERT_EQ(0, enable(t, MINIKVM_CAP_DISABLE_QUIRKS, 1ull << 40 | QUIRK(OUT_7E_INC_RIP)));
	guest_long(t, out_7e, out_7e_end);
	EXPECT_OUT(t, 0x7e, 0);
	ASSERT_EQ(G_CODE, vm_regs(t).rip);
	EXPECT_HLT(t);
	/* For good. */
	ASSERT_EQ(0, off(t, 0));
	guest_long(t, out_7e, out_7e_end);
	EXPECT_OUT(t, 0x7e, 0);
	ASSERT_EQ(G_CODE, vm_regs(t).rip);
}

TEST_F(quirk, mwait_without_cpuid)
{
	struct test_vm *t = &self->t;

	show_mwait(t, false);
	guest_long(t, monitor, monitor_end);
	EXPECT_OUT(t, 0x10, (uint8_t)(G_CODE + 7));
	guest_long(t, mwait, mwait_end);
	EXPECT_OUT(t, 0x10, 0);
	ASSERT_EQ(0, off(t, QUIRK(MWAIT_NEVER_UD_FAULTS)));
	guest_long(t, monitor, monitor_end);
	EXPECT_OUT(t, PORT_EXCEPTION, 6);
	guest_long(t, mwait, mwait_end);
	EXPECT_OUT(t, PORT_EXCEPTION, 6);
}

TEST_F(quirk, mwait_with_cpuid)
{
	struct test_vm *t = &self->t;

	show_mwait(t, true);
	ASSERT_EQ(0, off(t, QUIRK(MWAIT_NEVER_UD_FAULTS)));
	guest_long(t, monitor, monitor_end);
	EXPECT_OUT(t, 0x10, (uint8_t)(G_CODE + 7));
	guest_long(t, mwait, mwait_end);
	EXPECT_OUT(t, 0x10, 0);
}

/* IA32_MISC_ENABLE has a bit that takes MONITOR out of CPUID. */
TEST_F(quirk, misc_enable_has_no_say)
{
	struct test_vm *t = &self->t;
	uint64_t on = 1 << 18, none = 0;

	show_mwait(t, false);
	ASSERT_EQ(1, msr(t, MINIKVM_SET_MSRS, MISC_ENABLE, &on));
	guest_long(t, asks, asks_end);
	EXPECT_OUT(t, 0x10, 0);
	ASSERT_EQ(0, off(t, QUIRK(MISC_ENABLE_NO_MWAIT) | QUIRK(MWAIT_NEVER_UD_FAULTS)));
	ASSERT_EQ(1, msr(t, MINIKVM_SET_MSRS, MISC_ENABLE, &none));
	EXPECT_OUT(t, 0x10, 0);
	ASSERT_EQ(1, msr(t, MINIKVM_SET_MSRS, MISC_ENABLE, &on));
	EXPECT_OUT(t, 0x10, 1);
	guest_long(t, mwait, mwait_end);
	EXPECT_OUT(t, 0x10, 0);
	ASSERT_EQ(1, msr(t, MINIKVM_SET_MSRS, MISC_ENABLE, &none));
	guest_long(t, mwait, mwait_end);
	EXPECT_OUT(t, PORT_EXCEPTION, 6);
}

TEST_F(quirk, the_other_vendors_hypercall)
{
	struct test_vm *t = &self->t;
	const uint8_t *insn = t->mem + G_CODE + 5;

	guest_long(t, vmmcall, vmmcall_end);
	EXPECT_OUT(t, 0x10, (uint8_t)-1000);
	ASSERT_EQ(0, memcmp("\x0f\x01\xc1", insn, 3));
	ASSERT_EQ(0, off(t, QUIRK(FIX_HYPERCALL_INSN)));
	guest_long(t, vmmcall, vmmcall_end);
	EXPECT_OUT(t, PORT_EXCEPTION, 6);
	ASSERT_EQ(0, memcmp("\x0f\x01\xd9", insn, 3));
}

TEST_F(quirk, feature_msrs_are_there_at_first)
{
	struct test_vm *t = &self->t, late;
	uint64_t data = 0;

	ASSERT_EQ(1, msr(t, MINIKVM_GET_MSRS, ARCH_CAPABILITIES, &data));
	ASSERT_NE(0, data);
	ASSERT_EQ(0, off(t, QUIRK(STUFF_FEATURE_MSRS)));
	late = vm_add_vcpu(t, 1);
	ASSERT_EQ(1, msr(&late, MINIKVM_GET_MSRS, ARCH_CAPABILITIES, &data));
	ASSERT_EQ(0, data);
	vm_free_vcpu(&late);
}

static uint32_t lint0(struct test_vm *t)
{
	struct minikvm_lapic_state l;

	if (ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l))
		abort();
	return *(uint32_t *)&l.regs[LINT0];
}

TEST(the_pic_reaches_the_boot_processor)
{
	struct test_vm t, later;

	vm_make(&t, true);
	ASSERT_EQ(0x700, lint0(&t));
	vm_free(&t);
	t.dev = test_open();
	t.vm = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	ASSERT_LE(0, t.vm);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_IRQCHIP, 0));
	ASSERT_EQ(0, off(&t, QUIRK(LINT0_REENABLED)));
	later = vm_add_vcpu(&t, 0);
	ASSERT_EQ(0x10000, lint0(&later));
	vm_free_vcpu(&later);
	close(t.vm);
	close(t.dev);
}

TEST(the_page_of_an_apic_that_is_off)
{
	struct minikvm_sregs s;
	struct test_vm t;

	vm_make(&t, true);
	guest_long(&t, reads_apic, reads_apic_end);
	s = vm_sregs(&t);
	s.apic_base &= ~(1ull << 11);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	EXPECT_OUT(&t, 0x10, ~0u);
	ASSERT_EQ(0, off(&t, QUIRK(LAPIC_MMIO_HOLE)));
	guest_long(&t, reads_apic, reads_apic_end);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(0xfee00030, t.run->mmio.phys_addr);
	memcpy(t.run->mmio.data, "\x44\x33\x22\x11", 4);
	EXPECT_OUT(&t, 0x10, 0x11223344);
	vm_free(&t);
}

/* ---- other choices */

static void expect_emulation(struct __test_metadata *_metadata, struct test_vm *t,
			     const char *bytes)
{
	struct minikvm_regs r;

	ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(t));
	ASSERT_EQ(MINIKVM_INTERNAL_ERROR_EMULATION, t->run->emulation_failure.suberror);
	ASSERT_EQ(1, t->run->emulation_failure.flags & 1);
	ASSERT_LE(2, t->run->emulation_failure.insn_size);
	ASSERT_EQ(0, memcmp(bytes, t->run->emulation_failure.insn_bytes, 2));
	/* The VMM carries it out; no #UD follows. */
	r = vm_regs(t);
	r.rip += 2;
	r.rax = 0x33;
	vm_set_regs(t, r);
	EXPECT_OUT(t, 0x10, 0x33);
}

TEST_F(quirk, what_is_not_emulated_is_the_vmms)
{
	struct test_vm *t = &self->t;

	ASSERT_EQ(-EINVAL, enable(t, MINIKVM_CAP_EXIT_ON_EMULATION_FAILURE, 2));
	guest_long(t, fnstenv, fnstenv_end);
	ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(t));
	EXPECT_OUT(t, PORT_EXCEPTION, 6);
	ASSERT_EQ(0, enable(t, MINIKVM_CAP_EXIT_ON_EMULATION_FAILURE, 1));
	guest_long(t, fnstenv, fnstenv_end);
	expect_emulation(_metadata, t, "\xd9\x37");
	guest_long(t, flds, flds_end);
	expect_emulation(_metadata, t, "\xd9\x07");
	ASSERT_EQ(0, enable(t, MINIKVM_CAP_EXIT_ON_EMULATION_FAILURE, 0));
	guest_long(t, fnstenv, fnstenv_end);
	ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(t));
	EXPECT_OUT(t, PORT_EXCEPTION, 6);
}

TEST_F(quirk, a_triple_fault_that_waits)
{
	struct minikvm_vcpu_events e = {};
	struct test_vm *t = &self->t;

	guest_long(t, waits, waits_end);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(0, e.flags & MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT);
	e.flags |= MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT;
	e.triple_fault.pending = 1;
	ASSERT_EQ(-1, ioctl(t->vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	ASSERT_EQ(EINVAL, errno);
	ASSERT_EQ(0, enable(t, MINIKVM_CAP_X86_TRIPLE_FAULT_EVENT, 1));
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	memset(&e, 0x5a, sizeof(e));
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	ASSERT_EQ(1, e.triple_fault.pending);
	ASSERT_EQ(MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT,
		  e.flags & MINIKVM_VCPUEVENT_VALID_TRIPLE_FAULT);
	ASSERT_EQ(MINIKVM_EXIT_SHUTDOWN, vm_run(t));
	/* One that is taken back. */
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	e.triple_fault.pending = 0;
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	EXPECT_OUT(t, 0x10, 0);
}

TEST_HARNESS_MAIN
