// SPDX-License-Identifier: GPL-2.0
/* Claim: slots are created, deleted, moved and re-flagged as KVM does, also while a vCPU runs, and
 * a guest sees only what its slots hold; no handler uses a slot that is gone.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

#include "lib/vm.h"

GUEST64(reader, "mov $0x800000, %ebx; 1: mov (%rbx), %eax; out %eax, $0x10; jmp 1b");
GUEST64(writer, "mov $0x800000, %ebx; mov $0x55, %eax; mov %eax, (%rbx); hlt");
GUEST64(toucher, "mov $0x800000, %ebx; 1: incl (%rbx); mov (%rbx), %eax; pause; jmp 1b");
GUEST16(halts, "hlt");
GUEST64(outs, "mov $0x800000, %esi; mov $0x10, %edx; outsb; hlt");

#define GPA 0x800000

static void *pages(size_t n, uint8_t fill)
{
	void *p = mmap(NULL, n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(p, fill, n * 4096);
	return p;
}

TEST(arguments_that_make_no_sense_are_refused)
{
	struct test_vm t;
	void *p = pages(2, 0);

	vm_make(&t, false);
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, GPA + 1, 4096, p));
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, GPA, 4095, p));
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, GPA, 4096, p + 1));
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0x80, GPA, 4096, p));
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, -4096ull, 8192, p));
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, 1ull << 52, 4096, p));	/* no CPU has such addresses */
	ASSERT_EQ(-EINVAL, vm_slot(&t, 0xffff, 0, GPA, 4096, p));
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, GPA, 0, p));		/* delete of nothing */
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, GPA, 4096, (void *)-4096ull));
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 4096, p));
	ASSERT_EQ(-EEXIST, vm_slot(&t, 2, 0, GPA, 4096, p));
	ASSERT_EQ(-EEXIST, vm_slot(&t, 2, 0, GPA - 4096, 8192, p));
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, GPA, 8192, p));		/* other size */
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, 0, GPA, 4096, p + 4096));	/* other memory */
	ASSERT_EQ(-EINVAL, vm_slot(&t, 1, MINIKVM_MEM_READONLY, GPA, 4096, p));
	ASSERT_EQ(0, vm_slot(&t, 2, 0, GPA + 4096, 4096, p));		/* the same memory twice */
	vm_free(&t);
}

TEST(the_longer_struct_makes_the_same_slot)
{
	struct minikvm_userspace_memory_region2 r = {
		.slot = 1, .guest_phys_addr = GPA, .memory_size = 4096,
	};
	struct test_vm t;

	vm_make(&t, false);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_USER_MEMORY2) <= 0)
		SKIP(return, "no SET_USER_MEMORY_REGION2");
	r.userspace_addr = (uintptr_t)pages(1, 0x11);
	guest_long(&t, reader, reader_end);
	r.flags = 1 << 2;	/* memory for the guest only */
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_SET_USER_MEMORY_REGION2, &r));
	ASSERT_EQ(EINVAL, errno);
	r.flags = 0;
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_USER_MEMORY_REGION2, &r));
	EXPECT_OUT(&t, 0x10, 0x11111111);
	vm_free(&t);
}

TEST(a_deleted_slot_is_a_hole_and_a_moved_one_is_elsewhere)
{
	struct test_vm t;
	void *p = pages(1, 0x11);

	vm_make(&t, false);
	guest_long(&t, reader, reader_end);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 4096, p));
	EXPECT_OUT(&t, 0x10, 0x11111111);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA + 0x10000, 4096, p));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	memset(t.run->mmio.data, 0x22, 4);
	EXPECT_OUT(&t, 0x10, 0x22222222);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 4096, p));
	EXPECT_OUT(&t, 0x10, 0x11111111);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 0, p));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	vm_free(&t);
}

TEST(a_write_to_a_read_only_slot_is_mmio)
{
	struct test_vm t;
	uint8_t *p = pages(1, 0x11);

	vm_make(&t, false);
	guest_long(&t, writer, writer_end);
	ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_READONLY, GPA, 4096, p));
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	ASSERT_EQ(1, t.run->mmio.is_write);
	ASSERT_EQ(GPA, t.run->mmio.phys_addr);
	EXPECT_HLT(&t);
	ASSERT_EQ(0x11, p[0]);
	vm_free(&t);
}

static volatile bool stop;

/* Runs until it is told to stop; gives the last exit, or the first that is none of a slot. */
static void *run_thread(void *arg)
{
	struct test_vm *t = arg;
	long exit = MINIKVM_EXIT_MMIO;

	while (!stop && (exit == MINIKVM_EXIT_MMIO || exit == -EINTR))
		exit = vm_run(t);
	return (void *)exit;
}

TEST(slots_change_under_a_running_guest)
{
	struct test_vm t;
	pthread_t thread;
	void *p = pages(1, 0), *exit;
	int i;

	vm_make(&t, false);
	guest_long(&t, toucher, toucher_end);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 4096, p));
	pthread_create(&thread, NULL, run_thread, &t);
	for (i = 0; i < 100; i++) {
		ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 0, p));
		ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 4096, p));
		ASSERT_EQ(0, vm_slot(&t, 1, MINIKVM_MEM_LOG_DIRTY_PAGES, GPA, 4096, p));
		ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA + 0x1000, 4096, p));
	}
	stop = true;
	t.run->immediate_exit = 1;
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA + 0x1000, 0, p));
	pthread_join(thread, &exit);
	ASSERT_TRUE((long)exit == MINIKVM_EXIT_MMIO || (long)exit == -EINTR)
		TH_LOG("exit %ld", (long)exit);
	vm_free(&t);
}

/* The host has all pages at hand, and a fault may map as many of them as it likes. */
TEST(a_guest_may_begin_in_frame_0)
{
	struct minikvm_regs r;
	struct test_vm t;

	vm_make(&t, false);
	if (madvise(t.mem, G_SIZE, MADV_NOHUGEPAGE))
		ASSERT_EQ(EINVAL, errno);	/* a kernel without any */
	ASSERT_EQ(0, madvise(t.mem, G_SIZE, MADV_DONTNEED));
	memset(t.mem, 0x90, G_SIZE);
	guest_real(&t, halts, halts_end);
	memcpy(t.mem, halts, halts_end - halts);
	r = vm_regs(&t);
	r.rip = 0;
	vm_set_regs(&t, r);
	EXPECT_HLT(&t);
	vm_free(&t);
}

/* ---- a handler that is in the middle of reading guest memory */

/* Memory whose first access waits until somebody gives it a page. */
static int waiting_memory(void *p)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = {
		.range = { (uintptr_t)p, 4096 }, .mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) || ioctl(fd, UFFDIO_REGISTER, &range))
		return -1;
	return fd;
}

static int deleted;

static void *delete_thread(void *arg)
{
	struct test_vm *t = arg;

	__atomic_store_n(&deleted, vm_slot(t, 1, 0, GPA, 0, NULL) ? -1 : 1, __ATOMIC_RELEASE);
	return NULL;
}

static void *run_once_thread(void *arg)
{
	return (void *)(long)vm_run(arg);
}

#define APIC	0xfee00000

/* With the chips in the kernel: where the local APICs are there is no slot. */
TEST(no_slot_hides_the_local_apic)
{
	void *p = pages(4, 0);
	struct test_vm t;

	vm_make(&t, true);
	ASSERT_EQ(-EEXIST, vm_slot(&t, 1, 0, APIC, 4096, p));
	ASSERT_EQ(-EEXIST, vm_slot(&t, 1, 0, APIC - 0x2000, 0x3000, p));
	ASSERT_EQ(0, vm_slot(&t, 1, 0, APIC + 0x1000, 0x2000, p));
	ASSERT_EQ(-EEXIST, vm_slot(&t, 1, 0, APIC - 0x1000, 0x2000, p));	/* moved */
	ASSERT_EQ(0, vm_slot(&t, 1, 0, APIC - 0x2000, 0x2000, p));
	vm_free(&t);
	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, APIC, 4096, p));
	vm_free(&t);
}

TEST(no_local_apic_where_a_slot_is)
{
	void *p = pages(4, 0);
	struct test_vm t = { .dev = test_open() };
	int vcpu;

	t.vm = ioctl(t.dev, MINIKVM_CREATE_VM, 0);
	ASSERT_LE(0, t.vm);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_SET_TSS_ADDR, 0xfffbd000));
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_IRQCHIP, 0));
	ASSERT_EQ(0, vm_slot(&t, 1, 0, APIC - 0x1000, 0x2000, p));
	ASSERT_EQ(-1, ioctl(t.vm, MINIKVM_CREATE_VCPU, 0));
	ASSERT_EQ(EEXIST, errno);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, APIC - 0x1000, 0, p));
	vcpu = ioctl(t.vm, MINIKVM_CREATE_VCPU, 0);
	ASSERT_LE(0, vcpu);
	close(vcpu);
	close(t.vm);
	close(t.dev);
}

TEST(a_delete_waits_for_the_handler_that_uses_the_slot)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_zeropage page = { .range = { (uintptr_t)p, 4096 } };
	int fd = waiting_memory(p);
	struct pollfd fault = { .fd = fd, .events = POLLIN };
	pthread_t running, deleting;
	struct test_vm t;
	void *exit;

	if (fd < 0)
		SKIP(return, "no userfaultfd");
	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 4096, p));
	guest_long(&t, outs, outs_end);
	pthread_create(&running, NULL, run_once_thread, &t);
	ASSERT_EQ(1, poll(&fault, 1, 10000));
	ASSERT_EQ(POLLIN, fault.revents);
	pthread_create(&deleting, NULL, delete_thread, &t);
	usleep(50000);
	ASSERT_EQ(0, __atomic_load_n(&deleted, __ATOMIC_ACQUIRE));
	ASSERT_EQ(0, ioctl(fd, UFFDIO_ZEROPAGE, &page));
	pthread_join(deleting, NULL);
	ASSERT_EQ(1, deleted);
	pthread_join(running, &exit);
	ASSERT_EQ(MINIKVM_EXIT_IO, (long)exit);
	ASSERT_EQ(0, *(uint8_t *)vm_io_data(&t));
	close(fd);
	vm_free(&t);
}

static void note_signal(int sig)
{
}

/* Until the thread is done, or for so many milliseconds. */
static int ends_within(pthread_t thread, int ms, void **ret)
{
	while (pthread_tryjoin_np(thread, ret) && ms--)
		usleep(1000);
	return ms >= 0;
}

/* Before Linux 6.2 a wait for memory ends with a signal that kills, and with no other. */
static bool waits_in_vain(void)
{
	struct utsname name;
	int major, minor;

	return uname(&name) || sscanf(name.release, "%d.%d", &major, &minor) != 2 ||
	       (major == 6 && minor < 2);
}

/* Where memory comes late, over a network, a VMM wants its threads back meanwhile. */
TEST(a_signal_ends_the_wait_for_memory)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_zeropage page = { .range = { (uintptr_t)p, 4096 } };
	struct sigaction action = { .sa_handler = note_signal };
	int fd = waiting_memory(p), ended;
	struct pollfd fault = { .fd = fd, .events = POLLIN };
	pthread_t running;
	struct test_vm t;
	void *exit;

	if (fd < 0 || waits_in_vain())
		SKIP(return, "no userfaultfd, or none that a signal interrupts");
	sigaction(SIGUSR1, &action, NULL);
	vm_make(&t, false);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, GPA, 4096, p));
	guest_long(&t, writer, writer_end);
	pthread_create(&running, NULL, run_once_thread, &t);
	ASSERT_EQ(1, poll(&fault, 1, 10000));
	pthread_kill(running, SIGUSR1);
	ended = ends_within(running, 3000, &exit);
	ASSERT_EQ(0, ioctl(fd, UFFDIO_ZEROPAGE, &page));
	ASSERT_EQ(1, ended);
	ASSERT_EQ(-EINTR, (long)exit);
	ASSERT_EQ(MINIKVM_EXIT_INTR, t.run->exit_reason);
	EXPECT_HLT(&t);
	ASSERT_EQ(0x55, *(uint8_t *)p);
	close(fd);
	vm_free(&t);
}

TEST_HARNESS_MAIN
