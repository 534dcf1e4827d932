// SPDX-License-Identifier: GPL-2.0
/*
 * A vCPU: its descriptor, its run page, and what firmware would have done to it.
 * What it runs is boot.c's, running it run.c's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "cpuid.h"
#include "die.h"
#include "exits.h"
#include "vcpu.h"

#define MSR_MISC_ENABLE		0x1a0
#define MISC_FAST_STRINGS	1

/* What firmware would do: string instructions are fast, as Linux likes them. */
static void vcpu_set_msrs(struct vcpu *vcpu)
{
	struct {
		struct minikvm_msrs head;
		struct minikvm_msr_entry entry;
	} msr = { .head.nmsrs = 1, .entry.index = MSR_MISC_ENABLE };

	if (ioctl(vcpu->fd, MINIKVM_GET_MSRS, &msr) != 1)
		die("GET_MSRS: %s", strerror(errno));
	msr.entry.data |= MISC_FAST_STRINGS;
	if (ioctl(vcpu->fd, MINIKVM_SET_MSRS, &msr) != 1)
		die("SET_MSRS: %s", strerror(errno));
}

void vcpu_create(struct vcpu *vcpu, struct vm *vm, uint32_t id)
{
	int size = ioctl(vm->device, MINIKVM_GET_VCPU_MMAP_SIZE, 0);

	*vcpu = (struct vcpu) { .vm = vm, .id = id };
	vcpu->fd = ioctl(vm->fd, MINIKVM_CREATE_VCPU, (unsigned long)id);
	if (vcpu->fd < 0)
		die("CREATE_VCPU: %s", strerror(errno));
	vcpu->run = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
	if (vcpu->run == MAP_FAILED)
		die("mmap of the run page: %s", strerror(errno));
	cpuid_set(vm->device, vcpu->fd, id);
	vcpu_set_msrs(vcpu);
}

/* Of a failed entry: bit 31, and why. Or all bits: VMLAUNCH itself was refused. */
static void vcpu_report_entry(uint64_t reason)
{
	const char *name = hardware_exit_name(reason & 0xffff);

	fprintf(stderr, "  hardware reason 0x%llx: %s\n", (unsigned long long)reason,
		name ? name : "no reason of an exit");
}

static void vcpu_report_error(const struct minikvm_run *run)
{
	unsigned int i;

	fprintf(stderr, "  suberror %u, data", run->internal.suberror);
	for (i = 0; i < run->internal.ndata && i < 16; i++)
		fprintf(stderr, " %llx", (unsigned long long)run->internal.data[i]);
	fprintf(stderr, "\n");
}

void vcpu_report(const struct vcpu *vcpu)
{
	struct minikvm_regs r = { };

	if (vcpu->failed)
		fprintf(stderr, "minivmm: RUN of vCPU %u: %s\n", vcpu->id, strerror(vcpu->failed));
	if (!vcpu->crash)
		return;
	ioctl(vcpu->fd, MINIKVM_GET_REGS, &r);
	fprintf(stderr, "minivmm: the guest crashed: %s\n", vcpu->crash);
	if (vcpu->run->exit_reason == MINIKVM_EXIT_FAIL_ENTRY)
		vcpu_report_entry(vcpu->run->fail_entry.hardware_entry_failure_reason);
	if (vcpu->run->exit_reason == MINIKVM_EXIT_INTERNAL_ERROR)
		vcpu_report_error(vcpu->run);
	fprintf(stderr, "  rip %llx rsp %llx rflags %llx rax %llx rbx %llx rcx %llx rdx %llx\n",
		r.rip, r.rsp, r.rflags, r.rax, r.rbx, r.rcx, r.rdx);
}
