// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: the dirty log of a slot names every page that was written since it was read last, and
 * no other: few pages or many, written by the guest or for it, also while a vCPU runs.
 */
#include <err.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>

#include "lib/vm.h"

#define GPA	0x800000
#define PAGES	1500		/* more than a processor that logs them by itself has room for */

GUEST64(writer, "mov $0x800000, %ebx; mov $0x55, %eax; mov %eax, (%rbx); hlt");
/* rcx pages, rsi bytes from one to the next */
GUEST64(write_many, "mov $0x800000, %ebx; 1: incl (%rbx); add %rsi, %rbx; dec %ecx; jnz 1b; hlt");
GUEST64(read_many, "mov $0x800000, %ebx; 1: mov (%rbx), %eax; add %rsi, %rbx; dec %ecx; jnz 1b; hlt");
GUEST64(input, "mov $0x800ffe, %edi; mov $0x10, %edx; mov $4, %ecx; rep insb; hlt");
/* Round and round: another page, another word, each time. */
GUEST64(endless, "1: mov $0x800000, %ebx; mov $64, %ecx; 2: incl (%rbx, %rsi); add $0x1000, %rbx;"
	"dec %ecx; jnz 2b; add $4, %esi; and $0xfff, %esi; pause; jmp 1b");

GUEST64(stayer, "mov $0x40000, %edx; incl 4(%rdx); mov $0x800000, %ebx; mov (%rbx), %eax;"
	"incl (%rbx); incl (%rdx); 1: jmp 1b");

static int get_log(struct test_vm *t, void *bits)
{
	struct minikvm_dirty_log log = { .slot = 1, .dirty_bitmap = bits };

	return ioctl(t->vm, MINIKVM_GET_DIRTY_LOG, &log);
}

static void walk(struct test_vm *t, const uint8_t *code, const uint8_t *end, int n, int step)
{
	struct minikvm_regs r;

	guest_long(t, code, end);
	r = vm_regs(t);
	r.rcx = n;
	r.rsi = step * 4096;
	vm_set_regs(t, r);
}

TEST(the_dirty_log_names_the_page_written)
{
	uint64_t bits = 0;
	struct test_vm t;
	void *p = vm_small_pages(4);

	vm_make(&t, false);
	guest_long(&t, writer, writer_end);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA - 0x1000, 0x4000, p));
	ASSERT_EQ(-1, get_log(&t, &bits));
	ASSERT_EQ(ENOENT, errno);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA - 0x1000, 0x4000, p));
	EXPECT_HLT(&t);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(2, bits);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(0, bits);
	guest_long(&t, writer, writer_end);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(2, bits);
	vm_free(&t);
}

TEST(a_log_that_nobody_got_is_not_lost)
{
	uint64_t bits = 0;
	struct test_vm t;
	void *p = vm_small_pages(4);

	if (test_on_kvm())
		SKIP(return, "KVM loses it");
	vm_make(&t, false);
	guest_long(&t, writer, writer_end);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA - 0x1000, 0x4000, p));
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, get_log(&t, (void *)8));
	ASSERT_EQ(EFAULT, errno);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(2, bits);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(0, bits);
	vm_free(&t);
}

/* A slot that moves takes along what is in its log. */
TEST(a_slot_that_moves_keeps_its_log)
{
	uint64_t bits = 0;
	struct test_vm t;
	void *p = vm_small_pages(4);

	vm_make(&t, false);
	guest_long(&t, writer, writer_end);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA - 0x1000, 0x4000, p));
	EXPECT_HLT(&t);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA - 0x2000, 0x4000, p));
	guest_long(&t, writer, writer_end);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(6, bits);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(0, bits);
	vm_free(&t);
}

/* Is exactly every @step-th page in the log? -1, or the first that is wrong. */
static int wrong_page(struct test_vm *t, int step)
{
	uint64_t bits[(PAGES + 63) / 64] = { };
	int i;

	if (get_log(t, bits))
		return -2;
	for (i = 0; i < PAGES; i++)
		if ((bits[i / 64] >> i % 64 & 1) != (step && i % step == 0))
			return i;
	return -1;
}

TEST(the_dirty_log_names_every_page_of_many)
{
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA, PAGES * 4096,
			     vm_small_pages(PAGES)));
	walk(&t, write_many, write_many_end, PAGES, 1);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, wrong_page(&t, 1));
	ASSERT_EQ(-1, wrong_page(&t, 0));
	walk(&t, read_many, read_many_end, PAGES, 1);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, wrong_page(&t, 0));
	walk(&t, write_many, write_many_end, PAGES / 3, 3);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, wrong_page(&t, 3));
	/* All of them are mapped now: who logs by itself does so again and again until it is full. */
	walk(&t, write_many, write_many_end, PAGES, 1);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, wrong_page(&t, 1));
	vm_free(&t);
}

/* What is mapped already, for reading or by a slot that was not logged. */
TEST(logging_may_begin_late)
{
	struct test_vm t;
	void *p = vm_small_pages(PAGES);

	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, PAGES * 4096, p));
	walk(&t, write_many, write_many_end, PAGES, 1);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA, PAGES * 4096, p));
	walk(&t, read_many, read_many_end, PAGES, 1);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, wrong_page(&t, 0));
	walk(&t, write_many, write_many_end, PAGES / 5, 5);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, wrong_page(&t, 5));
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, PAGES * 4096, p));
	walk(&t, write_many, write_many_end, PAGES, 1);
	EXPECT_HLT(&t);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA, PAGES * 4096, p));
	ASSERT_EQ(-1, wrong_page(&t, 0));
	/* Nothing is left over from the time between. */
	walk(&t, read_many, read_many_end, PAGES, 1);
	EXPECT_HLT(&t);
	ASSERT_EQ(-1, wrong_page(&t, 0));
	vm_free(&t);
}

/* INS across a page boundary: the kernel stores the bytes. */
TEST(what_the_kernel_writes_for_the_guest_is_logged)
{
	uint64_t bits = 0;
	struct test_vm t;

	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA, 4 * 4096, vm_small_pages(4)));
	guest_long(&t, input, input_end);
	while (vm_run(&t) == MINIKVM_EXIT_IO)
		memset(vm_io_data(&t), 0x11, t.run->io.count);
	ASSERT_EQ(MINIKVM_EXIT_HLT, t.run->exit_reason);
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(3, bits);
	vm_free(&t);
}

static void nothing(int sig)
{
}

static void stay_on(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* On a processor of its own, if there are two. */
static void *run_thread(void *arg)
{
	struct test_vm *t = arg;

	stay_on(sysconf(_SC_NPROCESSORS_ONLN) - 1);
	while (vm_run(t) != -EINTR)
		;
	return NULL;
}

static void end_run(struct test_vm *t, pthread_t thread)
{
	__atomic_store_n(&t->run->immediate_exit, 1, __ATOMIC_RELEASE);
	pthread_kill(thread, SIGUSR1);
	pthread_join(thread, NULL);
}

/* Some emulated processors hold the host's interrupts off while the guest's are. */
static void interruptible(struct test_vm *t)
{
	struct minikvm_regs r = vm_regs(t);

	r.rflags |= 1 << 9;
	vm_set_regs(t, r);
}

/* Copy what the log names. */
static void copy(struct test_vm *t, uint8_t *to, const uint8_t *from)
{
	uint64_t bits = 0;
	int i;

	if (get_log(t, &bits))
		err(1, "GET_DIRTY_LOG");
	for (i = 0; i < 64; i++)
		if (bits >> i & 1)
			memcpy(to + i * 4096, from + i * 4096, 4096);
}

/* The guest writes a page, says so in memory that is not logged, and leaves for neither. */
TEST(a_write_is_in_the_log_before_the_guest_has_left)
{
	/* There: the guest's read maps it to be written. */
	uint8_t *p = memset(vm_small_pages(1), 1, 4096);
	volatile uint32_t *said;
	uint64_t bits = 0;
	pthread_t thread;
	struct test_vm t;

	stay_on(0);
	signal(SIGUSR1, nothing);
	vm_make(&t, false);
	said = (void *)(t.mem + G_DATA);
	guest_long(&t, stayer, stayer_end);
	interruptible(&t);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA, 4096, p));
	pthread_create(&thread, NULL, run_thread, &t);
	while (!*said)
		sched_yield();
	ASSERT_EQ(0, get_log(&t, &bits));
	ASSERT_EQ(1, bits);
	end_run(&t, thread);
	vm_free(&t);
}

/* As a live migration does it: after the last round both sides are the same. */
TEST(no_write_of_a_running_guest_is_missed)
{
	uint8_t *p = vm_small_pages(64), *q = vm_small_pages(64);
	pthread_t thread;
	struct test_vm t;
	int i;

	stay_on(0);
	signal(SIGUSR1, nothing);
	vm_make(&t, false);
	guest_long(&t, endless, endless_end);
	interruptible(&t);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA, 64 * 4096, p));
	pthread_create(&thread, NULL, run_thread, &t);
	while (!*(volatile uint32_t *)p)
		sched_yield();
	for (i = 0; i < 100; i++) {
		sched_yield();
		copy(&t, q, p);
	}
	end_run(&t, thread);
	copy(&t, q, p);
	ASSERT_EQ(0, memcmp(p, q, 64 * 4096));
	ASSERT_NE(0, *(uint32_t *)q);
	vm_free(&t);
}

TEST_HARNESS_MAIN
