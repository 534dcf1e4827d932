// SPDX-License-Identifier: GPL-2.0
/* T1 to T5, T10b: one instruction that leaves the guest, and back. */
#include "bench.h"

#define MSR_TSC_ADJUST	0x3b
#define SYNC_REGS	1	/* struct minikvm_regs, at run->s */

TIMED(cpuid, "cpuid");
TIMED(vmcall, "vmcall");
TIMED(mmio_write, "mov %eax, (%r12)");
TIMED(mmio_read, "mov (%r12), %eax");
TIMED(rdmsr, "rdmsr");
TIMED(wrmsr, "wrmsr");

struct exit {
	struct guest_code code;
	struct guest_args args;
};

static int exits(const struct op *op, double *v, int n)
{
	const struct exit *e = op->what;
	struct test_vm t;
	int i;

	bench_vm(&t, false);
	guest_samples(&t, &e->code, &e->args, NULL, v, n);
	vm_free(&t);
	/* A step is a step of TSC_ADJUST: it shows in the difference, too. */
	for (i = 0; i < n; i++)
		v[i] -= e->args.step;
	return n;
}

static void sync_regs(struct test_vm *t)
{
	struct minikvm_regs r;

	if (!t->run->kvm_valid_regs) {	/* the first time nothing has come yet */
		r = vm_regs(t);
		memcpy(&t->run->s, &r, sizeof(r));
	}
	t->run->kvm_valid_regs = SYNC_REGS;
	t->run->kvm_dirty_regs = SYNC_REGS;
}

/* The registers travel in the run page, both ways. */
static int exits_with_regs(const struct op *op, double *v, int n)
{
	struct test_vm t;

	bench_vm(&t, false);
	n = device_has(&t, MINIKVM_CAP_SYNC_REGS) ? out_and_more(&t, sync_regs, v, n) : 0;
	if (n)
		v[0] = v[1];	/* nothing was asked for yet */
	vm_free(&t);
	return n;
}

static const struct exit
	leaf_1 = { CODE(cpuid), { .eax = 1 } },
	leaf_high = { CODE(cpuid), { .eax = 0x80000008 } },
	hypercall = { CODE(vmcall), { .eax = 4711 } },
	pio = { CODE(out), { } },
	mmio_w = { CODE(mmio_write), { .address = G_HOLE } },
	mmio_r = { CODE(mmio_read), { .address = G_HOLE } },
	msr_read = { CODE(rdmsr), { .ecx = MSR_TSC_ADJUST } },
	msr_write = { CODE(wrmsr), { .ecx = MSR_TSC_ADJUST, .eax = 1, .step = 1 } };

const struct op exit_ops[] = {
	{ "T1a", 2000, exits, &leaf_1 },
	{ "T1b", 2000, exits, &leaf_high },
	{ "T2", 2000, exits, &hypercall },
	{ "T3", 2000, exits, &pio },
	{ "T4a", 2000, exits, &mmio_w },
	{ "T4b", 2000, exits, &mmio_r },
	{ "T5a", 2000, exits, &msr_read },
	{ "T5b", 2000, exits, &msr_write },
	{ "T10b", 2000, exits_with_regs, NULL },
	{ }
};
