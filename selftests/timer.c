// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the local APIC's timer interrupts the guest when it is due, whether that computes,
 * sleeps or is with the VMM; not before, not twice, and not when it has been cancelled.
 *
 * Registers of the guests; start() and with() set them:
 *	r8	from now to the deadline, in ticks of the TSC; or a count
 *	r9	how long WAIT waits at most: no guest is on its way for ever
 *	r12	a pause
 *	rsi, rdi  of the test
 * What they leave: r10 the deadline, r15 how many interrupts came, r14 the TSC at the last.
 */
#include <err.h>
#include <signal.h>
#include <sys/time.h>
#include "lib/vm.h"

enum {
	VECTOR		= 0x40,
	ONESHOT		= VECTOR,
	PERIODIC	= VECTOR | 1 << 17,
	DEADLINE	= VECTOR | 2 << 17,
	MASKED		= 1 << 16,
	MSR_TSC		= 0x10,
	MSR_DEADLINE	= 0x6e0,
	MSR_LVTT	= 0x832,
};

/* Parts of guests; rax, rcx, rdx and r11 are theirs. */
#define TSC		"rdtsc; shl $32, %rdx; or %rdx, %rax;"
#define TO_R11		"8:" TSC "cmp %r11, %rax; jb 8b;"
#define PAUSE		TSC "lea (%rax, %r12), %r11;" TO_R11
#define PAST		"lea (%r10, %r12), %r11;" TO_R11
#define WAIT(n)		TSC "lea (%rax, %r9), %r11; 8: cmp " n ", %r15d; jae 9f;"	\
			TSC "cmp %r11, %rax; jb 8b; 9:"
#define WRITE		"mov %rax, %rdx; shr $32, %rdx; wrmsr;"
#define ARM(distance)	TSC "lea (%rax, " distance "), %r10; mov %r10, %rax; mov $0x6e0, %ecx;" WRITE
#define TELL(port)	"mov %r15b, %al; out %al, $" port ";"

/* Three stubs long; EOI by x2APIC. */
GUEST64(handler, "push %rax; push %rcx; push %rdx;" TSC "mov %rax, %r14; inc %r15d;"
	"mov $0x80b, %ecx; xor %eax, %eax;" WRITE "pop %rdx; pop %rcx; pop %rax; iretq");

/* The pause after an interrupt is for a second one, which must not come. */
GUEST64(spin, "1: xor %r15d, %r15d;" ARM("%r8") WAIT("$1") PAUSE TELL("0x11") "jmp 1b");
GUEST64(halt, "1: cli; xor %r15d, %r15d;" ARM("%r8") "sti; hlt;" PAUSE TELL("0x11") "jmp 1b");
GUEST64(undo, ARM("%r8") "mov %esi, %ecx; mov %rdi, %rax;" WRITE PAST TELL("0x11"));
GUEST64(rearm, ARM("%r8") ARM("%rsi") WAIT("$1") PAUSE TELL("0x11"));
GUEST64(leave, ARM("%r8") TELL("0x10") WAIT("$1") PAUSE TELL("0x11"));
GUEST64(closed, "cli;" ARM("%r8") PAST TELL("0x10") "sti; nop;" TELL("0x11"));
GUEST64(distant, ARM("%r8") "1:" PAUSE TELL("0x10") "jmp 1b");
GUEST64(count, "mov $0x838, %ecx; mov %r8, %rax;" WRITE WAIT("%esi") PAUSE TELL("0x11"));

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static uint64_t msr(struct test_vm *t, unsigned long request, uint32_t index, uint64_t data)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m = {
		.head.nmsrs = 1, .e = { .index = index, .data = data },
	};

	if (ioctl(t->vcpu, request, &m) != 1)
		err(1, "MSR %#x", index);
	return m.e.data;
}

static uint64_t get_msr(struct test_vm *t, uint32_t index)
{
	return msr(t, MINIKVM_GET_MSRS, index, 0);
}

static uint64_t us(struct test_vm *t, uint64_t n)
{
	return n * must(ioctl(t->vcpu, MINIKVM_GET_TSC_KHZ, 0), "GET_TSC_KHZ") / 1000;
}

/* All that the device supports, and the deadline timer, which KVM leaves to the VMM. */
static void set_cpuid(struct test_vm *t)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } c = {
		.head.nent = 100,
	};
	unsigned int i;

	must(ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, &c), "GET_SUPPORTED_CPUID");
	for (i = 0; i < c.head.nent; i++)
		if (c.e[i].function == 1)
			c.e[i].ecx |= 1 << 24;
	must(ioctl(t->vcpu, MINIKVM_SET_CPUID2, &c), "SET_CPUID2");
}

/* x2APIC mode, software-enabled. */
static void set_apic(struct test_vm *t, uint32_t lvtt)
{
	struct minikvm_sregs s = vm_sregs(t);
	struct minikvm_lapic_state l;

	s.apic_base |= 1 << 10;
	must(ioctl(t->vcpu, MINIKVM_SET_SREGS, &s), "SET_SREGS");
	must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*(uint32_t *)&l.regs[0xf0] = 0x1ff;
	*(uint32_t *)&l.regs[0x320] = lvtt;
	must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
}

/* What is not to fire yet is far enough for a guest that loses its CPU for a while. */
static void start(struct test_vm *t, uint32_t lvtt, const uint8_t *code, const uint8_t *end)
{
	struct minikvm_regs r;

	vm_make(t, true);
	set_cpuid(t);
	set_apic(t, lvtt);
	guest_long(t, code, end);
	memcpy(t->mem + G_STUBS + 16 * VECTOR, handler, handler_end - handler);
	r = vm_regs(t);
	r.rflags |= 1 << 9;
	r.r8 = us(t, 20000);
	r.r9 = us(t, 1000000);
	r.r12 = us(t, 1000);
	vm_set_regs(t, r);
}

static void with(struct test_vm *t, uint64_t r8, uint64_t rsi, uint64_t rdi)
{
	struct minikvm_regs r = vm_regs(t);

	r.r8 = r8;
	r.rsi = rsi;
	r.rdi = rdi;
	vm_set_regs(t, r);
}

/* One interrupt since the deadline, and nothing is left of that. */
#define EXPECT_FIRED(t) do {						\
	EXPECT_OUT(t, 0x11, 1);						\
	ASSERT_LE(vm_regs(t).r10, vm_regs(t).r14);			\
	ASSERT_EQ(0, get_msr(t, MSR_DEADLINE));				\
} while (0)

/* The first is late, as its handler is new to the VM; those after it show what comes too early. */
TEST(deadline_interrupts_a_guest_that_computes)
{
	struct test_vm t;
	int i;

	start(&t, DEADLINE, spin, spin_end);
	for (i = 0; i < 3; i++)
		EXPECT_FIRED(&t);
	vm_free(&t);
}

TEST(deadline_that_has_passed_interrupts_at_once)
{
	struct test_vm t;

	start(&t, DEADLINE, spin, spin_end);
	with(&t, 0, 0, 0);
	EXPECT_FIRED(&t);
	vm_free(&t);
}

TEST(deadline_wakes_a_guest_from_hlt)
{
	struct test_vm t;
	int i;

	start(&t, DEADLINE, halt, halt_end);
	for (i = 0; i < 3; i++)
		EXPECT_FIRED(&t);
	with(&t, 0, 0, 0);		/* before the HLT */
	EXPECT_FIRED(&t);
	vm_free(&t);
}

static void on_alarm(int sig)
{
}

TEST(deadline_wakes_a_guest_whose_sleep_was_interrupted)
{
	struct itimerval every_ms = { { .tv_usec = 1000 }, { .tv_usec = 1000 } }, never = { };
	struct sigaction sa = { .sa_handler = on_alarm };
	int ret, signals = 0;
	struct test_vm t;

	start(&t, DEADLINE, halt, halt_end);
	with(&t, us(&t, 100000), 0, 0);
	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &every_ms, NULL);
	while ((ret = vm_run(&t)) == -EINTR)
		signals++;
	setitimer(ITIMER_REAL, &never, NULL);
	ASSERT_EQ(MINIKVM_EXIT_IO, ret);
	ASSERT_LT(0, signals);
	ASSERT_EQ(1, *(uint8_t *)vm_io_data(&t));
	ASSERT_LE(vm_regs(&t).r10, vm_regs(&t).r14);
	vm_free(&t);
}

TEST(cancelled_deadline_does_not_fire)
{
	static const struct { uint32_t msr, value; } ways[] = {
		{ MSR_DEADLINE, 0 }, { MSR_LVTT, ONESHOT }, { MSR_LVTT, DEADLINE | MASKED },
	};
	struct test_vm t;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ways); i++) {
		start(&t, DEADLINE, undo, undo_end);
		with(&t, us(&t, 20000), ways[i].msr, ways[i].value);
		EXPECT_OUT(&t, 0x11, 0);
		vm_free(&t);
	}
}

TEST(last_of_two_deadlines_counts)
{
	struct test_vm t;

	start(&t, DEADLINE, rearm, rearm_end);
	with(&t, us(&t, 20000), us(&t, 50000), 0);
	EXPECT_FIRED(&t);
	vm_free(&t);
	start(&t, DEADLINE, rearm, rearm_end);
	with(&t, us(&t, 100000000), us(&t, 20000), 0);
	EXPECT_FIRED(&t);
	vm_free(&t);
}

TEST(exit_to_the_vmm_leaves_a_deadline_armed)
{
	struct test_vm t;

	start(&t, DEADLINE, leave, leave_end);
	EXPECT_OUT(&t, 0x10, 0);
	ASSERT_EQ(vm_regs(&t).r10, get_msr(&t, MSR_DEADLINE));
	EXPECT_FIRED(&t);
	vm_free(&t);
}

TEST(deadline_that_passed_in_the_vmm_interrupts_the_next_run)
{
	struct test_vm t;

	start(&t, DEADLINE, leave, leave_end);
	EXPECT_OUT(&t, 0x10, 0);
	while (get_msr(&t, MSR_TSC) < vm_regs(&t).r10)
		usleep(1000);
	EXPECT_FIRED(&t);
	vm_free(&t);
}

TEST(deadline_waits_for_sti)
{
	static const int distances[] = { 0, 5000 };
	struct test_vm t;
	int i;

	for (i = 0; i < 2; i++) {
		start(&t, DEADLINE, closed, closed_end);
		with(&t, us(&t, distances[i]), 0, 0);
		EXPECT_OUT(&t, 0x10, 0);
		EXPECT_FIRED(&t);
		vm_free(&t);
	}
}

TEST(far_deadline_neither_fires_nor_holds_up_the_guest)
{
	/* More than the counters of 32 bits that may be below it; the last never comes. */
	static const uint64_t distances[] = { 1ull << 32, 1ull << 37, -(1ull << 40) };
	struct test_vm t;
	int i, exit;

	for (i = 0; i < 3; i++) {
		start(&t, DEADLINE, distant, distant_end);
		with(&t, distances[i], 0, 0);
		for (exit = 0; exit < 5; exit++) {
			EXPECT_OUT(&t, 0x10, 0);
			ASSERT_EQ(vm_regs(&t).r10, get_msr(&t, MSR_DEADLINE));
			usleep(1000);
		}
		vm_free(&t);
	}
}

/* From a VM to a second one that has the same memory. */
static void move(struct test_vm *from, struct test_vm *to)
{
	struct minikvm_lapic_state l;

	must(ioctl(from->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	must(ioctl(to->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
	msr(to, MINIKVM_SET_MSRS, MSR_TSC, get_msr(from, MSR_TSC));
	msr(to, MINIKVM_SET_MSRS, MSR_DEADLINE, get_msr(from, MSR_DEADLINE));
	vm_set_regs(to, vm_regs(from));
}

TEST(deadline_moves_to_another_vm)
{
	struct test_vm a, b;

	start(&a, DEADLINE, leave, leave_end);
	start(&b, MASKED, leave, leave_end);
	EXPECT_OUT(&a, 0x10, 0);
	a.run->immediate_exit = 1;	/* the OUT is finished in its own VM */
	ASSERT_EQ(-EINTR, vm_run(&a));
	move(&a, &b);
	vm_free(&a);
	EXPECT_FIRED(&b);
	vm_free(&b);
}

TEST(oneshot_timer_interrupts_once)
{
	struct test_vm t;

	start(&t, ONESHOT, count, count_end);
	with(&t, 100000, 1, 0);
	EXPECT_OUT(&t, 0x11, 1);
	vm_free(&t);
}

TEST(periodic_timer_interrupts_again_and_again)
{
	struct test_vm t;

	start(&t, PERIODIC, count, count_end);
	with(&t, 1000000, 3, 0);	/* a debug build needs a tenth of that for itself */
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&t));
	ASSERT_LE(3, *(uint8_t *)vm_io_data(&t));
	vm_free(&t);
}

TEST_HARNESS_MAIN
