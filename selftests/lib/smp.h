/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Several vCPUs, their guests and their threads.
 *
 * Registers of every guest in long mode, set by the test:
 *	r15	1 in x2APIC mode, else 0
 *	r14	address of its own counter, G_DATA + 8 * ID
 *	r13	how many rounds
 *	r12	number of vCPUs
 */
#ifndef SELFTESTS_SMP_H
#define SELFTESTS_SMP_H

#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include "vm.h"

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
 * next: the last NMI that a test waits for may leave one there, and so may any interrupt of
 * the host between the two. So who gets NMIs does it again and again.
 */
#define UNBLOCK_NMIS							\
	"mov %rsp, %rdx; mov %ss, %eax; push %rax; push %rdx; pushf; mov %cs, %eax; push %rax;" \
	"lea 9f(%rip), %rax; push %rax; iretq; 9:"

/* Who only counts: with interrupts on, or off. */
GUEST64(halted, "1: sti; hlt; jmp 1b");
GUEST64(halted_closed, "cli; 1:" UNBLOCK_NMIS "hlt; jmp 1b");
GUEST64(spinning, "sti; 1:" UNBLOCK_NMIS "pause; jmp 1b");

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

#endif
