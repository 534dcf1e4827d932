// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: whatever a guest does, SIGKILL ends its VMM within a second of the machine's time.
 *
 * Each guest below never leaves what it does by itself: with interrupts off, in exits that the
 * kernel handles alone, or in exceptions that make the next one.
 */
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/wait.h>
#include <time.h>

#include "lib/vm.h"

enum { DB = 1, BP = 3, TIMER = 0x40 };

#define ENABLE_APIC	"mov $0xfee00000, %rbx; movl $0x1ff, 0xf0(%rbx);"
#define EOI_AND_RETURN	"mov $0xfee000b0, %ecx; movl $0, (%rcx); iretq"

GUEST64(spins, "cli; 1: jmp 1b");
GUEST64(pauses, "cli; 1: pause; jmp 1b");
GUEST64(halts, "cli; 1: hlt; jmp 1b");
GUEST64(asks_cpuid, "cli; 1: xor %eax, %eax; cpuid; jmp 1b");
GUEST64(calls, "cli; 1: mov $11, %eax; vmcall; jmp 1b");
GUEST64(writes_msr, "cli; mov $0x3b, %ecx; xor %eax, %eax; cdq; 1: wrmsr; jmp 1b");
GUEST64(moves_cr, "cli; 1: mov %cr0, %rax; mov %rax, %cr0; mov %cr4, %rax; mov %rax, %cr4; jmp 1b");
GUEST64(reads_apic, "cli; mov $0xfee00030, %ebx; 1: mov (%rbx), %eax; jmp 1b");
GUEST64(copies_apic, "cli; cld; 1: mov $0xfee00000, %esi; mov $0x40000, %edi; mov $0x3f0, %ecx;"
	"rep movsl; jmp 1b");
GUEST64(reads_pit, "cli; 1: in $0x40, %al; jmp 1b");
GUEST64(writes_pit, "cli; cld; 1: mov $0x40000, %esi; mov $0x40, %edx; mov $0xffffffff, %ecx;"
	"rep outsb; jmp 1b");
GUEST64(rings, "cli; mov $0xd0000000, %ebx; 1: mov %eax, (%rbx); jmp 1b");
GUEST64(breaks, "1: int3; jmp 1b");
/* Each interrupt sends the next. */
GUEST64(interrupts_itself, ENABLE_APIC "sti; movl $0x40040, 0x300(%rbx); 1: jmp 1b");
GUEST64(sends_again, "mov $0xfee00000, %ecx; movl $0, 0xb0(%rcx); movl $0x40040, 0x300(%rcx); iretq");
/* The fastest timer that there is. */
GUEST64(is_timed, ENABLE_APIC "movl $0xb, 0x3e0(%rbx); movl $0x20040, 0x320(%rbx);"
	"movl $1, 0x380(%rbx); sti; 1: jmp 1b");
GUEST64(timed, EOI_AND_RETURN);
/* Each delivery of #BP writes where DR0 watches: #DB comes in its handler. */
GUEST64(watches_its_stack, "lea -40(%rsp), %rax; and $-16, %rax; mov %rax, %dr0; mov $0x90001, %eax;"
	"mov %rax, %dr7; 1: int3; jmp 1b");
GUEST64(returns, "iretq");

/* What the guest's VMM does beside RUN. */
static void rings_eventfd(struct test_vm *t)
{
	struct minikvm_ioeventfd e = { .addr = G_HOLE, .len = 4, .fd = eventfd(0, EFD_NONBLOCK) };

	if (ioctl(t->vm, MINIKVM_IOEVENTFD, &e))
		_exit(2);
}

static void handles(struct test_vm *t, int vector, const uint8_t *code, const uint8_t *end)
{
	memcpy(t->mem + G_STUBS + 16 * vector, code, end - code);
}

static void handles_break(struct test_vm *t) { handles(t, BP, returns, returns_end); }

static void handles_both(struct test_vm *t)
{
	handles_break(t);
	handles(t, DB, returns, returns_end);
}

static void handles_timer(struct test_vm *t)
{
	memcpy(t->mem + G_DATA, timed, timed_end - timed);
	/* jmp to it: a stub has 16 bytes */
	memcpy(t->mem + G_STUBS + 16 * TIMER, "\xe9", 1);
	*(int32_t *)(t->mem + G_STUBS + 16 * TIMER + 1) = G_DATA - (G_STUBS + 16 * TIMER + 5);
}

static void handles_and_sends(struct test_vm *t)
{
	handles_timer(t);
	memcpy(t->mem + G_DATA, sends_again, sends_again_end - sends_again);
}

static const struct guest {
	const char *name;
	const uint8_t *code, *end;
	void (*prepare)(struct test_vm *t);
} guests[] = {
#define G(name, prepare)	{ #name, name, name##_end, prepare }
	G(spins, NULL), G(pauses, NULL), G(halts, NULL), G(asks_cpuid, NULL), G(calls, NULL),
	G(writes_msr, NULL), G(moves_cr, NULL), G(reads_apic, NULL), G(copies_apic, NULL),
	G(reads_pit, NULL), G(writes_pit, NULL), G(rings, rings_eventfd), G(breaks, handles_break),
	G(interrupts_itself, handles_and_sends), G(is_timed, handles_timer),
	G(watches_its_stack, handles_both),
};

/* Says by a byte that the guest is about to run; it must not come back from that. */
static void vmm(const struct guest *g, int started)
{
	struct test_vm t;
	int ret;

	vm_make(&t, true);
	if (ioctl(t.vm, MINIKVM_CREATE_PIT2, &(struct minikvm_pit_config) {}))
		_exit(3);
	guest_long(&t, g->code, g->end);
	if (g->prepare)
		g->prepare(&t);
	if (write(started, "", 1) != 1)
		_exit(4);
	ret = vm_run(&t);
	fprintf(stderr, "# %s: RUN returned %d, rip %#llx\n", g->name, ret,
		(unsigned long long)vm_regs(&t).rip);
	_exit(5);
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec + now.tv_nsec / 1e9;
}

/* How long the VMM lived on; below 0 if it did not die of the signal. */
static double kill_takes(const struct guest *g)
{
	int pipefd[2], status;
	double began;
	pid_t pid;
	char c;

	if (pipe(pipefd))
		return -1;
	pid = fork();
	if (!pid)
		vmm(g, pipefd[1]);
	close(pipefd[1]);
	if (read(pipefd[0], &c, 1) != 1)
		return -2;
	close(pipefd[0]);
	usleep(20000);
	began = seconds();
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL ? seconds() - began : -3;
}

TEST(sigkill_ends_every_guest_within_a_second)
{
	double took, most = 0;
	size_t i;

	close(test_open());
	if (test_on_kvm())
		SKIP(return, "an emulated processor may never let kvm-intel out of a guest with IF=0");
	for (i = 0; i < sizeof(guests) / sizeof(guests[0]); i++) {
		took = kill_takes(&guests[i]);
		EXPECT_GT(1.0, took) TH_LOG("%s: %f s", guests[i].name, took);
		EXPECT_LT(0.0, took) TH_LOG("%s: %f", guests[i].name, took);
		most = took > most ? took : most;
	}
	TH_LOG("at most %d ms", (int)(most * 1000));
}

TEST_HARNESS_MAIN
