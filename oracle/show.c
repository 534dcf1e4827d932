// SPDX-License-Identifier: GPL-2.0
/* A finding in a few lines: enough to write the test from. */
#include <stdio.h>
#include <string.h>

#include "oracle.h"

#define LL(x) ((unsigned long long)(x))

static const char *const op_names[OP_KINDS] = {
	"run",
		"put",
			"set_msr",
				"get_msr",
					"interrupt", "nmi", "line", "msi", "translate", "out", "in",
	"store", "load", "cpuid", "debug", "move",
};

static void show_words(const char *what, const void *now, const void *plain, size_t size)
{
	const u64 *n = now, *p = plain;
	size_t i;

	for (i = 0; i < size / 8; i++)
		if (n[i] != p[i])
			printf(" %s+%#zx=%#llx", what, i * 8, LL(n[i]));
}

static void show_regs(const struct minikvm_regs *now, const struct minikvm_regs *plain)
{
	static const char *const names[] = {
		"rax", "rbx", "rcx", "rdx", "rsi", "rdi", "rsp", "rbp", "r8", "r9", "r10", "r11",
		"r12", "r13", "r14", "r15", "rip", "rflags",
	};
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (((u64 *)now)[i] != ((u64 *)plain)[i])
			printf(" %s=%#llx", names[i], LL(((u64 *)now)[i]));
}

static void show_state(const struct scene *s)
{
	static struct scene plain;
	int cpl = s->sregs.cs.dpl == 3 ? 3 : 0;

	world_scene(&plain, s->mode, cpl);
	printf("#   %s, level %d, machine %u:", mode_names[s->mode], cpl, s->machine);
	show_regs(&s->regs, &plain.regs);
	show_words("sregs", &s->sregs, &plain.sregs, sizeof(s->sregs));
	show_words("events", &s->events, &plain.events, sizeof(s->events));
	printf("\n");
}

static void show_op(const struct op *op)
{
	printf("#   %s", op_names[op->kind]);
	if (op->kind == OP_PUT)
		printf(" %s+%#x (%u bytes) = %#llx%s\n", parts[op->a].name, op->at, op->size,
		       LL(op->value), op->more ? " ..." : "");
	else
		printf(" %#x, %#llx (%u, %u)\n", op->at, LL(op->value), op->size, op->a);
}

static void show_record(const char *who, const struct trace *t, int i)
{
	const struct record *r;

	if (!t || !t->nrecords)
		return;
	r = &t->records[i < 0 || i >= t->nrecords ? t->nrecords - 1 : i];
	printf("#   %-4s op %u ret %d exit %u detail %llx %llx %llx %llx; rip %llx rflags %llx cs %x"
	       " exception %u.%u.%u%s\n", who, r->op, r->ret, r->exit, LL(r->detail[0]),
	       LL(r->detail[1]), LL(r->detail[2]), LL(r->detail[3]), LL(r->regs.rip),
	       LL(r->regs.rflags), r->sregs.cs.selector, r->events.exception.injected,
	       r->events.exception.pending, r->events.exception.nr,
	       i >= t->nrecords ? " (its last)" : "");
}

static void show_scene(const struct scene *s)
{
	int i;

	show_state(s);
	if (s->ncode) {
		printf("#   code at %#x:", s->code_at);
		for (i = 0; i < s->ncode; i++)
			printf(" %02x", s->code[i]);
		printf("\n");
	}
	for (i = 0; i < s->npokes; i++)
		printf("#   memory %#x = %#llx\n", s->pokes[i].at, LL(s->pokes[i].value));
	for (i = 0; i < s->nops; i++)
		show_op(&s->ops[i]);
}

void show(const struct scene *s, const struct difference *d)
{
	printf("not ok - seed %llu, %s: %s %s of record %d: kvm %#llx, minikvm %#llx\n", LL(s->seed),
	       s->generator->name, d->field, d->name, d->record, LL(d->value[0]), LL(d->value[1]));
	show_scene(s);
	if (d->record > 0)
		show_record("both", d->kvm, d->record - 1);
	show_record("kvm", d->kvm, d->record);
	show_record("mini", d->mini, d->record);
}

void show_trace(const char *name, const struct scene *s, const struct trace *t)
{
	int i;

	printf("# seed %llu on %s\n", LL(s->seed), name);
	show_scene(s);
	for (i = 0; i < t->nrecords; i++)
		show_record(name, t, i);
}
