// SPDX-License-Identifier: GPL-2.0
/* Claim: instructions that exit (CPUID, MSRs, control and debug registers, cache control,
 * XSETBV, HLT, VMX instructions) do what the SDM says, or raise the exception it names.
 */
#include "lib/vm.h"

GUEST64(cpuid, "xor %eax, %eax; cpuid; hlt");
GUEST64(msrs, "mov $0xc0000082, %ecx; mov $0x09abcdef, %eax; mov $0x4567, %edx; wrmsr;"
	"xor %eax, %eax; xor %edx, %edx; rdmsr; hlt");
GUEST64(bad_msr, "mov $0x12345, %ecx; rdmsr; hlt");
GUEST64(noncanonical, "mov $0xc0000082, %ecx; xor %eax, %eax; mov $0x80000000, %edx; wrmsr; hlt");
GUEST64(crs, "mov %cr0, %rax; mov %rax, %rbx; clts; mov %cr0, %rcx; or $8, %rax; mov %rax, %cr0;"
	"mov %cr0, %rdx; smsw %esi; mov %rbx, %cr0; mov %cr3, %rdi; mov %rdi, %cr3;"
	"mov %cr4, %r8; mov %r8, %cr4; mov $5, %eax; mov %rax, %cr8; mov %cr8, %r9; hlt");
GUEST64(bad_cr4, "mov %cr4, %rax; bts $23, %rax; bts $13, %rax; mov %rax, %cr4; hlt");
GUEST64(bad_cr0, "mov $0x80000000, %eax; mov %rax, %cr0; hlt");
GUEST64(drs, "mov $0x1234, %eax; mov %rax, %db0; mov %db0, %rbx; mov %db7, %rcx; mov %db6, %rdx; hlt");
GUEST64(bad_dr7, "mov $1, %eax; shl $32, %rax; mov %rax, %db7; hlt");
GUEST64(caches, "wbinvd; invd; pause; hlt");
GUEST64(vmcall, "mov $0x12345, %eax; vmcall; hlt");
GUEST64(vmmcall, "mov $0x12345, %eax; vmmcall; inc %ebx; hlt");
GUEST64(yield, "mov $11, %eax; xor %ebx, %ebx; vmcall; hlt");
GUEST64(poll_irq, "mov $-1, %rdx; mov $1, %eax; vmcall; mov %rax, %rdx; mov $1, %eax; vmmcall; hlt");
GUEST32(poll_irq_32, "mov $1, %eax; vmcall; hlt");
GUEST32(vmcall_32, "vmcall; hlt");
GUEST32(unknown_32, "mov $0x12345, %eax; vmcall; hlt");
GUEST16(vmmcall_16, "vmmcall; hlt");
/* To user mode, where VMMCALL is; the exception of its HLT comes to a stub. */
GUEST64(user, "push $0x33; push $0x8f00; push $2; push $0x2b; lea 1f(%rip), %rax;"
	"push %rax; iretq; 1: mov $1, %eax; vmmcall; mov %rax, %rbx; mov $1, %eax; vmcall; mov %rax, %rcx; hlt");
GUEST32(task, "ljmp $0x20, $0");
GUEST32(new_task, "out %al, $0x10");
GUEST64(rdpmc, "xor %ecx, %ecx; rdpmc; hlt");
GUEST64(bad_xsetbv, "mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4; xor %ecx, %ecx; xor %eax, %eax;"
	"xor %edx, %edx; xsetbv; hlt");
GUEST64(xsetbv_1, "mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4; mov $1, %ecx; mov $1, %eax;"
	"xor %edx, %edx; xsetbv; hlt");
GUEST64(ud2, "ud2; hlt");
GUEST64(triple, "xor %eax, %eax; push %rax; push %rax; lidt (%rsp); int3; hlt");
GUEST64(page_fault, "movabs $0x7f0000000000, %rax; mov (%rax), %ebx; hlt");

TEST(cpuid_answers_what_was_set)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, cpuid, cpuid_end);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0x756e6547, r.rbx);	/* Genu */
	ASSERT_EQ(0, r.rbx >> 32);
	vm_free(&t);
}

TEST(an_msr_keeps_its_value)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, msrs, msrs_end);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0x09abcdef, r.rax);
	ASSERT_EQ(0x00004567, r.rdx);
	vm_free(&t);
}

#define EXCEPTION_TEST(name, code, vector)				\
TEST(name)								\
{									\
	struct test_vm t;						\
									\
	vm_make(&t, false);						\
	guest_long(&t, code, code##_end);				\
	EXPECT_OUT(&t, PORT_EXCEPTION, vector);				\
	vm_free(&t);							\
}

EXCEPTION_TEST(rdmsr_of_nothing_is_gp, bad_msr, 13)
EXCEPTION_TEST(wrmsr_of_a_bad_address_is_gp, noncanonical, 13)
EXCEPTION_TEST(reserved_cr4_bit_is_gp, bad_cr4, 13)
EXCEPTION_TEST(paging_without_protection_is_gp, bad_cr0, 13)
EXCEPTION_TEST(upper_half_of_dr7_is_gp, bad_dr7, 13)
EXCEPTION_TEST(rdpmc_is_gp, rdpmc, 13)
EXCEPTION_TEST(ud2_is_ud, ud2, 6)
EXCEPTION_TEST(unmapped_address_is_pf, page_fault, 14)

/* What a virtual CPU does not have: each of them exits, or is #UD before that. */
TEST(vmx_instructions_and_their_like_are_undefined)
{
	static const struct { const char *name; uint8_t bytes[7]; } insns[] = {
		{ "vmclear (%rsp)", { 0x66, 0x0f, 0xc7, 0x34, 0x24 } },
		{ "vmptrld (%rsp)", { 0x0f, 0xc7, 0x34, 0x24 } },
		{ "vmptrst (%rsp)", { 0x0f, 0xc7, 0x3c, 0x24 } },
		{ "vmxon (%rsp)", { 0xf3, 0x0f, 0xc7, 0x34, 0x24 } },
		{ "vmlaunch", { 0x0f, 0x01, 0xc2 } }, { "vmresume", { 0x0f, 0x01, 0xc3 } },
		{ "vmxoff", { 0x0f, 0x01, 0xc4 } }, { "vmfunc", { 0x0f, 0x01, 0xd4 } },
		{ "vmread", { 0x0f, 0x78, 0xc0 } }, { "vmwrite", { 0x0f, 0x79, 0xc0 } },
		{ "invept (%rsp), %rax", { 0x66, 0x0f, 0x38, 0x80, 0x04, 0x24 } },
		{ "invvpid (%rsp), %rax", { 0x66, 0x0f, 0x38, 0x81, 0x04, 0x24 } },
		{ "encls", { 0x0f, 0x01, 0xcf } }, { "getsec", { 0x0f, 0x37 } }, { "rsm", { 0x0f, 0xaa } },
	};
	struct test_vm t;
	size_t i;

	vm_make(&t, false);
	for (i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
		guest_long(&t, insns[i].bytes, insns[i].bytes + sizeof(insns[i].bytes));
		EXPECT_EQ(MINIKVM_EXIT_IO, vm_run(&t)) TH_LOG("%s: exit %u", insns[i].name, t.run->exit_reason);
		EXPECT_EQ(6, *(uint8_t *)vm_io_data(&t)) TH_LOG("%s", insns[i].name);
	}
	vm_free(&t);
}

TEST(xsetbv_without_x87_is_gp)
{
	struct test_vm t;
	struct minikvm_xcrs x;

	vm_make(&t, false);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_XCRS) <= 0 ||
	    ioctl(t.vcpu, MINIKVM_GET_XCRS, &x) || !x.nr_xcrs)
		SKIP(return, "no XSAVE");
	guest_long(&t, bad_xsetbv, bad_xsetbv_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	vm_free(&t);
}

/* XCR0 is the only one. */
TEST(xsetbv_of_another_register_is_gp)
{
	struct test_vm t;
	struct minikvm_xcrs x;

	vm_make(&t, false);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_XCRS) <= 0 ||
	    ioctl(t.vcpu, MINIKVM_GET_XCRS, &x) || !x.nr_xcrs)
		SKIP(return, "no XSAVE");
	guest_long(&t, xsetbv_1, xsetbv_1_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	vm_free(&t);
}

TEST(control_registers_read_back)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, crs, crs_end);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0x80010033, r.rbx);
	ASSERT_EQ(0x80010033, r.rcx);
	ASSERT_EQ(0x8001003b, r.rdx);
	ASSERT_EQ(0x003b, r.rsi & 0xffff);
	ASSERT_EQ(G_TABLES, r.rdi);
	ASSERT_EQ(0x620, r.r8);
	ASSERT_EQ(5, r.r9);
	ASSERT_EQ(5, t.run->cr8);
	vm_free(&t);
}

TEST(debug_registers_read_back)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, drs, drs_end);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0x1234, r.rbx);
	ASSERT_EQ(0x400, r.rcx);
	ASSERT_EQ(0xffff0ff0, r.rdx);
	vm_free(&t);
}

TEST(cache_instructions_do_nothing)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, caches, caches_end);
	EXPECT_HLT(&t);
	ASSERT_EQ(G_CODE + (caches_end - caches), vm_regs(&t).rip);
	vm_free(&t);
}

TEST(unknown_hypercall_is_enosys)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, vmcall, vmcall_end);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1000ull, vm_regs(&t).rax);
	vm_free(&t);
}

TEST(vmmcall_works_as_vmcall)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, vmmcall, vmmcall_end);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(-1000ull, r.rax);
	ASSERT_EQ(1, r.rbx);
	ASSERT_EQ(G_CODE + (vmmcall_end - vmmcall), r.rip);
	ASSERT_EQ(0, memcmp(t.mem + G_CODE + 5, "\x0f\x01\xc1", 3));	/* it is one now */
	vm_free(&t);
}

TEST(the_hypercall_that_polls_answers_0)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, poll_irq, poll_irq_end);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ(0, r.rax);
	ASSERT_EQ(0, r.rdx);
	vm_free(&t);
}

TEST(the_hypercall_that_yields_answers_0)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, yield, yield_end);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, vm_regs(&t).rax);
	vm_free(&t);
}

/* The number and the answer have 32 bits there. */
TEST(hypercalls_outside_64_bit_mode)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	guest_protected(&t, poll_irq_32, poll_irq_32_end);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, vm_regs(&t).rax);
	guest_protected(&t, unknown_32, unknown_32_end);
	EXPECT_HLT(&t);
	r = vm_regs(&t);
	ASSERT_EQ((uint32_t)-1000, r.rax);
	/* What 64-bit code or the VMM has left in the upper half is no part of the number. */
	guest_protected(&t, vmcall_32, vmcall_32_end);
	r = vm_regs(&t);
	r.rax = 0x100000001;
	vm_set_regs(&t, r);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, vm_regs(&t).rax);
	vm_free(&t);
}

/* Where KVM cannot write its VMCALL, and raises the fault of its own write. */
TEST(vmmcall_in_code_that_is_read_only)
{
	struct minikvm_regs r;
	struct test_vm t;
	uint64_t *pd;

	vm_make(&t, false);
	guest_long(&t, vmmcall, vmmcall_end);
	pd = (uint64_t *)(t.mem + G_TABLES + 0x2000);
	pd[1] &= ~2ull;
	memcpy(t.mem + 0x200000, vmmcall, vmmcall_end - vmmcall);
	r = vm_regs(&t);
	r.rip = 0x200000;
	vm_set_regs(&t, r);
	if (test_on_kvm()) {
		EXPECT_OUT(&t, PORT_EXCEPTION, 14);
	} else {
		EXPECT_HLT(&t);
		ASSERT_EQ(-1000ull, vm_regs(&t).rax);
	}
	vm_free(&t);
}

TEST(vmmcall_in_real_mode_is_ud)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_real(&t, vmmcall_16, vmmcall_16_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 6);
	vm_free(&t);
}

TEST(user_mode_may_not_make_hypercalls)
{
	struct minikvm_regs r;
	uint64_t *gdt;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, user, user_end);
	gdt = (uint64_t *)(t.mem + G_GDT);
	gdt[5] = 0x00affb000000ffff;
	gdt[6] = 0x00cff3000000ffff;
	*(uint64_t *)(t.mem + G_TSS + 4) = G_STACK - 0x800;
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	r = vm_regs(&t);
	ASSERT_EQ(-1ull, r.rbx);
	ASSERT_EQ(-1ull, r.rcx);
	vm_free(&t);
}

/* To a task that KVM starts, at 0x3000; here the VMM is told, and the guest stands where it was. */
TEST(a_hardware_task_switch_is_the_vmms)
{
	struct test_vm t;
	uint32_t *tss;

	vm_make(&t, false);
	guest_protected(&t, task, task_end);
	*(uint64_t *)(t.mem + G_GDT + 0x20) = 0x0000890061000067;
	tss = (uint32_t *)(t.mem + G_TSS + 0x100);
	tss[8] = 0x3000;			/* EIP, EFLAGS, ESP; ES to GS */
	tss[9] = 2;
	tss[14] = G_STACK;
	tss[18] = tss[20] = tss[21] = tss[22] = tss[23] = 16;
	tss[19] = 8;
	memcpy(t.mem + 0x3000, new_task, new_task_end - new_task);
	if (test_on_kvm()) {
		EXPECT_OUT(&t, 0x10, 0);
	} else {
		ASSERT_EQ(MINIKVM_EXIT_INTERNAL_ERROR, vm_run(&t));
		ASSERT_EQ(MINIKVM_INTERNAL_ERROR_EMULATION, t.run->internal.suberror);
		ASSERT_EQ(6, t.run->internal.ndata);
		ASSERT_EQ(9, t.run->internal.data[1]);
		ASSERT_EQ(2ull << 30 | 0x20, t.run->internal.data[2]);	/* by JMP */
		ASSERT_EQ(G_CODE, vm_regs(&t).rip);
	}
	vm_free(&t);
}

TEST(triple_fault_is_shutdown)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, triple, triple_end);
	ASSERT_EQ(MINIKVM_EXIT_SHUTDOWN, vm_run(&t));
	vm_free(&t);
}

TEST_HARNESS_MAIN
