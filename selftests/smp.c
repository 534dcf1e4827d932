// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: several vCPUs of a VM, each in its thread, start one another and reach one another
 * with interrupts, and no message is lost, doubled or given to another one.
 *
 * The guests check themselves: vCPU 0 says with OUT to PORT_DONE that all went well, or to
 * PORT_LOST that it waits in vain. No guest takes an exception, and none spins with interrupts
 * off: an emulated machine has faults there.
 *
 * Registers of every guest in long mode, set by the test:
 *	r15	1 in x2APIC mode, else 0
 *	r14	address of its own counter, G_DATA + 8 * ID
 *	r13	how many rounds
 *	r12	number of vCPUs
 */
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "lib/vm.h"

enum {
	MAX_CPUS	= 4,
	PORT_DONE	= 0x10,
	PORT_LOST	= 0x11,
	G_HANDLERS	= 0x3000,	/* of interrupts, 0x100 bytes each */
	G_START		= 0x20000,	/* real-mode code of vCPUs that are started */
	START_VECTOR	= G_START >> 12,
	G_STACKS	= 0x30000,	/* top of vCPU 0's; the others' follow */
	VECTOR		= 0x41,
	ICR_INIT	= 0x4500,
	ICR_SIPI	= 0x4600 | START_VECTOR,
	ICR_NMI		= 0x4400,
	ICR_FIXED	= 0x4000 | VECTOR,
	ICR_LOWEST	= 0x4100 | VECTOR,
	ICR_LOGICAL	= 0x800,
	ICR_TO_ALL	= 0x80000,
	ICR_TO_OTHERS	= 0xc0000,
};

/* Send ICR esi to ID (or logical ID) edi; eax, ecx and edx are gone. */
#define SEND								\
	"test %r15d, %r15d; jnz 7f;"					\
	"mov $0xfee00310, %eax; mov %edi, %edx; shl $24, %edx; mov %edx, (%rax);" \
	"mov %esi, -0x10(%rax); jmp 8f;"				\
	"7: mov $0x830, %ecx; mov %esi, %eax; mov %edi, %edx; wrmsr; 8:"
/* Wait until counter edi is at least ebx, at most some seconds of an emulated machine. */
#define AWAIT(where)							\
	"mov $1 << 24, %ecx; 7: cmp %ebx, 0x40000(, %rdi, 8); jae 8f; pause; dec %ecx; jnz 7b;" \
	"mov $" where ", %al; out %al, $0x11; 8:"

/* Interrupt: count, end. NMI: count. */
GUEST64(count_irq, "lock incl (%r14); test %r15d, %r15d; jnz 1f;"
	"push %rax; mov $0xfee000b0, %eax; movl $0, (%rax); pop %rax; iretq;"
	"1: push %rax; push %rcx; push %rdx; mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx;"
	"wrmsr; pop %rdx; pop %rcx; pop %rax; iretq");
GUEST64(count_nmi, "lock incl (%r14); iretq");

/*
 * Real mode, after a SIPI: the byte at 0x4000:0x800 says what to do. The ID is found by CPUID;
 * the counter goes up, then the vCPU halts with interrupts off, halts, or spins.
 */
GUEST16(started, "mov $0x4000, %ax; mov %ax, %ds; mov $1, %eax; cpuid; shr $24, %ebx;"
	"shl $3, %bx; mov 0x800, %dl; lock incl (%bx); cmp $1, %dl; ja 2f; je 1f;"
	"cli; 3: hlt; jmp 3b; 1: sti; 3: hlt; jmp 3b; 2: sti; 3: pause; jmp 3b");

/*
 * Start each of the others, again and again, in whatever it does; r8 is the round. From round
 * to round the SIPI comes at another moment of what the INIT does.
 */
GUEST64(starter, "sti; xor %r8d, %r8d; 1: mov %r8d, %eax; xor %edx, %edx; mov $3, %ecx; div %ecx;"
	"movb %dl, 0x40800; inc %r8d; mov $1, %ebp;"
	"2: mov %ebp, %edi; mov $0x4500, %esi;" SEND
	"imul $331, %r8d, %ecx; and $0x1fff, %ecx; 4: dec %ecx; jns 4b; mov $0x4620, %esi;" SEND
	"inc %ebp; cmp %r12d, %ebp; jb 2b;"
	"mov $1, %ebp; 3: mov %ebp, %edi; mov %r8d, %ebx;" AWAIT("1")
	"inc %ebp; cmp %r12d, %ebp; jb 3b;"
	"cmp %r13d, %r8d; jb 1b; out %al, $0x10; hlt");

/* To the next vCPU in the ring when one's own counter went up; vCPU 0 begins. */
#define RING(wait)							\
	"mov %r14d, %ebp; sub $0x40000, %ebp; shr $3, %ebp; lea 1(%rbp), %edi; cmp %r12d, %edi;" \
	"jb 1f; xor %edi, %edi; 1: xor %r8d, %r8d; test %ebp, %ebp; jz 4f;" \
	"2: inc %r8d;" wait "4: mov $0x4041, %esi;" SEND		\
	"test %ebp, %ebp; jz 5f; cmp %r13d, %r8d; jb 2b; 6: sti; hlt; jmp 6b;" \
	"5: inc %r8d;" wait "cmp %r13d, %r8d; jb 4b; out %al, $0x10; hlt"
GUEST64(ring_halting, RING("3: cli; cmp %r8d, (%r14); jae 9f; sti; hlt; jmp 3b; 9: sti;"));
GUEST64(ring_spinning, "sti;" RING("3: pause; cmp %r8d, (%r14); jb 3b;"));

/*
 * An IRET to the next instruction, which ends NMI blocking. There is none; but Bochs 2.7 keeps
 * NMIs blocked after a guest that was left inside its NMI handler, in whichever guest comes
 * next, and the last NMI that a test waits for may leave one there.
 */
#define UNBLOCK_NMIS							\
	"mov %rsp, %rdx; mov %ss, %eax; push %rax; push %rdx; pushf; mov %cs, %eax; push %rax;" \
	"lea 9f(%rip), %rax; push %rax; iretq; 9:"

/* Who only counts: with interrupts on, or off. */
GUEST64(halted, "1: sti; hlt; jmp 1b");
GUEST64(halted_closed, "cli;" UNBLOCK_NMIS "1: hlt; jmp 1b");
GUEST64(spinning, "sti;" UNBLOCK_NMIS "1: pause; jmp 1b");

/* Send r9 to r10, r13 times; each time all counters from r11 to r12 go up. */
GUEST64(sender, "sti; xor %r8d, %r8d; 1: inc %r8d; mov %r9d, %esi; mov %r10d, %edi;" SEND
	"mov %r11d, %ebp; 2: mov %ebp, %edi; mov %r8d, %ebx;" AWAIT("2")
	"inc %ebp; cmp %r12d, %ebp; jb 2b; cmp %r13d, %r8d; jb 1b; out %al, $0x10; hlt");

/* Send r9 to r10, r13 times; each time the sum of all counters goes up. */
GUEST64(one_of_many, "sti; xor %r8d, %r8d; 1: inc %r8d; mov %r9d, %esi; mov %r10d, %edi;" SEND
	"mov $1 << 24, %ecx; 2: xor %ebx, %ebx; xor %ebp, %ebp;"
	"3: add 0x40000(, %rbp, 8), %ebx; inc %ebp; cmp %r12d, %ebp; jb 3b;"
	"cmp %r8d, %ebx; jae 4f; pause; dec %ecx; jnz 2b; mov $3, %al; out %al, $0x11;"
	"4: cmp %r13d, %r8d; jb 1b; out %al, $0x10; hlt");

static struct test_vm cpu[MAX_CPUS];
static pthread_t thread[MAX_CPUS];
static int nr_cpus;
static volatile bool stopping;

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static volatile uint32_t *counter(int id)
{
	return (uint32_t *)(cpu[0].mem + G_DATA + 8 * id);
}

static void set_mp_state(struct test_vm *t, uint32_t state)
{
	struct minikvm_mp_state mp = { state };

	must(ioctl(t->vcpu, MINIKVM_SET_MP_STATE, &mp), "SET_MP_STATE");
}

static uint32_t mp_state(struct test_vm *t)
{
	struct minikvm_mp_state mp;

	must(ioctl(t->vcpu, MINIKVM_GET_MP_STATE, &mp), "GET_MP_STATE");
	return mp.mp_state;
}

/* The APIC software-enabled, flat logical ID 1 << ID; or in x2APIC mode. */
static void set_apic(struct test_vm *t, int id, bool x2apic)
{
	struct minikvm_sregs s = vm_sregs(t);
	struct minikvm_lapic_state l;

	if (x2apic)
		s.apic_base |= 1 << 10;
	must(ioctl(t->vcpu, MINIKVM_SET_SREGS, &s), "SET_SREGS");
	must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*(uint32_t *)&l.regs[0xf0] = 0x1ff;
	if (!x2apic)
		*(uint32_t *)&l.regs[0xd0] = 1 << (24 + id);
	must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
}

/* The library's stub of @vector jumps to the handler. */
static void set_handler(int vector, const uint8_t *code, const uint8_t *end)
{
	uint8_t *stub = cpu[0].mem + G_STUBS + 16 * vector;
	uint32_t at = G_HANDLERS + 0x100 * (vector & 3);
	int32_t distance = at - (G_STUBS + 16 * vector + 5);

	memcpy(cpu[0].mem + at, code, end - code);
	stub[0] = 0xe9;
	memcpy(stub + 1, &distance, 4);
}

static void make(int nr, bool x2apic)
{
	uint8_t *info;
	int i;

	nr_cpus = nr;
	stopping = false;
	vm_make(&cpu[0], true);
	for (i = 1; i < nr; i++)
		cpu[i] = vm_add_vcpu(&cpu[0], i);
	for (i = 0; i < nr; i++) {
		struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } c;
		unsigned int k;

		/* Each its APIC ID, where the real-mode code looks for it. */
		c.head.nent = 100;
		must(ioctl(cpu[0].dev, MINIKVM_GET_SUPPORTED_CPUID, &c), "GET_SUPPORTED_CPUID");
		for (k = 0; k < c.head.nent; k++)
			if (c.e[k].function == 1)
				c.e[k].ebx = (c.e[k].ebx & 0xffffff) | i << 24;
		must(ioctl(cpu[i].vcpu, MINIKVM_SET_CPUID2, &c), "SET_CPUID2");
		set_apic(&cpu[i], i, x2apic);
	}
	info = cpu[0].mem + G_START;
	memcpy(info, started, started_end - started);
}

/* A vCPU in long mode before @code, which lies at a page of its own. */
static void prepare(int id, const uint8_t *code, const uint8_t *end, bool x2apic, int rounds)
{
	struct minikvm_regs r;
	uint64_t at = 0x50000 + 0x1000 * id;

	guest_long(&cpu[id], code, end);
	memcpy(cpu[0].mem + at, code, end - code);
	r = vm_regs(&cpu[id]);
	r.rip = at;
	r.rsp = G_STACKS + 0x1000 * id;
	r.r12 = nr_cpus;
	r.r13 = rounds;
	r.r14 = G_DATA + 8 * id;
	r.r15 = x2apic;
	vm_set_regs(&cpu[id], r);
	set_mp_state(&cpu[id], MINIKVM_MP_STATE_RUNNABLE);
}

static void send(uint32_t icr, uint32_t dest, int first)
{
	struct minikvm_regs r = vm_regs(&cpu[0]);

	r.r9 = icr;
	r.r10 = dest;
	r.r11 = first;
	vm_set_regs(&cpu[0], r);
}

static void handlers(void)
{
	set_handler(2, count_nmi, count_nmi_end);
	set_handler(VECTOR, count_irq, count_irq_end);
}

static void nothing(int sig)
{
}

static void *run(void *arg)
{
	struct test_vm *t = arg;
	int reason;

	do
		reason = vm_run(t);
	while (!stopping && (reason == -EAGAIN || reason == -EINTR));
	return (void *)(long)reason;
}

/* All threads; the answer is vCPU 0's port, or what else ended it. The others are stopped. */
static int go(void)
{
	struct timespec nap = { .tv_nsec = 1000000 };
	long reason;
	void *ret;
	int i;

	signal(SIGUSR1, nothing);
	for (i = 1; i < nr_cpus; i++)
		must(-pthread_create(&thread[i], NULL, run, &cpu[i]), "pthread_create");
	reason = (long)run(&cpu[0]);
	stopping = true;
	for (i = 1; i < nr_cpus; i++) {
		cpu[i].run->immediate_exit = 1;
		while (pthread_tryjoin_np(thread[i], &ret)) {
			pthread_kill(thread[i], SIGUSR1);
			nanosleep(&nap, NULL);
		}
		cpu[i].run->immediate_exit = 0;
		if ((long)ret != -EINTR)
			printf("# vCPU %d ended with %ld\n", i, (long)ret);
	}
	return reason == MINIKVM_EXIT_IO ? cpu[0].run->io.port : reason;
}

static void show(void)
{
	int i;

	for (i = 0; i < nr_cpus; i++) {
		struct minikvm_regs r = vm_regs(&cpu[i]);

		printf("# vCPU %d: mp_state %u, rip %llx, rbx %llx, rcx %llx, r8 %lld, counter %u\n", i,
		       mp_state(&cpu[i]), r.rip, r.rbx, r.rcx, r.r8, *counter(i));
	}
}

static void unmake(void)
{
	int i;

	for (i = 1; i < nr_cpus; i++)
		vm_free_vcpu(&cpu[i]);
	vm_free(&cpu[0]);
}

#define EXPECT_DONE() do {						\
	int end_ = go();						\
	if (end_ != PORT_DONE)						\
		show();							\
	ASSERT_EQ(PORT_DONE, end_);					\
} while (0)

FIXTURE(apic) { };
FIXTURE_VARIANT(apic) { bool x2apic; };
FIXTURE_VARIANT_ADD(apic, xapic) { .x2apic = false };
FIXTURE_VARIANT_ADD(apic, x2apic) { .x2apic = true };
FIXTURE_SETUP(apic) { }
FIXTURE_TEARDOWN(apic) { unmake(); }

/* Halted with interrupts off, halted, spinning: each is started over, and begins. */
TEST_F(apic, init_and_sipi_start_a_vcpu_again_and_again)
{
	make(MAX_CPUS, variant->x2apic);
	prepare(0, starter, starter_end, variant->x2apic, 100);
	EXPECT_DONE();
	for (int i = 1; i < nr_cpus; i++)
		ASSERT_EQ(100, *counter(i));
}

TEST_F(apic, two_vcpus_start_each_other_no_less)
{
	make(2, variant->x2apic);
	prepare(0, starter, starter_end, variant->x2apic, 300);
	EXPECT_DONE();
	ASSERT_EQ(300, *counter(1));
}

TEST_F(apic, an_interrupt_goes_round_by_halting)
{
	make(3, variant->x2apic);
	for (int i = 0; i < nr_cpus; i++)
		prepare(i, ring_halting, ring_halting_end, variant->x2apic, 200);
	handlers();
	EXPECT_DONE();
	ASSERT_EQ(200, *counter(0));
	ASSERT_EQ(200, *counter(1));
	ASSERT_EQ(200, *counter(2));
}

TEST_F(apic, an_interrupt_goes_round_by_spinning)
{
	make(2, variant->x2apic);
	for (int i = 0; i < nr_cpus; i++)
		prepare(i, ring_spinning, ring_spinning_end, variant->x2apic, 100);
	handlers();
	EXPECT_DONE();
	ASSERT_EQ(100, *counter(0));
	ASSERT_EQ(100, *counter(1));
}

/* One halts, one spins, one halts with interrupts off (and gets only what may wake it). */
static void listen(bool x2apic, bool closed, int rounds)
{
	make(3, x2apic);
	prepare(0, sender, sender_end, x2apic, rounds);
	if (closed)
		prepare(1, halted_closed, halted_closed_end, x2apic, 0);
	else
		prepare(1, halted, halted_end, x2apic, 0);
	prepare(2, spinning, spinning_end, x2apic, 0);
	handlers();
}

TEST_F(apic, messages_reach_whom_they_address)
{
	uint32_t everybody = variant->x2apic ? ~0U : 0xff;
	const struct { uint32_t icr, dest; int first, counts[3]; } cases[] = {
		{ ICR_FIXED | ICR_TO_ALL, 0, 0, { 50, 50, 50 } },
		{ ICR_FIXED | ICR_TO_OTHERS, 0, 1, { 0, 50, 50 } },
		{ ICR_FIXED, everybody, 0, { 50, 50, 50 } },
		{ ICR_FIXED, 2, 2, { 0, 0, 50 } },
		{ ICR_FIXED | ICR_LOGICAL, 7, 0, { 50, 50, 50 } },
		{ ICR_FIXED | ICR_LOGICAL, 6, 1, { 0, 50, 50 } },
		{ ICR_NMI, 2, 2, { 0, 0, 50 } },
		{ ICR_NMI | ICR_LOGICAL, 6, 1, { 0, 50, 50 } },
		{ ICR_NMI | ICR_TO_OTHERS, 0, 1, { 0, 50, 50 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		listen(variant->x2apic, (cases[i].icr & 0x700) == 0x400, 50);
		send(cases[i].icr, cases[i].dest, cases[i].first);
		EXPECT_DONE();
		for (int id = 0; id < 3; id++) {
			ASSERT_EQ(cases[i].counts[id], *counter(id)) {
				TH_LOG("vCPU %d", id);
			}
		}
		if (i + 1 < sizeof(cases) / sizeof(cases[0]))
			unmake();
	}
}

TEST_F(apic, lowest_priority_reaches_one_of_many)
{
	listen(variant->x2apic, false, 50);
	prepare(0, one_of_many, one_of_many_end, variant->x2apic, 50);
	handlers();
	send(ICR_LOWEST | ICR_LOGICAL, 7, 0);
	EXPECT_DONE();
	ASSERT_EQ(50, *counter(0) + *counter(1) + *counter(2));
}

/* ---- what a VMM sees and sets of it, with no thread but this one */

GUEST64(init_them, "1: mov %r9d, %esi; mov %r10d, %edi;" SEND "out %al, $0x10; jmp 1b");

static void one_message(uint32_t icr, uint32_t dest)
{
	send(icr, dest, 0);
	must(vm_run(&cpu[0]), "RUN");
	cpu[0].run->immediate_exit = 1;		/* the OUT is finished */
	vm_run(&cpu[0]);
	cpu[0].run->immediate_exit = 0;
}

TEST(vcpus_are_as_many_as_advertised)
{
	int max, ids, i, n, fd[64];
	struct test_vm t;

	vm_make(&t, true);
	max = ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPUS);
	ids = ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPU_ID);
	n = ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_NR_VCPUS);
	ASSERT_LE(4, max);
	ASSERT_LE(max, ids);
	ASSERT_EQ(sysconf(_SC_NPROCESSORS_ONLN) < max ? sysconf(_SC_NPROCESSORS_ONLN) : max, n);
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_CREATE_VCPU, ids));
	ASSERT_EQ(EINVAL, errno);
	n = max < 64 ? max : 64;
	for (i = 1; i < n; i++) {
		fd[i] = ioctl(t.vm, MINIKVM_CREATE_VCPU, ids - i);
		ASSERT_LE(0, fd[i]);
		ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_CREATE_VCPU, ids - i));
		ASSERT_EQ(EEXIST, errno);
	}
	for (i = 1; i < n; i++)
		close(fd[i]);
	vm_free(&t);
}

TEST(states_go_round)
{
	static const uint32_t states[] = {
		MINIKVM_MP_STATE_UNINITIALIZED, MINIKVM_MP_STATE_INIT_RECEIVED,
		MINIKVM_MP_STATE_HALTED, MINIKVM_MP_STATE_RUNNABLE,
	};

	make(2, false);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[0]));
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp_state(&cpu[1]));
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		set_mp_state(&cpu[1], states[i]);
		ASSERT_EQ(states[i], mp_state(&cpu[1]));
	}
	unmake();
}

TEST(a_start_that_has_arrived_is_seen)
{
	make(2, false);
	prepare(0, init_them, init_them_end, false, 0);
	one_message(ICR_SIPI, 1);		/* nobody waits for it */
	ASSERT_EQ(MINIKVM_MP_STATE_UNINITIALIZED, mp_state(&cpu[1]));
	one_message(ICR_INIT, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	one_message(ICR_SIPI, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	ASSERT_EQ(START_VECTOR << 8, vm_sregs(&cpu[1]).cs.selector);
	ASSERT_EQ(G_START, vm_sregs(&cpu[1]).cs.base);
	ASSERT_EQ(0, vm_regs(&cpu[1]).rip);
	one_message(ICR_INIT, 1);		/* takes back the SIPI before it, not after it */
	one_message(ICR_SIPI, 1);
	one_message(ICR_INIT, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_INIT_RECEIVED, mp_state(&cpu[1]));
	one_message(ICR_INIT, 1);
	one_message(ICR_SIPI + 1, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	ASSERT_EQ((START_VECTOR + 1) << 8, vm_sregs(&cpu[1]).cs.selector);
	unmake();
}

TEST(a_saved_sipi_starts)
{
	struct minikvm_vcpu_events e = { };

	make(2, false);
	ASSERT_EQ(0, ioctl(cpu[1].vcpu, MINIKVM_GET_VCPU_EVENTS, &e));
	e.flags |= MINIKVM_VCPUEVENT_VALID_SIPI_VECTOR;
	e.sipi_vector = 0x9a;
	ASSERT_EQ(0, ioctl(cpu[1].vcpu, MINIKVM_SET_VCPU_EVENTS, &e));
	set_mp_state(&cpu[1], MINIKVM_MP_STATE_SIPI_RECEIVED);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	ASSERT_EQ(0x9a00, vm_sregs(&cpu[1]).cs.selector);
	ASSERT_EQ(0x9a000, vm_sregs(&cpu[1]).cs.base);
	unmake();
}

/* An INIT for the boot processor: it begins where it did at power-up. */
TEST(init_of_the_boot_processor)
{
	make(2, false);
	prepare(1, init_them, init_them_end, false, 0);
	prepare(0, halted, halted_end, false, 0);
	struct minikvm_regs r = vm_regs(&cpu[1]);

	r.r9 = ICR_INIT;
	r.r10 = 0;
	vm_set_regs(&cpu[1], r);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&cpu[1]));
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[0]));
	ASSERT_EQ(0xfff0, vm_regs(&cpu[0]).rip);
	ASSERT_EQ(0xffff0000, vm_sregs(&cpu[0]).cs.base);
	unmake();
}

/* What an exit left open is not done in the life after an INIT. */
GUEST16(asks, "in $0x12, %al; hlt");

TEST(init_forgets_an_open_exit)
{
	make(2, false);
	guest_real(&cpu[1], asks, asks_end);
	set_mp_state(&cpu[1], MINIKVM_MP_STATE_RUNNABLE);
	ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(&cpu[1]));
	prepare(0, init_them, init_them_end, false, 0);
	one_message(ICR_INIT, 1);
	one_message(ICR_SIPI, 1);
	ASSERT_EQ(MINIKVM_MP_STATE_RUNNABLE, mp_state(&cpu[1]));
	cpu[1].run->immediate_exit = 1;
	ASSERT_EQ(-EINTR, vm_run(&cpu[1]));
	ASSERT_EQ(0, vm_regs(&cpu[1]).rip);
	ASSERT_EQ(G_START, vm_sregs(&cpu[1]).cs.base);
	unmake();
}

TEST_HARNESS_MAIN
