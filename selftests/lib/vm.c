// SPDX-License-Identifier: GPL-2.0
/* A VM for a test; see vm.h. What cannot fail in a sane kernel ends the test here. */
#include <err.h>

#define VM_LIBRARY
#include "vm.h"

#define EXIT_BROKEN	1

const char *test_device(void)
{
	const char *path = getenv("MINIKVM_DEVICE");

	return path ? path : "/dev/minikvm";
}

bool test_on_kvm(void)
{
	return !strcmp(test_device(), "/dev/kvm");
}

int test_open(void)
{
	int fd = open(test_device(), O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		printf("1..0 # SKIP %s: %s\n", test_device(), strerror(errno));
		exit(4);
	}
	return fd;
}

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(EXIT_BROKEN, "%s", what);
	return ret;
}

int vm_slot(struct test_vm *t, uint32_t slot, uint32_t flags, uint64_t gpa, uint64_t size,
	    void *hva)
{
	struct minikvm_userspace_memory_region r = {
		.slot = slot, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)hva,
	};

	return ioctl(t->vm, MINIKVM_SET_USER_MEMORY_REGION, &r) ? -errno : 0;
}

#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

void *vm_huge_page(void)
{
	const uintptr_t size = 2 << 20;
	void *p = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(EXIT_BROKEN, "mmap");
	p = (void *)(((uintptr_t)p + size - 1) & -size);
	memset(p, 0, size);
	return madvise(p, size, MADV_COLLAPSE) ? NULL : p;
}

void *vm_small_pages(size_t n)
{
	void *p = mmap(NULL, n * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		err(EXIT_BROKEN, "mmap");
	madvise(p, n * 4096, MADV_NOHUGEPAGE);	/* fails where there are no huge pages */
	return p;
}

static void cpuid_all(struct test_vm *t)
{
	struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[100]; } *c;

	c = calloc(1, sizeof(*c));
	c->head.nent = 100;
	must(ioctl(t->dev, MINIKVM_GET_SUPPORTED_CPUID, c), "GET_SUPPORTED_CPUID");
	must(ioctl(t->vcpu, MINIKVM_SET_CPUID2, c), "SET_CPUID2");
	free(c);
}

static int run_size(const struct test_vm *t)
{
	return must(ioctl(t->dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0), "GET_VCPU_MMAP_SIZE");
}

struct test_vm vm_add_vcpu(const struct test_vm *t, int id)
{
	struct test_vm added = *t;

	added.vcpu = must(ioctl(t->vm, MINIKVM_CREATE_VCPU, id), "CREATE_VCPU");
	added.run = mmap(NULL, run_size(t), PROT_READ | PROT_WRITE, MAP_SHARED, added.vcpu, 0);
	if (added.run == MAP_FAILED)
		err(EXIT_BROKEN, "mmap of the run page");
	cpuid_all(&added);
	return added;
}

void vm_free_vcpu(struct test_vm *t)
{
	munmap(t->run, run_size(t));
	close(t->vcpu);
}

static void make_vm(struct test_vm *t)
{
	t->dev = test_open();
	t->vm = must(ioctl(t->dev, MINIKVM_CREATE_VM, 0), "CREATE_VM");
	must(ioctl(t->vm, MINIKVM_SET_TSS_ADDR, 0xfffbd000), "SET_TSS_ADDR");
}

static void make_rest(struct test_vm *t)
{
	t->mem = mmap(NULL, G_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (t->mem == MAP_FAILED)
		err(EXIT_BROKEN, "mmap");
	must(vm_slot(t, 0, 0, 0, G_SIZE, t->mem), "SET_USER_MEMORY_REGION");
	*t = vm_add_vcpu(t, 0);
}

void vm_make(struct test_vm *t, bool irqchip)
{
	make_vm(t);
	if (irqchip)
		must(ioctl(t->vm, MINIKVM_CREATE_IRQCHIP, 0), "CREATE_IRQCHIP");
	make_rest(t);
}

void vm_make_split(struct test_vm *t, int pins)
{
	struct minikvm_enable_cap cap = { .cap = MINIKVM_CAP_SPLIT_IRQCHIP, .args = { pins } };

	make_vm(t);
	must(ioctl(t->vm, MINIKVM_ENABLE_CAP, &cap), "SPLIT_IRQCHIP");
	make_rest(t);
}

void vm_free(struct test_vm *t)
{
	vm_free_vcpu(t);
	close(t->vm);
	close(t->dev);
	munmap(t->mem, G_SIZE);
}

struct minikvm_sregs vm_sregs(struct test_vm *t)
{
	struct minikvm_sregs s;

	must(ioctl(t->vcpu, MINIKVM_GET_SREGS, &s), "GET_SREGS");
	return s;
}

struct minikvm_regs vm_regs(struct test_vm *t)
{
	struct minikvm_regs r;

	must(ioctl(t->vcpu, MINIKVM_GET_REGS, &r), "GET_REGS");
	return r;
}

void vm_set_regs(struct test_vm *t, struct minikvm_regs r)
{
	must(ioctl(t->vcpu, MINIKVM_SET_REGS, &r), "SET_REGS");
}

static void start(struct test_vm *t, const uint8_t *code, const uint8_t *end,
		  const struct minikvm_sregs *s)
{
	struct minikvm_regs r = { .rip = G_CODE, .rsp = G_STACK, .rflags = 2 };

	memcpy(t->mem + G_CODE, code, end - code);
	must(ioctl(t->vcpu, MINIKVM_SET_SREGS, s), "SET_SREGS");
	vm_set_regs(t, r);
}

/* mov al, vector; out 0xe9, al; hlt; the same bytes in every mode */
static void stubs_write(struct test_vm *t)
{
	int v;

	for (v = 0; v < 256; v++) {
		const uint8_t stub[] = { 0xb0, v, 0xe6, PORT_EXCEPTION, 0xf4 };

		memcpy(t->mem + G_STUBS + 16 * v, stub, sizeof(stub));
	}
}

/*
 * In 64-bit mode (@wide) or another. Bochs 2.7 keeps NMIs blocked from a VM that has not returned
 * from its own on, in all later ones.
 */
void vm_nmi_returns(struct test_vm *t, bool wide)
{
	static const uint8_t iret[] = { 0x48, 0xcf };

	memcpy(t->mem + G_STUBS + 16 * 2 + G_STUB_HLT, iret + !wide, 1 + wide);
}

void guest_real(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	struct minikvm_sregs s = vm_sregs(t);
	uint32_t *ivt = (uint32_t *)t->mem;
	int v;

	stubs_write(t);
	for (v = 0; v < 256; v++)
		ivt[v] = G_STUBS + 16 * v;
	s.cs.base = 0;
	s.cs.selector = 0;
	start(t, code, end, &s);
}

static void gates_write(struct test_vm *t, bool wide)
{
	int v;

	for (v = 0; v < 256; v++) {
		uint64_t off = G_STUBS + 16 * v;
		uint64_t gate = (off & 0xffff) | 8ull << 16 | 0x8eull << 40 | (off >> 16) << 48;

		memcpy(t->mem + G_IDT + v * (wide ? 16 : 8), &gate, 8);
		if (wide)
			memset(t->mem + G_IDT + v * 16 + 8, 0, 8);
	}
}

static void flat_segments(struct minikvm_sregs *s, bool long_mode)
{
	struct minikvm_segment code = { .limit = ~0u, .selector = 8, .type = 11, .present = 1,
					.s = 1, .db = !long_mode, .l = long_mode, .g = 1 };
	struct minikvm_segment data = { .limit = ~0u, .selector = 16, .type = 3, .present = 1,
					.s = 1, .db = 1, .g = 1 };
	struct minikvm_segment tss = { .base = G_TSS, .limit = 0x67, .selector = 24, .type = 11,
				       .present = 1 };

	s->cs = code;
	s->ds = s->es = s->fs = s->gs = s->ss = data;
	s->tr = tss;
	s->gdt.base = G_GDT;
	s->gdt.limit = 0xff;
	s->idt.base = G_IDT;
	s->idt.limit = 0xfff;
}

static void gdt_write(struct test_vm *t, bool long_mode)
{
	uint64_t gdt[] = { 0, long_mode ? 0x00af9b000000ffff : 0x00cf9b000000ffff,
			   0x00cf93000000ffff, 0x00008b0060000067, 0 };

	memcpy(t->mem + G_GDT, gdt, sizeof(gdt));
}

/* The first 4 GiB one to one, in pages of 2 MiB, for everybody. */
static void tables_write(struct test_vm *t)
{
	uint64_t *pml4 = (uint64_t *)(t->mem + G_TABLES), *pdpt = pml4 + 512, *pd = pdpt + 512;
	uint64_t i;

	pml4[0] = (G_TABLES + 0x1000) | 7;
	for (i = 0; i < 4; i++)
		pdpt[i] = (G_TABLES + 0x2000 + i * 0x1000) | 7;
	for (i = 0; i < 4 * 512; i++)
		pd[i] = i << 21 | 0x87;
}

void guest_protected(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	struct minikvm_sregs s = vm_sregs(t);

	stubs_write(t);
	gdt_write(t, false);
	gates_write(t, false);
	flat_segments(&s, false);
	s.cr0 = 0x31;
	start(t, code, end, &s);
}

void guest_long(struct test_vm *t, const uint8_t *code, const uint8_t *end)
{
	struct minikvm_sregs s = vm_sregs(t);

	stubs_write(t);
	gdt_write(t, true);
	gates_write(t, true);
	tables_write(t);
	flat_segments(&s, true);
	s.cr0 = 0x80010033;
	s.cr3 = G_TABLES;
	s.cr4 = 0x620;		/* PAE OSFXSR OSXMMEXCPT */
	s.efer = 0xd01;		/* NX LMA LME SCE */
	start(t, code, end, &s);
}

int vm_set_msr(struct test_vm *t, uint32_t index, uint64_t value)
{
	struct { struct minikvm_msrs head; struct minikvm_msr_entry e; } m = {
		{ .nmsrs = 1 }, { .index = index, .data = value }
	};

	return ioctl(t->vcpu, MINIKVM_SET_MSRS, &m);
}

int vm_run(struct test_vm *t)
{
	return ioctl(t->vcpu, MINIKVM_RUN, 0) ? -errno : (int)t->run->exit_reason;
}

void *vm_io_data(struct test_vm *t)
{
	return (uint8_t *)t->run + t->run->io.data_offset;
}
