/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The bench: what operations of a hypervisor cost, in ticks of the TSC. One program for
 * every device that has KVM's ABI.
 *
 * bench.c	which operations, how often, and what is printed
 * guest.c	the guest's half: it measures itself
 * exits.c	instructions that leave the guest
 * memory.c	first touches of guest memory, and the dirty log
 * events.c	interrupts, the timer, HLT
 * host.c	ioctls, and what they leave allocated
 */
#ifndef BENCH_H
#define BENCH_H

#include <err.h>
#include <sched.h>
#include <x86intrin.h>

#define VM_LIBRARY
#include "vm.h"

enum {
	PORT_OP		= 0x10,		/* the guest wants something of the VMM */
	PORT_DONE	= 0x11,		/* the guest has taken all its samples */
	G_RESULTS	= G_DATA,	/* ticks, 32 bits each */
	G_SEQ		= 0x200000,	/* a word that the guest counts up before it waits */
	G_REGION	= 0x10000000,	/* memory under test */
	MAX_SAMPLES	= 8192,
	PAGE		= 4096,
	VECTOR		= 0x40,
};

/* One line of output. */
struct op {
	const char *name;
	int n;				/* samples; --quick takes fewer */
	/* Fill @v, lower is better. How many; 0: the device does not have this. */
	int (*run)(const struct op *op, double *v, int n);
	const void *what;		/* for run() */
};

/* Each file's operations; a NULL name ends them. */
extern const struct op exit_ops[], memory_ops[], event_ops[], host_ops[];

/* bench.c: */
int must(int ret, const char *what);
void set_priority(int policy, int priority);	/* of the calling thread */
double least(const double *v, int n);

/* guest.c: */
struct guest_code {
	const uint8_t *start, *end;
};
#define CODE(name) { name, name##_end }

/* What the guest's loop works with; see guest.c. */
struct guest_args {
	uint32_t eax, ecx;		/* of the instruction under test */
	uint64_t address, stride;	/* what it touches; the next one */
	uint64_t step;			/* added to eax for the next one */
	bool interrupts;		/* RFLAGS.IF */
};

/* Begins and ends what bench/trace lists: Bochs stops here when told to. Else nothing. */
#define MARK "xchg %bx, %bx;"

/* An instruction between two RDTSC, as often as rsi says. */
#define TIMED(name, insn)						\
GUEST64(name, "1: mov %r10d, %ecx;" MARK "rdtsc; mov %eax, %r8d; mov %r9d, %eax; xor %edx, %edx;"	\
	insn "; rdtsc;" MARK "sub %r8d, %eax; mov %eax, (%rdi); add $4, %rdi;"	\
	"add %r13, %r12; add %r14, %r9; dec %rsi; jnz 1b; out %al, $0x11")

void bench_vm(struct test_vm *t, bool irqchip);
void bench_cpuid(int dev, int vcpu);
bool device_has(struct test_vm *t, int cap);
int out_and_more(struct test_vm *t, void (*serve)(struct test_vm *t), double *v, int n);
void guest_samples(struct test_vm *t, const struct guest_code *code, const struct guest_args *args,
		   void (*serve)(struct test_vm *t), double *v, int n);
extern const uint8_t out[], out_end[];	/* an OUT to PORT_OP */

#endif
