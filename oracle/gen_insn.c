// SPDX-License-Identifier: GPL-2.0
/*
 * One instruction: those that a hypervisor carries out, more often than others; with any
 * prefixes, in every mode, on operands that lie on memory, a device, a chip, ROM, a page that
 * is missing or forbidden, or half on one and half on another.
 */
#include <string.h>

#include "oracle.h"

enum {
	M = 1,			/* ModRM: an operand in memory, mostly */
	R = 2,			/* ModRM: registers */
	I1 = 4, I2 = 8, I4 = 16,	/* an immediate of so many bytes; I4: of 2 with 16 bits */
	J = 32,			/* may go round for ever */
	S = 64,			/* string: a small count */
	N = 128,		/* an MSR's number in ECX */
};

/* digits: a bit per /digit, 0: all */
struct template { u8 weight, flags, n, bytes[3], digits; };

#define OP1(w, f, a)		{ w, f, 1, { a }, 0 }
#define OP2(w, f, b)		{ w, f, 2, { 0x0f, b }, 0 }
#define GROUP(w, f, a, d)	{ w, f, 1, { a }, d }
#define GROUP2(w, f, b, d)	{ w, f, 2, { 0x0f, b }, d }

static const struct template templates[] = {
	/* strings */
	OP1(9, S, 0x6c), OP1(9, S, 0x6d), OP1(9, S, 0x6e), OP1(9, S, 0x6f), OP1(9, S, 0xa4),
	OP1(9, S, 0xa5),
	OP1(6, S, 0xa6), OP1(6, S, 0xa7), OP1(9, S, 0xaa), OP1(9, S, 0xab), OP1(6, S, 0xac),
	OP1(6, S, 0xad),
	OP1(6, S, 0xae), OP1(6, S, 0xaf),
	/* moves */
	OP1(9, M, 0x88), OP1(9, M, 0x89), OP1(9, M, 0x8a), OP1(9, M, 0x8b), GROUP(5, M | I1, 0xc6,
	1),
	GROUP(5, M | I4, 0xc7, 1), OP2(5, M, 0xb6), OP2(5, M, 0xb7), OP2(5, M, 0xbe), OP2(5, M,
	0xbf),
	OP1(4, M, 0x63), OP2(3, M, 0xc3), OP1(2, I4, 0xa0), OP1(2, I4, 0xa1), OP1(2, I4, 0xa2),
	OP1(2, I4, 0xa3),
	OP1(2, M, 0x8c), OP1(3, M, 0x8e), OP1(3, 0, 0xd7), { 2, M, 3, { 0x0f, 0x38, 0xf0 }, 0 },
	{ 2, M, 3, { 0x0f, 0x38, 0xf1 }, 0 }, OP2(3, M, 0x44), OP2(2, M, 0x94), OP2(2, M, 0x9f),
	OP1(2, M, 0x8d),
	/* arithmetic */
	OP1(4, M, 0x00), OP1(4, M, 0x01), OP1(4, M, 0x02), OP1(3, M, 0x03), OP1(3, M, 0x11),
	OP1(3, M, 0x19),
	OP1(4, M, 0x21), OP1(4, M, 0x29), OP1(3, M, 0x31), OP1(4, M, 0x38), OP1(4, M, 0x39),
	OP1(3, M, 0x3b),
	OP1(3, M, 0x84), OP1(3, M, 0x85), OP1(4, M, 0x86), OP1(4, M, 0x87), GROUP(6, M | I1, 0x80,
	0),
	GROUP(6, M | I4, 0x81, 0), GROUP(6, M | I1, 0x83, 0), GROUP(4, M, 0xf6, 0xfc), GROUP(4, M,
	0xf7, 0xfc),
	GROUP(2, M | I1, 0xf6, 1), GROUP(2, M | I4, 0xf7, 1), GROUP(4, M, 0xfe, 3), GROUP(8,
	M | J, 0xff, 0),
	GROUP(3, M | I1, 0xc0, 0), GROUP(3, M | I1, 0xc1, 0), GROUP(3, M, 0xd1, 0), GROUP(3, M,
	0xd3, 0),
	OP2(4, M, 0xa3), OP2(4, M, 0xab), OP2(4, M, 0xb3), OP2(4, M, 0xbb), GROUP2(5, M | I1,
	0xba, 0xf0),
	OP2(5, M, 0xb0), OP2(5, M, 0xb1), OP2(5, M, 0xc0), OP2(5, M, 0xc1), GROUP2(5, M, 0xc7, 2),
	OP2(2, M, 0xa5), OP2(2, M, 0xad), OP2(2, M | I1, 0xa4), OP2(2, M, 0xaf), OP2(2, M, 0xbc),
	OP2(2, M, 0xbd),
	OP1(2, M | I4, 0x69), OP1(2, M | I1, 0x6b),
	/* the stack */
	OP1(3, 0, 0x50), OP1(3, 0, 0x58), OP1(3, 0, 0x60), OP1(3, 0, 0x61), OP1(3, I1, 0x6a),
	OP1(3, I4, 0x68),
	GROUP(4, M, 0x8f, 1), OP1(3, 0, 0x9c), OP1(4, 0, 0x9d), OP1(3, 0, 0xc9), OP1(2, I2 | I1,
	0xc8),
	OP1(2, 0, 0x06), OP1(2, 0, 0x07), OP1(2, 0, 0x16), OP1(2, 0, 0x17), OP2(2, 0, 0xa0),
	OP2(2, 0, 0xa1),
	/* control */
	OP1(2, J | I1, 0xeb), OP1(2, J | I4, 0xe8), OP1(3, J, 0xc3), OP1(3, J | I2, 0xc2), OP1(3,
	J, 0xcb),
	OP1(3, J | I2, 0xca), OP1(5, J, 0xcf), OP1(3, J | I4 | I2, 0xea), OP1(3, J | I4 | I2,
	0x9a), OP1(3, J, 0xcc),
	OP1(5, J | I1, 0xcd), OP1(2, J, 0xce), OP1(2, J, 0xf1), OP1(2, J | I1, 0xe2), OP2(2, J,
	0x05), OP2(2, J, 0x07),
	OP2(2, J, 0x34), OP2(2, J, 0x35), OP1(2, M, 0x62), OP2(2, J, 0x0b),
	/* ports */
	OP1(4, I1, 0xe4), OP1(4, I1, 0xe5), OP1(4, I1, 0xe6), OP1(4, I1, 0xe7), OP1(4, 0, 0xec),
	OP1(4, 0, 0xed),
	OP1(4, 0, 0xee), OP1(4, 0, 0xef),
	/* the system */
	OP2(6, 0, 0xa2), OP1(4, 0, 0xf4), OP1(3, 0, 0xfa), OP1(3, 0, 0xfb), OP2(4, 0, 0x06),
	OP2(3, 0, 0x08),
	OP2(3, 0, 0x09), OP2(8, R, 0x20), OP2(10, R, 0x22), OP2(6, R, 0x21), OP2(6, R, 0x23),
	OP2(8, N, 0x30),
	OP2(8, N, 0x32), GROUP2(4, M, 0x01, 0), GROUP2(6, R, 0x01, 0xd0), GROUP2(3, M, 0x00, 0),
	{ 4, 0, 3, { 0x0f, 0x01, 0xd1 }, 0 }, { 3, 0, 3, { 0x0f, 0x01, 0xd0 }, 0 }, { 3, 0, 3,
	{ 0x0f, 0x01, 0xc1 }, 0 },
	{ 2, 0, 3, { 0x0f, 0x01, 0xd9 }, 0 }, { 2, 0, 3, { 0x0f, 0x01, 0xc8 }, 0 }, { 2, 0, 3,
	{ 0x0f, 0x01, 0xc9 }, 0 },
	{ 2, 0, 3, { 0x0f, 0x01, 0xca }, 0 }, { 2, 0, 3, { 0x0f, 0x01, 0xcb }, 0 }, { 2, 0, 3,
	{ 0x0f, 0x01, 0xf8 }, 0 },
	OP2(3, M, 0xb2), OP2(2, M, 0xb4), OP1(2, M, 0xc4), OP1(2, M, 0xc5), OP2(2, M, 0x02),
	OP2(2, M, 0x03),
	{ 3, M, 3, { 0x0f, 0x38, 0x82 }, 0 }, OP2(2, M, 0x0d), OP2(2, M, 0x18), OP2(2, M, 0x1f),
	OP1(2, 0, 0x90),
	/* the FPU and the vectors */
	GROUP2(5, M, 0xae, 0), GROUP(2, M, 0xd9, 0), GROUP(2, M, 0xdd, 0), GROUP(2, M, 0xdf, 0),
	OP2(3, M, 0x10),
	OP2(3, M, 0x11), OP2(2, M, 0x28), OP2(3, M, 0x29), OP2(2, M, 0x2b), OP2(3, M, 0x6f),
	OP2(3, M, 0x7f),
	OP2(2, M, 0x6e), OP2(2, M, 0x7e), OP2(2, M, 0xd6), OP2(3, M, 0xe7), OP2(2, M, 0xef),
	OP1(1, 0, 0x9b),
};

static const u8 prefixes[] = { 0x66, 0x67, 0xf2, 0xf3, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
	0xf0 };

static void put(struct scene *s, u8 byte)
{
	if (s->ncode < MAX_CODE)
		s->code[s->ncode++] = byte;
}

static void put_modrm(struct scene *s, const struct template *t)
{
	u8 digit = rnd_below(8), mod = t->flags & R ? 3 : rnd_one_in(12) ? 3 : rnd_one_in(3);
	u8 rm = rnd_below(8);

	if (t->digits)
		while (!(t->digits >> digit & 1))
			digit = rnd_below(8);
	put(s, mod << 6 | digit << 3 | rm);
	if (mod != 3 && rm == 4 && s->mode >= PROT32)
		put(s, rnd_one_in(2) ? 0x20 | rnd_below(8) : rnd());	/* mostly without index */
	if (mod == 1)
		put(s, rnd_below(16) - 8);
	else if (mod == 0 && (rm == 5 || (s->mode < PROT32 && rm == 6))) {
		put(s, 0);
		put(s, rnd_one_in(2) ? 0xd0 : 0xef);
		if (s->mode >= PROT32) {
			put(s, rnd_below(3));
			put(s, 0);
		}
	}
}

static void put_template(struct scene *s, const struct template *t)
{
	int i, n = (t->flags & I1 ? 1 : 0) + (t->flags & I2 ? 2 : 0) +
		(!(t->flags & I4) ? 0 : s->mode < PROT32 ? 2 : 4);

	for (i = 0; i < t->n; i++)
		put(s, t->bytes[i]);
	if (t->flags & (M | R))
		put_modrm(s, t);
	for (i = 0; i < n; i++)
		put(s, t->flags & J && i == 1 ? 0x11 : rnd_one_in(3) ? 0 : rnd());
}

static const struct template *pick(void)
{
	static u32 sum;
	unsigned int i;
	u32 at;

	if (!sum)
		for (i = 0; i < COUNT(templates); i++)
			sum += templates[i].weight;
	at = rnd_below(sum);
	for (i = 0; at >= templates[i].weight; i++)
		at -= templates[i].weight;
	return &templates[i];
}

/* What has its own answer each time, or another one on each device: time, and random numbers. */
static bool is_hidden(u8 map, u8 op, u8 modrm)
{
	if (map != 1)
		return false;
	return op == 0x31 || op == 0x33 || (op == 0x01 && modrm >= 0xf9) ||
	       (op == 0xc7 && modrm >= 0xf0);
}

/* Any bytes as an opcode; behind it filler, so that what follows it ends the run. */
static void put_any(struct scene *s)
{
	u8 map = rnd_below(4), op = rnd(), modrm = rnd_one_in(3) ? rnd() : rnd() & 0x7f;

	if (rnd_one_in(2))
		map = 1;
	if (is_hidden(map, op, modrm))
		op = 0x0b;
	if (map)
		put(s, 0x0f);
	if (map > 1)
		put(s, map == 2 ? 0x38 : 0x3a);
	put(s, op);
	put(s, modrm);
}

static u64 address(const struct scene *s)
{
	static const u32 places[] = {
		G_DATA + 0x10, G_DATA + 0xff8, G_DATA + 0x2ff8, G_ROM + 0x10, G_ROM + 0xff8,
		G_DEVICE + 0x10,
		G_DEVICE + 0x20, G_DEVICE + 0xff8, G_WINDOW + 0x10, G_WINDOW + 0xff8,
		G_WINDOW + 0x1ff8,
		G_WINDOW + 0x2ff8, G_WINDOW + 0x3ff8, G_WINDOW - 8, G_STACK - 0x100,
		G_CODE_EDGE - 4,
		0x100000, 0x200000, 0x200300, 0x400000, 0x600000,
	};
	/* With chips, those are left to their own generator. */
	u32 n = COUNT(places) - (s->machine & WITH_IRQCHIP ? 4 : 0);
	u64 at = places[rnd_below(n)] + rnd_below(9);

	if (rnd_one_in(3))
		at = (rnd_one_in(2) ? G_DEVICE : G_WINDOW) + rnd_below(0x40) * 4;
	if (s->mode == LONG && rnd_one_in(40))
		at |= 1ull << (32 + rnd_below(32));
	return at;
}

static void registers(struct scene *s)
{
	u64 *r = (u64 *)&s->regs;
	int i;

	for (i = 0; i < 16; i++) {
		if (i == 6 && !rnd_one_in(6))
			continue;		/* RSP stays good, mostly */
		r[i] = rnd_one_in(5) ? rnd_edge() : address(s);
	}
	if (!rnd_one_in(3))
		s->regs.rdx = rnd_one_in(2) ? 0x80 + rnd_below(8) : rnd_below(0x400);
	if (!rnd_one_in(4))
		s->regs.rcx = rnd_below(6);
}

static u64 flags(bool may_loop)
{
	u64 f = 0x202 | (rnd() & 0x8d5);	/* the arithmetic ones */

	if (!may_loop && rnd_one_in(4))
		f &= ~0x200ull;
	if (rnd_one_in(6))
		f |= 0x400;
	if (rnd_one_in(10))
		f |= 0x100;
	if (rnd_one_in(10))
		f |= 0x40000;
	if (rnd_one_in(4))
		f |= 0x3000;
	if (rnd_one_in(20))
		f |= rnd_one_in(2) ? 0x4000 : 0x10000;
	return f;
}

static void controls(struct scene *s)
{
	if (rnd_one_in(12))
		s->sregs.cr0 |= 8;		/* TS */
	if (rnd_one_in(30))
		s->sregs.cr0 |= 4;
	if (rnd_one_in(6))
		s->sregs.cr0 ^= 0x10000;
	if (rnd_one_in(6))
		s->sregs.cr0 |= 0x40000;
	if (rnd_one_in(3))
		s->sregs.cr4 |= 1 << 18;
	if (rnd_one_in(12) && s->mode != PAGED32)	/* PAE would need other tables */
		s->sregs.cr4 |= 1 << rnd_below(11);
	if (rnd_one_in(12))
		s->sregs.cr4 |= 1 << (16 + rnd_below(8));
	if (rnd_one_in(12))
		s->events.interrupt.shadow = 1 + rnd_below(2);
	if (rnd_one_in(20))
		s->sregs.cr8 = rnd_below(16);
}

static void segments(struct scene *s)
{
	static const u32 bases[] = { 0, 0x8000, 0xf000, 0x10000, 0x11000 };
	struct minikvm_segment *all[] = { &s->sregs.ds, &s->sregs.es, &s->sregs.fs, &s->sregs.gs };
	struct minikvm_segment *seg = RND_OF(all);

	if (s->mode < PROT32) {			/* 64 KiB that reach the device */
		s->sregs.ds.base = RND_OF(bases);
		s->sregs.es.base = RND_OF(bases);
		s->sregs.ds.selector = s->mode == REAL ? s->sregs.ds.base >> 4 : s->sregs.ds.selector;
		s->sregs.es.selector = s->mode == REAL ? s->sregs.es.base >> 4 : s->sregs.es.selector;
	}
	if (s->mode == REAL || !rnd_one_in(5))
		return;
	switch (rnd_below(6)) {
	case 0:
		seg->limit = 0x1000 * (1 + rnd_below(0x20)) - 1;
		seg->g = 0;
		break;
	case 1:
		seg->type |= 4;			/* expand-down */
		seg->limit = 0x10fff;
		seg->g = 0;
		break;
	case 2:
		seg->type &= ~2;		/* read-only */
		break;
	case 3:
		seg->unusable = 1;
		seg->selector = 0;
		break;
	case 4:
		seg->base = RND_OF(bases);
		break;
	case 5:
		seg->type = rnd_one_in(16) ? 9 : 11;	/* code */
		break;
	}
}

static u64 entry(const struct scene *s)
{
	static const u64 targets[] = {
		G_DATA | 7, G_DATA | 7, G_DATA | 0x67, G_DATA | 5, G_DATA | 3, G_DATA | 1, 0, 0x6,
		G_DEVICE | 7,
		G_DEVICE | 7, G_DEVICE | 5, G_DEVICE | 3, G_ROM | 7, G_ROM | 0x27,
		(G_DATA + 0x1000) | 7,
		G_DATA | 0x1f, G_DATA | 0x107, 0xfee00007, 0xfec00007,
	};
	u64 e = targets[rnd_below(COUNT(targets) - (s->machine & WITH_IRQCHIP ? 2 : 0))];

	if (s->mode != PAGED32 && rnd_one_in(8))
		e |= rnd_one_in(2) ? 1ull << 63 : 1ull << (40 + rnd_below(23));
	return e;
}

/* The window's pages, two of them new. */
void gen_window(struct scene *s)
{
	u32 first = rnd_below(2) * 2, at;

	if (s->mode < PAGED32 || s->npokes + 2 > MAX_POKES)
		return;
	if (s->mode == PAGED32) {
		at = G_PT32 + (G_WINDOW / 4096 + first) * 4;
		s->pokes[s->npokes++] = (struct poke) {
			.at = at, .value = (u32)entry(s) | entry(s) << 32 };
		return;
	}
	at = G_PT + (G_WINDOW / 4096 + first) * 8;
	s->pokes[s->npokes++] = (struct poke) { .at = at, .value = entry(s) };
	s->pokes[s->npokes++] = (struct poke) { .at = at + 8, .value = entry(s) };
}

static const u32 msrs[] = {
	0x1b, 0x3a, 0x8b, 0x174, 0x175, 0x176, 0x179, 0x17a, 0x186, 0x1a0, 0x1d9, 0x200, 0x250,
	0x277, 0x2ff,
	0x48, 0x49, 0xc0000080, 0xc0000081, 0xc0000082, 0xc0000084, 0xc0000100, 0xc0000101,
	0xc0000102,
	0xc0000103, 0xda0, 0x802, 0x808, 0x80b, 0x830, 0xfe, 0x400, 0x401, 0x0, 0x17, 0xcd, 0x198,
};

void gen_insn(struct scene *s)
{
	static const struct template any = { .flags = J };
	const struct template *t = rnd_one_in(4) ? &any : pick();
	int i, cpl = s->mode > REAL && rnd_one_in(3) ? 3 : 0;

	world_scene(s, s->mode, cpl);
	for (i = rnd_one_in(2) ? 0 : rnd_below(3); i > 0; i--)
		put(s, RND_OF(prefixes));
	if (t->flags & S && rnd_one_in(2))
		put(s, 0xf2 + rnd_below(2));
	if (s->mode == LONG && rnd_one_in(2))
		put(s, 0x40 | rnd_below(16));
	if (t == &any)
		put_any(s);
	else
		put_template(s, t);
	registers(s);
	if (t->flags & N)
		s->regs.rcx = RND_OF(msrs);
	s->regs.rflags = flags(t->flags & J);
	controls(s);
	segments(s);
	gen_window(s);
	gen_window(s);
	if (rnd_one_in(12))
		s->code_at = s->regs.rip = G_CODE_EDGE - 1 - rnd_below(s->ncode);
	s->ops[s->nops++].kind = OP_RUN;
	if (rnd_one_in(4))
		s->ops[s->nops++].kind = OP_RUN;
}
