// SPDX-License-Identifier: GPL-2.0
/* Claim: neither a guest nor a caller that does its worst gets more than an error: scribbled run
 * pages, random ioctls, every MSR, device memory as guest memory, somebody else's device; and no
 * byte of kernel memory comes out.
 */
#include <grp.h>
#include <pthread.h>
#include <sys/sysmacros.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "lib/vm.h"

GUEST64(busy, "mov $0xd0000000, %ebx; 1: out %al, $0x10; in $0x11, %eax; mov %eax, (%rbx);"
	"mov (%rbx), %ecx; cpuid; mov $0x40000, %edi; mov $3, %ecx; mov $0x12, %edx; rep insb; jmp 1b");
/* RBX: first MSR, RBP: number; each is read, written back, and written with RSI and RDI. A
 * #GP comes to the handler at 3, which drops the frame and goes on with the next step.
 */
GUEST64(msrs, "lea 3f(%rip), %rax; mov %ax, 0x50d0; mov %rsp, %r15; 1: mov %ebx, %ecx;"
	"lea 2f(%rip), %r14; rdmsr; lea 4f(%rip), %r14; wrmsr; 4: mov %ebx, %ecx; lea 5f(%rip), %r14;"
	"mov %esi, %eax; mov %rsi, %rdx; shr $32, %rdx; wrmsr; 5: lea 2f(%rip), %r14; mov %ebx, %ecx;"
	"mov %edi, %eax; mov %rdi, %rdx; shr $32, %rdx; wrmsr; 2: inc %ebx; dec %ebp; jnz 1b; out %al, $0x10;"
	"3: mov %r15, %rsp; jmp *%r14");
GUEST64(reader, "mov $0x800000, %ebx; mov (%rbx), %eax; out %eax, $0x10; hlt");

static volatile bool stop;

static uint32_t rnd(void)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state >> 16;
}

static void *scribble(void *arg)
{
	volatile uint32_t *page = arg;

	while (!stop)
		page[rnd() % (3 * 1024)] = rnd();
	return NULL;
}

TEST(a_scribbled_run_page)
{
	struct test_vm t;
	pthread_t thread;
	int i;

	vm_make(&t, false);
	guest_long(&t, busy, busy_end);
	pthread_create(&thread, NULL, scribble, t.run);
	for (i = 0; i < 3000; i++) {
		if (ioctl(t.vcpu, MINIKVM_RUN, 0))
			ASSERT_TRUE(errno == EINTR || errno == EINVAL) TH_LOG("errno %d", errno);
		if (i % 64 == 0)	/* let the other thread in */
			sched_yield();
	}
	stop = true;
	pthread_join(thread, NULL);
	vm_free(&t);
	vm_make(&t, false);		/* and all is well */
	guest_long(&t, reader, reader_end);
	ASSERT_EQ(MINIKVM_EXIT_MMIO, vm_run(&t));
	vm_free(&t);
}

static int sweep(struct test_vm *t, uint32_t first, uint32_t n)
{
	struct minikvm_regs r;

	guest_long(t, msrs, msrs_end);
	r = vm_regs(t);
	r.rbx = first;
	r.rbp = n;
	r.rsi = ~0ull;
	r.rdi = 1ull << 47;
	vm_set_regs(t, r);
	return vm_run(t);
}

TEST(every_msr)
{
	static const struct { uint32_t first, n; } ranges[] = {
		/* LSTAR and the like take a value; EFER is the range's end */
		{ 0, 0x1b }, { 0x1c, 0x7ff - 0x1c }, { 0x800, 0x100 }, { 0x1000, 0x1000 },
		{ 0x40000000, 0x100 }, { 0xc0000081, 0x100 }, { 0xc0001000, 0x400 },
	};
	struct minikvm_regs r;
	struct test_vm t;
	size_t i;

	for (i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		vm_make(&t, i & 1);
		ASSERT_EQ(MINIKVM_EXIT_IO, sweep(&t, ranges[i].first, ranges[i].n))
			TH_LOG("stopped at MSR %#llx", vm_regs(&t).rbx);
		r = vm_regs(&t);
		ASSERT_EQ(ranges[i].first + ranges[i].n, (uint32_t)r.rbx);
		vm_free(&t);
	}
}

TEST(random_ioctls)
{
	static uint8_t junk[8192];
	struct test_vm t;
	int i, j;

	for (j = 0; j < 20; j++) {
		vm_make(&t, j & 1);
		guest_long(&t, busy, busy_end);
		for (i = 0; i < 1500; i++) {
			int fds[] = { t.dev, t.vm, t.vcpu, t.vcpu };
			/* Direction, size and number as KVM's are; CREATE_VM and CREATE_VCPU would
			 * only use up fds.
			 */
			uint32_t nr = rnd() % 0xe4, size = (rnd() % 3) ? rnd() % 600 : 0;
			uint32_t dir = size ? 1 + rnd() % 3 : 0;
			size_t k;

			if (nr == 1 || nr == 0x41)
				continue;
			t.run->immediate_exit = 1;
			for (k = 0; k < 64; k++)
				junk[rnd() % sizeof(junk)] = rnd();
			ioctl(fds[rnd() % 4], dir << 30 | size << 16 | 0xae00 | nr,
			      (rnd() & 7) ? junk : (void *)(uintptr_t)rnd());
		}
		vm_free(&t);
	}
}

static bool kernel_pointer(const uint8_t *p, size_t n)
{
	for (; n >= 8; p++, n--)
		if (p[7] == 0xff && p[6] == 0xff && (p[5] & 0xf0) >= 0x80 && p[5] != 0xff)
			return true;
	return false;
}

/*
 * What memory has where nobody wrote: the stack, in a DEBUG build, which fills it with 0xfe, and
 * the heap, fresh and freed, with slub_debug=P.
 */
static bool poison(const uint8_t *p, size_t n)
{
	for (; n >= 3; p++, n--)
		if ((*p == 0xfe || *p == 0x5a || *p == 0x6b) && p[1] == *p && p[2] == *p)
			return true;
	return false;
}

#define EXPECT_CLEAN(p, n, what) do {					\
	size_t size_ = n;						\
									\
	EXPECT_FALSE(kernel_pointer(p, size_)) TH_LOG("an address: %s", what); \
	EXPECT_FALSE(poison(p, size_)) TH_LOG("poison: %s", what);	\
} while (0)

static size_t stats(int of, uint8_t *to, size_t max)
{
	int fd = ioctl(of, MINIKVM_GET_STATS_FD);
	ssize_t n = read(fd, to, max);

	close(fd);
	return n > 0 ? n : 0;
}

TEST(get_ioctls_fill_every_byte_and_show_nothing_of_the_kernel)
{
	static const struct { const char *name; unsigned long nr; bool of_vm, runs; } gets[] = {
#define GET(name) { #name, MINIKVM_GET_##name }
		GET(REGS), GET(SREGS), GET(FPU), GET(LAPIC), GET(MP_STATE), GET(VCPU_EVENTS),
		GET(DEBUGREGS), GET(XSAVE), GET(XCRS),
		{ "PIT2", MINIKVM_GET_PIT2, .of_vm = true },
		{ "CLOCK", MINIKVM_GET_CLOCK, .of_vm = true, .runs = true },
	};
	static uint8_t a[4096], b[4096];
	struct minikvm_pit_config pit = {};
	struct test_vm t;
	size_t i;

	vm_make(&t, true);
	ASSERT_EQ(0, ioctl(t.vm, MINIKVM_CREATE_PIT2, &pit));
	for (i = 0; i < sizeof(gets) / sizeof(gets[0]); i++) {
		size_t size = gets[i].nr >> 16 & 0x3fff;
		int fd = gets[i].of_vm ? t.vm : t.vcpu;

		memset(a, 0x5c, sizeof(a));
		memset(b, 0xa3, sizeof(b));
		ASSERT_EQ(0, ioctl(fd, gets[i].nr, a)) TH_LOG("%s", gets[i].name);
		ASSERT_EQ(0, ioctl(fd, gets[i].nr, b)) TH_LOG("%s", gets[i].name);
		if (!gets[i].runs)
			ASSERT_EQ(0, memcmp(a, b, size)) TH_LOG("%s", gets[i].name);
		if (size < sizeof(a))
			ASSERT_EQ(0x5c, a[size]);
		EXPECT_CLEAN(a, size, gets[i].name);
	}
	EXPECT_CLEAN((uint8_t *)t.run, 3 * 4096, "the run page");
	EXPECT_CLEAN(a, stats(t.vm, a, sizeof(a)), "statistics of a VM");
	EXPECT_CLEAN(a, stats(t.vcpu, a, sizeof(a)), "statistics of a vCPU");
	vm_free(&t);
}

TEST(device_memory_is_no_guest_memory)
{
	struct test_vm t;
	void *rom;
	int fd;

	if (test_on_kvm())
		SKIP(return, "KVM maps it");
	mknod("/tmp/mem", S_IFCHR | 0600, makedev(1, 1));
	fd = open("/tmp/mem", O_RDWR);
	rom = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0xf0000);
	if (rom == MAP_FAILED)
		SKIP(return, "no /dev/mem");
	vm_make(&t, false);
	guest_long(&t, reader, reader_end);
	ASSERT_EQ(0, vm_slot(&t, 1, 0, 0x800000, 4096, rom));
	ASSERT_EQ(-EFAULT, vm_run(&t));
	vm_free(&t);
}

/* A udev rule may let a group in, and nobody else. */
TEST(nobody_opens_the_device)
{
	struct stat st;
	int status;
	pid_t pid;

	if (test_on_kvm())
		SKIP(return, "it is KVM's to say");
	ASSERT_EQ(0, stat(test_device(), &st));
	ASSERT_EQ(0, st.st_uid);
	ASSERT_EQ(0, st.st_mode & 07);
	if (geteuid())
		SKIP(return, "only root can be somebody else");
	pid = fork();
	if (!pid)
		_exit(setgroups(0, NULL) || setgid(65534) || setuid(65534) || open(test_device(), O_RDWR) >= 0 || errno != EACCES);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	ASSERT_EQ(0, status);
}

TEST_HARNESS_MAIN
