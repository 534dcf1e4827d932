// SPDX-License-Identifier: GPL-2.0
/*
 * The VM: the device is opened, a VM made, memory and interrupt chips given to it.
 * Its vCPUs are vcpu.c's.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>

#include <linux/minikvm.h>

#include "node.h"
#include "die.h"
#include "vm.h"

static int vm_open_device(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC), version;

	if (fd < 0)
		die("%s: %s", path, strerror(errno));
	version = ioctl(fd, MINIKVM_GET_API_VERSION, 0);
	if (version < 0)
		refuse("%s is neither minikvm's device nor KVM's", path);
	if (version != MINIKVM_API_VERSION)
		die("%s: API version %d, but %d is needed", path, version, MINIKVM_API_VERSION);
	return fd;
}

static void vm_create_chips(struct vm *vm)
{
	struct minikvm_pit_config pit = { .flags = MINIKVM_PIT_SPEAKER_DUMMY };

	if (ioctl(vm->fd, MINIKVM_CREATE_IRQCHIP, 0))
		die("CREATE_IRQCHIP: %s", strerror(errno));
	if (ioctl(vm->fd, MINIKVM_CREATE_PIT2, &pit))
		die("CREATE_PIT2: %s", strerror(errno));
}

/* A slot for each range of memory. */
static void vm_set_memory(struct vm *vm)
{
	unsigned int i;

	for (i = 0; i < vm->memory.nr; i++) {
		const struct memory_range *r = &vm->memory.range[i];
		struct minikvm_userspace_memory_region region = {
			.slot = i, .guest_phys_addr = r->start, .memory_size = r->size,
			.userspace_addr = (uintptr_t)r->host,
		};

		if (ioctl(vm->fd, MINIKVM_SET_USER_MEMORY_REGION, &region))
			die("SET_USER_MEMORY_REGION: %s", strerror(errno));
	}
}

void vm_create(struct vm *vm, const struct config *c)
{
	int most;

	vm->device = vm_open_device(c->device);
	most = ioctl(vm->device, MINIKVM_CHECK_EXTENSION, MINIKVM_CAP_MAX_VCPUS);
	if (c->cpus > 1 && most < (int)c->cpus)
		refuse("%s has --cpus %d at most, not %u", c->device, most, c->cpus);
	do
		vm->fd = ioctl(vm->device, MINIKVM_CREATE_VM, 0);
	while (vm->fd < 0 && errno == EINTR);
	if (vm->fd < 0)
		die("CREATE_VM: %s%s", strerror(errno),
		    errno == EBUSY ? " (another hypervisor holds VT-x)" : "");
	/* Three pages that KVM on some processors needs for itself, far from ours. */
	ioctl(vm->fd, MINIKVM_SET_TSS_ADDR, 0xfffbd000);
	if (c->irqchip)
		vm_create_chips(vm);
	memory_map(&vm->memory, c->populate);
	vm_set_memory(vm);
}

void irq_set(const struct irq_line *line, bool level)
{
	struct minikvm_irq_level irq = { .irq = line->gsi, .level = level };

	ioctl(line->vm->fd, MINIKVM_IRQ_LINE, &irq);
}
