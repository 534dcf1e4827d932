// SPDX-License-Identifier: GPL-2.0
/*
 * The interrupt chips, driven by lines, messages, the guest's accesses and the ioctls that set
 * their state. No timer runs, so nothing depends on time; no NMIs, which Bochs gets wrong.
 */
#include "oracle.h"

enum { LAPIC = 0x200000, IOAPIC = 0x400000 };	/* linear, as world.c maps them */

static void add(struct scene *s, struct op op)
{
	if (s->nops < MAX_OPS)
		s->ops[s->nops++] = op;
}

static void store(struct scene *s, u32 at, u32 value)
{
	add(s, (struct op) { .kind = OP_STORE, .size = 4, .at = at, .value = value });
}

static void out(struct scene *s, u32 port, u8 value)
{
	add(s, (struct op) { .kind = OP_OUT, .size = 1, .at = port, .value = value });
}

static void lapic(struct scene *s)
{
	/* TPR EOI LDR DFR SVR, ICR, LVTs without the timer's, ESR; and those that are read only */
	static const u16 regs[] = { 0x80, 0x80, 0xb0, 0xb0, 0xb0, 0xd0, 0xe0, 0xf0, 0xf0, 0x280,
	0x300, 0x300, 0x310,
				    0x330, 0x340, 0x350, 0x360, 0x370, 0x20, 0x30, 0xa0, 0x100,
				    0x210, 0x3f0, 0x2f0 };
	u32 reg = RND_OF(regs), value = rnd_edge();

	if (rnd_one_in(3)) {
		add(s, (struct op) { .kind = OP_LOAD, .size = 4, .at = LAPIC + reg });
		return;
	}
	if (reg == 0xf0)
		value = 0x1ff & ~(rnd_below(16) << 4) & ~(u32)(rnd_one_in(6) << 8);
	if (reg == 0x300)	/* no INIT and no SIPI to itself: that is another generator's */
		value = 0x20 + rnd_below(0xe0) + (rnd_below(3) << 18) + rnd_below(2) * 0x4000 +
			rnd_below(2) * 0x800 + rnd_below(2) * 0x100;
	if (reg >= 0x330 && reg <= 0x370)
		value &= ~0x700u;
	store(s, LAPIC + reg, value);
}

static u64 redirection(void)
{
	u64 e = 0x20 + rnd_below(0xe0);

	if (rnd_one_in(8))
		e = rnd_below(32);
	e |= rnd_one_in(3) ? 1 << 15 : 0;		/* level */
	e |= rnd_one_in(5) ? 1 << 16 : 0;		/* masked */
	e |= rnd_one_in(4) ? 1 << 11 : 0;		/* logical */
	e |= rnd_one_in(6) ? RND_OF(((const u32[]) { 1, 2, 3, 7 })) << 8 : 0;
	e |= rnd_one_in(6) ? 1 << 13 : 0;
	return e | (u64)(rnd_one_in(4) ? rnd_below(256) : 0) << 56;
}

static void ioapic(struct scene *s)
{
	u32 pin = rnd_below(rnd_one_in(10) ? 30 : 24);
	u64 e = redirection();

	store(s, IOAPIC, rnd_one_in(8) ? rnd_below(256) : 0x10 + 2 * pin);
	if (rnd_one_in(4)) {
		add(s, (struct op) { .kind = OP_LOAD, .size = 4, .at = IOAPIC + 0x10 });
		return;
	}
	store(s, IOAPIC + (rnd_one_in(12) ? 0x40 : 0x10), e);
	if (rnd_one_in(2)) {
		store(s, IOAPIC, 0x11 + 2 * pin);
		store(s, IOAPIC + 0x10, e >> 32);
	}
}

static void pic(struct scene *s)
{
	static const u8 icw[] = { 0x11, 0x20, 4, 1 };
	u32 base = rnd_one_in(2) ? 0x20 : 0xa0, i;

	switch (rnd_below(6)) {
	case 0:			/* a whole initialization */
		for (i = 0; i < 4; i++)
			out(s, base + (i > 0), rnd_one_in(8) ? rnd() : base == 0x20 ||
				i != 2 ? icw[i] : 2);
		return;
	case 1:
		return out(s, base + 1, rnd_one_in(2) ? 0 : rnd());		/* mask */
	case 2:
		/* OCW2: EOI and kin */
		return out(s, base, rnd_below(8) << 5 | rnd_below(8));
	case 3:
		return out(s, base, 8 | rnd_below(8) | rnd_below(4) << 5);	/* OCW3 */
	case 4:
		return out(s, rnd_one_in(2) ? 0x4d0 : 0x4d1, rnd());
	default:
		add(s, (struct op) { .kind = OP_IN, .size = 1, .at = base + rnd_below(2) });
	}
}

static void line(struct scene *s)
{
	u32 gsi = rnd_below(rnd_one_in(8) ? 26 : 24), level = rnd_below(2);

	add(s, (struct op) { .kind = OP_LINE, .at = gsi, .value = level });
	if (rnd_one_in(2))
		add(s, (struct op) { .kind = OP_LINE, .at = gsi, .value = !level });
}

static void message(struct scene *s)
{
	u32 mode = RND_OF(((const u32[]) { 0, 0, 0, 1, 2, 7 })) << 8;

	add(s, (struct op) { .kind = OP_MSI,
		.at = 0xfee00000 | rnd_below(4) << 2 | rnd_below(3) * 0xff0 * 0x100,
			     .value = (0x10 + rnd_below(0xf0)) | mode | rnd_below(4) << 14 });
}

static void by_ioctl(struct scene *s)
{
	u32 at = rnd_below(16);

	switch (rnd_below(4)) {
	case 0:
		return add(s, (struct op) { .kind = OP_PUT, .a = P_PIC_MASTER + rnd_below(2),
			.at = at, .size = 1,
					    .value = rnd_edge() });
	case 1:
		return add(s, (struct op) { .kind = OP_PUT, .a = P_IOAPIC,
			.at = 24 + 8 * rnd_below(24), .size = 8,
					    .value = redirection() });
	case 2:
		return add(s, (struct op) { .kind = OP_PUT, .a = P_LAPIC, .size = 4,
			.at = RND_OF(((const u32[]) {
			0x80, 0xd0, 0xe0, 0xf0, 0x110, 0x120, 0x210, 0x220, 0x350, 0x360, 0x280 })),
			.value = rnd_edge() });
	default:
		add(s, (struct op) { .kind = OP_RUN });
	}
}

void gen_chips(struct scene *s)
{
	int n = 3 + rnd_below(8);

	world_scene(s, LONG, 0);
	if (!rnd_one_in(4))
		store(s, LAPIC + 0xf0, 0x1ff);
	while (n--) {
		switch (rnd_below(8)) {
		case 0: case 1:
			lapic(s);
			break;
		case 2: case 3:
			ioapic(s);
			break;
		case 4:
			pic(s);
			break;
		case 5:
			line(s);
			break;
		case 6:
			message(s);
			break;
		default:
			by_ioctl(s);
		}
	}
}
