// SPDX-License-Identifier: GPL-2.0
/* Differences that are meant, in events: exceptions and interrupts on their way into the guest. */
#include <errno.h>
#include <string.h>

#include "explained.h"

/* Neither device can bring an event to the guest through a device. */
static bool delivery(const struct difference *d)
{
	const struct record *m = record_of(d, d->mini);

	return m->exit == MINIKVM_EXIT_INTERNAL_ERROR && m->detail[0] == 3;
}

static bool old_bitmap(const struct difference *d)
{
	return op_of(d)->kind != OP_PUT && is_field(d, "sregs", NULL) &&
	       !strncmp(d->name, "interrupt_bitmap", 16) && !(d->value[1] & ~d->value[0]);
}

static bool blocked_nmis(const struct difference *d)
{
	return is_field(d, "events", "nmi.masked");
}

static bool last_exception(const struct difference *d)
{
	const struct minikvm_vcpu_events *k = &record_of(d, d->kvm)->events;
	const struct minikvm_vcpu_events *m = &record_of(d, d->mini)->events;

	return is_field(d, "events", NULL) && !strncmp(d->name, "exception.", 10) &&
	       !k->exception.injected && !m->exception.injected && !k->exception.pending &&
	       !m->exception.pending;
}

static bool refused(const struct difference *d, u32 reason)
{
	const struct record *k = record_of(d, d->kvm);

	return (is_field(d, "record", "ret") || is_field(d, "record", "exit") ||
		is_field(d, "record", "detail[0]")) &&
	       k->exit == MINIKVM_EXIT_FAIL_ENTRY && k->detail[0] == reason;
}

static bool not_ready(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm);

	return !(d->scene->machine & WITH_IRQCHIP) && refused(d, 0x80000021) &&
	       k->events.interrupt.injected &&
	       (!(k->regs.rflags & 0x200) || k->events.interrupt.shadow);
}

static bool is_soft(u8 vector)
{
	return vector == 3 || vector == 4;
}

/* KVM has no length for the entry. (An ICEBP or INT n of before would leave it one.) */
static bool soft_exception(const struct difference *d)
{
	return refused(d, 7) && is_soft(record_of(d, d->kvm)->events.exception.nr) &&
	       has_put(d->scene, P_EVENTS, 0, 1, 1);
}

static bool soft_interrupt(const struct difference *d)
{
	return refused(d, 7) && has_put(d->scene, P_EVENTS, 10, 11, 1);
}

/* The instruction pointer in its frame, which may be anywhere in a word. */
static bool soft_frame(const struct difference *d)
{
	u64 more = d->value[1] - d->value[0];

	if (!is_field(d, "memory", NULL) || !more)
		return false;
	more >>= __builtin_ctzll(more) & ~7;
	return (more == 1 && has_put(d->scene, P_EVENTS, 1, 2, 3) &&
		has_put(d->scene, P_EVENTS, 0, 1, 1)) ||
	       (more == 2 && has_put(d->scene, P_EVENTS, 10, 11, 1));
}

/* An INT n, which GET does not show, and an interrupt that comes to it. */
static bool soft_first(const struct difference *d)
{
	return !(d->scene->machine & WITH_IRQCHIP) && has_put(d->scene, P_EVENTS, 10, 11, 1) &&
	       has_op(d->scene, OP_INTERRUPT);
}

/* GET shows no INT3 and no INTO. */
static bool has_both(const struct minikvm_vcpu_events *e)
{
	return e->interrupt.injected && (e->exception.injected || is_soft(e->exception.nr));
}

/* An exception and an interrupt at once: what KVM has no room for. */
static bool exception_first(const struct difference *d)
{
	int i;

	for (i = 0; i < d->record && !(d->scene->machine & WITH_IRQCHIP); i++)
		if (has_both(&d->kvm->records[i].events) && has_both(&d->mini->records[i].events))
			return true;
	return false;
}

static bool payload(const struct difference *d)
{
	return is_field(d, "events", "exception_payload") && !d->value[1] &&
	       !record_of(d, d->kvm)->events.exception_has_payload;
}

/* Whether minikvm has told of a window up to now. */
static bool no_entry(const struct difference *d)
{
	int i, last = d->record < 0 ? d->mini->nrecords - 1 : d->record;

	if (d->scene->mode != REAL || !is_field(d, "sregs", "cs.type"))
		return false;
	for (i = 0; i <= last; i++)
		if (d->mini->records[i].exit == MINIKVM_EXIT_IRQ_WINDOW_OPEN)
			return d->value[0] == 3 && d->value[1] == 11;
	return false;
}

/* An event of an entry that failed on both, and now again on KVM. */
static bool refused_again(const struct difference *d)
{
	const struct record *r;
	int i;

	for (i = 0; i < d->record; i++) {
		r = &d->kvm->records[i];
		if (r->exit == MINIKVM_EXIT_FAIL_ENTRY && refused(d, r->detail[0]) &&
		    (r->events.exception.injected || r->events.interrupt.injected ||
		     is_soft(r->events.exception.nr)))
			return true;
	}
	return false;
}

/* SET_VCPU_EVENTS with a triple fault, without the capability. */
static bool refused_too_late(const struct difference *d)
{
	const struct op *op;
	int i;

	for (i = 0; i <= d->record; i++) {
		op = &d->scene->ops[d->kvm->records[i].op];
		if (op->kind == OP_PUT && op->a == P_EVENTS && d->kvm->records[i].ret == -EINVAL &&
		    d->mini->records[i].ret == -EINVAL && !(d->mini->records[i].events.flags & 0x20))
			return has_put(d->scene, P_EVENTS, 20, 21, 0x20);
	}
	return false;
}

/* After an entry that failed. */
static bool error_code(const struct difference *d)
{
	return is_field(d, "events", "exception.error_code") && d->value[0] == (u16)d->value[1];
}

const struct explanation explained_events[] = {
	{ "delivery-through-a-device", delivery, false,
	  "an event whose frame lies on a device is an error; on KVM only from the second time on" },
	{ "old-bitmap", old_bitmap, true,
	  "the run page's interrupt_bitmap: KVM leaves the bits of earlier interrupts there" },
	{ "emulator-blocks-nmis", blocked_nmis, true,
	  "Bochs 2.7 keeps NMIs blocked from one guest to the next; KVM does not look" },
	{ "last-exception", last_exception, true,
	  "of no exception there is no vector; KVM leaves that of the last one it injected" },
	{ "interrupt-waits", not_ready, false,
	  "an interrupt of the VMM's chips waits until the guest takes one (api.rst); KVM's entry "
	  "fails" },
	{ "soft-exception", soft_exception, false,
	  "an injected INT3 or INTO is delivered; KVM's entry fails, for want of a length" },
	{ "soft-interrupt", soft_interrupt, false,
	  "an injected INT n likewise" },
	{ "soft-frame", soft_frame, true,
	  "it returns behind the instruction; on KVM, where the processor takes a length of 0, to it" },
	{ "exception-first", exception_first, false,
	  "an interrupt of the VMM's chips waits for an exception beside it (api.rst); KVM loses it" },
	{ "soft-first", soft_first, false,
	  "an interrupt of the VMM's chips waits for an INT n beside it; KVM loses the INT n" },
	{ "payload", payload, true,
	  "EXCEPTION_PAYLOAD is left out (api.rst); KVM gives back what it does not use" },
	{ "window-without-entry", no_entry, true,
	  "a window that is open is told without an entry; Bochs makes CS a data segment at the one "
	  "that KVM does" },
	{ "refused-again", refused_again, false,
	  "KVM leaves the event of an entry that failed in the VMCS" },
	{ "refused-too-late", refused_too_late, false,
	  "SET_VCPU_EVENTS sets nothing of what it refuses; KVM sets all but a triple fault" },
	{ "error-code", error_code, true,
	  "SDM: an entry takes 16 bits of an error code; KVM forgets the others" },
	{ NULL, NULL, false, NULL },
};
