// SPDX-License-Identifier: GPL-2.0
/*
 * State that ioctls set: every bit of control, debug and segment registers and of the FPU's,
 * what is refused, what GET reads back, and what the guest makes of it. And every MSR.
 */
#include <string.h>

#include "oracle.h"

static void add(struct scene *s, struct op op)
{
	if (s->nops < MAX_OPS)
		s->ops[s->nops++] = op;
}

static void add_put(struct scene *s, enum part part, u32 at, int size, u64 value, bool more)
{
	add(s, (struct op) { .kind = OP_PUT, .a = part, .at = at, .size = size, .value = value,
			     .more = more });
}

static u64 flipped(u64 value)
{
	int n = 1 + rnd_below(3);

	if (rnd_one_in(6))
		return rnd_edge();
	while (n--)
		value ^= 1ull << (rnd_one_in(4) ? rnd_below(64) : rnd_below(32));
	return value;
}

#define SREG(name)	offsetof(struct minikvm_sregs, name)

static void put_control(struct scene *s, bool more)
{
	switch (rnd_below(8)) {
	case 0: case 1:
		return add_put(s, P_SREGS, SREG(cr0), 8, flipped(s->sregs.cr0), more);
	case 2: case 3:
		return add_put(s, P_SREGS, SREG(cr4), 8, flipped(s->sregs.cr4), more);
	case 4:
		return add_put(s, P_SREGS, SREG(efer), 8, flipped(s->sregs.efer), more);
	case 5:
		return add_put(s, P_SREGS, SREG(cr3), 8, flipped(s->sregs.cr3), more);
	case 6:
		return add_put(s, P_SREGS, SREG(cr8), 8,
			rnd_one_in(2) ? rnd_below(20) : rnd_edge(), more);
	default:
		/* Elsewhere than it is, or x2APIC: the APIC page is the chips' generator's. */
		return add_put(s, P_SREGS, SREG(apic_base), 8,
		s->sregs.apic_base ^ 1ull << rnd_below(64),
			       more);
	}
}

static void put_segment(struct scene *s, bool more)
{
	u32 base = rnd_below(8) * sizeof(struct minikvm_segment);

	switch (rnd_below(5)) {
	case 0:
		return add_put(s, P_SREGS, base, 8, rnd_edge(), more);
	case 1:
		return add_put(s, P_SREGS, base + offsetof(struct minikvm_segment, limit), 4,
			rnd_edge(), more);
	case 2:
		return add_put(s, P_SREGS, base + offsetof(struct minikvm_segment, selector), 2,
			rnd_edge(),
			       more);
	case 3:
		return add_put(s, P_SREGS, base + offsetof(struct minikvm_segment, type), 1,
			rnd_below(17), more);
	default:
		/* present, dpl, db, s, l, g, avl, unusable */
		return add_put(s, P_SREGS, base + offsetof(struct minikvm_segment,
		present) + rnd_below(8), 1,
			       rnd_below(rnd_one_in(4) ? 256 : 4), more);
	}
}

static void put_debugreg(struct scene *s)
{
	static const u64 values[] = { 0xffff0ff0, 0x400, 0xffff0ff0, 0x400 };
	u32 i = rnd_below(7);

	add_put(s, P_DEBUGREGS, i * 8, 8, rnd_one_in(2) ? rnd_edge() : flipped(RND_OF(values)),
		false);
}

static void put_fpu(struct scene *s)
{
	static const struct { u8 part; u16 at; u8 size; } words[] = {
		{ P_XSAVE, 0, 2 }, { P_XSAVE, 2, 2 }, { P_XSAVE, 4, 1 }, { P_XSAVE, 24, 4 },
		{ P_XSAVE, 24, 4 },
		{ P_XSAVE, 28, 4 }, { P_XSAVE, 512, 8 }, { P_XSAVE, 512, 8 }, { P_XSAVE, 520, 8 },
		{ P_XSAVE, 528, 8 }, { P_XSAVE, 464, 8 }, { P_FPU, 128, 2 }, { P_FPU, 130, 2 },
		{ P_FPU, 132, 1 },
		{ P_FPU, 408, 4 }, { P_FPU, 0, 8 }, { P_FPU, 160, 8 },
	};
	u32 i = rnd_below(COUNT(words));
	bool more = words[i].part == P_XSAVE && rnd_one_in(3);

	if (more)
		add_put(s, P_XSAVE, 24, 4, flipped(0x1f80), true);
	add_put(s, words[i].part, words[i].at, words[i].size,
		rnd_one_in(3) ? rnd_below(8) : rnd_edge(), false);
}

static void put_xcr(struct scene *s)
{
	bool more = rnd_one_in(4);

	if (more)
		add_put(s, P_XCRS, rnd_below(3) * 4, 4, rnd_below(3), true);
	add_put(s, P_XCRS, offsetof(struct minikvm_xcrs, xcrs[0].value), 8,
		rnd_one_in(2) ? rnd_below(9) : rnd_edge(), false);
}

static void put_regs(struct scene *s)
{
	u32 i = rnd_below(18);

	add_put(s, P_REGS, i * 8, 8, i == 17 ? flipped(0x202) : rnd_edge(), false);
}

void gen_state(struct scene *s)
{
	int i, n = 1 + rnd_below(3);

	world_scene(s, s->mode, s->mode > REAL && rnd_one_in(3) ? 3 : 0);
	while (n--) {
		switch (rnd_below(8)) {
		case 0: case 1:
			for (i = rnd_below(2); i >= 0; i--)
				put_control(s, i > 0);
			break;
		case 2: case 3:
			for (i = rnd_below(2); i >= 0; i--)
				put_segment(s, i > 0);
			break;
		case 4:
			put_debugreg(s);
			break;
		case 5:
			put_fpu(s);
			break;
		case 6:
			put_xcr(s);
			break;
		default:
			put_regs(s);
		}
	}
	if (rnd_one_in(2))
		add(s, (struct op) { .kind = OP_RUN });
}

/* ---- MSRs */

static u32 any_msr(void)
{
	static const u32 firsts[] = {
		0, 0x10, 0x17, 0x1b, 0x2a, 0x3a, 0x48, 0x79, 0x8b, 0x9e, 0xc1, 0xcd, 0xce, 0xe2,
		0xe7, 0xfe, 0x10a,
		0x119, 0x122, 0x140, 0x174, 0x179, 0x186, 0x198, 0x19a, 0x1a0, 0x1a2, 0x1a6,
		0x1c4, 0x1c9, 0x1d9,
		0x1f2, 0x1fc, 0x200, 0x250, 0x258, 0x268, 0x277, 0x280, 0x2ff, 0x300, 0x309,
		0x345, 0x38d, 0x3f1,
		0x400, 0x480, 0x4c1, 0x4d0, 0x560, 0x600, 0x606, 0x680, 0x6a0, 0x6e1, 0x770,
		0x800, 0x802, 0x808,
		0x80f, 0x830, 0x83f, 0xc80, 0xd90, 0xda0, 0x40000000, 0x40000020, 0x4b564d02,
		0x4b564d05, 0xc0000080,
		0xc0000081, 0xc0000100, 0xc0010000, 0xc0010015, 0xc001001f, 0xc0010055,
		0xc0010117, 0xc0011020,
	};
	u32 msr = RND_OF(firsts) + rnd_below(4) * !rnd_one_in(3);

	if (rnd_one_in(6))
		msr = rnd_edge();
	return msr;
}

/* What goes with time, or has the host's time written to memory. */
static bool goes_with_time(u32 msr)
{
	return msr == 0x10 || msr == 0x3b || msr == 0xe7 || msr == 0xe8 || msr == 0x6e0 ||
	msr == 0x838 ||
	       msr == 0x839 || (msr >= 0x11 && msr <= 0x12) || (msr & ~0xfu) == 0x4b564d00 ||
	       (msr & ~0xffu) == 0x40000000 || msr == 0xc0000104;
}

void gen_msr(struct scene *s)
{
	static const u8 rdmsr[] = { 0x0f, 0x32 }, wrmsr[] = { 0x0f, 0x30 };
	static const u64 values[] = {
		0, 1, 6, 0x0007040600070406, 0x0606060606060606, 0x0707070707070708, 0xfee00900,
		0xc00, 0x801,
		0x7fffffffffff, 0x800000000000, 0xffff800000000000, 0xd01, 0x501, 0xffff,
	};
	int n = 1 + rnd_below(4);
	u32 msr = 0;

	world_scene(s, s->mode, s->mode > REAL && rnd_one_in(8) ? 3 : 0);
	while (n--) {
		do
			msr = any_msr();
		while (goes_with_time(msr));
		add(s, (struct op) { .kind = rnd_one_in(3) ? OP_GET_MSR : OP_SET_MSR, .at = msr,
				     .value = rnd_one_in(3) ? RND_OF(values) : rnd_edge() });
	}
	if (rnd_one_in(3))
		return;
	s->regs.rcx = msr;
	s->regs.rax = rnd_one_in(3) ? RND_OF(values) : rnd_edge();
	s->regs.rdx = rnd_one_in(2) ? 0 : rnd_edge();
	memcpy(s->code, rnd_one_in(2) ? rdmsr : wrmsr, s->ncode = 2);
	add(s, (struct op) { .kind = OP_RUN });
	add(s, (struct op) { .kind = OP_GET_MSR, .at = msr });
}

/* ---- CPUID */

void gen_cpuid(struct scene *s)
{
	static const u8 cpuid[] = { 0x0f, 0xa2 };
	struct minikvm_cpuid2 *c = machine_cpuid();
	const struct minikvm_cpuid_entry2 *e = &c->entries[rnd_below(c->nent)];
	int n = rnd_below(4);

	world_scene(s, s->mode, 0);
	while (n--) {
		add(s, (struct op) { .kind = OP_CPUID, .a = rnd_below(4), .at = e->function,
				     .value = e->index | 1ull << (32 + rnd_below(32)) });
		if (rnd_one_in(2))
			e = &c->entries[rnd_below(c->nent)];
	}
	s->regs.rax = rnd_one_in(4) ? rnd_edge() : e->function + rnd_below(3) * rnd_one_in(3);
	s->regs.rcx = rnd_one_in(4) ? rnd_edge() : e->index + rnd_below(3) * rnd_one_in(3);
	memcpy(s->code, cpuid, s->ncode = 2);
	if (rnd_one_in(3))
		put_control(s, false);
	if (rnd_one_in(4))
		put_xcr(s);
	add(s, (struct op) { .kind = OP_RUN });
}
