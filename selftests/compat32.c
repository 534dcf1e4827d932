// SPDX-License-Identifier: GPL-2.0
/*
 * Claim: a 32-bit process drives a VM with the same layouts: slots, registers, RUN, the mapped
 * run page; and what has pointers in it: a log of dirty pages, a filter of MSRs. Built without
 * a C library, which has no 32-bit part everywhere: it speaks to the kernel with int $0x80 and
 * prints TAP itself.
 */
#include <linux/minikvm.h>

#define MEMORY	0x10000
#define CODE	0x1000

enum { SYS_EXIT = 1, SYS_WRITE = 4, SYS_OPEN = 5, SYS_IOCTL = 54, SYS_MMAP2 = 192 };
enum { O_RDWR_ = 2, PROT_RW = 3, MAP_SHARED_ = 1, MAP_ANON_PRIVATE = 0x22 };

static long call(long nr, long a, long b, long c, long d, long e, long f)
{
	long ret;

	asm volatile("push %%ebp; mov %[f], %%ebp; int $0x80; pop %%ebp"
		     : "=a"(ret)
		     : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(d), "D"(e), [f] "m"(f) : "memory");
	return ret;
}

static void say(const char *text)
{
	long n = 0;

	while (text[n])
		n++;
	call(SYS_WRITE, 1, (long)text, n, 0, 0, 0);
}

static void __attribute__((noreturn)) leave(int status)
{
	for (;;)
		call(SYS_EXIT, status, 0, 0, 0, 0, 0);
}

/* A step that must give at least 0. */
static long must(long ret, const char *what)
{
	if (ret < 0 && ret > -4096) {
		say("not ok 1 a 32-bit process drives a VM: ");
		say(what);
		say("\n");
		leave(1);
	}
	return ret;
}

static long ctl(long fd, unsigned long nr, const void *arg)
{
	return call(SYS_IOCTL, fd, nr, (long)arg, 0, 0, 0);
}

/* What is behind a pointer of 32 bits is nobody's business. */
#define JUNK	0xdeadbeef00000000ull

static void log_and_filter(long vm)
{
	static unsigned long long bits[1] = { ~0ull }, all[1] = { ~0ull };
	static struct minikvm_clear_dirty_log clear = { .num_pages = MEMORY / 0x1000 };
	static struct minikvm_dirty_log log;
	static struct minikvm_msr_filter filter = {
		.flags = MINIKVM_MSR_FILTER_DEFAULT_DENY,
		.ranges[0] = { .flags = MINIKVM_MSR_FILTER_READ, .nmsrs = 64, .base = 0x10 },
	};

	log.padding2 = JUNK | (unsigned long)bits;
	must(ctl(vm, MINIKVM_GET_DIRTY_LOG, &log), "GET_DIRTY_LOG");
	if (bits[0] == ~0ull)
		must(-1, "the log");
	clear.padding2 = JUNK | (unsigned long)all;
	must(ctl(vm, MINIKVM_CLEAR_DIRTY_LOG, &clear), "CLEAR_DIRTY_LOG");
	filter.ranges[0].bitmap = (void *)all;
	must(ctl(vm, MINIKVM_X86_SET_MSR_FILTER, &filter), "X86_SET_MSR_FILTER");
	filter.ranges[0].bitmap = (void *)8;
	if (ctl(vm, MINIKVM_X86_SET_MSR_FILTER, &filter) != -14)
		must(-1, "a filter that is not there");
}

/* mov $0x5a, %al; out %al, $0x10; hlt */
static const unsigned char code[] = { 0xb0, 0x5a, 0xe6, 0x10, 0xf4 };

static void run(long dev)
{
	long vm = must(ctl(dev, MINIKVM_CREATE_VM, 0), "CREATE_VM");
	long size = must(ctl(dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0), "GET_VCPU_MMAP_SIZE");
	unsigned char *mem = (void *)call(SYS_MMAP2, 0, MEMORY, PROT_RW, MAP_ANON_PRIVATE, -1, 0);
	struct minikvm_userspace_memory_region slot = {
		.flags = MINIKVM_MEM_LOG_DIRTY_PAGES,
		.memory_size = MEMORY, .userspace_addr = (unsigned long)mem,
	};
	static struct minikvm_sregs s;
	static struct minikvm_regs r;
	struct minikvm_run *page;
	long vcpu, i;

	must(ctl(vm, MINIKVM_SET_USER_MEMORY_REGION, &slot), "SET_USER_MEMORY_REGION");
	vcpu = must(ctl(vm, MINIKVM_CREATE_VCPU, 0), "CREATE_VCPU");
	page = (void *)must(call(SYS_MMAP2, 0, size, PROT_RW, MAP_SHARED_, vcpu, 0), "mmap");
	for (i = 0; i < (long)sizeof(code); i++)
		mem[CODE + i] = code[i];
	must(ctl(vcpu, MINIKVM_GET_SREGS, &s), "GET_SREGS");
	s.cs.base = 0;
	s.cs.selector = 0;
	must(ctl(vcpu, MINIKVM_SET_SREGS, &s), "SET_SREGS");
	r.rip = CODE;
	r.rflags = 2;
	must(ctl(vcpu, MINIKVM_SET_REGS, &r), "SET_REGS");
	must(ctl(vcpu, MINIKVM_RUN, 0), "RUN");
	if (page->exit_reason != MINIKVM_EXIT_IO || page->io.port != 0x10 ||
	    ((unsigned char *)page)[page->io.data_offset] != 0x5a)
		must(-1, "the OUT");
	must(ctl(vcpu, MINIKVM_RUN, 0), "second RUN");
	if (page->exit_reason != MINIKVM_EXIT_HLT)
		must(-1, "the HLT");
	log_and_filter(vm);
}

/* The kernel enters here with argc, argv and the environment on the stack. */
void __attribute__((noreturn)) start(long *stack)
{
	const char *path = "/dev/minikvm", *name = "MINIKVM_DEVICE=", **env;
	long dev, i;

	for (env = (const char **)(stack + stack[0] + 2); *env; env++) {
		for (i = 0; name[i] && (*env)[i] == name[i]; i++)
			;
		if (!name[i])
			path = *env + i;
	}
	say("TAP version 13\n1..1\n");
	if (path[5] == 'k') {	/* /dev/kvm: the process never ends, under Bochs */
		say("ok 1 # SKIP minikvm's own\n");
		leave(4);
	}
	dev = call(SYS_OPEN, (long)path, O_RDWR_, 0, 0, 0, 0);
	if (dev < 0) {
		say("ok 1 # SKIP the device cannot be opened\n");
		leave(4);
	}
	run(dev);
	say("ok 1 a 32-bit process drives a VM\n");
	leave(0);
}

asm(".globl _start\n_start: mov %esp, %eax; push %eax; call start");
