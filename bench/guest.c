// SPDX-License-Identifier: GPL-2.0
/*
 * The guest's half of the bench: 64-bit code that reads the TSC before and after
 * what it measures and stores the difference. The guest's TSC runs at the host's
 * speed, so the figures compare with the VMM's.
 *
 * Registers of guest code: rdi results, rsi samples left, r9 and r10 what eax and ecx
 * are to be, r12 an address, r13 and r14 what is added to r12 and r9 each time, r8
 * the first RDTSC. r15 belongs to the interrupt handler.
 */
#include "bench.h"

TIMED(empty, "");
TIMED(out, "out %al, $0x10");

/* When it came, and an EOI by x2APIC. Two stubs long: the next vector is not used. */
GUEST64(handler, "rdtsc; mov %eax, %r15d; mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr; iretq");

bool device_has(struct test_vm *t, int cap)
{
	return ioctl(t->dev, MINIKVM_CHECK_EXTENSION, cap) > 0;
}

/* All that the device supports, and the deadline timer, which KVM leaves to the VMM. */
void bench_cpuid(int dev, int vcpu)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } c = { };
	unsigned int i;

	c.head.nent = 100;
	must(ioctl(dev, MINIKVM_GET_SUPPORTED_CPUID, &c), "GET_SUPPORTED_CPUID");
	for (i = 0; i < c.head.nent; i++)
		if (c.e[i].function == 1)
			c.e[i].ecx |= 1 << 24;
	must(ioctl(vcpu, MINIKVM_SET_CPUID2, &c), "SET_CPUID2");
}

/* The local APIC: x2APIC mode, switched on, its timer waits for deadlines. */
static void apic_setup(struct test_vm *t)
{
	struct minikvm_sregs s = vm_sregs(t);
	struct minikvm_lapic_state apic;

	s.apic_base |= 1 << 10;
	must(ioctl(t->vcpu, MINIKVM_SET_SREGS, &s), "SET_SREGS");
	must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &apic), "GET_LAPIC");
	*(uint32_t *)(apic.regs + 0xf0) = 0x1ff;
	*(uint32_t *)(apic.regs + 0x320) = 2 << 17 | VECTOR;
	must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &apic), "SET_LAPIC");
}

void bench_vm(struct test_vm *t, bool irqchip)
{
	vm_make(t, irqchip);
	bench_cpuid(t->dev, t->vcpu);
	if (irqchip)
		apic_setup(t);
}

static void start(struct test_vm *t, const struct guest_code *code, const struct guest_args *a,
		  int n)
{
	struct minikvm_regs r;

	guest_long(t, code->start, code->end);
	memcpy(t->mem + G_STUBS + 16 * VECTOR, handler, handler_end - handler);
	r = vm_regs(t);
	r.rdi = G_RESULTS;
	r.rsi = n;
	r.r9 = a->eax;
	r.r10 = a->ecx;
	r.r12 = a->address;
	r.r13 = a->stride;
	r.r14 = a->step;
	if (a->interrupts)
		r.rflags |= 1 << 9;
	vm_set_regs(t, r);
}

static void run(struct test_vm *t, void (*serve)(struct test_vm *t))
{
	for (;;) {
		switch (must(vm_run(t), "RUN")) {
		case MINIKVM_EXIT_IO:
			if (t->run->io.port == PORT_DONE)
				return;
			if (t->run->io.port != PORT_OP)
				errx(1, "the guest took exception %u", *(uint8_t *)vm_io_data(t));
			break;
		case MINIKVM_EXIT_MMIO:
			break;
		default:
			errx(1, "exit %u", t->run->exit_reason);
		}
		if (serve)
			serve(t);
	}
}

/* The same with nothing between the two RDTSC. */
static double guest_empty(void)
{
	const struct guest_code code = CODE(empty);
	const struct guest_args args = { };
	static double v[64], pair = -1;
	struct test_vm t;
	int i;

	if (pair >= 0)
		return pair;
	vm_make(&t, false);
	start(&t, &code, &args, 64);
	run(&t, NULL);
	for (i = 0; i < 64; i++)
		v[i] = ((uint32_t *)(t.mem + G_RESULTS))[i];
	vm_free(&t);
	return pair = least(v, 64);
}

/*
 * Run @code for @n samples; @serve, if any, does what the guest asks the VMM for.
 * What an empty pair of RDTSC costs is taken off.
 */
void guest_samples(struct test_vm *t, const struct guest_code *code, const struct guest_args *args,
		   void (*serve)(struct test_vm *t), double *v, int n)
{
	double pair = guest_empty();
	int i;

	start(t, code, args, n);
	run(t, serve);
	for (i = 0; i < n; i++)
		v[i] = ((uint32_t *)(t->mem + G_RESULTS))[i] - pair;
}

/* What an OUT costs more when the VMM does @serve before it goes back. */
int out_and_more(struct test_vm *t, void (*serve)(struct test_vm *t), double *v, int n)
{
	const struct guest_code code = CODE(out);
	const struct guest_args args = { .interrupts = true };
	double plain;
	int i;

	guest_samples(t, &code, &args, NULL, v, n);
	plain = least(v, n);
	guest_samples(t, &code, &args, serve, v, n);
	for (i = 0; i < n; i++)
		v[i] -= plain;
	return n;
}
