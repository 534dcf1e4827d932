// SPDX-License-Identifier: GPL-2.0
/* Claim: guests run in every mode: real mode from the reset vector, protected mode without and
 * with paging, PAE, and 64-bit mode. A state that the processor refuses can be mended.
 */
#include <sched.h>

#include "lib/vm.h"

GUEST16(real, "mov %cs, %ax; mov $0x42, %al; out %al, $0x10; hlt");
GUEST32(prot, "mov $0x12345678, %eax; out %eax, $0x10; hlt");
GUEST32(pse, "mov $0x10000, %eax; mov %eax, %cr3; mov %cr4, %eax; or $0x10, %eax; mov %eax, %cr4;"
	"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0; mov 0x800000, %eax; out %eax, $0x10; hlt");
GUEST32(pae, "mov %cr4, %eax; or $0x20, %eax; mov %eax, %cr4; mov $0x10000, %eax; mov %eax, %cr3;"
	"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0; mov 0x800000, %eax; out %eax, $0x10;"
	"mov %cr3, %eax; mov %eax, %cr3; mov 0x800000, %eax; out %eax, $0x10; hlt");
/* Into 64-bit mode and back, saying EFER on the way. */
GUEST32(enters_long, "mov %cr4, %eax; or $0x20, %eax; mov %eax, %cr4; mov $0x10000, %eax; mov %eax, %cr3;"
	"mov $0xc0000080, %ecx; rdmsr; or $0x100, %eax; wrmsr; rdmsr; out %eax, $0x10;"
	"mov %cr0, %eax; or $0x80000000, %eax; mov %eax, %cr0; rdmsr; out %eax, $0x11;"
	"ljmp $0x20, $(0x1000 + 1f - enters_long); .code64; 1: movabs $0x1122334455667788, %rax;"
	"shr $32, %rax; out %eax, $0x12; push $8; lea 2f(%rip), %rax; push %rax; lretq; .code32;"
	"2: mov %cr0, %eax; and $0x7fffffff, %eax; mov %eax, %cr0; rdmsr; out %eax, $0x13; hlt");
/* Without NX, and LMA as if it could be cleared; then without LME, or with a bit that there is not. */
#define READ_EFER "mov $0xc0000080, %ecx; rdmsr;"
GUEST64(efer, READ_EFER "and $0xfffff3ff, %eax; wrmsr; rdmsr; out %eax, $0x10; or $0x800, %eax; wrmsr;"
	"rdmsr; out %eax, $0x10; hlt");
GUEST64(no_lme, READ_EFER "and $0xfffffeff, %eax; wrmsr; hlt");
GUEST64(no_such_bit, READ_EFER "or $0x200, %eax; wrmsr; hlt");
GUEST64(lng, "movabs $0x1122334455667788, %rax; shr $32, %rax; out %eax, $0x10; hlt");

TEST(real_mode_from_the_reset_vector)
{
	struct minikvm_sregs s;
	struct test_vm t;
	uint8_t *rom = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	vm_make(&t, false);
	s = vm_sregs(&t);
	ASSERT_EQ(0xffff0000, s.cs.base);
	ASSERT_EQ(0xf000, s.cs.selector);
	ASSERT_EQ(0xfff0, vm_regs(&t).rip);
	ASSERT_EQ(2, vm_regs(&t).rflags);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, 0xffff0000, 0x10000, rom));
	memcpy(rom + 0xfff0, real, real_end - real);
	EXPECT_OUT(&t, 0x10, 0x42);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(protected_mode_without_paging)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_protected(&t, prot, prot_end);
	EXPECT_OUT(&t, 0x10, 0x12345678);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(paging_with_4_mib_pages)
{
	struct test_vm t;
	uint32_t *pd;

	vm_make(&t, false);
	guest_protected(&t, pse, pse_end);
	pd = (uint32_t *)(t.mem + 0x10000);
	pd[0] = 0x83;
	pd[2] = 0x83;		/* 8 MiB is at 0, too */
	memcpy(t.mem, "\x44\x33\x22\x11", 4);
	EXPECT_OUT(&t, 0x10, 0x11223344);
	/* LME, as a VMM may set it, is nothing to a guest that pages without. */
	ASSERT_EQ(1, vm_set_msr(&t, 0xc0000080, 0x500));
	ASSERT_EQ(0x100, vm_sregs(&t).efer);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(pae_paging)
{
	struct test_vm t;
	uint64_t *pdpt;

	vm_make(&t, false);
	guest_protected(&t, pae, pae_end);
	pdpt = (uint64_t *)(t.mem + 0x10000);
	pdpt[0] = 0x11001;
	pdpt[512] = 0x83;
	pdpt[512 + 4] = 0x83;
	memcpy(t.mem, "\x44\x33\x22\x11", 4);
	EXPECT_OUT(&t, 0x10, 0x11223344);
	EXPECT_OUT(&t, 0x10, 0x11223344);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(long_mode)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, lng, lng_end);
	EXPECT_OUT(&t, 0x10, 0x11223344);
	EXPECT_HLT(&t);
	vm_free(&t);
}

/* Whatever TSS there is: an entry wants a 64-bit one, and a guest may load it when it likes. */
TEST(a_guest_goes_to_long_mode_and_back)
{
	static const uint8_t tss[] = { 11, 3 };
	struct minikvm_sregs s;
	struct test_vm t;
	uint64_t *table;
	size_t i;

	for (i = 0; i < sizeof(tss); i++) {
		vm_make(&t, false);
		guest_protected(&t, enters_long, enters_long_end);
		s = vm_sregs(&t);
		s.tr.type = tss[i];
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
		table = (uint64_t *)(t.mem + G_TABLES);
		table[0] = (G_TABLES + 0x1000) | 7;
		table[512] = (G_TABLES + 0x2000) | 7;
		table[1024] = 0x87;
		*(uint64_t *)(t.mem + G_GDT + 0x20) = 0x00af9b000000ffff;
		EXPECT_OUT(&t, 0x10, 0x100);
		EXPECT_OUT(&t, 0x11, 0x500);
		EXPECT_OUT(&t, 0x12, 0x11223344);
		s = vm_sregs(&t);
		ASSERT_EQ(11, s.tr.type);
		ASSERT_EQ(0x500, s.efer);
		EXPECT_OUT(&t, 0x13, 0x100);
		EXPECT_HLT(&t);
		vm_free(&t);
	}
}

TEST(efer_is_written_but_for_lma)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, efer, efer_end);
	EXPECT_OUT(&t, 0x10, 0x501);
	ASSERT_EQ(0x501, vm_sregs(&t).efer);
	EXPECT_OUT(&t, 0x10, 0xd01);
	EXPECT_HLT(&t);
	guest_long(&t, no_lme, no_lme_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	ASSERT_EQ(0xd01, vm_sregs(&t).efer);
	guest_long(&t, no_such_bit, no_such_bit_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	ASSERT_EQ(0xd01, vm_sregs(&t).efer);
	vm_free(&t);
}

/* LME and LMA by themselves: CR0 may follow. */
TEST(a_vmm_sets_efer_among_the_msrs)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, efer, efer_end);
	ASSERT_EQ(1, vm_set_msr(&t, 0xc0000080, 0x500));
	ASSERT_EQ(0x500, vm_sregs(&t).efer);
	ASSERT_EQ(0, vm_set_msr(&t, 0xc0000080, 0x700));
	ASSERT_EQ(0x500, vm_sregs(&t).efer);
	EXPECT_OUT(&t, 0x10, 0x500);
	vm_free(&t);
}

/* FAIL_ENTRY, as long as TR holds a 16-bit TSS, which no 64-bit guest may. */
static void refused_until_mended(struct __test_metadata *_metadata, struct test_vm *t)
{
	struct minikvm_sregs good = vm_sregs(t), s = good;
	int i;

	s.tr.type = 3;
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_SREGS, &s));
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(MINIKVM_EXIT_FAIL_ENTRY, vm_run(t));
		ASSERT_EQ(0x80000021, t->run->fail_entry.hardware_entry_failure_reason);
	}
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_SREGS, &good));
}

TEST(a_first_entry_that_was_refused_can_be_mended)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, lng, lng_end);
	refused_until_mended(_metadata, &t);
	EXPECT_OUT(&t, 0x10, 0x11223344);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(a_later_entry_that_was_refused_can_be_mended)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, lng, lng_end);
	EXPECT_OUT(&t, 0x10, 0x11223344);
	refused_until_mended(_metadata, &t);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(a_refused_entry_says_on_which_cpu)
{
	cpu_set_t allowed, one;
	struct minikvm_sregs s;
	struct test_vm t;
	int cpu;

	vm_make(&t, false);
	guest_long(&t, lng, lng_end);
	s = vm_sregs(&t);
	s.tr.type = 3;		/* a busy 16-bit TSS: not in IA-32e mode */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	sched_getaffinity(0, sizeof(allowed), &allowed);
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &allowed))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		ASSERT_EQ(0, sched_setaffinity(0, sizeof(one), &one));
		ASSERT_EQ(MINIKVM_EXIT_FAIL_ENTRY, vm_run(&t));
		ASSERT_EQ(cpu, t.run->fail_entry.cpu);
	}
	vm_free(&t);
}

TEST_HARNESS_MAIN
