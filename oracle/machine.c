// SPDX-License-Identifier: GPL-2.0
/* A VM with one vCPU on one of the devices. What cannot fail in a sane kernel ends the program. */
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <unistd.h>

#include "oracle.h"

enum { MAX_LEAVES = 100 };

bool machine_turns;

static struct { struct minikvm_cpuid2 head; struct minikvm_cpuid_entry2 e[MAX_LEAVES]; } common;

static int must(int ret, const char *what)
{
	if (ret < 0)
		err(2, "%s", what);
	return ret;
}

void machine_open(struct machine *m, const char *name, const char *path)
{
	memset(m, 0, sizeof(*m));
	m->name = name;
	m->path = path;
	m->vm = m->vcpu = -1;
	m->dev = must(open(path, O_RDWR | O_CLOEXEC), path);
	m->mem = mmap(NULL, G_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (m->mem == MAP_FAILED)
		err(2, "memory");
}

static void supported(struct machine *m, void *into)
{
	((struct minikvm_cpuid2 *)into)->nent = MAX_LEAVES;
	must(ioctl(m->dev, MINIKVM_GET_SUPPORTED_CPUID, into), "GET_SUPPORTED_CPUID");
}

/* Leaves whose registers are sets of bits, and not numbers. */
static bool is_bits(const struct minikvm_cpuid_entry2 *e)
{
	return e->function == 1 || e->function == 7 || e->function == 0x80000001 ||
	       (e->function == 0xd && e->index == 1) || e->function == 0x40000001;
}

/* What both offer: so the same guest code is there on both. */
void machine_common_cpuid(struct machine *a, struct machine *b)
{
	static typeof(common) other;
	struct minikvm_cpuid_entry2 *e, *o;
	u32 i, k;

	supported(a, &other);
	supported(b, &common);
	for (i = 0; i < common.head.nent; i++) {
		e = &common.e[i];
		for (k = 0; k < other.head.nent && is_bits(e); k++) {
			o = &other.e[k];
			if (o->function != e->function || o->index != e->index)
				continue;
			e->eax &= e->function == 1 ? ~0u : o->eax;
			e->ebx &= e->function == 1 ? ~0u : o->ebx;
			e->ecx &= o->ecx;
			e->edx &= o->edx;
		}
	}
}

struct minikvm_cpuid2 *machine_cpuid(void)
{
	return &common.head;
}

static void slot(struct machine *m, u32 number, u32 flags, u64 gpa, u64 size)
{
	struct minikvm_userspace_memory_region r = {
		.slot = number, .flags = flags, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (uintptr_t)(m->mem + gpa),
	};

	must(ioctl(m->vm, MINIKVM_SET_USER_MEMORY_REGION, &r), "SET_USER_MEMORY_REGION");
}

static int run_size(struct machine *m)
{
	return must(ioctl(m->dev, MINIKVM_GET_VCPU_MMAP_SIZE, 0), "GET_VCPU_MMAP_SIZE");
}

/* All of the FPU's state, so that an instruction has something to store. */
static void fill_xsave(struct machine *m)
{
	struct minikvm_xcrs xcrs = { .nr_xcrs = 1, .xcrs[0].value = 7 };
	static struct minikvm_xsave xsave;
	u8 *at = (u8 *)xsave.region;
	int i;

	if (!(common.e[0].eax >= 0xd && part_set(m, P_XCRS, &xcrs) == 0))
		return;
	for (i = 32; i < XSAVE_BYTES; i++)
		at[i] = i < 416 || i >= 576 ? i * 13 : 0;
	for (i = 0; i < 8; i++)
		memset(at + 32 + 16 * i + 10, 0, 6);
	*(u16 *)at = 0x37f;
	*(u32 *)(at + 24) = 0x1f80;
	*(u64 *)(at + 512) = 7;
	must(part_set(m, P_XSAVE, &xsave), "SET_XSAVE");
}

/*
 * The guest writes to all its pages. Bochs leaves a single-step trap pending at an EPT violation,
 * so that an instruction under TF traps before it is done where its operand was not mapped yet.
 */
static void touch(struct machine *m)
{
	static const u8 code[] = {
		0xbe, 0x00, 0xe0, 0x00, 0x00,		/*	mov $0xe000, %esi */
		0x8a, 0x06, 0x88, 0x06,			/* 1:	mov (%esi), %al; mov %al, (%esi) */
		0x81, 0xee, 0x00, 0x10, 0x00, 0x00,	/*	sub $0x1000, %esi */
		0x79, 0xf4,				/*	jns 1b */
		0xa0, 0x00, 0xf0, 0x00, 0x00,		/*	mov 0xf000, %al */
	};
	static struct scene s;
	static struct trace t;

	world_scene(&s, PROT32, 0);
	memcpy(s.code, code, s.ncode = sizeof(code));
	s.ops[s.nops++].kind = OP_RUN;
	play(m, &s, &t);
}

/* A signal every now and then, for guests that go round for ever; but not to CREATE_VM. */
void machine_watch(bool on)
{
	struct itimerval every = { { 0, on * 10000 }, { 0, on * 10000 } };

	setitimer(ITIMER_REAL, &every, NULL);
}

void machine_make(struct machine *m, u32 kind)
{
	machine_watch(false);
	m->vm = ioctl(m->dev, MINIKVM_CREATE_VM, 0);
	must(m->vm, "CREATE_VM");
	m->kind = kind;
	must(ioctl(m->vm, MINIKVM_SET_TSS_ADDR, 0xfffbd000), "SET_TSS_ADDR");
	if (kind & WITH_IRQCHIP)
		must(ioctl(m->vm, MINIKVM_CREATE_IRQCHIP, 0), "CREATE_IRQCHIP");
	slot(m, 0, kind & WITH_DIRTY_LOG ? MINIKVM_MEM_LOG_DIRTY_PAGES : 0, 0, G_ROM);
	slot(m, 1, MINIKVM_MEM_READONLY, G_ROM, G_SIZE - G_ROM);
	m->vcpu = must(ioctl(m->vm, MINIKVM_CREATE_VCPU, 0), "CREATE_VCPU");
	m->run = mmap(NULL, run_size(m), PROT_READ | PROT_WRITE, MAP_SHARED, m->vcpu, 0);
	if (m->run == MAP_FAILED)
		err(2, "mmap of the run page");
	must(ioctl(m->vcpu, MINIKVM_SET_CPUID2, &common), "SET_CPUID2");
	m->mode = MODES;
	m->spoiled = false;
	fill_xsave(m);
	ending_take(m, &m->birth);
	machine_watch(true);
	if (!(kind & WITH_FRESH_VCPU))
		touch(m);
}

/* No VM any more, until machine_make(). */
void machine_rest(struct machine *m)
{
	if (m->vm < 0)
		return;
	munmap(m->run, run_size(m));
	close(m->vcpu);
	close(m->vm);
	m->vm = m->vcpu = -1;
}
