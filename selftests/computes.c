// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a guest that computes for long, interrupted by whatever the host does meanwhile, comes to
 * the right numbers in its general, SSE and x87 registers.
 *
 * COMPUTES_WHILE in the environment: a file; as long as it is there the guest goes on, beside
 * other VMs for example, to which it leaves most of the processor. Without it the guest exits
 * some times.
 */
#include "lib/vm.h"

enum { PORT = 0x10, TIMES = 5000, EXITS = 100, CR4_SSE = 0x600 };

/* RBX by R8 and R9 at each turn, the sum in XMM0, the turns in ST0. */
GUEST64(work, "fninit; fldz; pxor %xmm0, %xmm0; 1: mov %r12, %rcx; 2: imul %r8, %rbx; add %r9, %rbx;"
	"movq %rbx, %xmm1; paddq %xmm1, %xmm0; fld1; faddp; dec %rcx; jnz 2b;"
	"movq %xmm0, %rax; fld %st(0); fistpll (%rdi); mov (%rdi), %rdx; out %al, $0x10; jmp 1b");

struct numbers { uint64_t value, sum, turns; };

static void model(struct numbers *n, const struct minikvm_regs *r)
{
	int i;

	for (i = 0; i < TIMES; i++) {
		n->value = n->value * r->r8 + r->r9;
		n->sum += n->value;
		n->turns++;
	}
}

static bool goes_on(int exits)
{
	const char *file = getenv("COMPUTES_WHILE");

	return file ? !access(file, F_OK) : exits < EXITS;
}

FIXTURE(guest) { struct test_vm t; };

FIXTURE_SETUP(guest)
{
	vm_make(&self->t, false);
}

FIXTURE_TEARDOWN(guest)
{
	vm_free(&self->t);
}

/* Whoever sets COMPUTES_WHILE says how long; a slow machine takes a minute for a demo. */
TEST_F_TIMEOUT(guest, numbers_are_right, 3600)
{
	struct numbers n = { .value = 7 };
	struct test_vm *t = &self->t;
	struct minikvm_sregs sregs;
	struct minikvm_regs r;
	int exits;

	if (getenv("COMPUTES_WHILE") && nice(10) < 0)
		TH_LOG("no nice: %d", errno);
	guest_long(t, work, work_end);
	sregs = vm_sregs(t);
	sregs.cr4 |= CR4_SSE;
	ASSERT_EQ(0, ioctl(t->vcpu, MINIKVM_SET_SREGS, &sregs));
	r = vm_regs(t);
	r.rbx = n.value;
	r.r8 = 6364136223846793005;
	r.r9 = 1442695040888963407;
	r.r12 = TIMES;
	r.rdi = G_DATA;
	vm_set_regs(t, r);
	for (exits = 0; goes_on(exits); exits++) {
		model(&n, &r);
		ASSERT_EQ(MINIKVM_EXIT_IO, vm_run(t));
		r = vm_regs(t);
		ASSERT_EQ(n.value, r.rbx) TH_LOG("general register, exit %d", exits);
		ASSERT_EQ(n.sum, r.rax) TH_LOG("SSE, exit %d", exits);
		ASSERT_EQ(n.turns, r.rdx) TH_LOG("x87, exit %d", exits);
	}
	TH_LOG("%d exits", exits);
	ASSERT_LT(0, exits);
}

TEST_HARNESS_MAIN
