// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a VM of KVM's and one of minikvm's, on one CPU or moving between CPUs, in one thread by
 * turns or in two, each keep what they have in the processor: general and SSE registers,
 * TSC_AUX, and where SYSCALL goes. The host's TSC_AUX comes back.
 *
 * BESIDE_ROUNDS in the environment: how many exits each VM makes in each test. Skips unless both
 * devices are there.
 */
#include <pthread.h>
#include <sched.h>

#include "lib/vm.h"

enum { PORT = 0x10, G_HANDLER = 0x3000, AUX = 0xc0000103, CR4_SSE = 0x600, EFER_SCE = 1 };

/* r12 times: rbx by r8, r9, the constants in XMM1 and TSC_AUX, and what is behind LSTAR. */
GUEST64(work, "movq %r15, %xmm1; 1: mov %r12, %r14; 2: imul %r8, %rbx; add %r9, %rbx;"
	"movq %rbx, %xmm0; paddq %xmm1, %xmm0; movq %xmm0, %rbx; rdtscp; add %rcx, %rbx;"
	"syscall; dec %r14; jnz 2b; out %al, $0x10; jmp 1b");
GUEST64(handler, "add %r13, %rbx; jmp *%rcx");

struct side {
	struct test_vm t;
	uint64_t factor, term, xmm, aux, behind, times;
	uint64_t value;		/* that the guest must have after the next exit */
	int rounds, bad;
	bool moves;
};

static int rounds(void)
{
	const char *s = getenv("BESIDE_ROUNDS");

	return s ? atoi(s) : 300;
}

static void set_msr(struct test_vm *t, uint32_t index, uint64_t value)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m = {
		.head.nmsrs = 1, .e = { .index = index, .data = value },
	};

	if (ioctl(t->vcpu, MINIKVM_SET_MSRS, &m) != 1)
		abort();
}

static void make(struct side *s, const char *device, uint64_t seed, uint64_t times)
{
	int at = G_HANDLER + (seed & 0xff) * 16;
	struct minikvm_sregs sregs;
	struct minikvm_regs r;

	memset(s, 0, sizeof(*s));
	s->factor = seed * 2 + 1;
	s->term = seed * 3;
	s->xmm = seed << 32;
	s->aux = seed * 5;
	s->behind = seed * 7;
	s->times = times;
	s->rounds = rounds();
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
	set_msr(&s->t, 0xc0000081, (uint64_t)sregs.cs.selector << 32);
	set_msr(&s->t, 0xc0000082, at);
	set_msr(&s->t, 0xc0000084, 0x200);
	r = vm_regs(&s->t);
	r.rbx = s->value = seed;
	r.r8 = s->factor;
	r.r9 = s->term;
	r.r12 = times;
	r.r13 = s->behind;
	r.r15 = s->xmm;
	vm_set_regs(&s->t, r);
}

static void host_aux_is_right(struct side *s)
{
	uint32_t aux, cpu;

	asm volatile("rdtscp" : "=c" (aux) : : "eax", "edx");
	cpu = sched_getcpu();
	if (!s->moves && (aux & 0xfff) != cpu)
		s->bad++;
}

/* One exit, and whether the guest came to the right number. */
static void one(struct side *s)
{
	uint64_t i;
	int ret;

	for (i = 0; i < s->times; i++)
		s->value = s->value * s->factor + s->term + s->xmm + s->aux + s->behind;
	ret = vm_run(&s->t);
	if (ret != MINIKVM_EXIT_IO || s->t.run->io.port != PORT || vm_regs(&s->t).rbx != s->value)
		s->bad++;
	host_aux_is_right(s);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

static void *side_thread(void *arg)
{
	int cpus = sysconf(_SC_NPROCESSORS_ONLN), i;
	struct side *s = arg;

	pin(0);
	for (i = 0; i < s->rounds && !s->bad; i++) {
		if (s->moves && i % 8 == 0)
			pin((i / 8 + s->aux) % cpus);
		one(s);
	}
	return NULL;
}

FIXTURE(both)
{
	struct side kvm, ours;
};

FIXTURE_SETUP(both)
{
	if (access("/dev/kvm", R_OK | W_OK) || access("/dev/minikvm", R_OK | W_OK))
		SKIP(return, "one of the devices is not there");
	pin(0);
}

FIXTURE_TEARDOWN(both)
{
	vm_free(&self->ours.t);
	vm_free(&self->kvm.t);
}

TEST_F(both, take_turns_in_one_thread)
{
	int i;

	make(&self->kvm, "/dev/kvm", 0x11, 3);
	make(&self->ours, "/dev/minikvm", 0x22, 3);
	for (i = 0; i < rounds(); i++) {
		one(&self->kvm);
		one(&self->ours);
		ASSERT_EQ(0, self->kvm.bad) TH_LOG("KVM's is wrong in round %d", i);
		ASSERT_EQ(0, self->ours.bad) TH_LOG("minikvm's is wrong in round %d", i);
	}
}

TEST_F(both, share_one_CPU)
{
	pthread_t kvm, ours;

	make(&self->ours, "/dev/minikvm", 0x33, 20000);
	make(&self->kvm, "/dev/kvm", 0x44, 30000);
	self->ours.rounds = self->kvm.rounds = rounds() / 10;
	pthread_create(&kvm, NULL, side_thread, &self->kvm);
	pthread_create(&ours, NULL, side_thread, &self->ours);
	pthread_join(kvm, NULL);
	pthread_join(ours, NULL);
	ASSERT_EQ(0, self->kvm.bad);
	ASSERT_EQ(0, self->ours.bad);
}

TEST_F(both, move_between_CPUs)
{
	pthread_t kvm, ours;

	make(&self->kvm, "/dev/kvm", 0x55, 50);
	make(&self->ours, "/dev/minikvm", 0x66, 70);
	self->kvm.moves = self->ours.moves = true;
	pthread_create(&kvm, NULL, side_thread, &self->kvm);
	pthread_create(&ours, NULL, side_thread, &self->ours);
	pthread_join(kvm, NULL);
	pthread_join(ours, NULL);
	ASSERT_EQ(0, self->kvm.bad);
	ASSERT_EQ(0, self->ours.bad);
}

TEST_HARNESS_MAIN
