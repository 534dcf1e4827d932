// SPDX-License-Identifier: GPL-2.0
/* Claim: a VMM that debugs its guest with SET_GUEST_DEBUG stops it where it asked for, also at
 * instructions that exit, and the guest's own registers do not show it.
 */
#include "lib/vm.h"

#define CONTROL(c)	(MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_##c)
#define DR6_FIXED	0xffff0ff0ull
#define DR6_STEP	0xffff4ff0ull
#define TF		0x100

/* (Each begins with an OUT, so that its pages are mapped: Bochs 2.7 has a #DB too many after an
 * EPT violation.)
 */
/* So that the GDT is there: Bochs 2.7 lets an EPT violation leave a trap behind, too. */
#define LOAD_SS "mov %ss, %edx; mov %edx, %ss; "	/* 4 bytes */

GUEST64(steps, "push %rax; pop %rax; out %al, $0x10; sti; xor %eax, %eax; cpuid; cli; mov $0x277, %ecx; rdmsr; wrmsr;"
	"pushf; popf; in $0x11, %al; out %al, $0x12; mov %cr3, %rax; nop; hlt");
static const uint8_t step_ends[] = { 4, 5, 7, 9, 10, 15, 17, 19, 20, 21 };
GUEST64(string, "mov %eax, 0x40000; out %al, $0x10; mov $3, %ecx; mov $0x40000, %edi; rep stosb; nop; hlt");
GUEST64(outs, "mov %eax, 0x40000; out %al, $0x10; mov $2, %ecx; mov $0x40000, %esi; mov $0x10, %edx; rep outsb; nop; hlt");
GUEST64(mmio, "mov $0xd0000000, %ebx; mov (%rbx), %eax; out %al, $0x10; mov (%rbx), %eax;"
	"mov %eax, (%rbx); nop; hlt");
GUEST64(after_ss, LOAD_SS "out %al, $0x10; mov %ss, %eax; mov %eax, %ss; nop; nop; hlt");
GUEST64(int3, "nop; int3; hlt");
GUEST64(halt, "out %al, $0x10; hlt; nop; hlt");
GUEST64(nops, "out %al, $0x10; nop; nop; nop; nop; mov %db7, %rax; mov %db0, %rbx; nop; hlt");
GUEST64(store, "mov %eax, 0x40010; out %al, $0x10; mov %eax, 0x40010; nop; hlt");
GUEST64(detect, "out %al, $0x10; mov %db0, %rbx; hlt");
GUEST64(opened, "out %al, $0x10; sti; nop; nop; nop; nop; hlt");
GUEST64(own_tf, "out %al, $0x10; nop; nop; hlt");

GUEST64(flags, "push %rax; pop %rax; out %al, $0x10; pushf; pop %rax; pushfw; pop %cx; orl $0x100, %eax;"
	"push %rax; popf; nop; hlt");
GUEST64(call, "push %rax; pop %rax; out %al, $0x10; syscall; nop; sysretq; hlt");
GUEST64(back, LOAD_SS "push %rax; pop %rax; out %al, $0x10; iretq; hlt");

static int debug_set(struct test_vm *t, uint32_t control, int n, uint64_t address, uint64_t dr7)
{
	struct minikvm_guest_debug d = { .control = control };

	if (n >= 0)
		d.arch.debugreg[n] = address;
	d.arch.debugreg[7] = dr7;
	return ioctl(t->vcpu, MINIKVM_SET_GUEST_DEBUG, &d) ? -errno : 0;
}

#define DEBUG(t, c) ASSERT_EQ(0, debug_set(t, c, -1, 0, 0x400))

/* RUN, and the exit of a #DB with these flags in DR6, before the instruction at @end. */
#define EXPECT_DEBUG(t, flags, end) EXPECT_STEP(t, flags, -1, end)
#define EXPECT_STEP(t, flags, from, end) do {					\
	ASSERT_EQ(MINIKVM_EXIT_DEBUG, step_from(t, from))			\
		TH_LOG("exit %u, RIP %#llx", (t)->run->exit_reason, vm_regs(t).rip); \
	ASSERT_EQ(1, (t)->run->debug.arch.exception);				\
	ASSERT_EQ((uint64_t)(end), (t)->run->debug.arch.pc);			\
	ASSERT_EQ(DR6_FIXED | (flags), (t)->run->debug.arch.dr6);		\
	ASSERT_EQ((uint64_t)(end), vm_regs(t).rip);				\
} while (0)

/* KVM loses its trap flag where an instruction loads the flags: it is told anew each time. */
#define STEP(t, off) do {							\
	DEBUG(t, CONTROL(SINGLESTEP));						\
	EXPECT_STEP(t, 0x4000, vm_regs(t).rip, G_CODE + (off));			\
	ASSERT_EQ(0, vm_regs(t).rflags & TF);					\
} while (0)

/* To the end of the step that began at @from. (Bochs 2.7 lets an instruction that exits leave a
 * trap behind, for which KVM stops once more.)
 */
static int step_from(struct test_vm *t, uint64_t from)
{
	int reason = vm_run(t);

	if (test_on_kvm() && reason == MINIKVM_EXIT_DEBUG && t->run->debug.arch.pc == from)
		reason = vm_run(t);
	return reason;
}

static void begin(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	vm_make(t, false);
	guest_long(t, code, end);
}

TEST(capabilities)
{
	int dev = test_open();

	ASSERT_EQ(1, ioctl(dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_SET_GUEST_DEBUG));
	ASSERT_EQ(MINIKVM_GUESTDBG_VALID_MASK,
		  ioctl(dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_SET_GUEST_DEBUG2));
	close(dev);
}

TEST(each_instruction_is_a_step)
{
	struct test_vm t;
	int i;

	begin(&t, steps, steps_end);
	EXPECT_OUT(&t, 0x10, 0);
	for (i = 0; i < (int)sizeof(step_ends); i++)
		STEP(&t, step_ends[i]);
	/* The VMM's own accesses come first, then the step is over. */
	DEBUG(&t, CONTROL(SINGLESTEP));
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	ASSERT_EQ(0x11, t.run->io.port);
	STEP(&t, 23);
	ASSERT_EQ(MINIKVM_EXIT_IO, step_from(&t, G_CODE + 23));
	ASSERT_EQ(0x12, t.run->io.port);
	STEP(&t, 25);
	STEP(&t, 28);
	DEBUG(&t, 0);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(one_request_lasts)
{
	struct test_vm t;

	begin(&t, nops, nops_end);
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 2);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 3);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 4);
	DEBUG(&t, 0);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(each_iteration_is_a_step)
{
	struct test_vm t;
	int i;

	begin(&t, string, string_end);
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 9);
	STEP(&t, 14);
	STEP(&t, 19);
	for (i = 2; i > 0; i--) {
		DEBUG(&t, CONTROL(SINGLESTEP));
		EXPECT_DEBUG(&t, 0x4000, G_CODE + 19);
		ASSERT_EQ(i, vm_regs(&t).rcx);
	}
	vm_free(&t);
	if (test_on_kvm())
		return;		/* its emulator does all iterations as one step */
	begin(&t, outs, outs_end);
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 9);
	STEP(&t, 14);
	STEP(&t, 19);
	STEP(&t, 24);
	EXPECT_OUT(&t, 0x10, 0);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 24);
	ASSERT_EQ(1, vm_regs(&t).rcx);
	EXPECT_OUT(&t, 0x10, 0);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 26);
	vm_free(&t);
}

TEST(a_device_access_is_a_step)
{
	struct test_vm t;

	begin(&t, mmio, mmio_end);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 9);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	STEP(&t, 11);
	if (!test_on_kvm()) {	/* which forgets the step at a write */
		ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
		ASSERT_EQ(1, t.run->mmio.is_write);
		ASSERT_EQ(0, vm_regs(&t).rflags & TF);
		EXPECT_DEBUG(&t, 0x4000, G_CODE + 13);
		STEP(&t, 14);
	}
	vm_free(&t);
}

TEST(mov_ss_takes_the_next_one_along)
{
	struct test_vm t;

	begin(&t, after_ss, after_ss_end);
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 6);
	STEP(&t, 8);
	STEP(&t, 11);
	STEP(&t, 12);
	vm_free(&t);
}

TEST(halt_is_an_exit_first)
{
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM forgets the step");
	begin(&t, halt, halt_end);
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 2);
	EXPECT_HLT(&t);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 3);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 4);
	vm_free(&t);
}

TEST(the_guests_trap_flag_stays)
{
	struct minikvm_regs r;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM forgets the guest's flag");
	begin(&t, own_tf, own_tf_end);
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 2);
	r = vm_regs(&t);
	r.rflags |= TF;
	vm_set_regs(&t, r);
	DEBUG(&t, CONTROL(SINGLESTEP));
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 3);
	ASSERT_EQ(TF, vm_regs(&t).rflags & TF);
	DEBUG(&t, 0);
	EXPECT_OUT(&t, PORT_EXCEPTION, 1);
	vm_free(&t);
}

/* What the guest saves of RFLAGS does not show our flag, and what it loads is its own. */
TEST(flags_that_the_guest_saves_and_loads)
{
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM's trap flag shows");
	begin(&t, flags, flags_end);
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 4);
	STEP(&t, 5);
	STEP(&t, 6);
	ASSERT_EQ(0, vm_regs(&t).rax & TF);
	STEP(&t, 8);
	STEP(&t, 10);
	ASSERT_EQ(0, vm_regs(&t).rcx & TF);
	STEP(&t, 15);
	STEP(&t, 16);
	DEBUG(&t, CONTROL(SINGLESTEP));
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 17);
	ASSERT_EQ(TF, vm_regs(&t).rflags & TF);
	/* And it is the guest's to see. */
	DEBUG(&t, 0);
	EXPECT_OUT(&t, PORT_EXCEPTION, 1);
	ASSERT_EQ(G_CODE + 18, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	vm_free(&t);
}

TEST(system_calls)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e[3]; } m = {
		.head.nmsrs = 3,
		.e = { { .index = 0xc0000082, .data = G_CODE + 6 },	/* LSTAR, FMASK, STAR */
		       { .index = 0xc0000084, .data = 0 },
		       { .index = 0xc0000081, .data = 8ull << 32 } },
	};
	struct minikvm_sregs s;
	struct test_vm t;

	if (test_on_kvm())
		SKIP(return, "KVM's trap flag shows");
	begin(&t, call, call_end);
	s = vm_sregs(&t);
	s.efer |= 1;
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(3, ioctl(t.vcpu, MINIKVM_SET_MSRS, &m));
	EXPECT_OUT(&t, 0x10, 0);
	STEP(&t, 4);
	STEP(&t, 6);
	ASSERT_EQ(0, vm_regs(&t).r11 & TF);
	ASSERT_EQ(G_CODE + 6, vm_regs(&t).rcx);
	vm_free(&t);
}

TEST(return_from_an_interrupt)
{
	uint64_t frame[] = { G_CODE + 10, 8, 0x102, G_STACK, 0x10 };
	struct minikvm_sregs s;
	struct minikvm_regs r;
	struct test_vm t;
	int own;

	if (test_on_kvm())
		SKIP(return, "KVM forgets the guest's flag");
	for (own = 0; own < 2; own++) {
		begin(&t, back, back_end);
		s = vm_sregs(&t);
		frame[1] = s.cs.selector;
		frame[2] = own ? 0x102 : 2;
		frame[4] = s.ss.selector;
		memcpy(t.mem + G_STACK - sizeof(frame), frame, sizeof(frame));
		r = vm_regs(&t);
		r.rsp = G_STACK - sizeof(frame);
		vm_set_regs(&t, r);
		EXPECT_OUT(&t, 0x10, 0);
		STEP(&t, 8);
		DEBUG(&t, CONTROL(SINGLESTEP));
		EXPECT_DEBUG(&t, 0x4000, G_CODE + 10);
		ASSERT_EQ(own ? TF : 0, vm_regs(&t).rflags & TF);
		vm_free(&t);
	}
}

TEST(software_breakpoint)
{
	struct test_vm t;

	begin(&t, int3, int3_end);
	DEBUG(&t, CONTROL(USE_SW_BP));
	ASSERT_EQ(MINIKVM_EXIT_DEBUG, vm_run(&t)) TH_LOG("exit %u", t.run->exit_reason);
	ASSERT_EQ(3, t.run->debug.arch.exception);
	ASSERT_EQ(G_CODE + 1, t.run->debug.arch.pc);
	ASSERT_EQ(G_CODE + 1, vm_regs(&t).rip);
	/* It was the guest's own. */
	DEBUG(&t, CONTROL(USE_SW_BP) | MINIKVM_GUESTDBG_INJECT_BP);
	EXPECT_OUT(&t, PORT_EXCEPTION, 3);
	ASSERT_EQ(G_CODE + 2, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	vm_free(&t);
	/* Nobody has asked for it. */
	begin(&t, int3, int3_end);
	EXPECT_OUT(&t, PORT_EXCEPTION, 3);
	vm_free(&t);
}

TEST(breakpoints_of_the_vmm)
{
	struct minikvm_debugregs dr, none = { .dr6 = DR6_FIXED, .dr7 = 0x400 };
	struct test_vm t;
	int i;

	begin(&t, nops, nops_end);
	EXPECT_OUT(&t, 0x10, 0);
	for (i = 0; i < 4; i++) {
		ASSERT_EQ(0, debug_set(&t, CONTROL(USE_HW_BP), i, G_CODE + 2 + i,
				       0x400 | 2 << 2 * i));
		EXPECT_DEBUG(&t, 1 << i, G_CODE + 2 + i);
		ASSERT_EQ(0x400 | 2 << 2 * i, t.run->debug.arch.dr7);
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_DEBUGREGS, &dr));
		ASSERT_EQ(0, memcmp(&dr, &none, sizeof(dr)));
	}
	/* What the guest reads is its own. */
	ASSERT_EQ(0, debug_set(&t, CONTROL(USE_HW_BP), 0, G_CODE + 12, 0x402));
	EXPECT_DEBUG(&t, 1, G_CODE + 12);
	ASSERT_EQ(0x400, vm_regs(&t).rax);
	ASSERT_EQ(0, vm_regs(&t).rbx);
	DEBUG(&t, 0);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(watchpoint_of_the_vmm)
{
	struct test_vm t;

	begin(&t, store, store_end);
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(0, debug_set(&t, CONTROL(USE_HW_BP), 1, 0x40010, 0xd00408));
	EXPECT_DEBUG(&t, 2, G_CODE + store_end - store - 2);
	DEBUG(&t, 0);
	EXPECT_HLT(&t);
	vm_free(&t);
}

/* The guest's breakpoints work while the VMM steps, and come back when its own are gone. */
TEST(breakpoints_of_the_guest)
{
	struct minikvm_debugregs dr = { .db = { G_CODE + 4 }, .dr6 = DR6_FIXED, .dr7 = 0x402 };
	struct test_vm t;

	begin(&t, nops, nops_end);
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(0, debug_set(&t, CONTROL(USE_HW_BP), 0, G_CODE + 3, 0x402));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &dr));
	EXPECT_DEBUG(&t, 1, G_CODE + 3);
	DEBUG(&t, 0);
	EXPECT_OUT(&t, PORT_EXCEPTION, 1);
	ASSERT_EQ(G_CODE + 4, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	vm_free(&t);
}

TEST(general_detect)
{
	struct minikvm_debugregs dr = { .dr6 = DR6_FIXED, .dr7 = 0x2400 };
	struct test_vm t;

	begin(&t, detect, detect_end);
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(0, debug_set(&t, CONTROL(USE_HW_BP), -1, 0, 0x2400));
	EXPECT_DEBUG(&t, 0x2000, G_CODE + 2);
	/* The guest's own GD counts for nothing then. */
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_DEBUGREGS, &dr));
	ASSERT_EQ(0, debug_set(&t, CONTROL(USE_HW_BP), -1, 0, 0x400));
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(interrupts_are_blocked)
{
	struct minikvm_interrupt irq = { 0x30 };
	struct test_vm t;

	begin(&t, opened, opened_end);
	vm_nmi_returns(&t, true);
	EXPECT_OUT(&t, 0x10, 0);
	DEBUG(&t, CONTROL(SINGLESTEP) | MINIKVM_GUESTDBG_BLOCKIRQ);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 2);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 3);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 4);
	if (!test_on_kvm())	/* which takes it for one that is on its way already */
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_INTERRUPT, &irq));
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_NMI, 0));
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 5);
	EXPECT_DEBUG(&t, 0x4000, G_CODE + 6);
	DEBUG(&t, 0);
	EXPECT_OUT(&t, PORT_EXCEPTION, 2);
	ASSERT_EQ(G_CODE + 6, *(uint64_t *)(t.mem + vm_regs(&t).rsp));
	if (!test_on_kvm())
		EXPECT_OUT(&t, PORT_EXCEPTION, 0x30);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(injected_debug_exception)
{
	struct test_vm t;

	begin(&t, nops, nops_end);
	EXPECT_OUT(&t, 0x10, 0);
	/* Without ENABLE, too; but not onto another that waits. */
	DEBUG(&t, MINIKVM_GUESTDBG_INJECT_DB);
	ASSERT_EQ(-EBUSY, debug_set(&t, CONTROL(USE_SW_BP) | MINIKVM_GUESTDBG_INJECT_BP, -1, 0, 0));
	EXPECT_OUT(&t, PORT_EXCEPTION, 1);
	vm_free(&t);
}

TEST(hostile_arguments)
{
	struct minikvm_guest_debug d;
	unsigned int seed = 1;
	struct test_vm t;
	int i, j;

	begin(&t, nops, nops_end);
	ASSERT_EQ(-1, ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, NULL));
	ASSERT_EQ(EFAULT, errno);
	for (i = 0; i < 300; i++) {
		struct minikvm_regs r = { .rip = G_CODE, .rsp = G_STACK, .rflags = rand_r(&seed) & TF };

		d.control = rand_r(&seed) & ~(i & 1 ? 0 : MINIKVM_GUESTDBG_BLOCKIRQ);
		d.pad = rand_r(&seed);
		for (j = 0; j < 8; j++)
			d.arch.debugreg[j] = (uint64_t)rand_r(&seed) << (i % 34) | (i & 4 ? 0x2aa : 0);
		vm_set_regs(&t, r);
		if (ioctl(t.vcpu, MINIKVM_SET_GUEST_DEBUG, &d))
			ASSERT_EQ(EBUSY, errno);
		ASSERT_GE(vm_run(&t), 0);
	}
	vm_free(&t);
	/* A DR7 that no processor takes is the VMM's to mend. */
	begin(&t, nops, nops_end);
	ASSERT_EQ(0, debug_set(&t, CONTROL(USE_HW_BP), -1, 0, 1ull << 32 | 0x400));
	ASSERT_EQ(MINIKVM_EXIT_FAIL_ENTRY, vm_run(&t));
	DEBUG(&t, 0);
	EXPECT_OUT(&t, 0x10, 0);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST_HARNESS_MAIN
