// SPDX-License-Identifier: GPL-2.0
/* T10a, T12 to T14, the floor: what the VMM measures; and what a VM and a vCPU allocate. */
#include <pthread.h>

#include "bench.h"

#define NO_IOCTL	_IO(MINIKVMIO, 0xff)
#define SLOT_SIZE	(1 << 20)
#define WARM_UP		50	/* machines that use up what was left over, before the count */

#define SPIN_INSNS	3	/* of a round in spin() */

typedef void action(struct test_vm *t);

GUEST64(out_forever, "1: out %al, $0x10; jmp 1b");

/* Rounds of the thread that runs when all others sleep, if there is one. */
static uint64_t spins;
static bool spin_stop;

static void time_once(struct test_vm *t, action *act, double *v)
{
	uint64_t idle = spins, begin;

	asm volatile(MARK);
	begin = __rdtsc();
	act(t);
	*v = __rdtsc() - begin;
	asm volatile(MARK);
	*v -= SPIN_INSNS * (spins - idle);
}

static void no_action(struct test_vm *t)
{
}

/* @n times @act, one by one; returns the least. */
static double time_all(struct test_vm *t, action *act, double *v, int n)
{
	double empty[64], pair;
	int i;

	for (i = 0; i < 64; i++)
		time_once(t, no_action, &empty[i]);
	for (i = 0; i < n; i++)
		time_once(t, act, &v[i]);
	pair = least(empty, 64);
	for (i = 0; i < n; i++)
		v[i] -= pair;
	return least(v, n);
}

static void nothing(struct test_vm *t)
{
	ioctl(t->vm, NO_IOCTL, 0);
}

static void get_set_regs(struct test_vm *t)
{
	static struct minikvm_regs r;

	ioctl(t->vcpu, MINIKVM_GET_REGS, &r);
	ioctl(t->vcpu, MINIKVM_SET_REGS, &r);
}

static void add_delete_slot(struct test_vm *t)
{
	vm_slot(t, 1, 0, G_REGION, SLOT_SIZE, t->mem);
	vm_slot(t, 1, 0, G_REGION, 0, t->mem);
}

static void create_destroy(struct test_vm *t)
{
	int vm = ioctl(t->dev, MINIKVM_CREATE_VM, 0), vcpu = ioctl(vm, MINIKVM_CREATE_VCPU, 0);

	close(vcpu);
	close(vm);
}

static int with_vm(const struct op *op, double *v, int n)
{
	struct test_vm t;

	bench_vm(&t, false);
	time_all(&t, op->what, v, n);
	vm_free(&t);
	return n;
}

/* No VM yet: VMX goes on and off each time. */
static int without_vm(const struct op *op, double *v, int n)
{
	struct test_vm t = { .dev = test_open() };

	time_all(&t, op->what, v, n);
	close(t.dev);
	return n;
}

static void *spin(void *arg)
{
	set_priority(SCHED_IDLE, 0);
	asm volatile("1: incq %0; cmpb $0, %1; je 1b" : "+m" (spins) : "m" (spin_stop)
		     : "cc", "memory");
	return NULL;
}

/* Leave out the time in which the operation only waits: it is no instructions. */
static int work_only(int (*run)(const struct op *op, double *v, int n), const struct op *op,
		     double *v, int n)
{
	pthread_t thread;

	spin_stop = false;
	if (pthread_create(&thread, NULL, spin, NULL))
		errx(1, "pthread_create");
	run(op, v, n);
	spin_stop = true;
	pthread_join(thread, NULL);
	return n;
}

static int with_vm_work(const struct op *op, double *v, int n)
{
	return work_only(with_vm, op, v, n);
}

static int without_vm_work(const struct op *op, double *v, int n)
{
	return work_only(without_vm, op, v, n);
}

/* ---- T14: two threads that take turns */

static void run_once(struct test_vm *t)
{
	if (vm_run(t) != MINIKVM_EXIT_IO)
		errx(1, "exit %u", t->run->exit_reason);
}

static void yield_only(struct test_vm *t)
{
	sched_yield();
}

static void sleep_only(struct test_vm *t)
{
	usleep(100000);
}

static void run_and_yield(struct test_vm *t)
{
	run_once(t);
	sched_yield();
}

struct partner {
	struct test_vm t;
	action *turn;
	volatile bool stop;
};

static void *partner_thread(void *arg)
{
	struct partner *p = arg;

	while (!p->stop)
		p->turn(&p->t);
	return NULL;
}

/* Two turns: the caller's and another thread's. FIFO threads that yield alternate. */
static double two_turns(struct test_vm *t, action *turn, struct test_vm *other, action *its_turn,
			double *v, int n)
{
	struct partner p = { .t = *other, .turn = its_turn };
	pthread_t thread;
	double best;

	set_priority(SCHED_FIFO, 1);
	if (pthread_create(&thread, NULL, partner_thread, &p))
		errx(1, "pthread_create");
	best = time_all(t, turn, v, n);
	p.stop = true;
	pthread_join(thread, NULL);
	set_priority(SCHED_OTHER, 0);
	return best;
}

/* A vCPU in a machine that has none with this @id, ready to run out_forever. */
static void add_vcpu(struct test_vm *t, int id)
{
	t->vcpu = must(ioctl(t->vm, MINIKVM_CREATE_VCPU, id), "CREATE_VCPU");
	t->run = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, t->vcpu, 0);
	if (t->run == MAP_FAILED)
		err(1, "mmap of the run page");
	bench_cpuid(t->dev, t->vcpu);
	guest_long(t, out_forever, out_forever_end);
}

/* Two vCPUs that take turns, less two that need not, less two threads that do. */
static int switches(const struct op *op, double *v, int n)
{
	struct test_vm t, second;
	double alone, bare;
	int i;

	bench_vm(&t, false);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPUS) < 2) {
		vm_free(&t);
		return 0;
	}
	guest_long(&t, out_forever, out_forever_end);
	second = t;
	add_vcpu(&second, 1);
	/* A process of two threads pays for each descriptor that it uses. */
	alone = two_turns(&t, run_once, &second, sleep_only, v, n);
	bare = two_turns(&t, yield_only, &second, yield_only, v, n);
	two_turns(&t, run_and_yield, &second, run_and_yield, v, n);
	for (i = 0; i < n; i++)
		v[i] = (v[i] - 2 * alone - bare) / 2;
	munmap(second.run, PAGE);
	close(second.vcpu);
	vm_free(&t);
	return n;
}

/* ---- kernel memory */

/* Free pages, those in the CPUs' lists, too. */
static double free_bytes(void)
{
	FILE *f = fopen("/proc/zoneinfo", "r");
	char line[256];
	long n, pages = 0;

	if (!f)
		err(1, "/proc/zoneinfo");
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, " pages free %ld", &n) == 1 || sscanf(line, " count: %ld", &n) == 1)
			pages += n;
	fclose(f);
	return (double)pages * PAGE;
}

/* What is gone of the free memory after @n more machines; with a vCPU, which has run. */
static double machine_bytes(const struct test_vm *model, bool vcpu, int n)
{
	struct test_vm t[WARM_UP + n];
	double before = 0, used;
	int i;

	for (i = 0; i < WARM_UP + n; i++) {
		if (i == WARM_UP)
			before = free_bytes();
		t[i] = *model;
		t[i].vm = must(ioctl(t[i].dev, MINIKVM_CREATE_VM, 0), "CREATE_VM");
		must(vm_slot(&t[i], 0, 0, 0, G_SIZE, t[i].mem), "slot");
		if (!vcpu)
			continue;
		add_vcpu(&t[i], 0);
		run_once(&t[i]);
	}
	used = before - free_bytes();
	while (i--) {
		if (vcpu) {
			munmap(t[i].run, PAGE);
			close(t[i].vcpu);
		}
		close(t[i].vm);
	}
	return used / n;
}

/* A VM with a slot; or what a vCPU adds to it, EPT tables and its first pages included. */
static int allocated(const struct op *op, double *v, int n)
{
	struct test_vm t;

	bench_vm(&t, false);
	memset(t.mem, 0, G_SIZE);
	v[0] = machine_bytes(&t, op->what, n);
	if (op->what)
		v[0] -= machine_bytes(&t, false, n);
	vm_free(&t);
	return 1;
}

const struct op host_ops[] = {
	{ "ENOTTY", 1000, with_vm, nothing },
	{ "T10a", 1000, with_vm, get_set_regs },
	{ "T12", 1000, with_vm, add_delete_slot },
	{ "T13", 100, with_vm_work, create_destroy },
	{ "T13f", 100, without_vm_work, create_destroy },
	{ "T13e", 100, with_vm, create_destroy },
	{ "T14", 1000, switches, NULL },
	{ "vm-bytes", 50, allocated, NULL },
	{ "vcpu-bytes", 50, allocated, "with a vCPU" },
	{ }
};
