// SPDX-License-Identifier: GPL-2.0
/* Claim: breakpoints, single steps and ICEBP raise #DB in the guest with the DR6 and RIP that the
 * SDM names, also over instructions that exit.
 */
#include <signal.h>
#include <sys/time.h>
#include "lib/vm.h"

GUEST64(execute, "lea 1f(%rip), %rax; mov %rax, %db0; mov $0x401, %eax; mov %rax, %db7;"
	"nop; 1: nop; hlt");
GUEST64(store, "mov $0x40010, %eax; mov %rax, %db1; mov $0xd00404, %eax; mov %rax, %db7;"
	"nop; movl $5, 0x40010; nop; hlt");
GUEST64(step, "pushf; orl $0x100, (%rsp); popf; nop; hlt");
GUEST64(step_cpuid, "pushf; orl $0x100, (%rsp); popf; cpuid; hlt");
GUEST64(step_out, "pushf; orl $0x100, (%rsp); popf; out %al, $0x10; hlt");
/* (The load maps the page tables: Bochs 2.7 has a #DB too many after an EPT violation.) */
GUEST64(step_mmio, "mov $0xd0000000, %ebx; mov (%rbx), %eax; pushf; orl $0x100, (%rsp); popf; mov %eax, (%rbx); hlt");
GUEST64(icebp, ".byte 0xf1; hlt");
GUEST64(detect, "mov $0x2400, %eax; mov %rax, %db7; mov %db0, %rbx; hlt");

GUEST64(high_dr7, "mov $1, %eax; shl $32, %rax; mov %rax, %db7; hlt");

/* Six written in a row, an exit, six read in a row but for an exit in between. */
GUEST64(six, "mov $0x40000, %edi; mov $0x1111, %eax; mov %rax, %db0; inc %eax; mov %rax, %db1; inc %eax;"
	"mov %rax, %db2; inc %eax; mov %rax, %db3; mov $0x4000, %eax; mov %rax, %db6; mov $0x500, %eax;"
	"mov %rax, %db7; out %al, $0x10; mov %db0, %rax; mov %rax, (%rdi); mov %db1, %rax;"
	"mov %rax, 8(%rdi); xor %eax, %eax; cpuid; mov %db2, %rax; mov %rax, 16(%rdi); mov %db3, %rax;"
	"mov %rax, 24(%rdi); mov %db6, %rax; mov %rax, 32(%rdi); mov %db7, %rax; mov %rax, 40(%rdi); hlt");

/* Again and again a #DB with general detect on; its handler says so if it meets a second one. */
GUEST64(again, "1: mov $0x2400, %eax; mov %rax, %db7; .byte 0xf1; jmp 1b");
GUEST64(handler, "mov %db6, %rax; test $0x20, %ah; jz 1f; out %al, $0x10;"
	"1: xor %eax, %eax; mov %rax, %db6; iretq");

#define DR6_FIXED 0xffff0ff0ull

/* Runs to the #DB stub; the RIP that it would return to is on the stack. */
#define EXPECT_DB(t, flags, end) do {						\
	struct minikvm_debugregs d_;						\
	EXPECT_OUT(t, PORT_EXCEPTION, 1);					\
	ASSERT_EQ(0, ioctl((t)->vcpu, MINIKVM_GET_DEBUGREGS, &d_));		\
	ASSERT_EQ(DR6_FIXED | (flags), d_.dr6);					\
	ASSERT_EQ((uint64_t)(end), *(uint64_t *)((t)->mem + vm_regs(t).rsp));	\
} while (0)

#define AFTER(code) (G_CODE + (code##_end - code) - 1)	/* its closing HLT */

/* Also while the VMM has the processor's for itself, and each access exits. */
static void debug_registers_are_kept(struct __test_metadata *_metadata, uint32_t control)
{
	struct minikvm_guest_debug debug = { .control = control, .arch.debugreg[7] = 0x400 };
	struct minikvm_debugregs d;
	struct test_vm t;
	uint64_t *read;

	vm_make(&t, false);
	guest_long(&t, six, six_end);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, &debug));
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &d));
	ASSERT_EQ(0x1111, d.db[0]);
	ASSERT_EQ(0x1112, d.db[1]);
	ASSERT_EQ(0x1113, d.db[2]);
	ASSERT_EQ(0x1114, d.db[3]);
	ASSERT_EQ(DR6_FIXED | 0x4000, d.dr6);
	ASSERT_EQ(0x500, d.dr7);
	d.db[1] = 0x2222;
	d.dr6 = DR6_FIXED | 1;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &d));
	ASSERT_EQ(MINIKVM_EXIT_HLT, vm_run(&t));
	read = (uint64_t *)(t.mem + 0x40000);
	ASSERT_EQ(0x1111, read[0]);
	ASSERT_EQ(0x2222, read[1]);
	ASSERT_EQ(0x1113, read[2]);
	ASSERT_EQ(0x1114, read[3]);
	ASSERT_EQ(DR6_FIXED | 1, read[4]);
	ASSERT_EQ(0x500, read[5]);
	vm_free(&t);
}

TEST(debug_registers_are_kept_over_exits)
{
	debug_registers_are_kept(_metadata, 0);
}

TEST(debug_registers_are_the_guests_while_it_is_debugged)
{
	debug_registers_are_kept(_metadata,
				 MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_USE_HW_BP);
}

TEST(upper_half_of_dr7_is_gp_while_it_is_debugged)
{
	struct minikvm_guest_debug debug = {
		.control = MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_USE_HW_BP, .arch.debugreg[7] = 0x400,
	};
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, high_dr7, high_dr7_end);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, &debug));
	EXPECT_OUT(&t, PORT_EXCEPTION, 13);
	vm_free(&t);
}

TEST(execution_breakpoint_is_a_fault)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, execute, execute_end);
	EXPECT_DB(&t, 1, AFTER(execute) - 1);
	vm_free(&t);
}

TEST(data_breakpoint_is_a_trap)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, store, store_end);
	EXPECT_DB(&t, 2, AFTER(store) - 1);
	ASSERT_EQ(5, t.mem[0x40010]);
	vm_free(&t);
}

TEST(single_step)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, step, step_end);
	EXPECT_DB(&t, 0x4000, AFTER(step));
	vm_free(&t);
}

TEST(single_step_over_cpuid)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, step_cpuid, step_cpuid_end);
	EXPECT_DB(&t, 0x4000, AFTER(step_cpuid));
	vm_free(&t);
}

TEST(single_step_over_an_access_by_the_vmm)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, step_out, step_out_end);
	EXPECT_OUT(&t, 0x10, 0);
	EXPECT_DB(&t, 0x4000, AFTER(step_out));
	vm_free(&t);
	vm_make(&t, false);
	guest_long(&t, step_mmio, step_mmio_end);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	if (!test_on_kvm())	/* which forgets the trap behind a write that the VMM carries out */
		EXPECT_DB(&t, 0x4000, AFTER(step_mmio));
	vm_free(&t);
}

TEST(icebp_is_a_trap)
{
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, icebp, icebp_end);
	EXPECT_DB(&t, 0, AFTER(icebp));
	vm_free(&t);
}

TEST(general_detect_is_a_fault_and_clears_gd)
{
	struct minikvm_debugregs d;
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, detect, detect_end);
	EXPECT_DB(&t, 0x2000, AFTER(detect) - 3);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &d));
	ASSERT_EQ(0x400, d.dr7);
	vm_free(&t);
}

static void on_alarm(int sig)
{
}

/* A VMM that saves and restores between the exit and the delivery changes nothing. */
TEST(general_detect_is_off_before_a_vmm_can_save_it)
{
	struct itimerval tick = { { 0, 1000 }, { 0, 1000 } }, off = { };
	struct sigaction sa = { .sa_handler = on_alarm };
	struct minikvm_vcpu_events e;
	struct minikvm_debugregs d;
	struct test_vm t;
	int seen = 0;

	if (test_on_kvm())
		SKIP(return, "KVM forgets that GD is to be cleared");
	vm_make(&t, false);
	guest_long(&t, again, again_end);
	memcpy(t.mem + G_STUBS + 16 * 1, handler, handler_end - handler);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &tick, NULL);
	while (seen < 20) {
		ASSERT_EQ(-EINTR, vm_run(&t)) TH_LOG("exit %u", t.run->exit_reason);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &d));
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
		if (!(e.exception.injected && e.exception.nr == 1))
			continue;
		seen++;
		ASSERT_EQ(0x400, d.dr7);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &d));
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	}
	setitimer(ITIMER_REAL, &off, NULL);
	vm_free(&t);
}

GUEST64(int80, "out %al, $0x10; mov $0x301000, %esp; int $0x80; hlt");

/* Its stack was not there: INT n is delivered anew, with its length, which is nobody else's. */
TEST(an_injected_breakpoint_is_as_long_as_int3)
{
	struct minikvm_guest_debug inject = { .control = MINIKVM_GUESTDBG_INJECT_BP };
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM's entry fails: its length is that of the last one");
	vm_make(&t, false);
	guest_long(&t, int80, int80_end);
	EXPECT_OUT(&t, 0x10, 0);
	EXPECT_OUT(&t, PORT_EXCEPTION, 0x80);
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, &inject));
	EXPECT_OUT(&t, PORT_EXCEPTION, 3);
	ASSERT_EQ(G_STUBS + 16 * 0x80 + G_STUB_HLT + 1, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	vm_free(&t);
}

TEST_HARNESS_MAIN
