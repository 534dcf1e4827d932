// SPDX-License-Identifier: GPL-2.0
/* A whole VMM: vmm80 [DEVICE]. DEVICE is /dev/minikvm, or /dev/kvm: the same binary. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <linux/minikvm.h>

#define MEM_SIZE	0x10000	/* of the guest, from physical address 0 */
#define START		0x1000	/* where its code goes */
#define DEVICE_BYTE	0x20000	/* no memory there: a device of ours, which answers '!' */

/* The guest, in real mode: prints a text on port 0x3f8, then the byte of the device. */
extern const uint8_t guest[], guest_end[];
asm(".pushsection .rodata; .code16; guest: mov $(text - guest + 0x1000), %si; mov $0x3f8, %dx;"
    "next: lodsb; test %al, %al; jz over; out %al, %dx; jmp next;"
    "over: mov $0x2000, %ax; mov %ax, %ds; mov 0, %al; out %al, %dx; mov $10, %al; out %al, %dx; hlt;"
    "text: .asciz \"Hello from a guest\"; guest_end: .code64; .popsection");

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(1, "%s", what);
	return ret;
}

static void port_io(struct minikvm_run *run, void *data)
{
	if (run->io.direction == MINIKVM_EXIT_IO_IN)
		memset(data, 0xff, run->io.size * run->io.count);	/* nobody answers */
	else if (run->io.port == 0x3f8)	/* the serial port is standard output */
		fwrite(data, run->io.size, run->io.count, stdout);
}

static int run_guest(int vcpu, struct minikvm_run *run)
{
	for (;;) {
		int ret = ioctl(vcpu, MINIKVM_RUN, 0);

		if (ret < 0 && errno == EINTR)
			continue;	/* a signal: its handler has done what there was to do */
		must(ret, "RUN");
		switch (run->exit_reason) {
		case MINIKVM_EXIT_IO:	port_io(run, (char *)run + run->io.data_offset); break;
		case MINIKVM_EXIT_MMIO:	/* a read wants these bytes; after a write nobody does */
			memset(run->mmio.data, run->mmio.phys_addr == DEVICE_BYTE ? '!' : 0xff, 8);
			break;
		case MINIKVM_EXIT_HLT:	return 0;
		default:		errx(1, "the guest ended with exit reason %u", run->exit_reason);
		}
	}
}

int main(int argc, char **argv)
{
	int dev = must(open(argc > 1 ? argv[1] : "/dev/minikvm", O_RDWR | O_CLOEXEC), "open");
	int vm = must(ioctl(dev, MINIKVM_CREATE_VM, 0), "CREATE_VM");
	int size = must(ioctl(dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0), "GET_VCPU_MMAP_SIZE");
	uint8_t *mem = mmap(NULL, MEM_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct minikvm_userspace_memory_region slot = {
		.memory_size = MEM_SIZE, .userspace_addr = (uintptr_t)mem };
	struct minikvm_regs regs = { .rip = START, .rflags = 2 };
	struct minikvm_sregs sregs;

	if (ioctl(dev, MINIKVM_GET_API_VERSION, 0) != MINIKVM_API_VERSION || mem == MAP_FAILED)
		errx(1, "this is no KVM, or there is no memory");
	must(ioctl(vm, MINIKVM_SET_USER_MEMORY_REGION, &slot), "SET_USER_MEMORY_REGION");
	memcpy(mem + START, guest, guest_end - guest);
	int vcpu = must(ioctl(vm, MINIKVM_CREATE_VCPU, 0), "CREATE_VCPU");
	struct minikvm_run *run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu, 0);
	must(ioctl(vcpu, MINIKVM_GET_SREGS, &sregs), "GET_SREGS");
	sregs.cs.base = sregs.cs.selector = 0;	/* power-up begins at the end of 4 GiB */
	must(ioctl(vcpu, MINIKVM_SET_SREGS, &sregs), "SET_SREGS");
	must(ioctl(vcpu, MINIKVM_SET_REGS, &regs), "SET_REGS");
	return run_guest(vcpu, run);
}
