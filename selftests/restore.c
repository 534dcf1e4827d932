// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a vCPU that is saved amid its run goes on in another VM as if nothing had happened, with
 * its timer armed and an NMI on its way, if it is restored in the order that api.rst tells.
 *
 * Registers of the guest: r8 from now to the deadline, ebp is there AVX; r12, r13 patterns;
 * r15 timer interrupts, r14 NMIs; rbx gets bits of what is not as it was.
 */
#include <err.h>
#include <signal.h>
#include <sys/time.h>

#include "lib/vm.h"

enum {
	VECTOR		= 0x40,
	DEADLINE	= VECTOR | 2 << 17,
	MSR_DEADLINE	= 0x6e0,
	CR4_OSXSAVE	= 1 << 18,
};

#define WRITE(msr, reg)	"mov $" msr ", %ecx; mov " reg ", %rax; mov %rax, %rdx; shr $32, %rdx; wrmsr;"
#define READ(msr)	"mov $" msr ", %ecx; rdmsr; shl $32, %rdx; or %rdx, %rax;"
#define IS(reg)		"xor " reg ", %rax; or %rax, %rbx;"

/* Something in every kind of register, and a timer that will expire. */
#define BEGIN	"movq %r12, %xmm3; test %ebp, %ebp; jz 1f; vinsertf128 $1, %xmm3, %ymm3, %ymm3; 1:"	\
	"fld1; push $0x1fa0; ldmxcsr (%rsp); pop %rax;"						\
	WRITE("0xc0000082", "%r12") WRITE("0xc0000102", "%r13") WRITE("0x175", "%r13")			\
	"mov %r12, %db1; mov %r13, %cr2; mov $2, %eax; mov %rax, %cr8;"					\
	"rdtsc; shl $32, %rdx; or %rdx, %rax; add %r8, %rax; mov %rax, %r10;" WRITE("0x6e0", "%r10")
/* It is all there, and the timer does expire. */
#define END	"movq %xmm3, %rax;" IS("%r12")								\
	"test %ebp, %ebp; jz 1f; vextractf128 $1, %ymm3, %xmm4; movq %xmm4, %rax;" IS("%r12") "1:"	\
	"push %rax; stmxcsr (%rsp); mov (%rsp), %eax; xor $0x1fa0, %eax; or %rax, %rbx;"		\
	"fistpl (%rsp); mov (%rsp), %eax; dec %eax; or %rax, %rbx; pop %rax;"				\
	READ("0xc0000082") IS("%r12") READ("0xc0000102") IS("%r13") READ("0x175") IS("%r13")		\
	"mov %db1, %rax;" IS("%r12") "mov %cr2, %rax;" IS("%r13")					\
	"mov %cr8, %rax; xor $2, %eax; or %rax, %rbx;"							\
	"1: cli; test %r15d, %r15d; jnz 2f; sti; hlt; jmp 1b; 2: out %al, $0x11;"

GUEST64(leaves, BEGIN "out %al, $0x10;" END);
GUEST64(sleeps, BEGIN "sti; 1: hlt; test %r15d, %r15d; jz 1b;" END);
/* Over the stubs. EOI by x2APIC; the deadline must have passed. */
GUEST64(on_timer, "push %rax; push %rcx; push %rdx; inc %r15d; rdtsc; shl $32, %rdx; or %rdx, %rax;"
	"cmp %r10, %rax; jae 1f; or $1, %ebx; 1: mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr;"
	"pop %rdx; pop %rcx; pop %rax; iretq");
GUEST64(on_nmi, "inc %r14d; iretq");

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

#define DO(t, request, arg) must(ioctl((t)->vcpu, MINIKVM_##request, arg), #request)

/* ---- a vCPU, and where it is kept meanwhile */

struct saved {
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } cpuid;
	struct minikvm_sregs sregs;
	struct minikvm_regs regs;
	struct minikvm_xcrs xcrs;
	struct minikvm_xsave xsave;
	struct minikvm_lapic_state lapic;
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e[255]; } msrs;
	struct minikvm_mp_state mp_state;
	struct minikvm_vcpu_events events;
	struct minikvm_debugregs debugregs;
};

/* All MSRs that are there, in the device's order: the TSC comes before the deadline. */
static void list_msrs(struct test_vm *t, struct saved *s)
{
	struct { struct minikvm_msr_list head; uint32_t index[255]; } l = { .head.nmsrs = 255 };
	uint32_t i;

	must(ioctl(t->dev, MINIKVM_GET_MSR_INDEX_LIST, &l), "GET_MSR_INDEX_LIST");
	s->msrs.head.nmsrs = l.head.nmsrs;
	for (i = 0; i < l.head.nmsrs; i++)
		s->msrs.e[i].index = l.index[i];
}

static void save(struct test_vm *t, struct saved *s)
{
	memset(s, 0, sizeof(*s));
	s->cpuid.head.nent = 100;
	DO(t, GET_CPUID2, &s->cpuid);
	DO(t, GET_MP_STATE, &s->mp_state);	/* first: as KVM, it takes in what has arrived */
	DO(t, GET_SREGS, &s->sregs);
	DO(t, GET_REGS, &s->regs);
	DO(t, GET_XCRS, &s->xcrs);
	DO(t, GET_XSAVE, &s->xsave);
	DO(t, GET_LAPIC, &s->lapic);
	list_msrs(t, s);
	DO(t, GET_MSRS, &s->msrs);
	DO(t, GET_VCPU_EVENTS, &s->events);
	DO(t, GET_DEBUGREGS, &s->debugregs);
}

static bool has_xcrs(const struct saved *s)
{
	return s->xcrs.nr_xcrs;
}

/* The order of api.rst; or with the MSRs before the local APIC. */
static void restore(struct test_vm *t, struct saved *s, bool msrs_first)
{
	DO(t, SET_CPUID2, &s->cpuid);
	DO(t, SET_SREGS, &s->sregs);
	DO(t, SET_REGS, &s->regs);
	if (has_xcrs(s))
		DO(t, SET_XCRS, &s->xcrs);
	DO(t, SET_XSAVE, &s->xsave);
	if (msrs_first)
		DO(t, SET_MSRS, &s->msrs);
	DO(t, SET_LAPIC, &s->lapic);
	if (!msrs_first)
		DO(t, SET_MSRS, &s->msrs);
	DO(t, SET_MP_STATE, &s->mp_state);
	DO(t, SET_VCPU_EVENTS, &s->events);
	DO(t, SET_DEBUGREGS, &s->debugregs);
}

static uint64_t saved_msr(const struct saved *s, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < s->msrs.head.nmsrs; i++)
		if (s->msrs.e[i].index == index)
			return s->msrs.e[i].data;
	errx(1, "MSR %#x is not in the list", index);
}

/* ---- a VM that has something to save */

/* All that the device supports, and the deadline timer, which KVM leaves to the VMM. */
static bool set_cpuid(struct test_vm *t)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } c = {
		.head.nent = 100,
	};
	bool avx = false;
	uint32_t i;

	must(ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, &c), "GET_SUPPORTED_CPUID");
	for (i = 0; i < c.head.nent; i++) {
		if (c.e[i].function != 1)
			continue;
		c.e[i].ecx |= 1 << 24;
		avx = c.e[i].ecx & 1 << 28;
	}
	DO(t, SET_CPUID2, &c);
	return avx;
}

static void set_apic(struct test_vm *t)
{
	struct minikvm_lapic_state l;

	DO(t, GET_LAPIC, &l);
	*(uint32_t *)&l.regs[0xf0] = 0x1ff;
	*(uint32_t *)&l.regs[0x320] = DEADLINE;
	DO(t, SET_LAPIC, &l);
}

static void start(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	struct minikvm_xcrs x = { .nr_xcrs = 1, .xcrs[0].value = 7 };
	struct minikvm_sregs s;
	struct minikvm_regs r;
	bool avx;

	vm_make(t, true);
	avx = set_cpuid(t);
	guest_long(t, code, end);
	memcpy(t->mem + G_STUBS + 16 * VECTOR, on_timer, on_timer_end - on_timer);
	memcpy(t->mem + G_STUBS + 16 * 2, on_nmi, on_nmi_end - on_nmi);
	s = vm_sregs(t);
	s.apic_base |= 1 << 10;
	s.cr4 |= avx ? CR4_OSXSAVE : 0;
	DO(t, SET_SREGS, &s);
	if (avx)
		DO(t, SET_XCRS, &x);
	set_apic(t);
	r = vm_regs(t);
	r.r8 = 300 * DO(t, GET_TSC_KHZ, 0);	/* ms */
	r.r12 = 0x123456789abc;
	r.r13 = 0xffff900012345678;
	r.rbp = avx;
	vm_set_regs(t, r);
}

/* A second VM with a copy of the memory, as elsewhere. */
static void start_other(struct test_vm *t, const struct test_vm *from)
{
	vm_make(t, true);
	memcpy(t->mem, from->mem, G_SIZE);
}

/* The PPR follows from others: KVM works it out when it is needed. */
static struct minikvm_lapic_state without_ppr(const struct saved *s)
{
	struct minikvm_lapic_state l = s->lapic;

	memset(&l.regs[0xa0], 0, 4);
	return l;
}

#define EXPECT_SAME_AGAIN(field, what)						\
	EXPECT_EQ(0, memcmp(&(a)->field, &(b)->field, sizeof((a)->field))) TH_LOG(what)

static void expect_same(struct __test_metadata *_metadata, const struct saved *a,
			const struct saved *b)
{
	struct minikvm_lapic_state la = without_ppr(a), lb = without_ppr(b);

	EXPECT_SAME_AGAIN(cpuid, "CPUID");
	EXPECT_SAME_AGAIN(sregs, "SREGS");
	EXPECT_SAME_AGAIN(regs, "REGS");
	EXPECT_SAME_AGAIN(xcrs, "XCRS");
	EXPECT_SAME_AGAIN(xsave, "XSAVE");
	EXPECT_EQ(0, memcmp(&la, &lb, sizeof(la))) TH_LOG("LAPIC");
	EXPECT_SAME_AGAIN(mp_state, "MP_STATE");
	EXPECT_SAME_AGAIN(events, "VCPU_EVENTS");
	EXPECT_SAME_AGAIN(debugregs, "DEBUGREGS");
	EXPECT_EQ(saved_msr(a, MSR_DEADLINE), saved_msr(b, MSR_DEADLINE));
}

static void goes_on(struct __test_metadata *_metadata, struct test_vm *a)
{
	static struct saved saved, again;
	struct minikvm_regs r;
	struct test_vm b;

	DO(a, NMI, 0);
	save(a, &saved);
	ASSERT_EQ(vm_regs(a).r10, saved_msr(&saved, MSR_DEADLINE));
	start_other(&b, a);
	vm_free(a);
	restore(&b, &saved, false);
	save(&b, &again);
	expect_same(_metadata, &saved, &again);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&b)) TH_LOG("exit %u", b.run->exit_reason);
	ASSERT_EQ(0x11, b.run->io.port);
	r = vm_regs(&b);
	ASSERT_EQ(0, r.rbx);
	ASSERT_EQ(1, r.r15);
	ASSERT_EQ(1, r.r14);
	vm_free(&b);
}

TEST(amid_computing)
{
	struct test_vm a;

	start(&a, leaves, leaves_end);
	EXPECT_OUT(&a, 0x10, vm_regs(&a).rax & 0xff);
	a.run->immediate_exit = 1;	/* what waits is finished where it began */
	ASSERT_EQ(-EINTR, vm_run(&a));
	goes_on(_metadata, &a);
}

static void on_alarm(int sig)
{
	(void)sig;
}

TEST(asleep)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct itimerval soon = { .it_value.tv_usec = 20000 };
	struct minikvm_mp_state mp;
	struct test_vm a;

	start(&a, sleeps, sleeps_end);
	sigaction(SIGALRM, &sa, NULL);
	do {	/* a slow machine is not there yet when the signal comes */
		setitimer(ITIMER_REAL, &soon, NULL);
		ASSERT_EQ(-EINTR, vm_run(&a));
		DO(&a, GET_MP_STATE, &mp);
	} while (mp.mp_state != MINIKVM_MP_STATE_HALTED);
	goes_on(_metadata, &a);
}

/* Why the order matters: the APIC must be in deadline mode when it hears of the deadline. */
TEST(a_deadline_before_its_apic_is_lost)
{
	static struct saved saved, again;
	struct test_vm a, b;

	start(&a, leaves, leaves_end);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&a));
	save(&a, &saved);
	ASSERT_NE(0, saved_msr(&saved, MSR_DEADLINE));
	start_other(&b, &a);
	restore(&b, &saved, true);
	save(&b, &again);
	ASSERT_EQ(0, saved_msr(&again, MSR_DEADLINE));
	vm_free(&a);
	vm_free(&b);
}

TEST_HARNESS_MAIN
