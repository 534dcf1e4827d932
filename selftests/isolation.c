// SPDX-License-Identifier: GPL-2.0
/* Claim: what a guest puts into registers that it shares with the host in time (vectors, XCR0,
 * segments, breakpoints) is never seen by the host's program, nor by another guest, and the
 * host's values are there again after every exit.
 */
#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sys/syscall.h>

#include "lib/vm.h"

GUEST64(vectors, "mov $0x5a5a5a5a, %eax; movd %eax, %xmm0; pshufd $0, %xmm0, %xmm0;"
	"movdqa %xmm0, %xmm7; movdqa %xmm0, %xmm15; fldpi; out %al, $0x10;"
	"movd %xmm0, %ebx; movd %xmm7, %ecx; movd %xmm15, %edx; hlt");
GUEST64(x87_only, "mov %cr4, %rax; bts $18, %rax; mov %rax, %cr4; xor %ecx, %ecx; xor %edx, %edx;"
	"mov $1, %eax; xsetbv; out %al, $0x10; hlt");
GUEST64(segments, "mov $16, %eax; mov %ax, %ds; mov %ax, %es; mov %ax, %fs; mov %ax, %gs;"
	"mov $0xc0000100, %ecx; mov $0x1234, %eax; xor %edx, %edx; wrmsr; inc %ecx; wrmsr;"
	"inc %ecx; wrmsr; out %al, $0x10; hlt");
GUEST64(breakpoints, "mov $0x1000, %eax; mov %rax, %db0; mov %rax, %db1; mov %rax, %db2;"
	"mov %rax, %db3; mov $0x4aa, %eax; mov %rax, %db7; out %al, $0x10; out %al, $0x11; hlt");

static __thread volatile int thread_local_value = 42;

/* RUN with all 16 vector registers known before, and stored after. */
static long run_with_vectors(int vcpu, uint8_t (*after)[16])
{
	long ret;

	asm volatile("pcmpeqd %%xmm0, %%xmm0; movdqa %%xmm0, %%xmm7; movdqa %%xmm0, %%xmm15;"
		     "syscall;"
		     "movdqu %%xmm0, (%[p]); movdqu %%xmm7, 16(%[p]); movdqu %%xmm15, 32(%[p])"
		     : "=a"(ret)
		     : "a"(SYS_ioctl), "D"((long)vcpu), "S"((long)MINIKVM_RUN), "d"(0l), [p] "r"(after)
		     : "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
	return ret;
}

TEST(vector_registers)
{
	uint8_t ones[16], after[3][16];
	struct minikvm_fpu f;
	struct test_vm t, other;
	int i;

	memset(ones, 0xff, 16);
	vm_make(&t, false);
	guest_long(&t, vectors, vectors_end);
	ASSERT_EQ(0, run_with_vectors(t.vcpu, after));
	ASSERT_EQ(MINIKVM_EXIT_IO, t.run->exit_reason);
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, memcmp(after[i], ones, 16));
	vm_make(&other, false);
	ASSERT_EQ(0, ioctl(other.vcpu, MINIKVM_GET_FPU, &f));
	for (i = 0; i < 16; i++)
		ASSERT_EQ(0, f.xmm[i][0]);
	ASSERT_EQ(0, f.fsw);
	EXPECT_HLT(&t);
	ASSERT_EQ(0x5a5a5a5a, vm_regs(&t).rbx);
	ASSERT_EQ(0x5a5a5a5a, vm_regs(&t).rcx);
	ASSERT_EQ(0x5a5a5a5a, vm_regs(&t).rdx);
	vm_free(&other);
	vm_free(&t);
}

static uint64_t xgetbv(void)
{
	uint32_t low, high;

	asm volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
	return low | (uint64_t)high << 32;
}

TEST(xcr0)
{
	struct minikvm_xcrs x;
	struct test_vm t;
	uint64_t before;

	vm_make(&t, false);
	if (ioctl(t.dev, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_XCRS) <= 0 ||
	    ioctl(t.vcpu, MINIKVM_GET_XCRS, &x) || !x.nr_xcrs)
		SKIP(return, "no XSAVE");
	before = xgetbv();
	guest_long(&t, x87_only, x87_only_end);
	EXPECT_OUT(&t, 0x10, 1);
	ASSERT_EQ(before, xgetbv());
	ASSERT_EQ(0, ioctl(t.vcpu, MINIKVM_GET_XCRS, &x));
	ASSERT_EQ(1, x.xcrs[0].value);
	EXPECT_HLT(&t);
	vm_free(&t);
}

TEST(segments_and_thread_locals)
{
	uint16_t ds, es, fs, gs, now;
	struct test_vm t;

	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	vm_make(&t, false);
	guest_long(&t, segments, segments_end);
	EXPECT_OUT(&t, 0x10, 0x34);
	ASSERT_EQ(42, thread_local_value);
	asm volatile("mov %%ds, %0" : "=r"(now));
	ASSERT_EQ(ds, now);
	asm volatile("mov %%es, %0" : "=r"(now));
	ASSERT_EQ(es, now);
	asm volatile("mov %%fs, %0" : "=r"(now));
	ASSERT_EQ(fs, now);
	asm volatile("mov %%gs, %0" : "=r"(now));
	ASSERT_EQ(gs, now);
	ASSERT_EQ(0x1234, vm_sregs(&t).fs.base);
	EXPECT_HLT(&t);
	vm_free(&t);
}

static volatile long watched;

static int watch(volatile void *address)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_BREAKPOINT, .size = sizeof(attr), .bp_type = HW_BREAKPOINT_W,
		.bp_addr = (uintptr_t)address, .bp_len = HW_BREAKPOINT_LEN_8,
	};

	return syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0);
}

TEST(a_breakpoint_of_the_host)
{
	struct test_vm t;
	uint64_t count;
	int fd = watch(&watched);

	if (fd < 0)
		SKIP(return, "no breakpoints for this process: %s", strerror(errno));
	vm_make(&t, false);
	guest_long(&t, breakpoints, breakpoints_end);
	watched = 1;
	EXPECT_OUT(&t, 0x10, 0xaa);
	watched = 2;
	EXPECT_OUT(&t, 0x11, 0xaa);
	watched = 3;
	ASSERT_EQ(8, read(fd, &count, 8));
	ASSERT_EQ(3, count);
	close(fd);
	vm_free(&t);
}

TEST_HARNESS_MAIN
