// SPDX-License-Identifier: GPL-2.0
/*
 * Differences that are meant, each with its reason: the SDM, or a choice of ours that
 * Documentation/api.rst tells. Everything else is a finding. The rows are in explained_insn.c,
 * explained_strings.c, explained_events.c and explained_state.c; here is what they ask, and the search.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "explained.h"

bool is_field(const struct difference *d, const char *field, const char *name)
{
	return !strcmp(d->field, field) && (!name || !strcmp(d->name, name));
}

const struct record *record_of(const struct difference *d, const struct trace *t)
{
	return &t->records[d->record < 0 ? t->nrecords - 1 : d->record];
}

/* The opcode's byte behind prefixes (and what shrinking has put in their place), or 0. */
u8 opcode_of(const struct scene *s)
{
	static const u8 legacy[] = { 0x66, 0x67, 0xf2, 0xf3, 0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65,
	0xf0 };
	int i;

	for (i = 0; i < s->ncode; i++)
		if (s->code[i] != 0x90 && !memchr(legacy, s->code[i], sizeof(legacy)) &&
		    !(s->mode == LONG && (s->code[i] & 0xf0) == 0x40))
			return s->code[i];
	return 0;
}

/* Among the prefixes before the opcode. */
bool has_prefix(const struct scene *s, u8 byte)
{
	const u8 *op = memchr(s->code, opcode_of(s), s->ncode);

	return op && memchr(s->code, byte, op - s->code);
}

/* As if the instruction that KVM stopped at were the case's first. */
struct scene at_exit(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm);
	u64 at = k->sregs.cs.base + k->regs.rip;
	struct scene s = *d->scene;

	if (at - s.code_at >= (u32)s.ncode && at <= G_SIZE - 15)
		memcpy(s.code, world_memory(s.mode) + at, s.ncode = 15);
	return s;
}

/* Where its ModRM with a base register points to, as an offset; ~0: it has none of these. */
u64 operand_of(const struct scene *s)
{
	static const u8 in_regs[] = { 0, 2, 3, 1, 6, 7, 4, 5, 8, 9, 10, 11, 12, 13, 14, 15 };
	const u8 *op = memchr(s->code, opcode_of(s), s->ncode);
	const u64 *r = (const u64 *)&s->regs;
	u8 rex = op && op > s->code && s->mode == LONG ? op[-1] : 0, mod, rm, index;
	u64 at;

	if (!op || s->mode < PROT32)
		return ~0ull;
	rex = (rex & 0xf0) == 0x40 ? rex : 0;
	op += *op != 0x0f ? 1 : (op[1] & 0xfd) == 0x38 ? 3 : 2;
	mod = *op >> 6;
	rm = *op++ & 7;
	index = rm == 4 ? (*op >> 3 & 7) | (rex & 2) << 2 : 4;
	at = index == 4 ? 0 : r[in_regs[index]] << (*op >> 6);
	if (rm == 4)
		rm = *op++ & 7;
	if (mod == 3 || (mod == 0 && rm == 5))
		return ~0ull;
	at += r[in_regs[rm | (rex & 1) << 3]];
	at += mod == 1 ? (u64)(int8_t)*op : mod == 2 ? (u64)(int32_t)(op[0] | op[1] << 8 |
		op[2] << 16 | (u32)op[3] << 24) : 0;
	return s->mode == LONG && !has_prefix(s, 0x67) ? at : (u32)at;
}

bool is_string(u8 op)
{
	return (op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) ||
	       (op >= 0xaa && op <= 0xaf);
}

bool is_in_handler(const struct record *r, u8 vector)
{
	return (r->regs.rip & ~15ull) == G_STUBS + vector * 16ull;
}

/* A #PF; without a stack it is a shutdown. */
bool page_faults(const struct record *r)
{
	return is_in_handler(r, 14) ||
	       (r->exit == MINIKVM_EXIT_SHUTDOWN && r->events.exception.nr == 14);
}

/* At the OUT that ends a run, which shows AL. */
bool is_at_end(const struct record *r)
{
	return r->exit == MINIKVM_EXIT_IO && r->detail[0] == 0x101 && r->detail[1] == PORT_END;
}

bool refuses(const struct record *r)
{
	return (r->exit == MINIKVM_EXIT_INTERNAL_ERROR && r->detail[0] == 1) ||
	       is_in_handler(r, 6);
}

/* The two bytes at and behind the opcode, and its reg field. */
bool has_opcode(const struct scene *s, u8 first, u8 second, u8 digits)
{
	const u8 *at = memchr(s->code, first, s->ncode);

	if (opcode_of(s) != first || !at)
		return false;
	if (first == 0x0f && *++at != second)
		return false;
	return !digits || digits >> (at[1] >> 3 & 7) & 1;
}

const struct op *op_of(const struct difference *d)
{
	static const struct op none;

	return d->record < 0 || !d->scene->nops ? &none : &d->scene->ops[record_of(d, d->kvm)->op];
}

bool is_msr_op(const struct difference *d, u32 first, u32 last)
{
	const struct op *op = op_of(d);

	return (op->kind == OP_GET_MSR || op->kind == OP_SET_MSR) && op->at >= first &&
		op->at <= last;
}

/* By its number in the guest's RCX, or in an operation. */
bool of_msr(const struct difference *d, u32 msr)
{
	return is_msr_op(d, msr, msr) || ((u32)d->scene->regs.rcx == msr &&
		(has_opcode(d->scene, 0x0f, 0x30, 0) || has_opcode(d->scene, 0x0f, 0x32, 0)));
}

bool has_put(const struct scene *s, u8 part, u32 from, u32 to, u64 least)
{
	int i;

	for (i = 0; i < s->nops; i++)
		if (s->ops[i].kind == OP_PUT && s->ops[i].a == part && s->ops[i].at >= from &&
		    s->ops[i].at < to && s->ops[i].value >= least)
			return true;
	return false;
}

bool has_op(const struct scene *s, u8 kind)
{
	int i;

	for (i = 0; i < s->nops && s->ops[i].kind != kind; i++)
		;
	return i < s->nops;
}

static const struct explanation *const tables[] = {
	explained_insn, explained_strings, explained_events, explained_state,
};

enum { MOST_ROWS = 40 };

static u64 counts[COUNT(tables)][MOST_ROWS];

const char *explained(struct difference *d)
{
	const struct explanation *e;
	unsigned int i;

	for (i = 0; i < COUNT(tables); i++) {
		for (e = tables[i]; e->name; e++) {
			if (!e->fits(d))
				continue;
			assert(e - tables[i] < MOST_ROWS);
			counts[i][e - tables[i]]++;
			d->over = !e->go_on;
			return e->name;
		}
	}
	return NULL;
}

void explained_print(void)
{
	const struct explanation *e;
	unsigned int i;
	u64 n;

	for (i = 0; i < COUNT(tables); i++)
		for (e = tables[i]; e->name; e++)
			if (e - tables[i] < MOST_ROWS && (n = counts[i][e - tables[i]]))
				printf("# explained %8llu  %s: %s\n", (unsigned long long)n,
				       e->name, e->reason);
}
