// SPDX-License-Identifier: GPL-2.0
/*
 * What is to be started, and the registers with which it begins: a Linux kernel in
 * 64-bit mode, or a flat binary in real mode. Other vCPUs wait for the first one's
 * start-up message.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>

#include "boot.h"
#include "die.h"

/* The boot protocol's segments: flat, selectors 0x10 and 0x18. */
enum { BOOT_CS = 0x10, BOOT_DS = 0x18 };

enum { PTE_PRESENT = 1, PTE_WRITABLE = 2, PTE_LARGE = 0x80, ENTRIES = 512, TABLE = 0x1000 };

void guest_open(struct guest *g, const struct config *c, const struct memory *m)
{
	*g = (struct guest) { .is_linux = c->kernel, .load = c->load };
	if (g->is_linux) {
		linux_open(&g->linux_guest, c, m);
		return;
	}
	image_open(&g->flat, c->flat);
	if (!memory_at(m, g->load, g->flat.size))
		refuse("%s does not fit at 0x%llx", c->flat, (unsigned long long)g->load);
}

static struct minikvm_sregs vcpu_get_sregs(const struct vcpu *vcpu)
{
	struct minikvm_sregs s;

	if (ioctl(vcpu->fd, MINIKVM_GET_SREGS, &s))
		die("GET_SREGS: %s", strerror(errno));
	return s;
}

static void vcpu_set_registers(const struct vcpu *vcpu, const struct minikvm_sregs *s,
			       uint64_t rip, uint64_t rsi)
{
	struct minikvm_regs regs = { .rip = rip, .rsi = rsi, .rflags = 2 };

	if (ioctl(vcpu->fd, MINIKVM_SET_SREGS, s))
		die("SET_SREGS: %s", strerror(errno));
	if (ioctl(vcpu->fd, MINIKVM_SET_REGS, &regs))
		die("SET_REGS: %s", strerror(errno));
}

/* The first 4 GiB, one to one, in pages of 2 MiB. All that the kernel begins with is there. */
static void page_tables_write(const struct memory *m)
{
	uint64_t *pml4 = memory_at(m, PAGE_TABLES, 6 * TABLE);
	uint64_t *pdpt = pml4 + ENTRIES, *pd = pdpt + ENTRIES;
	uint64_t i;

	pml4[0] = (PAGE_TABLES + TABLE) | PTE_PRESENT | PTE_WRITABLE;
	for (i = 0; i < 4; i++)
		pdpt[i] = (PAGE_TABLES + (2 + i) * TABLE) | PTE_PRESENT | PTE_WRITABLE;
	for (i = 0; i < 4 * ENTRIES; i++)
		pd[i] = i << 21 | PTE_PRESENT | PTE_WRITABLE | PTE_LARGE;
}

static void boot_linux(const struct linux_guest *l, const struct vcpu *vcpu)
{
	static const struct minikvm_segment code = {
		.limit = ~0u, .selector = BOOT_CS, .type = 11, .present = 1, .s = 1, .l = 1, .g = 1,
	};
	static const struct minikvm_segment data = {
		.limit = ~0u, .selector = BOOT_DS, .type = 3, .present = 1, .s = 1, .db = 1, .g = 1,
	};
	struct minikvm_sregs s = vcpu_get_sregs(vcpu);
	uint64_t entry = linux_load(l, &vcpu->vm->memory);

	page_tables_write(&vcpu->vm->memory);
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr3 = PAGE_TABLES;
	s.cr4 = 0x20;		/* PAE */
	s.cr0 = 0x80050033;	/* PG AM WP NE ET MP PE */
	s.efer = 0x500;		/* LMA LME */
	vcpu_set_registers(vcpu, &s, entry, BOOT_PARAMS);
}

/* Real mode, CS based at 0: RIP is the guest physical address. */
static void boot_flat(const struct guest *g, const struct vcpu *vcpu)
{
	struct minikvm_sregs s = vcpu_get_sregs(vcpu);

	memcpy(memory_at(&vcpu->vm->memory, g->load, g->flat.size), g->flat.data, g->flat.size);
	s.cs.base = 0;
	s.cs.selector = 0;
	vcpu_set_registers(vcpu, &s, g->load, 0);
}

void guest_load(const struct guest *g, const struct vcpu *vcpu)
{
	if (g->is_linux)
		boot_linux(&g->linux_guest, vcpu);
	else
		boot_flat(g, vcpu);
}
