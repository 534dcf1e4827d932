// SPDX-License-Identifier: GPL-2.0
/* The VM: its file descriptors, its memory, and the loop that runs its vCPU. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <x86intrin.h>

#include "vmm.h"

static pthread_t run_thread;

static int device_open(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return fd;
	if (errno == ENOENT)
		die("%s: there is none; is the module loaded?", path);
	if (errno == EACCES)
		die("%s: permission denied", path);
	die("%s: %s", path, strerror(errno));
}

static void chips_create(struct vmm *vmm)
{
	struct minikvm_pit_config pit = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };

	if (ioctl(vmm->vm, MINIKVM_CREATE_IRQCHIP, 0))
		die("CREATE_IRQCHIP: %s", strerror(errno));
	if (ioctl(vmm->vm, MINIKVM_CREATE_PIT2, &pit))
		die("CREATE_PIT2: %s", strerror(errno));
}

/* The guest's memory is ours: one mapping, filled in by the host as it is touched. */
static void memory_create(struct vmm *vmm, uint64_t size, bool populate)
{
	struct minikvm_userspace_memory_region region = { .memory_size = size };

	vmm->mem = mmap(NULL, size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (vmm->mem == MAP_FAILED)
		die("%lu MiB of memory: %s", (unsigned long)size >> 20, strerror(errno));
	madvise(vmm->mem, size, MADV_HUGEPAGE);
	if (populate && madvise(vmm->mem, size, MADV_POPULATE_WRITE))
		die("--populate: %s", strerror(errno));
	vmm->mem_size = size;
	region.userspace_addr = (uintptr_t)vmm->mem;
	if (ioctl(vmm->vm, MINIKVM_SET_USER_MEMORY_REGION, &region))
		die("SET_USER_MEMORY_REGION: %s", strerror(errno));
}

void vm_create(struct vmm *vmm, const struct config *c)
{
	int version;

	vmm->dev = device_open(c->device);
	version = ioctl(vmm->dev, MINIKVM_GET_API_VERSION, 0);
	if (version < 0)
		die("%s is neither minikvm's device nor KVM's", c->device);
	if (version != MINIKVM_API_VERSION)
		die("%s: API version %d, but %d is needed", c->device, version,
		    MINIKVM_API_VERSION);
	vmm->vm = ioctl(vmm->dev, MINIKVM_CREATE_VM, 0);
	if (vmm->vm < 0)
		die("CREATE_VM: %s%s", strerror(errno),
		    errno == EBUSY ? " (another hypervisor holds VT-x)" : "");
	/* Three pages that KVM on some processors needs for itself, far from ours. */
	ioctl(vmm->vm, MINIKVM_SET_TSS_ADDR, 0xfffbd000);
	if (c->irqchip)
		chips_create(vmm);
	memory_create(vmm, (uint64_t)c->mem_mib << 20, c->populate);
}

/*
 * The TSC's frequency as CPUID leaf 15H tells it: crystal * EBX / EAX. The crystal
 * is also the clock of the APIC timer, 1 GHz here. Linux multiplies in 32 bits
 * (1000000 kHz * EBX), so EBX must be small: the best fraction with that is taken.
 */
static struct minikvm_cpuid_entry2 tsc_leaf(uint64_t khz)
{
	struct minikvm_cpuid_entry2 leaf = { .function = 0x15, .ecx = 1000000000 };
	uint64_t best = UINT64_MAX, eax;

	for (eax = 1; eax < 100000; eax++) {
		uint64_t ebx = (khz * eax + 500000) / 1000000;
		uint64_t got = ebx * 1000000, error;

		if (!ebx || ebx > UINT32_MAX / 1000000)
			continue;
		error = (got > khz * eax ? got - khz * eax : khz * eax - got) * 1000 / eax;
		if (error < best) {
			best = error;
			leaf.eax = eax;
			leaf.ebx = ebx;
		}
	}
	return leaf;
}

/*
 * CPUID: all that the device offers, and what only we can know: that there is a
 * hypervisor, a TSC-deadline timer, and how fast the TSC counts (a guest on a
 * slow or emulated machine cannot measure that).
 */
static void cpuid_set(struct vmm *vmm)
{
	struct {
		struct minikvm_cpuid2 head;
		struct minikvm_cpuid_entry2 entry[128];
	} *cpuid = calloc(1, sizeof(*cpuid));
	int khz = ioctl(vmm->vcpu, MINIKVM_GET_TSC_KHZ, 0);
	uint32_t i, n;

	cpuid->head.nent = 120;
	if (ioctl(vmm->dev, MINIKVM_GET_SUPPORTED_CPUID, cpuid))
		die("GET_SUPPORTED_CPUID: %s", strerror(errno));
	for (i = n = 0; i < cpuid->head.nent; i++) {
		struct minikvm_cpuid_entry2 *e = &cpuid->entry[i];

		if (e->function == 0 && e->eax < 0x15)
			e->eax = 0x15;
		if (e->function == 1)
			e->ecx |= 1u << 31 | 1u << 24;
		if (e->function != 0x15)
			cpuid->entry[n++] = *e;
	}
	if (khz > 0)
		cpuid->entry[n++] = tsc_leaf(khz);
	cpuid->head.nent = n;
	if (ioctl(vmm->vcpu, MINIKVM_SET_CPUID2, cpuid))
		die("SET_CPUID2: %s", strerror(errno));
	free(cpuid);
}

/* What firmware would do: string instructions are fast (IA32_MISC_ENABLE), as Linux likes them. */
static void msrs_set(struct vmm *vmm)
{
	struct {
		struct minikvm_msrs head;
		struct minikvm_msr_entry entry;
	} msr = { .head.nmsrs = 1, .entry.index = 0x1a0 };

	if (ioctl(vmm->vcpu, MINIKVM_GET_MSRS, &msr) != 1)
		die("GET_MSRS: %s", strerror(errno));
	msr.entry.data |= 1;
	if (ioctl(vmm->vcpu, MINIKVM_SET_MSRS, &msr) != 1)
		die("SET_MSRS: %s", strerror(errno));
}

void vcpu_create(struct vmm *vmm)
{
	int size = ioctl(vmm->dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0);

	vmm->vcpu = ioctl(vmm->vm, MINIKVM_CREATE_VCPU, 0);
	if (vmm->vcpu < 0)
		die("CREATE_VCPU: %s", strerror(errno));
	vmm->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vmm->vcpu, 0);
	if (vmm->run == MAP_FAILED)
		die("mmap of the run page: %s", strerror(errno));
	cpuid_set(vmm);
	msrs_set(vmm);
}

/* Raise or lower an interrupt line of the chips in the kernel. */
void vm_irq(struct vmm *vmm, uint32_t gsi, int level)
{
	struct minikvm_irq_level irq = { .irq = gsi, .level = level };

	ioctl(vmm->vm, MINIKVM_IRQ_LINE, &irq);
}

/* From any thread, or a signal handler: the run loop ends. */
void vmm_stop(struct vmm *vmm, int status)
{
	if (vmm->done)
		return;
	vmm->status = status;
	vmm->done = true;
	if (vmm->run)
		vmm->run->immediate_exit = 1;
	if (run_thread && !pthread_equal(pthread_self(), run_thread))
		pthread_kill(run_thread, SIGTERM);
}

static void handle_io(struct vmm *vmm)
{
	struct minikvm_run *run = vmm->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;
	uint32_t i;

	for (i = 0; i < run->io.count; i++, data += run->io.size)
		device_io(vmm, run->io.direction == MINIKVM_EXIT_IO_OUT, run->io.port, data,
			  run->io.size);
}

/* No device is in memory: reads give ones, writes are lost. */
static void handle_mmio(struct minikvm_run *run)
{
	if (!run->mmio.is_write)
		memset(run->mmio.data, 0xff, sizeof(run->mmio.data));
}

/* Of a failed entry: bit 31, and why. Or all bits: VMLAUNCH itself was refused. */
static const char *hardware_name(uint64_t reason)
{
#define NAME(number, name)	\
	[number] = #name,
	static const char *const names[] = { MINIKVM_HARDWARE_EXITS(NAME) };
#undef NAME
	size_t i = reason & 0xffff;

	return i < sizeof(names) / sizeof(names[0]) && names[i] ? names[i] : "no reason of an exit";
}

static void crash(struct vmm *vmm, const char *what)
{
	struct minikvm_regs r = { };
	struct minikvm_run *run = vmm->run;
	unsigned int i;

	serial_flush();
	terminal_restore();
	ioctl(vmm->vcpu, MINIKVM_GET_REGS, &r);
	fprintf(stderr, "minivmm: the guest crashed: %s\n", what);
	if (run->exit_reason == MINIKVM_EXIT_FAIL_ENTRY)
		fprintf(stderr, "  hardware reason 0x%llx: %s\n",
			(unsigned long long)run->fail_entry.hardware_entry_failure_reason,
			hardware_name(run->fail_entry.hardware_entry_failure_reason));
	if (run->exit_reason == MINIKVM_EXIT_INTERNAL_ERROR) {
		fprintf(stderr, "  suberror %u, data", run->internal.suberror);
		for (i = 0; i < run->internal.ndata && i < 16; i++)
			fprintf(stderr, " %llx", (unsigned long long)run->internal.data[i]);
		fprintf(stderr, "\n");
	}
	fprintf(stderr, "  rip %llx rsp %llx rflags %llx rax %llx rbx %llx rcx %llx rdx %llx\n",
		r.rip, r.rsp, r.rflags, r.rax, r.rbx, r.rcx, r.rdx);
	vmm_stop(vmm, ST_CRASH);
}

static void handle_exit(struct vmm *vmm)
{
	switch (vmm->run->exit_reason) {
	case MINIKVM_EXIT_IO:
		handle_io(vmm);
		break;
	case MINIKVM_EXIT_MMIO:
		handle_mmio(vmm->run);
		break;
	case MINIKVM_EXIT_HLT:		/* only without chips in the kernel: nobody wakes it */
		vmm_stop(vmm, ST_POWER_OFF);
		break;
	case MINIKVM_EXIT_INTR:
		break;
	case MINIKVM_EXIT_SHUTDOWN:
		crash(vmm, "triple fault");
		break;
	case MINIKVM_EXIT_FAIL_ENTRY:
		crash(vmm, "the processor refused its state");
		break;
	case MINIKVM_EXIT_INTERNAL_ERROR:
		crash(vmm, "it did something that is not emulated");
		break;
	default:
		crash(vmm, "unknown exit");
	}
}

/* Run the vCPU until somebody says stop. */
void vcpu_run(struct vmm *vmm)
{
	uint64_t left = __rdtsc();
	int ret;

	run_thread = pthread_self();
	while (!vmm->done) {
		vmm->own_ticks += __rdtsc() - left;
		ret = ioctl(vmm->vcpu, MINIKVM_RUN, 0);
		left = __rdtsc();
		if (ret < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			die("RUN: %s", strerror(errno));
		}
		vmm->exits[vmm->run->exit_reason & 63]++;
		handle_exit(vmm);
	}
}
