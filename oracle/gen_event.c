// SPDX-License-Identifier: GPL-2.0
/*
 * Events that the VMM injects: exceptions and interrupts of any vector and error code; shadows,
 * TF, windows. No NMIs: Bochs 2.7 keeps them blocked from one guest to the next.
 */
#include <string.h>

#include "oracle.h"

#define EVENT(name)	offsetof(struct minikvm_vcpu_events, name), \
			sizeof(((struct minikvm_vcpu_events *)0)->name)

static void add(struct scene *s, struct op op)
{
	if (s->nops < MAX_OPS)
		s->ops[s->nops++] = op;
}

static void put(struct scene *s, u32 at, int size, u64 value, bool more)
{
	add(s, (struct op) { .kind = OP_PUT, .a = P_EVENTS, .at = at, .size = size, .value = value,
			     .more = more });
}

static u32 vector(void)
{
	return rnd_one_in(3) ? rnd_below(256) : rnd_below(32);
}

static void exception(struct scene *s)
{
	put(s, EVENT(exception.nr), vector(), true);
	if (rnd_one_in(2)) {
		put(s, EVENT(exception.has_error_code), 1, true);
		put(s, EVENT(exception.error_code), rnd_one_in(2) ? rnd_below(64) : rnd_edge(),
			true);
	}
	if (rnd_one_in(4))
		put(s, EVENT(exception.pending), 1, true);
	put(s, EVENT(exception.injected), rnd_one_in(8) ? 0 : 1, rnd_one_in(6));
}

static void interrupt(struct scene *s)
{
	put(s, EVENT(interrupt.nr), vector(), true);
	if (rnd_one_in(16))
		put(s, EVENT(interrupt.soft), 1, true);
	put(s, EVENT(interrupt.injected), 1, rnd_one_in(6));
}

static void rest(struct scene *s)
{
	switch (rnd_below(5)) {
	case 0:
		return put(s, EVENT(interrupt.shadow), rnd_below(rnd_one_in(8) ? 256 : 4), false);
	case 1:
		return put(s, EVENT(flags), rnd_one_in(2) ? rnd_below(64) : rnd_edge(), false);
	case 2:
		return put(s, EVENT(sipi_vector), rnd_below(256), false);
	case 3:
		return put(s, EVENT(exception_payload), rnd_edge(), false);
	default:
		return put(s, EVENT(triple_fault.pending), rnd_below(2), false);
	}
}

/* CLI, STI and HLT; POP SS and MOV SS; IRET out of what was injected; software interrupts. */
static void code(struct scene *s)
{
	static const struct { u8 n, bytes[6]; } codes[] = {
		{ 0, { 0 } }, { 1, { 0xfa } }, { 1, { 0xfb } }, { 2, { 0xfb, 0xf4 } }, { 1,
		{ 0xf4 } },
		{ 2, { 0x8e, 0xd0 } }, { 1, { 0xcf } }, { 2, { 0xcd, 0x80 } }, { 1, { 0xcc } },
		{ 2, { 0x90, 0x90 } },
		{ 2, { 0x0f, 0xa2 } }, { 2, { 0x0f, 0x0b } }, { 3, { 0x0f, 0x01, 0xc1 } }, { 1,
		{ 0xf1 } },
		{ 2, { 0x8e, 0xd0 } }, { 4, { 0x8e, 0xd0, 0xcd, 0x80 } }, { 2, { 0xe6, 0x80 } },
	};
	u32 i = rnd_below(COUNT(codes));

	memcpy(s->code, codes[i].bytes, s->ncode = codes[i].n);
	s->regs.rax = s->sregs.ss.selector;
}

void gen_event(struct scene *s)
{
	int n = 1 + rnd_below(3);

	world_scene(s, s->mode, s->mode > REAL && rnd_one_in(3) ? 3 : 0);
	code(s);
	if (rnd_one_in(3))
		s->regs.rflags &= ~0x200ull;
	if (rnd_one_in(6))
		s->regs.rflags |= 0x100;
	if (rnd_one_in(5))
		s->events.interrupt.shadow = 1 + rnd_below(2);
	if (rnd_one_in(8))
		s->regs.rsp = RND_OF(((const u32[]) { G_DEVICE + 0x20, G_WINDOW + 0x800,
			G_ROM + 0x800, 0x100000 }));
	if (rnd_one_in(8) && s->mode > REAL)	/* a gate that is not good */
		s->pokes[s->npokes++] = (struct poke) { .at = G_IDT + 8 * rnd_below(64),
		.value = rnd_edge() };
	while (n--) {
		switch (rnd_below(6)) {
		case 0: case 1:
			exception(s);
			break;
		case 2:
			interrupt(s);
			break;
		case 3: case 4:
			if (!(s->machine & WITH_IRQCHIP)) {
				add(s, (struct op) { .kind = OP_INTERRUPT, .at = vector(),
						     .a = !rnd_one_in(4) });
				break;
			}
			/* fallthrough */
		default:
			rest(s);
		}
		if (rnd_one_in(3))
			add(s, (struct op) { .kind = OP_RUN, .a = rnd_one_in(3) });
	}
	add(s, (struct op) { .kind = OP_RUN, .a = rnd_one_in(3) });
	if (rnd_one_in(2))
		add(s, (struct op) { .kind = OP_RUN });
}
