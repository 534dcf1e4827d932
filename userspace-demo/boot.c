// SPDX-License-Identifier: GPL-2.0
/*
 * What is in memory and registers when the vCPU starts: a Linux bzImage by the
 * 64-bit boot protocol (the kernel's Documentation/arch/x86/boot.rst), or a flat
 * binary in real mode.
 */
#include <asm/bootparam.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm.h"

#define KERNEL_MIN	0x1000000	/* default when the kernel does not care */
#define MIB		0x100000ull

/* The boot protocol's segments: flat, selectors 0x10 and 0x18. */
enum { BOOT_CS = 0x10, BOOT_DS = 0x18 };

static uint8_t *file_map(const char *path, size_t *size)
{
	struct stat st;
	uint8_t *data;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &st))
		die("%s: %s", path, strerror(errno));
	if (!st.st_size)
		die("%s is empty", path);
	data = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (data == MAP_FAILED)
		die("%s: %s", path, strerror(errno));
	close(fd);
	*size = st.st_size;
	return data;
}

/* The first 4 GiB, one to one, in 2 MiB pages. */
static uint64_t page_tables_write(struct vmm *vmm)
{
	uint64_t *pml4 = (uint64_t *)(vmm->mem + PAGE_TABLES);
	uint64_t *pdpt = pml4 + 512, *pd = pdpt + 512;
	uint64_t i;

	pml4[0] = (PAGE_TABLES + 0x1000) | 3;
	for (i = 0; i < 4; i++)
		pdpt[i] = (PAGE_TABLES + 0x2000 + i * 0x1000) | 3;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | 0x83;
	return PAGE_TABLES;
}

static void sregs_long_mode(struct vmm *vmm)
{
	struct minikvm_segment code = { .limit = ~0u, .selector = BOOT_CS, .type = 11,
					.present = 1, .s = 1, .l = 1, .g = 1 };
	struct minikvm_segment data = { .limit = ~0u, .selector = BOOT_DS, .type = 3,
					.present = 1, .s = 1, .db = 1, .g = 1 };
	struct minikvm_sregs s;

	if (ioctl(vmm->vcpu, MINIKVM_GET_SREGS, &s))
		die("GET_SREGS: %s", strerror(errno));
	s.cs = code;
	s.ds = s.es = s.fs = s.gs = s.ss = data;
	s.cr3 = page_tables_write(vmm);
	s.cr4 = 0x20;		/* PAE */
	s.cr0 = 0x80050033;	/* PG AM WP NE ET MP PE */
	s.efer = 0x500;		/* LMA LME */
	if (ioctl(vmm->vcpu, MINIKVM_SET_SREGS, &s))
		die("SET_SREGS: %s", strerror(errno));
}

static void regs_set(struct vmm *vmm, uint64_t rip, uint64_t rsi)
{
	struct minikvm_regs regs = { .rip = rip, .rsi = rsi, .rflags = 2 };

	if (ioctl(vmm->vcpu, MINIKVM_SET_REGS, &regs))
		die("SET_REGS: %s", strerror(errno));
}

static void e820_add(struct boot_params *bp, uint64_t start, uint64_t end, uint32_t type)
{
	bp->e820_table[bp->e820_entries++] = (struct boot_e820_entry) {
		.addr = start, .size = end - start, .type = type,
	};
}

static void header_check(const char *path, const struct setup_header *h, size_t size)
{
	if (size < 4096 || h->boot_flag != 0xaa55 || memcmp(&h->header, "HdrS", 4))
		die("%s is no bzImage", path);
	if (h->version < 0x20c || !(h->xloadflags & XLF_KERNEL_64))
		die("%s has no 64-bit entry point", path);
}

/* The initrd goes as high as the kernel allows. */
static void initrd_load(struct vmm *vmm, struct boot_params *bp, const char *path, uint64_t above)
{
	uint64_t top = vmm->mem_size;
	size_t size;
	uint8_t *data = file_map(path, &size);
	uint64_t at;

	if (top > (uint64_t)bp->hdr.initrd_addr_max + 1)
		top = (uint64_t)bp->hdr.initrd_addr_max + 1;
	at = (top - size) & ~0xfffull;
	if (size > top || at < above)
		die("%s does not fit into the guest's memory (see --mem)", path);
	memcpy(vmm->mem + at, data, size);
	munmap(data, size);
	bp->hdr.ramdisk_image = at;
	bp->hdr.ramdisk_size = size;
}

static struct boot_params *boot_params_write(struct vmm *vmm, const uint8_t *image,
					     const char *cmdline)
{
	struct boot_params *bp = (struct boot_params *)(vmm->mem + BOOT_PARAMS);

	/* The header's length is in its jump instruction: boot.rst, "Details of header". */
	memset(bp, 0, sizeof(*bp));
	memcpy(&bp->hdr, image + 0x1f1, 0x202 + image[0x201] - 0x1f1);
	bp->hdr.type_of_loader = 0xff;
	bp->hdr.loadflags |= CAN_USE_HEAP;
	bp->hdr.cmd_line_ptr = CMDLINE;
	if (strlen(cmdline) > bp->hdr.cmdline_size)
		die("the command line is longer than %u bytes", bp->hdr.cmdline_size);
	strcpy((char *)vmm->mem + CMDLINE, cmdline);
	bp->acpi_rsdp_addr = ACPI_TABLES;
	e820_add(bp, 0, 0x9f000, 1);
	e820_add(bp, ACPI_TABLES, 0x100000, 2);
	e820_add(bp, 0x100000, vmm->mem_size, 1);
	return bp;
}

void boot_linux(struct vmm *vmm, const struct config *c)
{
	size_t size, setup;
	uint8_t *image = file_map(c->kernel, &size);
	const struct setup_header *h = (const void *)(image + 0x1f1);
	struct boot_params *bp;
	uint64_t load;

	header_check(c->kernel, h, size);
	setup = ((h->setup_sects ? h->setup_sects : 4) + 1) * 512;
	load = h->pref_address ? h->pref_address : KERNEL_MIN;
	if (vmm->mem_size < 16 * MIB || setup >= size ||
	    load + (h->init_size > size - setup ? h->init_size : size - setup) > vmm->mem_size)
		die("%s does not fit into the guest's memory (see --mem)", c->kernel);
	memcpy(vmm->mem + load, image + setup, size - setup);
	bp = boot_params_write(vmm, image, c->cmdline);
	if (c->initrd)
		initrd_load(vmm, bp, c->initrd, load + h->init_size);
	acpi_write(vmm);
	sregs_long_mode(vmm);
	regs_set(vmm, load + 0x200, BOOT_PARAMS);
	munmap(image, size);
}

/* Real mode, CS based at 0: RIP is the guest physical address. */
void boot_flat(struct vmm *vmm, const struct config *c)
{
	struct minikvm_sregs s;
	size_t size;
	uint8_t *image = file_map(c->flat, &size);

	if (c->load + size > vmm->mem_size || c->load + size < size || c->load > 0xffff)
		die("%s does not fit at 0x%llx", c->flat, (unsigned long long)c->load);
	memcpy(vmm->mem + c->load, image, size);
	munmap(image, size);
	if (ioctl(vmm->vcpu, MINIKVM_GET_SREGS, &s))
		die("GET_SREGS: %s", strerror(errno));
	s.cs.base = 0;
	s.cs.selector = 0;
	if (ioctl(vmm->vcpu, MINIKVM_SET_SREGS, &s))
		die("SET_SREGS: %s", strerror(errno));
	regs_set(vmm, c->load, 0);
}
