// SPDX-License-Identifier: GPL-2.0
/* Claim: guest memory is the process's own: what munmap, mprotect, madvise and fork do to it, the
 * guest sees at once; and a page that has gone bad is its VMM's matter.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <sys/wait.h>

#include "lib/vm.h"

GUEST64(reader, "mov $0x800000, %ebx; 1: mov (%rbx), %eax; out %eax, $0x10; jmp 1b");
GUEST64(writer, "mov $0x800000, %ebx; mov $1, %eax; 1: mov %eax, (%rbx); out %eax, $0x10; inc %eax; jmp 1b");

#define GPA 0x800000

static uint8_t *slot_of_pages(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	uint8_t *p = mmap(NULL, 0x4000, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			  0);

	vm_make(t, false);
	guest_long(t, code, end);
	vm_slot(t, 1, 0, GPA, 0x4000, p);
	return p;
}

TEST(madvise_dontneed_gives_zeroes)
{
	struct test_vm t;
	uint8_t *p = slot_of_pages(&t, reader, reader_end);

	memset(p, 0x11, 4096);
	EXPECT_OUT(&t, 0x10, 0x11111111);
	madvise(p, 4096, MADV_DONTNEED);
	EXPECT_OUT(&t, 0x10, 0);
	memset(p, 0x22, 4096);
	EXPECT_OUT(&t, 0x10, 0x22222222);
	vm_free(&t);
}

TEST(munmap_is_efault_and_a_new_mapping_is_seen)
{
	struct test_vm t;
	uint8_t *p = slot_of_pages(&t, reader, reader_end);

	memset(p, 0x11, 4096);
	EXPECT_OUT(&t, 0x10, 0x11111111);
	munmap(p, 4096);
	ASSERT_EQ(-EFAULT, vm_run(&t));
	ASSERT_EQ(p, mmap(p, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	memset(p, 0x33, 4096);
	EXPECT_OUT(&t, 0x10, 0x33333333);
	vm_free(&t);
}

TEST(mprotect_stops_writes)
{
	struct test_vm t;
	uint8_t *p = slot_of_pages(&t, writer, writer_end);

	EXPECT_OUT(&t, 0x10, 1);
	mprotect(p, 4096, PROT_READ);
	ASSERT_EQ(-EFAULT, vm_run(&t));
	mprotect(p, 4096, PROT_READ | PROT_WRITE);
	EXPECT_OUT(&t, 0x10, 2);
	ASSERT_EQ(2, p[0]);
	vm_free(&t);
}

/* Code in a page that the guest reads and writes, too; and one piece of it is taken away. */
GUEST64(in_huge, "mov $0x800000, %ebx; mov 0x1000(%rbx), %eax; out %eax, $0x10; call *%rbx;"
	"mov 0x1000(%rbx), %eax; out %eax, $0x10; mov %eax, 0x2000(%rbx); mov 0x1000(%rbx), %eax;"
	"out %eax, $0x10; hlt");
GUEST64(called, "incl 0x1000(%rbx); ret");

TEST(a_huge_page_comes_apart)
{
	uint8_t *p = vm_huge_page();
	struct test_vm t;

	if (!p)
		SKIP(return, "no huge page");
	vm_make(&t, false);
	guest_long(&t, in_huge, in_huge_end);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 2 << 20, p));
	memcpy(p, called, called_end - called);
	p[0x1000] = 0x11;
	EXPECT_OUT(&t, 0x10, 0x11);
	EXPECT_OUT(&t, 0x10, 0x12);
	ASSERT_EQ(0x12, p[0x1000]);
	mprotect(p + 0x2000, 4096, PROT_READ);
	ASSERT_EQ(-EFAULT, vm_run(&t));
	p[0x1000] = 0x13;
	mprotect(p + 0x2000, 4096, PROT_READ | PROT_WRITE);
	EXPECT_OUT(&t, 0x10, 0x13);
	ASSERT_EQ(0x12, p[0x2000]);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(fork_keeps_the_guest_with_its_own_process)
{
	struct test_vm t;
	uint8_t *p = slot_of_pages(&t, writer, writer_end);
	int status;
	pid_t pid;

	EXPECT_OUT(&t, 0x10, 1);
	pid = fork();
	if (!pid) {
		struct minikvm_regs r;
		bool ok = ioctl(t.vcpu, MINIKVM_GET_REGS, &r) == -1 && errno == EIO;

		ok = ok && ioctl(t.vm, MINIKVM_CREATE_VCPU, 1) == -1 && errno == EIO;
		usleep(10000);
		_exit(ok && p[0] == 1 ? 0 : 1);
	}
	EXPECT_OUT(&t, 0x10, 2);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
	ASSERT_EQ(2, p[0]);
	vm_free(&t);
}

static volatile void *poisoned_at;

static void on_bus(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (info->si_code == BUS_MCEERR_AR)
		poisoned_at = info->si_addr;
}

/* The host finds a page defective: the thread that needs it hears of it, the others live on. */
TEST(a_poisoned_page_is_sigbus_for_the_vcpus_thread)
{
	struct sigaction sa = { .sa_sigaction = on_bus, .sa_flags = SA_SIGINFO };
	struct test_vm t;
	uint8_t *p = slot_of_pages(&t, reader, reader_end);

	sigaction(SIGBUS, &sa, NULL);
	memset(p, 0x11, 4096);
	EXPECT_OUT(&t, 0x10, 0x11111111);
	if (!getenv("MINIKVM_POISON"))
		SKIP(return, "it costs the host a page until it boots: MINIKVM_POISON=y");
	if (madvise(p, 4096, MADV_HWPOISON))
		SKIP(return, "no MADV_HWPOISON: %s", strerror(errno));
	poisoned_at = NULL;	/* madvise() says so, too */
	ASSERT_EQ(-EINTR, vm_run(&t));
	ASSERT_EQ(p, poisoned_at);
	/* The VMM gives it another page. */
	ASSERT_EQ(p, mmap(p, 4096, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0));
	memset(p, 0x22, 4096);
	EXPECT_OUT(&t, 0x10, 0x22222222);
	vm_free(&t);
}

TEST_HARNESS_MAIN
