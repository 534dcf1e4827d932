// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: what other threads, the kernel and the machine do while vCPUs run harms neither the
 * host nor a guest: kicks, a run page that is written all the time, descriptors that are
 * closed, the end of the process, processors that go and come.
 */
#define _GNU_SOURCE
#include <err.h>
#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include "lib/vm.h"

#define NR	3

/* A word in memory follows a register; if not, the vCPU has lost something, and says so. */
GUEST16(counting, "sti; 1: inc %eax; mov %eax, (%si); inc %ebx; cmp %ebx, (%si); je 1b; out %al, $0x11");
GUEST16(halting, "1: sti; hlt; jmp 1b");
GUEST16(leaving, "1: in $0x10, %al; out %ax, $0x12; mov $0xf000, %bx; mov %bx, %es; mov %es:(0), %al;"
	"jmp 1b");

GUEST64(calling, "mov $6000, %ebx; 1: mov $1, %eax; vmmcall; dec %ebx; jnz 1b; hlt");

struct runner {
	struct test_vm t;
	pthread_t thread;
	volatile bool stop;
	volatile int interrupted, other;
};

static struct runner runner[NR];

static void nothing(int sig)
{
}

static void nap(int us)
{
	struct timespec t = { .tv_nsec = us * 1000l };

	nanosleep(&t, NULL);
}

static volatile uint32_t *counter(int i)
{
	return (uint32_t *)(runner[0].t.mem + 0x8000 + 16 * i);
}

/* RUN until told to stop; only EINTR is expected. */
static void *run(void *arg)
{
	struct runner *r = arg;

	while (!r->stop) {
		int reason = vm_run(&r->t);

		if (reason == -EINTR)
			r->interrupted++;
		else
			r->other++;
	}
	return NULL;
}

/* vCPUs that count; with chips, the last one halts. */
static void make(bool chips)
{
	int i;

	signal(SIGUSR1, nothing);
	memset(runner, 0, sizeof(runner));
	vm_make(&runner[0].t, chips);
	for (i = 0; i < NR; i++) {
		struct minikvm_mp_state mp = { MINIKVM_MP_STATE_RUNNABLE };
		struct test_vm *t = &runner[i].t;
		struct minikvm_regs regs;

		if (i)
			*t = vm_add_vcpu(&runner[0].t, i);
		guest_real(t, counting, counting_end);
		memcpy(t->mem + 0x3000, halting, halting_end - halting);
		regs = vm_regs(t);
		regs.rip = chips && i == NR - 1 ? 0x3000 : G_CODE;
		regs.rsi = 0x8000 + 16 * i;
		regs.rsp = 0x7000 + 0x200 * i;
		vm_set_regs(t, regs);
		ioctl(t->vcpu, MINIKVM_SET_MP_STATE, &mp);
	}
}

static void start(void)
{
	int i;

	for (i = 0; i < NR; i++)
		if (pthread_create(&runner[i].thread, NULL, run, &runner[i]))
			errx(1, "pthread_create");
}

static void finish(void)
{
	int i;

	for (i = 0; i < NR; i++) {
		runner[i].stop = true;
		while (pthread_tryjoin_np(runner[i].thread, NULL)) {
			pthread_kill(runner[i].thread, SIGUSR1);
			nap(1000);
		}
	}
}

static void unmake(void)
{
	int i;

	for (i = 1; i < NR; i++)
		vm_free_vcpu(&runner[i].t);
	vm_free(&runner[0].t);
}

/* Does the guest's counter still go up? */
static bool goes_on(int i)
{
	uint32_t before = *counter(i);
	int tries;

	for (tries = 0; tries < 2000 && *counter(i) == before; tries++)
		nap(1000);
	return *counter(i) != before;
}

TEST(kicks_lose_nothing)
{
	int i, round;

	make(true);
	start();
	for (round = 0; round < 300; round++)
		for (i = 0; i < NR; i++) {
			pthread_kill(runner[i].thread, SIGUSR1);
			if (round % 16 == 0)
				nap(500);
		}
	ASSERT_TRUE(goes_on(0));
	ASSERT_TRUE(goes_on(1));
	finish();
	for (i = 0; i < NR; i++) {
		ASSERT_LT(0, runner[i].interrupted);
		ASSERT_EQ(0, runner[i].other);
	}
	unmake();
}

/* Every field that the kernel reads there is any value at any time. */
static void *scribble(void *arg)
{
	struct runner *r = arg;
	uint32_t *page = (uint32_t *)r->t.run;
	uint64_t random = 88172645463325252ull;

	while (!r->stop) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		page[random % 2048] = random >> 16 & (random & 0x800 ? 3 : ~0u);
	}
	return NULL;
}

TEST(a_scribbled_run_page_does_no_harm)
{
	struct minikvm_regs regs;
	pthread_t scribbler;
	int i;

	make(false);
	for (i = 0; i < NR; i++) {
		memcpy(runner[i].t.mem + 0x3000, leaving, leaving_end - leaving);
		regs = vm_regs(&runner[i].t);
		regs.rip = 0x3000;
		vm_set_regs(&runner[i].t, regs);
	}
	start();
	ASSERT_EQ(0, pthread_create(&scribbler, NULL, scribble, &runner[0]));
	for (i = 0; i < 200; i++) {
		pthread_kill(runner[0].thread, SIGUSR1);
		pthread_kill(runner[i % NR].thread, SIGUSR1);
		nap(1000);
	}
	finish();
	pthread_join(scribbler, NULL);
	ASSERT_LT(0, runner[0].interrupted + runner[0].other);
	ASSERT_LT(0, runner[1].other);
	unmake();
}

TEST(descriptors_are_closed_under_running_vcpus)
{
	int i;

	make(true);
	start();
	ASSERT_TRUE(goes_on(0));
	close(runner[0].t.vm);
	close(runner[0].t.dev);
	ASSERT_TRUE(goes_on(1));
	close(runner[2].t.vcpu);	/* it is in RUN, or about to be */
	ASSERT_TRUE(goes_on(0));
	finish();
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, runner[i].other);
		close(runner[i].t.vcpu);
	}
	munmap(runner[0].t.mem, G_SIZE);
}

static void *create_vcpus(void *arg)
{
	int vm = (long)arg, id, made = 0;

	for (id = 0; id < 8; id++) {
		int fd = ioctl(vm, MINIKVM_CREATE_VCPU, id);

		made += fd >= 0;
		if (fd >= 0 && id % 2)
			close(fd);
	}
	return (void *)(long)made;
}

TEST(vcpus_are_created_while_the_vm_is_closed)
{
	int round, dev = test_open();
	pthread_t a, b;
	void *made;

	for (round = 0; round < 30; round++) {
		int vm = ioctl(dev, MINIKVM_CREATE_VM, 0), most = 0, fd;

		ASSERT_LE(0, vm);
		ioctl(vm, MINIKVM_SET_TSS_ADDR, 0xfffbd000);
		ASSERT_EQ(0, ioctl(vm, MINIKVM_CREATE_IRQCHIP, 0));
		pthread_create(&a, NULL, create_vcpus, (void *)(long)vm);
		pthread_create(&b, NULL, create_vcpus, (void *)(long)vm);
		nap(round * 100);
		close(vm);
		pthread_join(a, &made);
		most += (long)made;
		pthread_join(b, &made);
		most += (long)made;
		ASSERT_GE(8, most);		/* each ID once */
		for (fd = dev + 1; fd < dev + 20; fd++)
			close(fd);
	}
	close(dev);
}

TEST(sigkill_of_a_process_with_running_vcpus)
{
	int round, status;

	for (round = 0; round < 15; round++) {
		pid_t pid = fork();

		if (!pid) {
			make(round % 2);
			start();
			pause();
		}
		nap(10000 + round * 2500);
		kill(pid, SIGKILL);
		ASSERT_EQ(pid, waitpid(pid, &status, 0));
		ASSERT_TRUE(WIFSIGNALED(status));
	}
	make(true);
	start();
	ASSERT_TRUE(goes_on(0));
	finish();
	unmake();
}

/* "1" or "0" to the file of a processor. */
static bool set_online(int cpu, const char *value)
{
	char path[64];
	bool done;
	int fd;

	snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%d/online", cpu);
	fd = open(path, O_WRONLY);
	done = fd >= 0 && write(fd, value, 1) == 1;
	if (fd >= 0)
		close(fd);
	return done;
}

TEST(processors_go_and_come_under_running_vcpus)
{
	int last = sysconf(_SC_NPROCESSORS_ONLN) - 1, round, i;

	if (last < 1 || !set_online(last, "1"))
		SKIP(return, "no processor can be switched off here");
	make(true);
	start();
	for (round = 0; round < 4; round++) {
		int cpu = 1 + round % last;

		ASSERT_TRUE(set_online(cpu, "0"));
		for (i = 0; i < 20; i++)
			pthread_kill(runner[i % NR].thread, SIGUSR1);
		EXPECT_TRUE(goes_on(0));
		EXPECT_TRUE(goes_on(1));
		ASSERT_TRUE(set_online(cpu, "1"));
		EXPECT_TRUE(goes_on(0));
		EXPECT_TRUE(goes_on(1));
	}
	finish();
	for (i = 0; i < NR; i++)
		ASSERT_EQ(0, runner[i].other);
	unmake();
}

static void *patch_thread(void *arg)
{
	volatile struct runner *r = arg;
	volatile uint8_t *byte = r->t.mem + G_CODE + 12;

	while (!r->stop) {
		*byte = 0xd9;
		usleep(0);
		*byte = 0xc1;
	}
	return NULL;
}

/* Of two CPUs that make the same hypercall first, one finds it patched behind its exit. */
TEST(a_vmmcall_that_another_cpu_has_patched)
{
	struct runner *r = &runner[0];
	struct test_vm t;

	vm_make(&t, false);
	guest_long(&t, calling, calling_end);
	ASSERT_EQ(0, memcmp(t.mem + G_CODE + 10, "\x0f\x01\xd9", 3));
	*r = (struct runner) { .t = t };
	pthread_create(&r->thread, NULL, patch_thread, r);
	EXPECT_HLT(&t);
	r->stop = true;
	pthread_join(r->thread, NULL);
	vm_free(&t);
}

TEST_HARNESS_MAIN
