// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: signals, and memory that changes beside it, repeat nothing of an instruction that the
 * processor carries out for a device.
 */
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include "lib/vm.h"

GUEST64(pushes, "mov $0xd0000000, %edi; mov $0x900000, %esp; mov $200, %ecx;"
	"1: push (%rdi); pop %rax; add %eax, %ebx; movups 0x800000, %xmm0; dec %ecx; jnz 1b; hlt");

static void on_alarm(int sig)
{
}

/* A signal in so many microseconds. */
static void alarm_in(unsigned int us)
{
	struct itimerval once = { .it_value.tv_usec = us };

	setitimer(ITIMER_REAL, &once, NULL);
}

/*
 * 200 times PUSH of a device; the device counts, the guest adds up. @alarm: signals come into it,
 * and a little later each time that nothing was done before one: a kernel may be slow.
 */
static void count_pushes(struct __test_metadata *_metadata, struct test_vm *t, bool alarm)
{
	unsigned int us = 0, signals = 0;
	uint64_t n = 0;
	int ret;

	for (;;) {
		if (alarm)
			alarm_in(us += 10 + us / 4);
		ret = vm_run(t);
		if (ret == -EINTR) {
			ASSERT_EQ(MINIKVM_EXIT_INTR, t->run->exit_reason);
			signals++;
			continue;
		}
		us /= 2;
		if (ret != MINIKVM_EXIT_MMIO)
			break;
		ASSERT_EQ(0, t->run->mmio.is_write);
		n++;
		memcpy(t->run->mmio.data, &n, 8);
	}
	ASSERT_EQ(MINIKVM_EXIT_HLT, ret);
	ASSERT_EQ(200, n);
	ASSERT_EQ(200 * 201 / 2, vm_regs(t).rbx);
	ASSERT_EQ(alarm, signals > 0);
	alarm_in(0);
}

static uint8_t *stack_slot(struct test_vm *t)
{
	uint8_t *p = mmap(NULL, 0x100000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	vm_make(t, false);
	vm_slot(t, 1, 0, 0x800000, 0x100000, p);
	guest_long(t, pushes, pushes_end);
	return p;
}

TEST(signals_repeat_nothing)
{
	struct sigaction sa = { .sa_handler = on_alarm };
	struct test_vm t;

	stack_slot(&t);
	sigaction(SIGALRM, &sa, NULL);
	count_pushes(_metadata, &t, true);
	vm_free(&t);
}

struct stirrer {
	struct test_vm *t;
	uint8_t *p, *other;
	bool stop;
};

/* Takes away what the guest does not look at again, and slots beside it. */
static void *stir(void *arg)
{
	struct stirrer *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_RELAXED)) {
		madvise(s->p, 0x80000, MADV_DONTNEED);
		vm_slot(s->t, 2, 0, 0xa00000, 0x10000, s->other);
		vm_slot(s->t, 2, 0, 0xa00000, 0, s->other);
		usleep(200);
	}
	return NULL;
}

TEST(memory_changes_beside_it)
{
	struct stirrer s = { };
	struct test_vm t;
	pthread_t thread;

	s.p = stack_slot(&t);
	s.t = &t;
	s.other = mmap(NULL, 0x10000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_EQ(0, pthread_create(&thread, NULL, stir, &s));
	count_pushes(_metadata, &t, false);
	__atomic_store_n(&s.stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	vm_free(&t);
}

TEST_HARNESS_MAIN
