// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: four vCPUs that share work, a lock and a clock, with a timer each, come to the right
 * answer: each timer ticks on, no interrupt from one to the next is lost, and the TSC never goes
 * back from one vCPU to another.
 *
 * SMP_TICKS in the environment: how many ticks each vCPU works for.
 */
#include "lib/smp.h"

enum {
	WORKERS		= 4,
	TIMER		= 0x43,
	PERIOD_NS	= 2000000,
	G_WORKERS	= 0x41000,	/* struct worker, 64 bytes each */
	G_SHARED	= 0x42000,
};

struct worker {
	uint64_t ticks, received, sent, sum, backwards, items, last_tick, id;
};

struct shared {
	uint64_t lock, next, tsc, done;
};

#define END_OF_INTERRUPT							\
	"push %rax; test %r15d, %r15d; jnz 1f;"					\
	"mov $0xfee000b0, %eax; movl $0, (%rax); pop %rax; iretq;"		\
	"1: push %rcx; push %rdx; mov $0x80b, %ecx; xor %eax, %eax; xor %edx, %edx; wrmsr;" \
	"pop %rdx; pop %rcx; pop %rax; iretq"
GUEST64(on_tick, "lock incq (%r14);" END_OF_INTERRUPT);
GUEST64(on_ipi, "lock incq 8(%r14);" END_OF_INTERRUPT);

/*
 * r14 is this worker, r11 the next one, r10 that one's ID, r8 and r9 the formula. Under the lock:
 * the clock, and the next item. Then the item is worked on; once a tick the next worker is sent
 * an interrupt, if it had the last one. At the end all wait until they had theirs.
 */
GUEST64(work, "sti; 1: mov $1, %eax; 2: xchg %rax, 0x42000; test %eax, %eax; jz 3f;"
	"4: pause; cmpq $0, 0x42000; jne 4b; mov $1, %eax; jmp 2b;"
	"3: lfence; rdtsc; shl $32, %rdx; or %rdx, %rax; cmp 0x42010, %rax; jae 5f; incq 32(%r14);"
	"5: mov %rax, 0x42010; mov 0x42008, %rbx; incq 0x42008; movq $0, 0x42000;"
	"mov $64, %ecx; 6: imul %r8, %rbx; add %r9, %rbx; dec %ecx; jnz 6b;"
	"add %rbx, 24(%r14); incq 40(%r14);"
	"mov (%r14), %rax; cmp 48(%r14), %rax; je 9f; mov %rax, 48(%r14);"
	"mov 16(%r14), %rax; cmp 8(%r11), %rax; jne 9f;"
	"incq 16(%r14); mov %r10d, %edi; mov $0x4041, %esi;" SEND
	"9: cmp %r13, (%r14); jb 1b;"
	"mov 16(%r14), %rax; 1: pause; cmp 8(%r11), %rax; jne 1b; lock incq 0x42018;"
	"1: pause; cmp 0x42018, %r12; jne 1b; cmpl $0, 56(%r14); jne 2f; out %al, $0x10;"
	"2: sti; hlt; jmp 2b");

static volatile struct worker *worker(int id)
{
	return (struct worker *)(cpu[0].mem + G_WORKERS) + id;
}

static void set_timer(struct test_vm *t)
{
	struct minikvm_lapic_state l;

	must(ioctl(t->vcpu, MINIKVM_GET_LAPIC, &l), "GET_LAPIC");
	*(uint32_t *)&l.regs[0x3e0] = 0xb;		/* every ns */
	*(uint32_t *)&l.regs[0x320] = 0x20000 | TIMER;	/* periodic */
	*(uint32_t *)&l.regs[0x380] = PERIOD_NS;
	*(uint32_t *)&l.regs[0x390] = PERIOD_NS;
	must(ioctl(t->vcpu, MINIKVM_SET_LAPIC, &l), "SET_LAPIC");
}

static const uint64_t factor = 6364136223846793005ull, term = 1442695040888963407ull;

static void prepare_worker(int id, bool x2apic, int ticks)
{
	struct minikvm_regs r;

	prepare(id, work, work_end, x2apic, ticks);
	r = vm_regs(&cpu[id]);
	r.r8 = factor;
	r.r9 = term;
	r.r10 = (id + 1) % WORKERS;
	r.r11 = G_WORKERS + sizeof(struct worker) * r.r10;
	r.r14 = G_WORKERS + sizeof(struct worker) * id;
	vm_set_regs(&cpu[id], r);
	worker(id)->id = id;
	set_timer(&cpu[id]);
}

static uint64_t answer(uint64_t items)
{
	uint64_t sum = 0, item, x;
	int i;

	for (item = 0; item < items; item++) {
		x = item;
		for (i = 0; i < 64; i++)
			x = x * factor + term;
		sum += x;
	}
	return sum;
}

FIXTURE(apic) { };
FIXTURE_VARIANT(apic) { bool x2apic; };
FIXTURE_VARIANT_ADD(apic, xapic) { .x2apic = false };
FIXTURE_VARIANT_ADD(apic, x2apic) { .x2apic = true };
FIXTURE_SETUP(apic) { }
FIXTURE_TEARDOWN(apic) { unmake(); }

TEST_F_TIMEOUT(apic, four_workers_agree, 36000)
{
	const char *text = getenv("SMP_TICKS");
	int ticks = text ? atoi(text) : 200, i;
	uint64_t sum = 0, items = 0;
	struct shared *shared;

	make(WORKERS, variant->x2apic);
	shared = (struct shared *)(cpu[0].mem + G_SHARED);
	for (i = 0; i < WORKERS; i++)
		prepare_worker(i, variant->x2apic, ticks);
	set_handler(TIMER, on_tick, on_tick_end);
	set_handler(VECTOR, on_ipi, on_ipi_end);
	ASSERT_EQ(PORT_DONE, go());
	for (i = 0; i < WORKERS; i++) {
		ASSERT_LE(ticks, worker(i)->ticks);
		ASSERT_GT(worker(i)->sent, 0);
		ASSERT_EQ(worker(i)->sent, worker((i + 1) % WORKERS)->received);
		ASSERT_EQ(0, worker(i)->backwards);
		sum += worker(i)->sum;
		items += worker(i)->items;
	}
	ASSERT_EQ(items, shared->next);
	ASSERT_EQ(answer(items), sum);
	printf("# FIGURES: %d ticks, %lu items, %lu + %lu + %lu + %lu messages\n", ticks, items,
	       worker(0)->sent, worker(1)->sent, worker(2)->sent, worker(3)->sent);
}

TEST_HARNESS_MAIN
