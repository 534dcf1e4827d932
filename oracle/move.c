// SPDX-License-Identifier: GPL-2.0
/*
 * A machine moves: what its VMM can read of it is set in a fresh VM of the other device, in the
 * order that VMMs do it in, and the case goes on there.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "oracle.h"

enum { MOST_MSRS = 512, TSC = 0x10, PLATFORM_INFO = 0xce };

struct indices { struct minikvm_msr_list head; u32 index[MOST_MSRS]; };
struct msrs { struct minikvm_msrs head; struct minikvm_msr_entry e[MOST_MSRS]; };

/* APIC_BASE, in the sregs, comes before the LAPIC, and XCR0 before what it allows. */
static const enum part order[] = {
	P_SREGS, P_XCRS, P_XSAVE, P_REGS, P_LAPIC, P_PIC_MASTER, P_PIC_SLAVE, P_IOAPIC, P_DEBUGREGS,
	P_EVENTS, P_MP_STATE,
};

static u8 data[COUNT(order)][sizeof(struct minikvm_xsave)];

static bool has(const struct machine *m, enum part part)
{
	return part < P_LAPIC || m->kind & WITH_IRQCHIP;
}

static void indices_get(const struct machine *m, struct indices *list)
{
	list->head.nmsrs = MOST_MSRS;
	if (ioctl(m->dev, MINIKVM_GET_MSR_INDEX_LIST, list))
		abort();
}

/* Time goes on by itself; PLATFORM_INFO tells of CPUID faults on KVM, which are left out here. */
static bool stays(u32 index)
{
	return index == TSC || index == PLATFORM_INFO;
}

/* Those that both devices list. */
static void msrs_get(const struct machine *from, const struct machine *to, struct msrs *msrs)
{
	static struct indices ours, theirs;
	u32 i, k;

	indices_get(from, &ours);
	indices_get(to, &theirs);
	msrs->head.nmsrs = 0;
	for (i = 0; i < ours.head.nmsrs; i++)
		for (k = 0; k < theirs.head.nmsrs && !stays(ours.index[i]); k++)
			if (theirs.index[k] == ours.index[i])
				msrs->e[msrs->head.nmsrs++].index = ours.index[i];
	msrs->head.nmsrs = ioctl(from->vcpu, MINIKVM_GET_MSRS, msrs);
}

/* As it is, and as the mode has it. */
static void memory_copy(const struct machine *from, struct machine *to)
{
	to->base = from->base;
	memcpy(to->mem, from->mem, G_SIZE);
	to->mode = from->mode;
}

static void msrs_set(const struct machine *to, struct msrs *msrs, u64 *refused)
{
	int n = ioctl(to->vcpu, MINIKVM_SET_MSRS, msrs);

	if (n == (int)msrs->head.nmsrs)
		return;
	refused[1] = msrs->e[n].index;
	refused[2] = msrs->e[n].data;
}

/*
 * @m, whose last access is finished, goes on as the other device's, which has no VM yet.
 * @refused: what was not taken there, a bit for each of @order, and an MSR with its value
 */
void move(struct machine *m, u64 *refused)
{
	static struct msrs msrs;
	struct machine *to = m->other;
	struct minikvm_run run = *m->run;
	unsigned int i;

	for (i = 0; i < COUNT(order); i++)
		if (has(m, order[i]))
			part_get(m, order[i], data[i]);
	msrs_get(m, to, &msrs);
	machine_rest(m);
	machine_make(to, m->kind);
	memory_copy(m, to);
	for (i = 0; i < COUNT(order); i++) {
		/* Before the LAPIC, whose timer may need them; after the CPUID. */
		if (order[i] == P_LAPIC)
			msrs_set(to, &msrs, refused);
		if (has(to, order[i]) && part_set(to, order[i], data[i]))
			refused[0] |= 1ull << i;
	}
	to->run->cr8 = run.cr8;
	to->run->kvm_valid_regs = run.kvm_valid_regs;
}

/*
 * One trace began on KVM and the other on minikvm: what each device did goes to where compare()
 * looks for it.
 */
void untangle(struct trace *kvm, struct trace *mini)
{
	static struct trace t;
	int before;

	if (!kvm->moved || !mini->moved)
		return;
	for (before = 0; before < kvm->nrecords && before < mini->nrecords; before++)
		if (kvm->records[before].moved && mini->records[before].moved)
			break;
	t = *kvm;
	*kvm = *mini;
	*mini = t;
	memcpy(mini->records, kvm->records, before * sizeof(t.records[0]));
	memcpy(kvm->records, t.records, before * sizeof(t.records[0]));
}

/* A case of another generator, which moves before, in, or behind it. */
void gen_move(struct scene *s)
{
	static void (*const makes[])(struct scene *s) = {
		gen_insn, gen_insn, gen_event, gen_event, gen_state, gen_msr, gen_paging,
	};
	struct op *at;

	if (s->machine & WITH_IRQCHIP && rnd_one_in(2))
		gen_chips(s);
	else
		RND_OF(makes)(s);
	if (s->nops > MAX_OPS - 2)
		s->nops = MAX_OPS - 2;
	at = &s->ops[rnd_below(s->nops + 1)];
	/* Amid a run: behind its first exit. */
	if (at > s->ops && at[-1].kind == OP_RUN)
		at[-1].more = 1;
	memmove(at + 1, at, (u8 *)&s->ops[s->nops++] - (u8 *)at);
	*at = (struct op) { .kind = OP_MOVE };
	s->ops[s->nops++] = (struct op) { .kind = OP_RUN };
}
