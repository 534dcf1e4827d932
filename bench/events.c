// SPDX-License-Identifier: GPL-2.0
/* T7 to T9: the timer, eventfds in and out, HLT; all with the chips in the kernel. */
#include <pthread.h>
#include <sys/eventfd.h>
#include <linux/kvm.h>

#include "bench.h"

#define LINE		20		/* of the IOAPIC alone, not of the PIC */
#define MSI_GSI		24
#define DEADLINE	20000		/* ticks from now: more than it takes to set it */

/*
 * Arm the timer, count until its interrupt has been there. All ticks but those of the
 * counting loop, three each, are overhead: arming, expiry, injection, EOI.
 */
GUEST64(deadline, "1: xor %r11d, %r11d; xor %r15d, %r15d; mov $0x6e0, %ecx;" MARK "rdtsc; mov %eax, %r8d;"
	"shl $32, %rdx; or %rdx, %rax; add %r14, %rax; mov %rax, %rdx; shr $32, %rdx; wrmsr;"
	"2: inc %r11d; test %r15d, %r15d; jz 2b;"
	"rdtsc;" MARK "lea (%r11, %r11, 2), %r11d; sub %r8d, %eax; sub %r11d, %eax; mov %eax, (%rdi);"
	"add $4, %rdi; dec %rsi; jnz 1b; out %al, $0x11");

/* To the handler's first instruction, from a HLT with an IPI to itself pending. */
GUEST64(halt, "1: cli; mov $0x83f, %ecx; mov $0x40, %eax; xor %edx, %edx; wrmsr;"
	MARK "rdtsc; mov %eax, %r8d; sti; hlt;" MARK "sub %r8d, %r15d; mov %r15d, (%rdi); add $4, %rdi;"
	"dec %rsi; jnz 1b; out %al, $0x11");

/* The same from a HLT that sleeps until somebody else has seen the word at r12. */
GUEST64(sleeper, "1: cli; incl (%r12);" MARK "rdtsc; mov %eax, %r8d; sti; hlt;" MARK "sub %r8d, %r15d;"
	"mov %r15d, (%rdi); add $4, %rdi; out %al, $0x10; dec %rsi; jnz 1b; out %al, $0x11");

static const struct guest_code timer = CODE(deadline), pending = CODE(halt);

/* One guest, no help from outside. */
static int alone(const struct op *op, double *v, int n)
{
	const struct guest_args args = { .step = DEADLINE, .interrupts = true };
	struct test_vm t;

	bench_vm(&t, true);
	guest_samples(&t, op->what, &args, NULL, v, n);
	vm_free(&t);
	return n;
}

static void set_line(struct test_vm *t, int level)
{
	struct minikvm_irq_level irq = { .irq = LINE, .level = level };

	must(ioctl(t->vm, MINIKVM_IRQ_LINE, &irq), "IRQ_LINE");
}

static void line_down(struct test_vm *t)
{
	set_line(t, 0);
}

static void route_line(struct test_vm *t)
{
	struct minikvm_irqchip chip = { .chip_id = MINIKVM_IRQCHIP_IOAPIC };

	must(ioctl(t->vm, MINIKVM_GET_IRQCHIP, &chip), "GET_IRQCHIP");
	chip.chip.ioapic.redirtbl[LINE].bits = VECTOR;
	must(ioctl(t->vm, MINIKVM_SET_IRQCHIP, &chip), "SET_IRQCHIP");
}

static volatile bool stop;

/* Runs whenever the vCPU's thread sleeps, and wakes it. */
static void *waker(void *arg)
{
	struct test_vm *t = arg;
	volatile uint32_t *seq = (void *)(t->mem + G_SEQ);
	uint32_t seen = 0;

	while (!stop) {
		if (*seq == seen)
			continue;
		seen = *seq;
		set_line(t, 1);
	}
	return NULL;
}

/* One CPU; the vCPU's thread goes first: all between HLT and handler is work. */
static int wake(const struct op *op, double *v, int n)
{
	const struct guest_args args = { .address = G_SEQ };
	const struct guest_code code = CODE(sleeper);
	pthread_t thread;
	struct test_vm t;

	bench_vm(&t, true);
	route_line(&t);
	stop = false;
	if (pthread_create(&thread, NULL, waker, &t))
		errx(1, "pthread_create");
	set_priority(SCHED_FIFO, 1);
	guest_samples(&t, &code, &args, line_down, v, n);
	set_priority(SCHED_OTHER, 0);
	stop = true;
	pthread_join(thread, NULL);
	vm_free(&t);
	return n;
}

static int signal_fd;

static void send_signal(struct test_vm *t)
{
	uint64_t one = 1;

	if (write(signal_fd, &one, sizeof(one)) != sizeof(one))
		err(1, "eventfd");
}

/* An eventfd that is an MSI. */
static void connect_irqfd(struct test_vm *t)
{
	struct { struct kvm_irq_routing head; struct kvm_irq_routing_entry e; } routing = {
		.head.nr = 1,
		.e = { .gsi = MSI_GSI, .type = KVM_IRQ_ROUTING_MSI,
		       .u.msi = { .address_lo = 0xfee00000, .data = VECTOR } },
	};
	struct kvm_irqfd irqfd = { .gsi = MSI_GSI };

	signal_fd = must(eventfd(0, EFD_CLOEXEC), "eventfd");
	irqfd.fd = signal_fd;
	must(ioctl(t->vm, KVM_SET_GSI_ROUTING, &routing), "SET_GSI_ROUTING");
	must(ioctl(t->vm, KVM_IRQFD, &irqfd), "IRQFD");
}

static int irqfd(const struct op *op, double *v, int n)
{
	struct test_vm t;

	bench_vm(&t, true);
	if (device_has(&t, KVM_CAP_IRQFD) && device_has(&t, KVM_CAP_IRQ_ROUTING)) {
		connect_irqfd(&t);
		out_and_more(&t, send_signal, v, n);
		close(signal_fd);
	} else {
		n = 0;
	}
	vm_free(&t);
	return n;
}

/* ---- writes that signal an eventfd */

TIMED(out_word, "mov $0xc050, %edx; out %ax, %dx");
TIMED(write_long, "mov %eax, (%r12)");

struct doorbell {
	struct guest_code code;
	struct guest_args args;
	struct kvm_ioeventfd at;
};

static const struct doorbell
	on_port = { CODE(out_word), { }, { .addr = 0xc050, .len = 2, .flags = KVM_IOEVENTFD_FLAG_PIO } },
	in_memory = { CODE(write_long), { .address = G_HOLE }, { .addr = G_HOLE, .len = 4 } },
	of_any_length = { CODE(write_long), { .address = G_HOLE }, { .addr = G_HOLE } };

static int doorbells(const struct op *op, double *v, int n)
{
	const struct doorbell *d = op->what;
	struct kvm_ioeventfd at = d->at;
	struct test_vm t;

	bench_vm(&t, true);
	if (device_has(&t, KVM_CAP_IOEVENTFD)) {
		at.fd = must(eventfd(0, EFD_CLOEXEC), "eventfd");
		must(ioctl(t.vm, KVM_IOEVENTFD, &at), "IOEVENTFD");
		guest_samples(&t, &d->code, &d->args, NULL, v, n);
		close(at.fd);
	} else {
		n = 0;
	}
	vm_free(&t);
	return n;
}

const struct op event_ops[] = {
	{ "T7", 1000, alone, &timer },
	{ "T8", 1000, irqfd, NULL },
	{ "T8b", 1000, doorbells, &on_port },
	{ "T8c", 1000, doorbells, &in_memory },
	{ "T8d", 1000, doorbells, &of_any_length },
	{ "T9a", 1000, alone, &pending },
	{ "T9b", 1000, wake, NULL },
	{ }
};
