// SPDX-License-Identifier: GPL-2.0
/* Where two traces differ: the first field that nothing explains. */
#include <stdio.h>
#include <string.h>

#include "oracle.h"

struct field { const char *name; u16 at, size; };

#define F(type, member) { #member, offsetof(struct type, member), sizeof(((struct type *)0)->member) }
#define S(name) F(minikvm_sregs, name.base), F(minikvm_sregs, name.limit),			\
	F(minikvm_sregs, name.selector), F(minikvm_sregs, name.type), F(minikvm_sregs, name.present),\
	F(minikvm_sregs, name.dpl), F(minikvm_sregs, name.db), F(minikvm_sregs, name.s),	\
	F(minikvm_sregs, name.l), F(minikvm_sregs, name.g), F(minikvm_sregs, name.avl),		\
	F(minikvm_sregs, name.unusable)
#define R(name) F(minikvm_regs, name)
#define E(name) F(minikvm_vcpu_events, name)

static const struct field record_fields[] = {
	F(record, op), F(record, ret), F(record, exit), F(record, detail[0]), F(record, detail[1]),
	F(record, detail[2]), F(record, detail[3]), F(record, detail[4]), F(record, ready),
	F(record, cr8), F(record, apic_base), { NULL, 0, 0 },
};

static const struct field regs_fields[] = {
	R(rip), R(rflags), R(rax), R(rbx), R(rcx), R(rdx), R(rsi), R(rdi), R(rsp), R(rbp), R(r8),
	R(r9),
	R(r10), R(r11), R(r12), R(r13), R(r14), R(r15), { NULL, 0, 0 },
};

static const struct field sregs_fields[] = {
	F(minikvm_sregs, cr0), F(minikvm_sregs, cr2), F(minikvm_sregs, cr3), F(minikvm_sregs, cr4),
	F(minikvm_sregs, cr8), F(minikvm_sregs, efer), F(minikvm_sregs, apic_base), S(cs), S(ss),
	S(ds),
	S(es), S(fs), S(gs), S(tr), S(ldt), F(minikvm_sregs, gdt.base), F(minikvm_sregs, gdt.limit),
	F(minikvm_sregs, idt.base), F(minikvm_sregs, idt.limit),
	F(minikvm_sregs, interrupt_bitmap[0]), F(minikvm_sregs, interrupt_bitmap[1]),
	F(minikvm_sregs, interrupt_bitmap[2]), F(minikvm_sregs, interrupt_bitmap[3]), { NULL, 0,
	0 },
};

static const struct field events_fields[] = {
	E(exception.injected), E(exception.nr), E(exception.has_error_code), E(exception.pending),
	E(exception.error_code), E(interrupt.injected), E(interrupt.nr), E(interrupt.soft),
	E(interrupt.shadow), E(nmi.injected), E(nmi.pending), E(nmi.masked), E(sipi_vector),
	E(flags),
	E(smi), E(triple_fault), E(exception_has_payload), E(exception_payload), { NULL, 0, 0 },
};

static const struct field debugregs_fields[] = {
	F(minikvm_debugregs, db[0]), F(minikvm_debugregs, db[1]), F(minikvm_debugregs, db[2]),
	F(minikvm_debugregs, db[3]), F(minikvm_debugregs, dr6), F(minikvm_debugregs, dr7),
	F(minikvm_debugregs, flags), { NULL, 0, 0 },
};

static const struct field ending_fields[] = {
	F(ending, xcr0), F(ending, mp_state), F(ending, lost), F(ending, rest),
	{ NULL, 0, 0 },
};

static u64 value(const void *from, const struct field *f)
{
	u64 v = 0;

	memcpy(&v, (const u8 *)from + f->at, f->size < 8 ? f->size : 8);
	return v;
}

/* Whether this field's difference is one that nothing explains. */
static bool tell(struct difference *d, const char *group, const char *name, u64 kvm, u64 mini)
{
	d->field = group;
	snprintf(d->name, sizeof(d->name), "%s", name);
	d->value[0] = kvm;
	d->value[1] = mini;
	if (!explained(d))
		return true;
	d->known = true;
	return false;
}

static bool fields_differ(struct difference *d, const char *group, const struct field *fields,
			  const void *kvm, const void *mini)
{
	const struct field *f;

	for (f = fields; f->name && !d->over; f++)
		if (memcmp((const u8 *)kvm + f->at, (const u8 *)mini + f->at, f->size) &&
		    tell(d, group, f->name, value(kvm, f), value(mini, f)))
			return true;
	return false;
}

static bool records_differ(struct difference *d, const struct record *k, const struct record *m)
{
	if (!memcmp(k, m, sizeof(*k)))
		return false;
	return fields_differ(d, "record", record_fields, k, m) ||
	       fields_differ(d, "regs", regs_fields, &k->regs, &m->regs) ||
	       fields_differ(d, "sregs", sregs_fields, &k->sregs, &m->sregs) ||
	       fields_differ(d, "events", events_fields, &k->events, &m->events);
}

/* An array, whose elements are told by their place. */
static bool array_differs(struct difference *d, const char *group, const void *kvm,
const void *mini,
			  int size, int n)
{
	char name[32];
	u64 k, m;
	int i;

	for (i = 0; i < n && !d->over; i++) {
		k = m = 0;
		memcpy(&k, (const u8 *)kvm + i * size, size);
		memcpy(&m, (const u8 *)mini + i * size, size);
		snprintf(name, sizeof(name), "%#x", i * size);
		if (k != m && tell(d, group, name, k, m))
			return true;
	}
	return false;
}

static bool msrs_differ(struct difference *d, const struct ending *k, const struct ending *m)
{
	char name[32];
	int i;

	for (i = 0; i < watched_count() && !d->over; i++) {
		snprintf(name, sizeof(name), "%#x", watched_msrs[i]);
		if (k->msrs[i] != m->msrs[i] && tell(d, "msr", name, k->msrs[i], m->msrs[i]))
			return true;
	}
	return false;
}

static const struct change *next_change(const struct ending *e, u32 i)
{
	static const struct change none = { .at = G_SIZE };

	return i < e->nchanges && i < MAX_CHANGES ? &e->changes[i] : &none;
}

/* Where a list that was too short ends. */
static u32 end_of_changes(const struct ending *e)
{
	return e->nchanges > MAX_CHANGES ? e->changes[MAX_CHANGES - 1].at : G_SIZE - 1;
}

/* Both lists are in order; a word that is in one only is in the other as it was. */
static bool memory_differs(struct difference *d, const struct ending *k, const struct ending *m)
{
	const struct change *ck = next_change(k, 0), *cm = next_change(m, 0);
	u32 at, end = end_of_changes(k) < end_of_changes(m) ? end_of_changes(k) : end_of_changes(m);
	char name[32];

	while ((ck->at <= end || cm->at <= end) && !d->over) {
		u64 was = ck->at < cm->at ? ck->was : cm->was;
		u64 kvm = ck->at <= cm->at ? ck->value : was;
		u64 mini = cm->at <= ck->at ? cm->value : was;

		at = ck->at < cm->at ? ck->at : cm->at;
		snprintf(name, sizeof(name), "%#x", at);
		if (kvm != mini && tell(d, "memory", name, kvm, mini))
			return true;
		if (ck->at == at)
			ck = next_change(k, ck - k->changes + 1);
		if (cm->at == at)
			cm = next_change(m, cm - m->changes + 1);
	}
	return false;
}

static bool endings_differ(struct difference *d, const struct ending *k, const struct ending *m)
{
	d->record = -1;
	if (!memcmp(k, m, sizeof(*k)))
		return false;
	return fields_differ(d, "debugregs", debugregs_fields, &k->debugregs, &m->debugregs) ||
	       memory_differs(d, k, m) || fields_differ(d, "ending", ending_fields, k, m) ||
	       msrs_differ(d, k, m) || array_differs(d,
	       	"xsave", k->xsave, m->xsave, 8, XSAVE_BYTES / 8) ||
	       array_differs(d, "lapic", k->lapic, m->lapic, 4, sizeof(k->lapic) / 4) ||
	       array_differs(d, "pic", k->pic, m->pic, 1, sizeof(k->pic)) ||
	       array_differs(d, "ioapic", &k->ioapic, &m->ioapic, 8, sizeof(k->ioapic) / 8);
}

bool compare(const struct scene *s, const struct trace *kvm, const struct trace *mini,
	     struct difference *d)
{
	int i;

	memset(d, 0, sizeof(*d));
	d->scene = s;
	d->kvm = kvm;
	d->mini = mini;
	for (i = 0; i < kvm->nrecords && i < mini->nrecords && !d->over; i++) {
		d->record = i;
		/* What differed goes on with each other's. */
		d->over = d->known && kvm->records[i].moved;
		if (!d->over && records_differ(d, &kvm->records[i], &mini->records[i]))
			return true;
	}
	if (d->over)
		return false;
	d->record = i;
	if (kvm->endless != mini->endless)
		return tell(d, "trace", "endless", kvm->endless, mini->endless);
	if (kvm->nrecords != mini->nrecords)
		return tell(d, "trace", "nrecords", kvm->nrecords, mini->nrecords);
	return !kvm->endless && endings_differ(d, &kvm->ending, &mini->ending);
}
