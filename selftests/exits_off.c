// SPDX-License-Identifier: GPL-2.0
/* Claim: what a VMM has switched off does not exit, of vCPUs that come after it; a vCPU that has
 * halted so is RUNNABLE, is woken by all that wakes one, and leaves RUN for a signal.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "lib/irq.h"

#define OFF(name)	MINIKVM_X86_DISABLE_EXITS_##name
#define C6_RESIDENCY	0x3fd
#define PV_UNHALT	(1 << 7)

/* Halts until the byte at G_DATA is set, too. (Bochs 2.7 ends a halt with every exit.) */
GUEST64(halts, "sti; 1: hlt; cmpb $0, 0x40000; je 1b; out %al, $0x10");
GUEST64(goes_on, "out %al, $0x12");
GUEST64(monitor, "lea (%rip), %rax; xor %ecx, %ecx; xor %edx, %edx; monitor; out %al, $0x10");
GUEST64(mwait, "xor %eax, %eax; xor %ecx, %ecx; mwait; out %al, $0x10");
GUEST64(reads, "mov $0x3fd, %ecx; rdmsr; out %al, $0x10");
/* A timer of the local APIC that fires once, while the guest is halted. */
GUEST64(timer, "mov $0xfee00320, %edi; movl $0x41, (%rdi); movl $0xb, 0xc0(%rdi);"
	"movl $1000000, 0x60(%rdi); sti; 1: hlt; jmp 1b");
GUEST64(x2timer, "xor %edx, %edx; mov $0x832, %ecx; mov $0x41, %eax; wrmsr; mov $0x83e, %ecx;"
	"mov $0xb, %eax; wrmsr; mov $0x838, %ecx; mov $1000000, %eax; wrmsr; sti; 1: hlt; jmp 1b");

static int enable(struct test_vm *t, uint32_t cap, uint64_t arg)
{
	struct minikvm_enable_cap c = { .cap = cap, .args = { arg } };

	return ioctl(t->vm, MINIKVM_ENABLE_CAP, &c) ? -errno : 0;
}

static int off(struct test_vm *t, uint64_t exits)
{
	return enable(t, MINIKVM_CAP_X86_DISABLE_EXITS, exits);
}

static int possible(struct test_vm *t)
{
	return ioctl(t->vm, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_X86_DISABLE_EXITS);
}

static void on_alarm(int sig)
{
}

static int run_until_alarm(struct test_vm *t)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval v = { .it_value.tv_usec = 30000 };

	sigaction(SIGALRM, &sa, NULL);
	setitimer(ITIMER_REAL, &v, NULL);
	return vm_run(t);
}

static uint32_t mp_state(struct test_vm *t)
{
	struct minikvm_mp_state mp = { .mp_state = 99 };

	irq_must(ioctl(t->vcpu, MINIKVM_GET_MP_STATE, &mp), "GET_MP_STATE");
	return mp.mp_state;
}

/* @early was there when the VMM asked; @late came afterwards. */
FIXTURE(off) { struct test_vm early, late; };
FIXTURE_SETUP(off)
{
	vm_make(&self->early, false);
	if (off(&self->early, possible(&self->early)))
		SKIP(return, "nothing can be switched off");
	self->late = vm_add_vcpu(&self->early, 1);
}
FIXTURE_TEARDOWN(off)
{
	vm_free_vcpu(&self->late);
	vm_free(&self->early);
}

/* The late one, halted: a signal has ended RUN. The next time that it wakes it goes on. */
static void halt(struct __test_metadata *_metadata, struct test_vm *t)
{
	t->mem[G_DATA] = 0;
	guest_long(t, halts, halts_end);
	ASSERT_EQ(-EINTR, run_until_alarm(t)) TH_LOG("exit %u", t->run->exit_reason);
	ASSERT_EQ(-EINTR, run_until_alarm(t)) TH_LOG("exit %u", t->run->exit_reason);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(t));
	t->mem[G_DATA] = 1;
}

TEST_F(off, what_can_be_asked)
{
	struct test_vm *t = &self->early;
	int all = possible(t);

	ASSERT_EQ(OFF(PAUSE) | OFF(HLT) | OFF(CSTATE), all & ~OFF(MWAIT));
	ASSERT_EQ(all, ioctl(t->dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_X86_DISABLE_EXITS));
	ASSERT_EQ(-EINVAL, off(t, 1 << 4));
	ASSERT_EQ(-EINVAL, off(t, 1ull << 40 | OFF(HLT)));
	ASSERT_EQ(0, off(t, 0));
	ASSERT_EQ(0, off(t, MINIKVM_X86_DISABLE_VALID_EXITS));
}

TEST_F(off, a_halt_does_not_exit)
{
	guest_long(&self->early, halts, halts_end);
	EXPECT_HLT(&self->early);
	halt(_metadata, &self->late);
}

TEST_F(off, an_interrupt_wakes)
{
	struct minikvm_interrupt irq = { .irq = 0x41 };
	struct test_vm *t = &self->late;

	halt(_metadata, t);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_INTERRUPT, &irq));
	EXPECT_OUT(t, PORT_EXCEPTION, 0x41);
}

TEST_F(off, an_nmi_wakes)
{
	struct test_vm *t = &self->late;

	halt(_metadata, t);
	vm_nmi_returns(t, true);
	t->mem[G_DATA] = 1;
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_NMI));
	EXPECT_OUT(t, PORT_EXCEPTION, 2);
	EXPECT_OUT(t, 0x10, 2);
}

/* An entry of a halted processor refuses #GP. */
TEST_F(off, an_exception_wakes)
{
	struct test_vm *t = &self->late;
	struct minikvm_vcpu_events e;

	halt(_metadata, t);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.exception.injected = 1;
	e.exception.nr = 13;
	e.exception.has_error_code = 1;
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	EXPECT_OUT(t, PORT_EXCEPTION, 13);
}

/* What a VMM sets is what the vCPU goes on with. KVM lets it halt on, or fails to enter. */
TEST_F(off, what_is_set_wakes)
{
	struct minikvm_mp_state mp = { .mp_state = MINIKVM_MP_STATE_RUNNABLE };
	struct minikvm_guest_debug step = {
		.control = MINIKVM_GUESTDBG_ENABLE | MINIKVM_GUESTDBG_SINGLESTEP,
	};
	struct test_vm *t = &self->late;
	struct minikvm_vcpu_events e;
	struct minikvm_sregs s;

	if (test_on_kvm())
		SKIP(return, "about minikvm");
	halt(_metadata, t);
	guest_long(t, goes_on, goes_on_end);
	EXPECT_OUT(t, 0x12, 0);
	halt(_metadata, t);
	vm_set_regs(t, vm_regs(t));
	EXPECT_OUT(t, 0x10, 0);
	halt(_metadata, t);
	s = vm_sregs(t);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_SREGS, &s));
	EXPECT_OUT(t, 0x10, 0);
	halt(_metadata, t);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_MP_STATE, &mp));
	EXPECT_OUT(t, 0x10, 0);
	halt(_metadata, t);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.interrupt.shadow = MINIKVM_X86_SHADOW_INT_STI;
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	EXPECT_OUT(t, 0x10, 0);
	halt(_metadata, t);
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_GUEST_DEBUG, &step));
	ASSERT_EQ(MINIKVM_EXIT_DEBUG, vm_run(t));
}

TEST_F(off, mwait_is_the_guests)
{
	struct test_vm *t = &self->late;

	if (!(possible(t) & OFF(MWAIT)))
		SKIP(return, "not on this processor");
	/* Else #UD: CPUID has no MONITOR. */
	ASSERT_EQ(0, enable(t, MINIKVM_CAP_DISABLE_QUIRKS2, MINIKVM_X86_QUIRK_MWAIT_NEVER_UD_FAULTS));
	guest_long(&self->early, monitor, monitor_end);
	EXPECT_OUT(&self->early, PORT_EXCEPTION, 6);
	guest_long(t, monitor, monitor_end);
	EXPECT_OUT(t, 0x10, (uint8_t)(G_CODE + 7));
	guest_long(t, mwait, mwait_end);
	EXPECT_OUT(t, 0x10, 0);
}

/* The MSR, or #GP of a processor that lacks it; unless a filter has a say. */
TEST_F(off, residency_is_read_without_an_exit)
{
	uint64_t nothing = 0;
	struct minikvm_msr_filter f = {
		.ranges[0] = { .flags = MINIKVM_MSR_FILTER_READ, .base = C6_RESIDENCY, .nmsrs = 1,
			       .bitmap = (uint8_t *)&nothing },
	};
	struct test_vm *t = &self->late;

	ASSERT_EQ(0, enable(t, MINIKVM_CAP_X86_USER_SPACE_MSR,
			    MINIKVM_MSR_EXIT_REASON_UNKNOWN | MINIKVM_MSR_EXIT_REASON_FILTER));
	guest_long(&self->early, reads, reads_end);
	ASSERT_EQ(MINIKVM_EXIT_X86_RDMSR, vm_run(&self->early));
	guest_long(t, reads, reads_end);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(t));
	if (t->run->io.port == PORT_EXCEPTION)
		ASSERT_EQ(13, *(uint8_t *)vm_io_data(t));
	ASSERT_EQ(0, ioctl(t->vm, MINIKVM_X86_SET_MSR_FILTER, &f));
	guest_long(t, reads, reads_end);
	ASSERT_EQ(MINIKVM_EXIT_X86_RDMSR, vm_run(t));
	ASSERT_EQ(MINIKVM_MSR_EXIT_REASON_FILTER, t->run->msr.reason);
}

/* With chips: the second vCPU, whose local APIC has ID 1. */
FIXTURE(chips) { struct test_vm early, late; };
FIXTURE_SETUP(chips)
{
	struct minikvm_mp_state mp = { .mp_state = MINIKVM_MP_STATE_RUNNABLE };

	vm_make(&self->early, true);
	irq_must(off(&self->early, OFF(HLT)), "DISABLE_EXITS");
	self->late = vm_add_vcpu(&self->early, 1);
	irq_must(ioctl(self->late.vcpu, MINIKVM_SET_MP_STATE, &mp), "SET_MP_STATE");
	irq_enable_apic(&self->late);
}
FIXTURE_TEARDOWN(chips)
{
	vm_free_vcpu(&self->late);
	vm_free(&self->early);
}

static void *send_soon(void *arg)
{
	struct minikvm_msi msi = { .address_lo = 0xfee01000, .data = 0x43 };
	struct test_vm *t = arg;

	usleep(30000);
	irq_must(ioctl(t->vm, MINIKVM_SIGNAL_MSI, &msi), "SIGNAL_MSI");
	return NULL;
}

TEST_F(chips, a_message_wakes)
{
	struct test_vm *t = &self->late;
	pthread_t thread;

	halt(_metadata, t);
	t->mem[G_DATA] = 0;
	irq_stubs(t);
	ASSERT_EQ(0, pthread_create(&thread, NULL, send_soon, t));
	ASSERT_EQ(0x43, irq_next(t));
	pthread_join(thread, NULL);
}

TEST_F(chips, the_timer_wakes)
{
	struct test_vm *t = &self->late;

	guest_long(t, timer, timer_end);
	irq_stubs(t);
	ASSERT_EQ(0x41, irq_next(t));
}

TEST_F(chips, the_timer_of_an_x2apic_wakes)
{
	struct test_vm *t = &self->late;
	struct minikvm_sregs s;

	guest_long(t, x2timer, x2timer_end);
	irq_stubs(t);
	s = vm_sregs(t);
	s.apic_base |= 0xc00;
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_SREGS, &s));
	ASSERT_EQ(0x41, irq_next(t));
}

/* No hypercall wakes a vCPU that has not exited: the guest is not told that one does. */
TEST(a_feature_that_goes_with_exits)
{
	static const struct minikvm_cpuid_entry2 pv[2] = {
		{ .function = 0x40000000, .eax = 0x40000001, .ebx = 0x4b4d564b, .ecx = 0x564b4d56,
		  .edx = 0x4d },
		{ .function = 0x40000001, .eax = PV_UNHALT | 1 },
	};
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[2]; } c;
	struct test_vm t;
	int i;

	vm_make(&t, false);
	for (i = 0; i < 2; i++) {
		c.head.nent = 2;
		memcpy(c.e, pv, sizeof(pv));
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_SET_CPUID2, &c));
		ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_CPUID2, &c));
		ASSERT_EQ(i ? 1 : PV_UNHALT | 1, c.e[1].eax);
		ASSERT_EQ(0, off(&t, OFF(HLT)));
	}
	vm_free(&t);
}

TEST_HARNESS_MAIN
