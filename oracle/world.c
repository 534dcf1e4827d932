// SPDX-License-Identifier: GPL-2.0
/* The guest's world: descriptor tables, page tables and registers of each mode. */
#include <string.h>

#include "oracle.h"

const char *const mode_names[MODES] = {
	"real", "prot16", "prot32", "paged32", "pae", "compat", "long"
};

enum { CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_SSE = 3 << 9 };
enum { EFER_SCE = 1, EFER_LME = 1 << 8, EFER_LMA = 1 << 10, EFER_NXE = 1 << 11 };

static bool is_long(enum mode mode)
{
	return mode == COMPAT || mode == LONG;
}

static u64 descriptor(enum mode mode, unsigned int selector)
{
	bool wide = is_long(mode);

	switch (selector & ~7u) {
	case S_CODE32:		return 0x00cf9b000000ffff;
	case S_DATA:		return 0x00cf93000000ffff;
	case S_TSS:		return wide || mode != REAL ? 0x00008b0048000089 : 0;
	case S_CODE64:		return wide ? 0x00af9b000000ffff : 0x00cf9b000000ffff;
	case S_CODE32_3:	return 0x00cffb000000ffff;
	case S_DATA_3:		return 0x00cff3000000ffff;
	case S_CODE64_3:	return wide ? 0x00affb000000ffff : 0x00cffb000000ffff;
	case S_CODE16:		return 0x00009b000000ffff;
	case S_DATA16:		return 0x000093000000ffff;
	case S_DOWN:		return 0x0040f70000000fff;	/* from 0x1000 up */
	case S_ABSENT:		return 0x00cf73000000ffff;
	case S_LDT:		return 0x000082004400003f;
	case S_GATE:		return wide ? 0x0000ec0000282300 : 0x0000ec0000082300;
	case S_CONFORMING:	return wide ? 0x00af9f000000ffff : 0x00cf9f000000ffff;
	case S_READONLY:	return 0x00cff1000000ffff;
	case S_CODE16_3:	return 0x0000fb000000ffff;
	default:		return 0;
	}
}

static struct minikvm_segment segment(enum mode mode, u16 selector)
{
	u64 d = descriptor(mode, selector);
	u32 limit = (d & 0xffff) | (d >> 32 & 0xf0000);

	return (struct minikvm_segment) {
		.selector = selector, .base = (d >> 16 & 0xffffff) | (d >> 56) << 24,
		.limit = d >> 55 & 1 ? limit << 12 | 0xfff : limit, .type = d >> 40 & 15,
		.s = d >> 44 & 1, .dpl = d >> 45 & 3, .present = d >> 47 & 1, .avl = d >> 52 & 1,
		.l = d >> 53 & 1, .db = d >> 54 & 1, .g = d >> 55 & 1,
	};
}

static void gates(enum mode mode, u8 *mem)
{
	u64 at, *idt = (u64 *)(mem + G_IDT);
	u32 *ivt = (u32 *)(mem + G_IVT);
	int v;

	for (v = 0; v < 256; v++) {
		/* By turns interrupt and trap gates; INT3, INTO and from 0x80 on anybody's. */
		u64 rights = (v & 1 ? 0x8f : 0x8e) | (v == 3 || v == 4 || v >= 0x80 ? 0x60 : 0);

		at = G_STUBS + 16 * v;
		if (mode == REAL)
			ivt[v] = at;
		else
			idt[is_long(mode) ? 2 * v : v] = at | rights << 40 |
				(u64)(is_long(mode) ? S_CODE64 : S_CODE32) << 16;
		if (is_long(mode))
			idt[2 * v + 1] = 0;
	}
}

static void tss(enum mode mode, u8 *mem)
{
	u32 *t = (u32 *)(mem + G_TSS);

	memset(t, 0, 0x68);
	t[1] = G_STACK;			/* ESP0; RSP0 */
	if (is_long(mode))
		t[9] = G_STACK - 0x400;	/* IST1 */
	else
		t[2] = S_DATA;
	t[25] = 0x68 << 16;		/* a map of 256 ports: */
	memset(mem + G_TSS + 0x68, 0xff, 34);
	mem[G_TSS + 0x68 + PORT_END / 8] &= ~(1 << PORT_END % 8);
	mem[G_TSS + 0x68 + 0x80 / 8] = 0;
}

/* One to one to 128 KiB, the window on data; from 2 MiB on the chips. */
static void tables(enum mode mode, u8 *mem)
{
	u64 *pt = (u64 *)(mem + G_PT), *pd = (u64 *)(mem + G_PD);
	u32 *pt32 = (u32 *)(mem + G_PT32), *pd32 = (u32 *)(mem + G_PD32);
	u32 page, to;

	memset(mem + G_PML4, 0, G_DATA - G_PML4);
	for (page = 0; page < G_WINDOW / 4096 + 4; page++) {
		to = page < G_WINDOW / 4096 ? page * 4096 : G_DATA + (page & 1) * 4096;
		pt[page] = to | 7;
		pt32[page] = to | 7;
	}
	*(u64 *)(mem + G_PML4) = G_PDPT | 7;
	*(u64 *)(mem + G_PDPT) = G_PD | (is_long(mode) ? 7 : 1);
	pd[0] = G_PT | 7;
	pd[1] = 0xfee00000 | 0x87;
	pd[2] = 0xfec00000 | 0x87;
	pd32[0] = G_PT32 | 7;
	pd32[1] = 0xfec00000 | 0x87;
}

/* Code for accesses to chips, in long mode: at + 16 * (kind - OP_OUT) + 4 * size / 2. */
enum { G_ACCESS = G_CODE + 0x800 };

u64 world_access(int kind, int size)
{
	return G_ACCESS + 16 * (kind - OP_OUT) + 4 * (size / 2);
}

static void accesses(u8 *mem)
{
	static const struct { u8 kind, size, code[4]; } all[] = {
		{ OP_OUT, 1, { 0xee, FILLER, FILLER } }, { OP_OUT, 2, { 0x66, 0xef, FILLER } },
		{ OP_OUT, 4, { 0xef, FILLER, FILLER } }, { OP_IN, 1, { 0xec, FILLER, FILLER } },
		{ OP_IN, 2, { 0x66, 0xed, FILLER } }, { OP_IN, 4, { 0xed, FILLER, FILLER } },
		{ OP_STORE, 4, { 0x89, 0x03, FILLER } }, { OP_LOAD, 4, { 0x8b, 0x03, FILLER } },
	};
	unsigned int i;

	for (i = 0; i < COUNT(all); i++)
		memcpy(mem + world_access(all[i].kind, all[i].size), all[i].code, 3);
}

static void fill(enum mode mode, u8 *mem)
{
	int i;

	memset(mem, FILLER, G_SIZE);
	for (i = G_DATA; i < G_SIZE; i++)
		mem[i] = i * 7 + (i >> 8);
	memset(mem + G_GDT, 0, 0x800);
	for (i = 0; i <= S_LAST; i += 8)
		*(u64 *)(mem + G_GDT + i) = descriptor(mode, i);
	if (is_long(mode))		/* upper halves */
		*(u64 *)(mem + G_GDT + S_TSS + 8) = *(u64 *)(mem + G_GDT + S_LDT + 8) =
			*(u64 *)(mem + G_GDT + S_GATE + 8) = 0;
	*(u64 *)(mem + G_LDT + 8) = descriptor(mode, S_DATA_3);
	accesses(mem);
	gates(mode, mem);
	tss(mode, mem);
	tables(mode, mem);
}

/* Memory as it is in @mode before a case; made once, for both machines. */
const u8 *world_memory(enum mode mode)
{
	static u8 memory[MODES][G_SIZE] __attribute__((aligned(4096)));
	static bool is_filled[MODES];

	if (!is_filled[mode])
		fill(mode, memory[mode]);
	is_filled[mode] = true;
	return memory[mode];
}

static u16 code_selector(enum mode mode, int cpl)
{
	switch (mode) {
	case PROT16:	return cpl == 3 ? S_CODE16_3 : S_CODE16;
	case LONG:	return cpl == 3 ? S_CODE64_3 : S_CODE64;
	default:	return cpl == 3 ? S_CODE32_3 : S_CODE32;
	}
}

static void real_sregs(struct minikvm_sregs *s)
{
	struct minikvm_segment data = { .limit = 0xffff, .type = 3, .present = 1, .s = 1 };

	s->ds = s->es = s->fs = s->gs = s->ss = s->cs = data;
	s->cs.type = 11;
	s->idt.limit = 0x3ff;
	s->tr = s->ldt = (struct minikvm_segment) { .limit = 0xffff, .present = 1, .type = 11 };
	s->ldt.type = 2;
	s->cr0 = 0x10;
}

void world_sregs(enum mode mode, int cpl, struct minikvm_sregs *s)
{
	memset(s, 0, sizeof(*s));
	s->apic_base = 0xfee00900;
	s->cr4 = CR4_SSE;
	if (mode == REAL)
		return real_sregs(s);
	s->cs = segment(mode, code_selector(mode, cpl) | cpl);
	s->ds = s->es = s->fs = s->gs = s->ss =
		segment(mode, cpl == 3 ? S_DATA_3 | 3 : mode == PROT16 ? S_DATA16 : S_DATA);
	s->tr = segment(mode, S_TSS);
	s->ldt = segment(mode, S_LDT);
	s->gdt = (struct minikvm_dtable) { .base = G_GDT, .limit = S_LAST + 7 };
	s->idt = (struct minikvm_dtable) { .base = G_IDT, .limit = 0xfff };
	s->cr0 = 0x33;
	if (mode == PAGED32) {
		s->cr3 = G_PD32;
		s->cr4 |= CR4_PSE;
	} else if (mode == PAE) {
		s->cr3 = G_PDPT;
		s->cr4 |= CR4_PAE;
		s->efer = EFER_NXE;
	} else if (is_long(mode)) {
		s->cr3 = G_PML4;
		s->cr4 |= CR4_PAE;
		s->efer = EFER_LME | EFER_LMA | EFER_NXE | EFER_SCE;
	}
	if (mode >= PAGED32)
		s->cr0 |= 0x80010000;
}

void world_scene(struct scene *s, enum mode mode, int cpl)
{
	s->mode = mode;
	world_sregs(mode, cpl, &s->sregs);
	memset(&s->regs, 0, sizeof(s->regs));
	memset(&s->events, 0, sizeof(s->events));
	s->events.flags = MINIKVM_VCPUEVENT_VALID_NMI_PENDING | MINIKVM_VCPUEVENT_VALID_SHADOW;
	s->regs.rip = s->code_at = G_CODE;
	s->regs.rsp = cpl == 3 ? G_DATA + 0x2800 : G_STACK - 0x100;
	s->regs.rflags = 0x202;
	s->ncode = s->nops = s->npokes = 0;
}
