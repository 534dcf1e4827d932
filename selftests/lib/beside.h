/* SPDX-License-Identifier: GPL-2.0 */
/*
 * VMs of KVM's and of minikvm's, whose guests compute a number out of all that could be the
 * other's: general, SSE and MMX registers, DR0, TSC_AUX, and what SYSCALL does by its three MSRs.
 * What they come to the host knows. It looks at what is its own, too.
 *
 * BESIDE_ROUNDS in the environment: how many exits each VM makes, where a test is to take longer.
 */
#ifndef SELFTESTS_BESIDE_H
#define SELFTESTS_BESIDE_H

#include <pthread.h>
#include <sched.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "vm.h"

enum { PORT = 0x10, G_HANDLER = 0x3000, AUX = 0xc0000103, CR4_SSE = 0x600, EFER_SCE = 1 };

/* r12 times: rbx by r8 and r9, XMM1, MM7, TSC_AUX, and what SYSCALL makes of it; then DR0. */
GUEST64(work, "movq %r15, %xmm1; movq %r10, %mm7; mov %r10, %dr0; 1: mov %r12, %r14;"
	"2: imul %r8, %rbx; add %r9, %rbx; movq %rbx, %xmm0; paddq %xmm1, %xmm0; movq %xmm0, %rbx;"
	"movq %mm7, %rax; add %rax, %rbx; rdtscp; add %rcx, %rbx; stc; syscall;"
	"dec %r14; jnz 2b; mov %dr0, %rax; add %rax, %rbx; out %al, $0x10; jmp 1b");
/* With the carry, if SFMASK leaves it, and with the CS that STAR gives. */
GUEST64(handler, "adc %r13, %rbx; mov %cs, %eax; add %rax, %rbx; jmp *%rcx");

struct side {
	struct test_vm t;
	uint64_t factor, term, xmm, mm, aux, behind, cs, carry, times;
	uint64_t value;		/* that the guest must have after the next exit */
	int rounds, bad, cpu;
	int preempted;		/* so often is enough; 0: all rounds */
	bool moves;
	const char *wrong;	/* what, first */
};

static int beside_rounds(int rounds)
{
	const char *s = getenv("BESIDE_ROUNDS");

	return s ? atoi(s) : rounds;
}

static bool beside_possible(void)
{
	return !access("/dev/kvm", R_OK | W_OK) && !access("/dev/minikvm", R_OK | W_OK);
}

static void set_msr(struct test_vm *t, uint32_t index, uint64_t value)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m = {
		.head.nmsrs = 1, .e = { .index = index, .data = value },
	};

	if (ioctl(t->vcpu, MINIKVM_SET_MSRS, &m) != 1)
		abort();
}

/* @seed: another one for each, below 256; @times: how long the guest computes. */
static void side_make(struct side *s, const char *device, uint64_t seed, uint64_t times)
{
	int at = G_HANDLER + seed * 16;
	struct minikvm_sregs sregs;
	struct minikvm_regs r;

	*s = (struct side){
		.factor = seed * 2 + 1, .term = seed * 3, .xmm = seed << 32, .mm = seed << 16,
		.aux = seed * 5, .behind = seed * 7, .cs = 0x10 + (seed & 15) * 8,
		.carry = seed & 1, .times = times, .rounds = beside_rounds(300),
	};
	setenv("MINIKVM_DEVICE", device, 1);
	vm_make(&s->t, false);
	guest_long(&s->t, work, work_end);
	memcpy(s->t.mem + at, handler, handler_end - handler);
	sregs = vm_sregs(&s->t);
	sregs.cr4 |= CR4_SSE;
	sregs.efer |= EFER_SCE;
	if (ioctl(s->t.vcpu, MINIKVM_SET_SREGS, &sregs))
		abort();
	set_msr(&s->t, AUX, s->aux);
	set_msr(&s->t, 0xc0000081, s->cs << 32);
	set_msr(&s->t, 0xc0000082, at);
	set_msr(&s->t, 0xc0000084, s->carry ? 0 : 1);
	r = vm_regs(&s->t);
	r.rflags |= 0x200;	/* some emulated processors keep the host's from it otherwise */
	r.rbx = s->value = seed;
	r.r8 = s->factor;
	r.r9 = s->term;
	r.r10 = s->mm;
	r.r12 = times;
	r.r13 = s->behind;
	r.r15 = s->xmm;
	vm_set_regs(&s->t, r);
}

static void side_free(struct side *s)
{
	if (s->t.mem)
		vm_free(&s->t);
	s->t.mem = NULL;
}

static void side_wrong(struct side *s, const char *what)
{
	if (!s->bad++)
		s->wrong = what;
}

/* What the thread has in its registers while it is in RUN. */
struct host_state {
	uint64_t ymm[4];
	uint32_t mxcsr;
	uint16_t control;
};

/* RUN, with registers that no C library touches: 0 or -errno. */
static long host_run(int fd, struct host_state *h, bool avx)
{
	long ret = SYS_ioctl;

	asm volatile("ldmxcsr %0; fldcw %1" : : "m" (h->mxcsr), "m" (h->control));
	if (avx)
		asm volatile("vmovdqu %1, %%ymm14; sub $128, %%rsp; syscall; add $128, %%rsp;"
			     "vmovdqu %%ymm14, %1; vzeroupper"
			     : "+a" (ret), "+m" (h->ymm) : "D" (fd), "S" (MINIKVM_RUN), "d" (0)
			     : "rcx", "r11", "memory", "xmm14");
	else
		asm volatile("movdqu %1, %%xmm14; sub $128, %%rsp; syscall; add $128, %%rsp;"
			     "movdqu %%xmm14, %1"
			     : "+a" (ret), "+m" (h->ymm) : "D" (fd), "S" (MINIKVM_RUN), "d" (0)
			     : "rcx", "r11", "memory", "xmm14");
	asm volatile("stmxcsr %0; fnstcw %1" : "=m" (h->mxcsr), "=m" (h->control));
	return ret;
}

/* Nobody else can have changed it: @cpu is where the thread was before and after. */
static void host_aux_is_right(struct side *s)
{
	uint32_t aux;
	unsigned int before, after;

	syscall(SYS_getcpu, &before, NULL, NULL);
	asm volatile("rdtscp" : "=c" (aux) : : "eax", "edx");
	syscall(SYS_getcpu, &after, NULL, NULL);
	if (before == after && (aux & 0xfff) != before)
		side_wrong(s, "the host's TSC_AUX");
}

/* One exit, and whether guest and host come to what they must. False: a signal came first. */
static bool side_one(struct side *s)
{
	static const struct host_state had = {
		.ymm = { 0x1111, 0x2222, 0x3333, 0x4444 }, .mxcsr = 0x1fa0, .control = 0x027f,
	};
	static int avx = -1;
	struct host_state h = had;
	uint64_t i;
	long ret;

	if (avx < 0)
		avx = __builtin_cpu_supports("avx");
	ret = host_run(s->t.vcpu, &h, avx);
	if (memcmp(&h, &had, sizeof(h)))
		side_wrong(s, "the host's FPU");
	host_aux_is_right(s);
	if (ret == -EINTR)
		return false;
	for (i = 0; i < s->times; i++)
		s->value = s->value * s->factor + s->term + s->xmm + s->mm + s->aux + s->behind +
			   s->carry + s->cs;
	s->value += s->mm;
	if (ret || s->t.run->exit_reason != MINIKVM_EXIT_IO || s->t.run->io.port != PORT)
		side_wrong(s, "the exit");
	else if (vm_regs(&s->t).rbx != s->value)
		side_wrong(s, "the guest's number");
	return true;
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);	/* or not: it may be offline */
}

static int times_preempted(void)
{
	struct rusage use;

	getrusage(RUSAGE_THREAD, &use);
	return use.ru_nivcsw;
}

/* Its rounds, on one CPU or on others by turns. */
static void *side_thread(void *arg)
{
	int cpus = sysconf(_SC_NPROCESSORS_CONF), i;
	struct side *s = arg;

	pin(s->cpu);
	for (i = 0; i < s->rounds && !s->bad; i++) {
		if (s->moves && i % 8 == 0)
			pin((i / 8 + s->aux) % cpus);
		while (!side_one(s) && !s->bad)
			;
		if (s->preempted && times_preempted() >= s->preempted)
			break;
	}
	return NULL;
}

#endif
