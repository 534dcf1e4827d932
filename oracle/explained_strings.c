// SPDX-License-Identifier: GPL-2.0
/* Differences that are meant, in string instructions: KVM's emulator does many iterations at once. */
#include <errno.h>
#include <stdlib.h>

#include "explained.h"

static bool rf_in_a_string(const struct difference *d)
{
	return is_field(d, "regs", "rflags") && (d->value[0] ^ d->value[1]) == 0x10000 &&
	       is_string(opcode_of(d->scene));
}

static bool flags_in_a_string(const struct difference *d)
{
	return is_field(d, "regs", "rflags") && !((d->value[0] ^ d->value[1]) & ~0x108d5ull) &&
	       (opcode_of(d->scene) & 0xfe) % 8 == 6 && is_string(opcode_of(d->scene));
}

static bool last_of_a_string(const struct difference *d)
{
	return is_field(d, "regs", "rip") && is_string(opcode_of(d->scene)) &&
	       d->value[0] < d->value[1] && d->value[1] - d->value[0] < 15;
}

/* Where the flags are in the frame of the event whose handler it is in. */
static u64 flags_in_frame(const struct difference *d)
{
	const struct record *m = record_of(d, d->mini);
	u64 vector = (m->regs.rip - G_STUBS) / 16;
	u32 size = d->scene->mode == REAL ? 2 : d->scene->mode >= COMPAT ? 8 : 4;
	bool has_code = size > 2 && vector < 32 && 0x27d00 >> vector & 1;

	return m->regs.rsp + size * (has_code + 2);
}

/*
 * RF between iterations, and the flags that the last iteration left, in that frame: in one word
 * or two, which are told by their place in a page, since the stack may be anywhere.
 */
static bool flags_in_a_frame(const struct difference *d)
{
	u32 at = (flags_in_frame(d) - strtoul(d->name, NULL, 0)) & 0xfff;
	u64 may = (opcode_of(d->scene) & 0xfe) % 8 == 6 ? 0x108d5 : 0x10000;

	if (!is_string(opcode_of(d->scene)) || !is_field(d, "memory", NULL) ||
	    record_of(d, d->mini)->regs.rip - G_STUBS >= G_STACK - 0x800 - G_STUBS)
		return false;
	may = at < 8 ? may << at * 8 : at > 0xff8 ? may >> (0x1000 - at) * 8 : 0;
	return !((d->value[0] ^ d->value[1]) & ~may);
}

/* The same RIP, in the frame of its single-step trap. */
static bool trap_of_a_string(const struct difference *d)
{
	u64 more = d->value[1] - d->value[0], rip = d->value[0];

	if (!is_field(d, "memory", NULL) || !is_string(opcode_of(d->scene)) ||
	    !(d->scene->regs.rflags & 0x100) ||
	    !is_in_handler(record_of(d, d->mini), 1))
		return false;
	for (; more && !(more & 0xff); more >>= 8)	/* the stack may be anywhere */
		rip >>= 8;
	return (u16)(rip - d->scene->code_at) < d->scene->ncode && more && more < 15;
}

/*
 * It steps, and the next iterations are some that KVM's emulator would do at once. A trap without
 * a stack is a shutdown.
 */
static bool step_in_a_string(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	if (d->record <= 0 || !is_string(opcode_of(d->scene)) || !(d->scene->regs.rflags & 0x100))
		return false;
	/* What LODS has read is in AL. */
	if (is_field(d, "regs", "rcx") || (is_field(d, "record", "detail[3]") &&
					   (opcode_of(d->scene) & ~1) == 0xac))
		return k->regs.rcx < m->regs.rcx && is_in_handler(m, 1) && is_in_handler(k, 1);
	return is_field(d, "record", "exit") && (k->exit == MINIKVM_EXIT_MMIO ||
						 k->exit == MINIKVM_EXIT_IO) &&
	       k->regs.rip < G_STUBS &&
	       (is_in_handler(m, 1) ||
		(m->exit == MINIKVM_EXIT_SHUTDOWN && m->events.exception.nr == 1));
}

/* At an exit amid it, which is one for a read. */
static bool shadow_in_a_string(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	return (is_field(d, "record", "ready") || is_field(d, "events", "interrupt.shadow")) &&
	       is_string(opcode_of(d->scene)) && d->record > 0 && k->exit == m->exit &&
	       k->ret == 0 && k->events.interrupt.shadow && !m->events.interrupt.shadow;
}

static bool is_repeated(const struct scene *s)
{
	return is_string(opcode_of(s)) && (has_prefix(s, 0xf2) || has_prefix(s, 0xf3));
}

/* A string, REP INS, MOVS or STOS, that has written over its own code. */
static bool overwrites_itself(const struct difference *d)
{
	const struct ending *e = &d->kvm->ending;
	const struct scene *s = d->scene;
	u8 op = opcode_of(s) & ~1;
	u32 i, at;

	if (!is_repeated(s) || (op != 0x6c && op != 0xa4 && op != 0xaa))
		return false;
	if (e->nchanges > MAX_CHANGES && e->changes[MAX_CHANGES - 1].at < s->code_at + s->ncode)
		return true;		/* so much that the list ends before the code */
	for (i = 0; i < 8 * e->nchanges && i < 8 * MAX_CHANGES; i++) {
		at = e->changes[i / 8].at + i % 8 - s->code_at;
		if (at < (u32)s->ncode && (u8)(e->changes[i / 8].value >> i % 8 * 8) != s->code[at])
			return true;
	}
	return false;
}

static bool looks_at_both(const struct difference *d)
{
	const struct record *m = record_of(d, d->mini);
	struct scene there = at_exit(d);

	return (opcode_of(&there) & ~3) == 0xa4 && record_of(d, d->kvm)->exit == MINIKVM_EXIT_MMIO &&
	       (m->exit == MINIKVM_EXIT_IO || page_faults(m) ||
		(m->exit == MINIKVM_EXIT_SHUTDOWN && m->events.exception.nr == 13));
}

static bool is_read(const struct record *r)
{
	return r->exit == MINIKVM_EXIT_MMIO && !(r->detail[0] & 1);
}

static bool same_access(const struct record *a, const struct record *b)
{
	return is_read(a) && is_read(b) && a->detail[0] == b->detail[0] &&
	       a->detail[1] == b->detail[1];
}

/* CMPS, where one operand's other part, or the other operand, is in the first part's page. */
static bool second_part_first(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	if (d->record < 0 || d->record + 1 >= d->kvm->nrecords ||
	    d->record + 1 >= d->mini->nrecords || (opcode_of(d->scene) & 0xfe) != 0xa6)
		return false;
	if (!same_access(k, m + 1) || !same_access(k + 1, m))
		return false;
	if (d->record > 0 && !(k->detail[1] & 0xfff) && m->detail[1] >> 12 == m[-1].detail[1] >> 12)
		return true;
	return !(m->detail[1] & 0xfff) && !((k->detail[1] + (k->detail[0] >> 8)) & 0xfff);
}

static bool is_ins(const struct scene *s)
{
	return opcode_of(s) == 0x6c || opcode_of(s) == 0x6d;
}

static bool ins_in_one_write(const struct difference *d)
{
	return is_ins(d->scene) && record_of(d, d->kvm)->exit == MINIKVM_EXIT_MMIO &&
	       record_of(d, d->mini)->exit == MINIKVM_EXIT_MMIO &&
	       record_of(d, d->kvm)->detail[0] > record_of(d, d->mini)->detail[0];
}

/* Beyond the limit of ES, or one that nobody can write. */
static bool is_no_place(const struct minikvm_segment *es, u32 into, u32 size)
{
	return es->unusable || (es->type & 10) != 2 || (u64)into + size - 1 > es->limit;
}

/* Its fault is one of the destination's, wherever the INS is that reads the port on KVM. */
static bool ins_looks_first(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);
	u32 into = k->sregs.es.base + k->regs.rdi;

	if (k->exit != MINIKVM_EXIT_IO || k->detail[0] & 1)
		return false;
	return is_ins(d->scene) ||
	       (is_in_handler(m, 14) && (u32)m->sregs.cr2 - into < 4) ||
	       (is_in_handler(m, 13) && k->detail[1] == (u16)k->regs.rdx &&
		is_no_place(&k->sregs.es, k->regs.rdi, k->detail[0] >> 8));
}

/* No iteration: of 32 bits, and KVM's emulator clears the other half. */
static bool no_iteration(const struct difference *d)
{
	return d->scene->mode < LONG && is_repeated(d->scene) && d->value[0] == (u32)d->value[1] &&
	       !record_of(d, d->kvm)->regs.rcx && (is_field(d, "regs", "rcx") ||
		is_field(d, "regs", "rsi") || is_field(d, "regs", "rdi"));
}

/* RUN with immediate_exit: KVM's emulator goes on to the next iteration first. */
static bool finished_string(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	return d->record > 0 && is_string(opcode_of(d->scene)) && m->ret == -EINTR &&
	       (k->ret == 0 || (k->ret == -EINTR && k[-1].ret == 0 && k[-1].op == k->op &&
				k->regs.rcx < m->regs.rcx));
}

const struct explanation explained_strings[] = {
	{ "overwrites-itself", overwrites_itself, false,
	  "SDM, self-modifying code: a string that writes over itself; KVM goes on with the "
	  "old bytes" },
	{ "strings-look-at-both", looks_at_both, false,
	  "a string whose destination is a fault does not read a device first" },
	{ "second-part-first", second_part_first, false,
	  "no order is promised of the two parts of an operand across a page; minikvm reads a "
	  "page's parts of both operands of CMPS together" },
	{ "ins-in-one-write", ins_in_one_write, false,
	  "REP INS to a device: an access for each iteration; KVM makes one of several" },
	{ "ins-looks-first", ins_looks_first, false,
	  "SDM, INS: memory that cannot be written is a fault before the port is read" },
	{ "flags-in-a-string", flags_in_a_string, true,
	  "SDM, REP: the flags are those of the last iteration; KVM shows them only in the end" },
	{ "flags-in-a-frame", flags_in_a_frame, true,
	  "the same in the frame of a fault or a trap amid a string; and RF, see rf-in-a-string" },
	{ "last-of-a-string", last_of_a_string, true,
	  "the last iteration ends with RIP behind the instruction (api.rst)" },
	{ "trap-of-a-string", trap_of_a_string, true,
	  "the trap of the last iteration comes behind the instruction, as on a processor; KVM's "
	  "comes before it" },
	{ "step-in-a-string", step_in_a_string, false,
	  "SDM, single-step: a trap comes after each iteration; KVM's emulator goes on" },
	{ "shadow-in-a-string", shadow_in_a_string, true,
	  "SDM, STI: the shadow is over with an iteration; KVM's emulator ends it when it is through, "
	  "or has written" },
	{ "immediate-exit-in-a-string", finished_string, false,
	  "immediate_exit finishes one iteration; KVM goes on until one needs nobody" },
	{ "no-iteration", no_iteration, true,
	  "the upper halves of registers, which only 64-bit mode has, stay as they are when a string "
	  "does nothing; KVM's emulator clears them" },
	{ "rf-in-a-string", rf_in_a_string, true,
	  "KVM's emulator sets RF between the iterations of a string; minikvm leaves it as "
	  "it was" },
	{ NULL, NULL, false, NULL },
};
