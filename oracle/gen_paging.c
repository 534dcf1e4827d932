// SPDX-License-Identifier: GPL-2.0
/*
 * Page tables: any bits at any level, under any CR0.WP, SMEP, SMAP, NXE, PKE; read, written and
 * executed through by the processor, by what the hypervisor carries out, and by TRANSLATE.
 */
#include <string.h>

#include "oracle.h"

static u64 twisted(enum mode mode, u64 e)
{
	static const u8 bits[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 12, 13, 20, 21, 40, 45, 51, 52,
	58, 59, 62, 63 };
	int n = rnd_below(3);

	while (n--)
		e ^= 1ull << RND_OF(bits);
	return mode == PAGED32 ? (u32)e : e;
}

static void add_poke(struct scene *s, u32 at, u64 value)
{
	if (s->npokes < MAX_POKES)
		s->pokes[s->npokes++] = (struct poke) { .at = at, .value = value };
}

/* Tables of 32-bit entries are written in pairs. */
static void tables(struct scene *s)
{
	u64 page = RND_OF(((const u32[]) { G_DATA, G_DATA, G_DEVICE, G_ROM, G_DATA + 0x1000 }));
	u64 other = G_DATA + 0x1000;

	if (s->mode == PAGED32) {
		add_poke(s, G_PT32 + G_WINDOW / 4096 * 4, twisted(s->mode,
		page | 7) | (other | 7) << 32);
		if (rnd_one_in(4))
			add_poke(s, G_PD32, (G_PT32 | 7) | twisted(s->mode, 0xfec00087) << 32);
		return;
	}
	add_poke(s, G_PT + G_WINDOW / 4096 * 8, twisted(s->mode, page | 7));
	if (rnd_one_in(3))
		add_poke(s, G_PT + G_WINDOW / 4096 * 8 + 8, twisted(s->mode, other | 7));
	if (rnd_one_in(4))
		add_poke(s, G_PD + 8, twisted(s->mode, RND_OF(((const u64[]) { G_PT | 7, 0x200087,
			0x87 }))));
	if (rnd_one_in(6) && s->mode >= COMPAT)
		add_poke(s, G_PDPT + 8, twisted(s->mode, rnd_one_in(2) ? G_PD | 7 : 0x87));
	if (rnd_one_in(8) && s->mode == LONG)
		add_poke(s, G_PML4 + 8, twisted(s->mode, G_PDPT | 7));
}

static u64 address(const struct scene *s)
{
	switch (rnd_below(8)) {
	case 0:	return G_WINDOW + 0xffe;
	case 1:	return 0x200000 + rnd_below(2) * (G_WINDOW + 0x10);
	case 2: return s->mode == PAGED32 ? 0x400000 : 0x40000000 + rnd_below(2) * G_WINDOW;
	case 3: return s->mode == LONG ? 0x8000000000 + rnd_below(2) * G_WINDOW : G_WINDOW + 0xffc;
	default: return G_WINDOW + 0x10;
	}
}

static void controls(struct scene *s)
{
	static const u8 bits[] = { 7, 17, 20, 21, 22, 4 };	/* PGE PCIDE SMEP SMAP PKE PSE */
	struct minikvm_cpuid2 *c = machine_cpuid();
	u64 extra = 0;
	u32 i;

	for (i = 0; i < c->nent; i++)
		if (c->entries[i].function == 7 && c->entries[i].index == 0)
			extra = (c->entries[i].ebx >> 7 & 1) << 20 | (c->entries[i].ebx >> 20 & 1) << 21 |
				(u64)(c->entries[i].ecx >> 3 & 1) << 22;
	if (rnd_one_in(2))
		s->sregs.cr4 |= 1 << RND_OF(bits) & (extra | (s->mode >= COMPAT ? 0x20090 : 0x90));
	if (rnd_one_in(3))
		s->sregs.cr0 &= ~0x10000ull;
	if (rnd_one_in(6))
		s->sregs.efer ^= s->mode >= PAE ? 0x800 : 0;
	if (rnd_one_in(4))
		s->regs.rflags |= 0x40000;
}

void gen_paging(struct scene *s)
{
	/* a load, a store, a change, strings to and from, a jump, CALL through memory, INS, OUTS */
	static const struct { u8 n, bytes[4]; } codes[] = {
		{ 2, { 0x8b, 0x07 } }, { 2, { 0x89, 0x07 } }, { 2, { 0x01, 0x07 } }, { 1,
		{ 0xa4 } }, { 1, { 0xaa } },
		{ 2, { 0xff, 0xe7 } }, { 2, { 0xff, 0x17 } }, { 1, { 0x6c } }, { 1, { 0x6e } },
		{ 1, { 0xa5 } },
		{ 3, { 0x0f, 0x01, 0x3f } }, { 3, { 0x0f, 0xc1, 0x07 } }, { 2, { 0x8f, 0x07 } },
		{ 2, { 0xff, 0x37 } },
	};
	u32 i = rnd_below(COUNT(codes));

	if (s->mode < PAGED32)
		s->mode += PAGED32;
	world_scene(s, s->mode, rnd_one_in(2) ? 3 : 0);
	tables(s);
	controls(s);
	memcpy(s->code, codes[i].bytes, s->ncode = codes[i].n);
	s->regs.rdi = address(s);
	s->regs.rsi = rnd_one_in(3) ? G_DEVICE + 0x20 : address(s);
	s->regs.rdx = 0x80;
	if (rnd_one_in(3))
		s->ops[s->nops++] = (struct op) { .kind = OP_TRANSLATE, .value = s->regs.rdi };
	s->ops[s->nops++].kind = OP_RUN;
}
