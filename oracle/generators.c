// SPDX-License-Identifier: GPL-2.0
/* Which generators there are, and how a seed becomes a case. */
#include <string.h>

#include "oracle.h"

const struct generator generators[] = {
	{ "insn",
		"one instruction, everywhere it can be", 50, WITH_DIRTY_LOG | WITH_IRQCHIP, gen_insn },
	{ "state", "what ioctls set, bit by bit", 12, WITH_IRQCHIP, gen_state },
	{ "msr", "every MSR, by ioctl and by the guest", 10, WITH_IRQCHIP, gen_msr },
	{ "cpuid", "CPUID under any SET_CPUID2", 2, WITH_FRESH_VCPU, gen_cpuid },
	{ "event", "events that the VMM injects", 10, WITH_IRQCHIP, gen_event },
	{ "paging", "page tables of every form", 10, WITH_DIRTY_LOG, gen_paging },
	{ "chips", "PIC, IOAPIC, LAPIC", 6, WITH_IRQCHIP, gen_chips },
	{ "move", "any of these, that goes on in a VM of the other device", 4, WITH_IRQCHIP, gen_move },
	{ NULL, NULL, 0, 0, NULL },
};

const struct generator *generator_find(const char *name)
{
	const struct generator *g;

	for (g = generators; g->name; g++)
		if (!strcmp(g->name, name))
			return g;
	return NULL;
}

static const struct generator *pick(void)
{
	const struct generator *g;
	u64 sum = 0, at;

	for (g = generators; g->name; g++)
		sum += g->share;
	at = rnd_below(sum);
	for (g = generators; at >= g->share; g++)
		at -= g->share;
	return g;
}

/*
 * Seeds that lie side by side share the machine (BATCH of them) and the mode (a few): to change
 * those takes longer than a case. Everything else is of the one seed.
 */
void scene_make(struct scene *s, u64 seed, const struct generator *only)
{
	memset(s, 0, sizeof(*s));
	s->seed = seed;
	rnd_seed(seed / BATCH + 0x1000000000);
	s->generator = pick();
	if (only)
		s->generator = only;
	s->machine = rnd() & rnd() & s->generator->machines;
	s->machine |= s->generator->machines & WITH_FRESH_VCPU;
	if (s->generator->make == gen_chips)
		s->machine |= WITH_IRQCHIP;
	rnd_seed(seed / 16 + 0x2000000000);
	s->mode = rnd_below(MODES);
	rnd_seed(seed);
	s->generator->make(s);
}
