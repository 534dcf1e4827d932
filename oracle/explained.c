// SPDX-License-Identifier: GPL-2.0
/*
 * Differences that are meant, each with its reason: the SDM, or a choice of ours that
 * Documentation/api.rst tells. Everything else is a finding.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oracle.h"

struct explanation {
	const char *name;
	bool (*fits)(const struct difference *d);
	bool go_on;		/* the field alone differs: what follows must be equal */
	const char *reason;
};

static bool is(const struct difference *d, const char *field, const char *name)
{
	return !strcmp(d->field, field) && (!name || !strcmp(d->name, name));
}

static const struct record *at(const struct difference *d, const struct trace *t)
{
	return &t->records[d->record < 0 ? t->nrecords - 1 : d->record];
}

/* The opcode's byte behind prefixes (and what shrinking has put in their place), or 0. */
static u8 opcode(const struct scene *s)
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

static bool is_string(u8 op)
{
	return (op >= 0x6c && op <= 0x6f) || (op >= 0xa4 && op <= 0xa7) ||
	       (op >= 0xaa && op <= 0xaf);
}

static bool refuses(const struct record *r)
{
	return (r->exit == MINIKVM_EXIT_INTERNAL_ERROR && r->detail[0] == 1) ||
	       (r->regs.rip & ~15ull) == G_STUBS + 6 * 16;
}

static bool more_instructions(const struct difference *d)
{
	return d->record >= 0 && refuses(at(d, d->kvm)) &&
	       at(d, d->mini)->exit == MINIKVM_EXIT_MMIO;
}

static bool rf_in_a_string(const struct difference *d)
{
	return is(d, "regs", "rflags") && (d->value[0] ^ d->value[1]) == 0x10000 &&
	       is_string(opcode(d->scene));
}

/* Neither device can bring an event to the guest through a device. */
static bool delivery(const struct difference *d)
{
	const struct record *m = at(d, d->mini);

	return m->exit == MINIKVM_EXIT_INTERNAL_ERROR && m->detail[0] == 3;
}

static bool flags_in_a_string(const struct difference *d)
{
	return is(d, "regs", "rflags") && !((d->value[0] ^ d->value[1]) & ~0x108d5ull) &&
	       (opcode(d->scene) & 0xfe) % 8 == 6 && is_string(opcode(d->scene));
}

static bool last_of_a_string(const struct difference *d)
{
	return is(d, "regs", "rip") && is_string(opcode(d->scene)) &&
	       d->value[0] < d->value[1] && d->value[1] - d->value[0] < 15;
}

/* The two bytes at and behind the opcode, and its reg field. */
static bool has_opcode(const struct scene *s, u8 first, u8 second, u8 digits)
{
	const u8 *at = memchr(s->code, first, s->ncode);

	if (opcode(s) != first || !at)
		return false;
	if (first == 0x0f && *++at != second)
		return false;
	return !digits || digits >> (at[1] >> 3 & 7) & 1;
}

/* A #DB that is due after an instruction that has written to a device. */
static bool trap_after_write(const struct difference *d)
{
	const struct record *k = at(d, d->kvm), *m = at(d, d->mini);

	return (m->exit == MINIKVM_EXIT_MMIO || m->exit == MINIKVM_EXIT_IO) &&
		m->events.exception.nr == 1 && m->events.exception.pending &&
	       !k->events.exception.pending;
}

/* What io/step_table.c says it leaves out. */
static bool left_out(const struct difference *d)
{
	static const struct { u8 first, second, digits; } all[] = {
		{ 0x9a, 0, 0 }, { 0xca, 0, 0 }, { 0xcb, 0, 0 }, { 0xcf, 0, 0 }, { 0xff, 0, 1 << 3 },
		{ 0xc4, 0, 0 }, { 0xc5, 0, 0 }, { 0x0f, 0xb2, 0 }, { 0x0f, 0xb4, 0 }, { 0x0f,
		0xb5, 0 },
		{ 0x0f, 0x01, 3 << 2 }, { 0x60, 0, 0 }, { 0xc8, 0, 0 }, { 0x62, 0, 0 },
		{ 0x0f, 0xae, 0x33 }, { 0xd9, 0, 0x50 }, { 0xdd, 0, 0x50 }, { 0x0f, 0xc7, 0xfd },
	};
	unsigned int i;

	for (i = 0; i < COUNT(all) && refuses(at(d, d->mini)); i++)
		if (has_opcode(d->scene, all[i].first, all[i].second, all[i].digits))
			return true;
	return false;
}

/* The error has no bytes of the instruction. */
static bool code_on_device(const struct difference *d)
{
	const struct record *m = at(d, d->mini);

	return m->exit == MINIKVM_EXIT_INTERNAL_ERROR && m->detail[0] == 1 && !(m->detail[1] & 1);
}

/* A string that has written over its own code. */
static bool overwrites_itself(const struct difference *d)
{
	const struct ending *e = &d->kvm->ending;
	const struct scene *s = d->scene;
	u32 i, at;

	if (e->nchanges > MAX_CHANGES && is_string(opcode(s)))
		return true;		/* so much that nobody has looked */
	for (i = 0; i < 8 * e->nchanges && i < 8 * MAX_CHANGES && is_string(opcode(s)); i++) {
		at = e->changes[i / 8].at + i % 8 - s->code_at;
		if (at < (u32)s->ncode && (u8)(e->changes[i / 8].value >> i % 8 * 8) != s->code[at])
			return true;
	}
	return false;
}

/* Both halves of the word: it may be two entries of four bytes. */
static bool accessed_ahead(const struct difference *d)
{
	const u64 accessed = 0x20 | 0x20ull << 32;

	return is(d, "memory", NULL) && (d->value[0] | accessed) == (d->value[1] | accessed) &&
	       !(d->value[0] & ~d->value[1]);
}

static bool bytes_of_failure(const struct difference *d)
{
	return at(d, d->kvm)->exit == MINIKVM_EXIT_INTERNAL_ERROR &&
	       (is(d, "record", "detail[2]") || is(d, "record", "detail[3]"));
}

static bool popa(const struct difference *d)
{
	return opcode(d->scene) == 0x61 && at(d, d->mini)->exit == MINIKVM_EXIT_MMIO;
}

/* BSF and BSR leave all but ZF undefined; so do TZCNT and LZCNT, but for CF. */
static bool undefined_flags(const struct difference *d)
{
	return is(d, "regs", "rflags") && !((d->value[0] ^ d->value[1]) & ~0x895ull) &&
	       (has_opcode(d->scene, 0x0f, 0xbc, 0) || has_opcode(d->scene, 0x0f, 0xbd, 0));
}

static bool sgdt(const struct difference *d)
{
	return has_opcode(d->scene, 0x0f, 0x01, 3) && is(d, "trace", "endless") && d->value[0];
}

static bool leave(const struct difference *d)
{
	return is(d, "regs", "rsp") && opcode(d->scene) == 0xc9 &&
	       at(d, d->kvm)->exit == MINIKVM_EXIT_MMIO;
}

static bool looks_at_both(const struct difference *d)
{
	return (opcode(d->scene) & ~3) == 0xa4 && at(d, d->kvm)->exit == MINIKVM_EXIT_MMIO &&
	       at(d, d->mini)->exit == MINIKVM_EXIT_IO;
}

/* RDTSC, RDPMC, RDTSCP, RDRAND, RDSEED, RDPID */
static bool time_or_chance(const struct difference *d)
{
	const struct scene *s = d->scene;

	return memmem(s->code, s->ncode, "\x0f\x31", 2) ||
	       memmem(s->code, s->ncode, "\x0f\x33", 2) ||
	       memmem(s->code, s->ncode, "\x0f\x01\xf9", 3) ||
	       (has_opcode(s, 0x0f, 0xc7, 0xc0) && s->ncode > 2);
}

static bool dr8_and_up(const struct difference *d)
{
	return d->scene->mode == LONG && (has_opcode(d->scene, 0x0f, 0x21, 0) ||
					  has_opcode(d->scene, 0x0f, 0x23, 0)) &&
	       (at(d, d->mini)->regs.rip & ~15ull) == G_STUBS + 6 * 16;
}

static const struct op *op_of(const struct difference *d)
{
	static const struct op none;

	return d->record < 0 || !d->scene->nops ? &none : &d->scene->ops[at(d, d->kvm)->op];
}

static bool is_msr_op(const struct difference *d, u32 first, u32 last)
{
	const struct op *op = op_of(d);

	return (op->kind == OP_GET_MSR || op->kind == OP_SET_MSR) && op->at >= first &&
		op->at <= last;
}

/* Not there on minikvm, 0 on KVM. */
static bool msr_of_zero(const struct difference *d)
{
	const struct record *m = at(d, d->mini);

	if (!is_msr_op(d, 0, ~0u) || !is(d, "record", "ret"))
		return false;
	return op_of(d)->kind == OP_SET_MSR && !op_of(d)->value ? true :
	       !(m->ret & 0xff) && !at(d, d->kvm)->detail[0];
}

/* By its number in the guest's RCX, or in an operation. */
static bool of_msr(const struct difference *d, u32 msr)
{
	return is_msr_op(d, msr, msr) || ((u32)d->scene->regs.rcx == msr &&
		(has_opcode(d->scene, 0x0f, 0x30, 0) || has_opcode(d->scene, 0x0f, 0x32, 0)));
}

static bool spec_ctrl(const struct difference *d)
{
	return of_msr(d, 0x48) || is(d, "msr", "0x48");
}

static bool sgx(const struct difference *d)
{
	return is_msr_op(d, 0x8c, 0x8f);
}

static bool platform_info(const struct difference *d)
{
	return is_msr_op(d, 0xce, 0xce) || is_msr_op(d, 0x140, 0x140);
}

static bool has_put(const struct scene *s, u8 part, u32 from, u32 to, u64 least)
{
	int i;

	for (i = 0; i < s->nops; i++)
		if (s->ops[i].kind == OP_PUT && s->ops[i].a == part && s->ops[i].at >= from &&
		    s->ops[i].at < to && s->ops[i].value >= least)
			return true;
	return false;
}

static bool present_2(const struct difference *d)
{
	return is(d, "sregs", NULL) && strchr(d->name, '.') &&
	       has_put(d->scene, P_SREGS, 0, 8 * sizeof(struct minikvm_segment), 2);
}

static bool old_bitmap(const struct difference *d)
{
	return is(d, "sregs", NULL) && !strncmp(d->name, "interrupt_bitmap", 16) &&
	       !(d->value[1] & ~d->value[0]);
}

static bool soft_interrupt(const struct difference *d)
{
	return has_put(d->scene, P_EVENTS, 10, 11, 1);
}

/* EOI, CMCI's LVT, self-IPI: what is not readable in xAPIC mode, or not there. */
static bool unreadable_lapic(const struct difference *d)
{
	const struct op *op = op_of(d);
	u32 reg = op->at - 0x200000;

	return op->kind == OP_LOAD && (reg == 0xb0 || reg == 0x2f0 || reg == 0x3f0);
}

/* SMI and ExtINT: nothing comes of them on either. */
static bool msi_of_no_interrupt(const struct difference *d)
{
	u32 mode = op_of(d)->value >> 8 & 7;

	return op_of(d)->kind == OP_MSI && is(d, "record", "ret") && (mode == 2 || mode == 7);
}

static bool msi_to_nobody(const struct difference *d)
{
	return op_of(d)->kind == OP_MSI && is(d, "record", "ret") && (int)d->value[0] == -1 &&
	       !d->value[1];
}

static bool set_fpu(const struct difference *d)
{
	return is(d, "xsave", "0x200") && (d->value[0] & ~d->value[1]) == 0;
}

static bool blocked_nmis(const struct difference *d)
{
	return is(d, "events", "nmi.masked");
}

static bool reserved_sfmask(const struct difference *d)
{
	return of_msr(d, 0xc0000084);
}

/* STR, SLDT, SMSW: two bytes, and only a write. */
static bool read_before_write(const struct difference *d)
{
	return (has_opcode(d->scene, 0x0f, 0x00, 3) || has_opcode(d->scene, 0x0f, 0x01, 1 << 4)) &&
	       at(d, d->kvm)->exit == MINIKVM_EXIT_MMIO && !(at(d, d->kvm)->detail[0] & 1);
}

static bool vmmcall_prefixed(const struct difference *d)
{
	return opcode(d->scene) == 0x0f && d->scene->code[0] != 0x0f &&
	       (memmem(d->scene->code, d->scene->ncode, "\x0f\x01\xd9", 3) ||
		memmem(d->scene->code, d->scene->ncode, "\x0f\x01\xc1", 3));
}

static bool needs_mtf(const struct difference *d)
{
	u8 op = opcode(d->scene);

	return refuses(at(d, d->mini)) && (op == 0x9c || op == 0x9d || op == 0x17 ||
					   has_opcode(d->scene, 0x8e, 0, 1 << 2));
}

static bool last_exception(const struct difference *d)
{
	const struct minikvm_vcpu_events *k = &at(d, d->kvm)->events, *m = &at(d, d->mini)->events;

	return is(d, "events", NULL) && !strncmp(d->name, "exception.", 10) &&
	       !k->exception.injected &&
	       !m->exception.injected && !k->exception.pending && !m->exception.pending;
}

static bool is_ins(const struct scene *s)
{
	return opcode(s) == 0x6c || opcode(s) == 0x6d;
}

static bool ins_in_one_write(const struct difference *d)
{
	return is_ins(d->scene) && at(d, d->kvm)->exit == MINIKVM_EXIT_MMIO &&
	       at(d, d->mini)->exit == MINIKVM_EXIT_MMIO &&
	       at(d, d->kvm)->detail[0] > at(d, d->mini)->detail[0];
}

static bool ins_looks_first(const struct difference *d)
{
	const struct record *k = at(d, d->kvm);

	return is_ins(d->scene) && k->exit == MINIKVM_EXIT_IO && !(k->detail[0] & 1);
}

static bool traps_again(const struct difference *d)
{
	return d->scene->regs.rflags & 0x100 &&
	       (at(d, d->mini)->regs.rip & ~15ull) == G_STUBS + 16 &&
	       (has_opcode(d->scene, 0x0f, 0x21, 0) || has_opcode(d->scene, 0x0f, 0x23, 0));
}

/* RUN with immediate_exit: KVM's emulator goes on to the next iteration first. */
static bool finished_string(const struct difference *d)
{
	return d->record > 0 && is_string(opcode(d->scene)) && at(d, d->kvm)->ret == 0 &&
	       at(d, d->mini)->ret == -EINTR;
}

static const struct explanation all[] = {
	{ "trap-after-a-write", trap_after_write, false,
	  "SDM, single-step: the trap comes after the instruction; KVM loses it after a "
	  "write to a device" },
	{ "left-out", left_out, false,
	  "far pointers, FXSAVE and their like on a device are left out (io/step_table.c)" },
	{ "code-on-a-device", code_on_device, false,
	  "no instruction is fetched from a device; KVM tries, with bytes that it has not read" },
	{ "overwrites-itself", overwrites_itself, false,
	  "SDM, self-modifying code: a string that writes over itself; KVM goes on with the "
	  "old bytes" },
	{ "bytes-of-a-failure", bytes_of_failure, true,
	  "how many bytes of the instruction the run page has is not promised" },
	{ "popa-in-pieces", popa, false,
		"POPA reads eight bytes at a time where KVM reads a register's" },
	{ "undefined-flags", undefined_flags, true, "SDM: flags that an instruction leaves undefined" },
	{ "sgdt-for-ever", sgdt, false, "SGDT and SIDT to a device: KVM tries for ever" },
	{ "leave-half-done", leave, true, "KVM's LEAVE moves RSP before it has read the stack" },
	{ "strings-look-at-both", looks_at_both, false,
	  "a string whose destination is a fault does not read a device first" },
	{ "time-or-chance", time_or_chance, false, "the time, or a random number" },
	{ "dr8-and-up", dr8_and_up, false,
	  "SDM: a debug register that does not exist is #UD, which goes before an exit" },
	{ "msr-of-zero", msr_of_zero, true,
	  "MSRs of what is left out are not there; KVM has them for the VMM, with 0, as "
	  "long as they are 0" },
	{ "spec-ctrl", spec_ctrl, false,
	  "this processor has no SPEC_CTRL, and Bochs takes any write of an MSR that is not "
	  "there" },
	{ "sgx", sgx, false, "SGX is left out" },
	{ "cpuid-faults", platform_info, false, "CPUID faults in user mode are not there (api.rst)" },
	{ "present-is-a-bit", present_2, true,
		"SET_SREGS with a segment's flag that is neither 0 nor 1" },
	{ "set-fpu-counts", set_fpu, false,
	  "SET_FPU of a component that XSTATE_BV says is in its initial state: KVM loses it" },
	{ "emulator-blocks-nmis", blocked_nmis, true,
	  "Bochs 2.7 keeps NMIs blocked from one guest to the next; KVM does not look" },
	{ "old-bitmap", old_bitmap, true,
	  "the run page's interrupt_bitmap: KVM leaves the bits of earlier interrupts there" },
	{ "soft-interrupt", soft_interrupt, false,
	  "an injected interrupt that is soft: neither device says so of one, so no VMM sets it" },
	{ "unreadable-lapic", unreadable_lapic, false,
	  "a register of the LAPIC that cannot be read: 0; KVM gives what was read before" },
	{ "msi-of-no-interrupt", msi_of_no_interrupt, true,
	  "SMI is left out (api.rst), ExtINT is no message: nobody took it; KVM counts it" },
	{ "msi-to-nobody", msi_to_nobody, true,
		"a message that nobody takes: 0 (api.rst), on KVM EPERM" },
	{ "accessed-ahead", accessed_ahead, true,
	  "SDM, accessed flags: they may be set ahead of a fault" },
	{ "reserved-sfmask", reserved_sfmask, false,
	  "reserved bits of SFMASK are always refused (api.rst)" },
	{ "flags-from-a-device", needs_mtf, false,
	  "a stack on a device: PUSHF, POPF and loads of SS need the monitor trap flag, "
	  "which this processor has not" },
	{ "last-exception", last_exception, true,
	  "of no exception there is no vector; KVM leaves that of the last one it injected" },
	{ "ins-in-one-write", ins_in_one_write, false,
	  "REP INS to a device: an access for each iteration; KVM makes one of several" },
	{ "ins-looks-first", ins_looks_first, false,
	  "SDM, INS: memory that cannot be written is a fault before the port is read" },
	{ "emulator-traps-again", traps_again, false,
	  "Bochs 2.7 leaves a single-step trap pending at an exit for an instruction that "
	  "is done again" },
	{ "read-before-write", read_before_write, false,
	  "SDM: SLDT, STR and SMSW write two bytes; KVM reads the operand first" },
	{ "vmmcall-with-prefixes", vmmcall_prefixed, false,
	  "a hypercall with a prefix is #UD here; KVM's emulator takes it" },
	{ "delivery-through-a-device", delivery, false,
	  "an event whose frame lies on a device is an error; on KVM only from the second time on" },
	{ "flags-in-a-string", flags_in_a_string, true,
	  "SDM, REP: the flags are those of the last iteration; KVM shows them only in the end" },
	{ "last-of-a-string", last_of_a_string, true,
	  "the last iteration ends with RIP behind the instruction (api.rst)" },
	{ "immediate-exit-in-a-string", finished_string, false,
	  "immediate_exit finishes one iteration; KVM goes on until one needs nobody" },
	{ "more-instructions", more_instructions, false,
	  "minikvm lets the processor carry out on a device what KVM's emulator does not know" },
	{ "rf-in-a-string", rf_in_a_string, true,
	  "KVM's emulator sets RF between the iterations of a string; minikvm leaves it as "
	  "it was" },
};

static u64 counts[COUNT(all)];

const char *explained(struct difference *d)
{
	unsigned int i;

	for (i = 0; i < COUNT(all); i++) {
		if (!all[i].fits(d))
			continue;
		counts[i]++;
		d->over = !all[i].go_on;
		return all[i].name;
	}
	return NULL;
}

void explained_print(void)
{
	unsigned int i;

	for (i = 0; i < COUNT(all); i++)
		if (counts[i])
			printf("# explained %8llu  %s: %s\n", (unsigned long long)counts[i],
			       all[i].name, all[i].reason);
}
