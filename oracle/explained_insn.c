// SPDX-License-Identifier: GPL-2.0
/* Differences that are meant, in what an instruction of the guest does. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "explained.h"

/*
 * An exit on minikvm, or, of an operand half of which is none of the device's, a #PF; on KVM a #UD,
 * or, where SMEP forbids the handlers in pages of user mode, what that leads to.
 */
static bool more_instructions(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	if (d->record < 0 || !(refuses(k) || (k->exit == MINIKVM_EXIT_SHUTDOWN &&
					      d->scene->sregs.cr4 & 1 << 20)))
		return false;
	return m->exit == MINIKVM_EXIT_MMIO || page_faults(m);
}

static bool leads_to_device(u64 entry)
{
	return (entry & 0x81) == 1 && (entry & 0xffffffffff000) >= G_SIZE;
}

static bool table_on_device(const struct difference *d)
{
	const struct poke *p = d->scene->pokes;
	int i;

	for (i = 0; i < d->scene->npokes && refuses(record_of(d, d->mini)); i++, p++) {
		u32 page = p->at & ~0xfffu;

		if (page == G_PD32 && (leads_to_device((u32)p->value) ||
				       leads_to_device(p->value >> 32)))
			return true;
		if ((page == G_PD || page == G_PDPT || page == G_PML4) && leads_to_device(p->value))
			return true;
	}
	return false;
}

/*
 * An operand that is read, then written, and that crosses into a page of which KVM hears later; or
 * POP's, which KVM hears of when it has read the stack.
 */
static bool write_faults_first(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm);
	u64 end = k->detail[1] + (k->detail[0] >> 8);

	return is_field(d, "record", "exit") && k->exit == MINIKVM_EXIT_MMIO &&
	       !(k->detail[0] & 1) && !is_string(opcode_of(d->scene)) &&
	       (!(end & 0xfff) || !(k->detail[1] & 0xfff) || has_opcode(d->scene, 0x8f, 0, 1)) &&
	       page_faults(record_of(d, d->mini));
}

/* A #DB that is due after an instruction whose write to a device is done. */
static bool trap_after_write(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	return (m->exit == MINIKVM_EXIT_MMIO || m->exit == MINIKVM_EXIT_IO ||
		(d->record > 0 && m->ret == -EINTR && (m[-1].exit == MINIKVM_EXIT_MMIO ||
						       m[-1].exit == MINIKVM_EXIT_IO))) &&
		m->events.exception.nr == 1 && m->events.exception.pending &&
	       !k->events.exception.pending;
}

/* As if the instruction that minikvm's error names were the case's first. */
static struct scene at_failure(const struct difference *d)
{
	const struct record *m = record_of(d, d->mini);
	struct scene s = *d->scene;

	if (m->exit == MINIKVM_EXIT_INTERNAL_ERROR && m->detail[0] == 1 && m->detail[1] & 1)
		memcpy(s.code, (const u8 *)&m->detail[2] + 1, s.ncode = 15);
	return s;
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
	const struct record *m = record_of(d, d->mini);
	struct scene there = at_failure(d);
	unsigned int i;

	for (i = 0; i < COUNT(all) && refuses(m); i++)
		if (has_opcode(&there, all[i].first, all[i].second, all[i].digits))
			return true;
	return false;
}

/* The error has no bytes of the instruction. */
static bool code_on_device(const struct difference *d)
{
	const struct record *m = record_of(d, d->mini);

	return m->exit == MINIKVM_EXIT_INTERNAL_ERROR && m->detail[0] == 1 && !(m->detail[1] & 1);
}

/* A jump to the LAPIC: KVM's emulator carries out a page of zeroes that is there instead. */
static bool code_on_lapic(const struct difference *d)
{
	return is_field(d, "trace", "endless") && d->value[0] &&
	       has_opcode(d->scene, 0xff, 0, 1 << 4) && d->scene->regs.rdi >> 12 == 0x200;
}

/* Tables in a ROM: a walk writes its flags, and KVM tries for ever. */
static bool tables_in_rom(const struct difference *d)
{
	return is_field(d, "trace", "endless") && d->value[0] &&
	       has_opcode(d->scene, 0x0f, 0x22, 1 << 3) &&
	       record_of(d, d->mini)->sregs.cr3 >> 12 == G_ROM >> 12;
}

static bool accessed_ahead(const struct difference *d)
{
	return is_field(d, "memory", NULL) && (d->value[0] | ACCESSED) == (d->value[1] | ACCESSED) &&
	       !(d->value[0] & ~d->value[1]);
}

static bool bytes_of_failure(const struct difference *d)
{
	return record_of(d, d->kvm)->exit == MINIKVM_EXIT_INTERNAL_ERROR &&
	       (is_field(d, "record", "detail[2]") || is_field(d, "record", "detail[3]"));
}

static bool popa(const struct difference *d)
{
	const struct record *m = record_of(d, d->mini);
	struct scene there = at_exit(d);

	return opcode_of(&there) == 0x61 && record_of(d, d->kvm)->exit == MINIKVM_EXIT_MMIO &&
	       (m->exit == MINIKVM_EXIT_MMIO || is_in_handler(m, 14));
}

/* BSF and BSR leave all but ZF undefined; so do TZCNT and LZCNT, but for CF. */
static bool undefined_flags(const struct difference *d)
{
	return is_field(d, "regs", "rflags") && !((d->value[0] ^ d->value[1]) & ~0x895ull) &&
	       (has_opcode(d->scene, 0x0f, 0xbc, 0) || has_opcode(d->scene, 0x0f, 0xbd, 0));
}

static bool counts_zeroes(const struct difference *d)
{
	return (is_field(d, "regs", NULL) ||
		(is_field(d, "record", "detail[3]") && is_at_end(record_of(d, d->kvm)))) &&
	       has_prefix(d->scene, 0xf3) &&
	       (has_opcode(d->scene, 0x0f, 0xbc, 0) || has_opcode(d->scene, 0x0f, 0xbd, 0));
}

/*
 * Or until a single-step trap, which Bochs leaves pending at an EPT violation, and which so comes
 * before a #PF of the operand's second page, too.
 */
static bool sgdt(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	if (!has_opcode(d->scene, 0x0f, 0x01, 3))
		return false;
	if (is_field(d, "trace", "endless"))
		return d->value[0];
	return is_field(d, "record", NULL) && d->scene->regs.rflags & 0x100 && is_in_handler(k, 1) &&
	       ((m->exit == MINIKVM_EXIT_MMIO && m->detail[0] & 1) || is_in_handler(m, 14));
}

/* A read of four bytes on KVM. */
static bool movsxd(const struct difference *d)
{
	const u8 *op = memchr(d->scene->code, 0x63, d->scene->ncode);
	const struct record *k = record_of(d, d->kvm);

	return d->scene->mode == LONG && has_opcode(d->scene, 0x63, 0, 0) &&
	       has_prefix(d->scene, 0x66) && (op[-1] & 0xf8) != 0x48 && d->record >= 0 &&
	       k->exit == MINIKVM_EXIT_MMIO && !(k->detail[0] & 1);
}

/* An offset of 16 bits, whose last two bytes were the offset of the target. */
static bool far_jump_wraps(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm);

	return has_opcode(d->scene, 0xff, 0, 1 << 5) && is_field(d, "record", "exit") &&
	       d->record > 0 && k->exit == MINIKVM_EXIT_MMIO && k[-1].exit == MINIKVM_EXIT_MMIO &&
	       k->detail[1] == k[-1].detail[1] + (k[-1].detail[0] >> 8) &&
	       (u16)k->detail[1] == (u16)d->scene->sregs.ds.base &&
	       is_in_handler(record_of(d, d->mini), 13);
}

/* With REX.W, a write of eight bytes on KVM. */
static bool selector(const struct difference *d)
{
	return d->scene->mode == LONG && opcode_of(d->scene) == 0x8c &&
	       is_field(d, "record", "detail[0]") && record_of(d, d->kvm)->exit == MINIKVM_EXIT_MMIO &&
	       d->value[0] == 0x801 && d->value[1] == 0x201;
}

/* Of an address that is not canonical. */
static bool stack_prefix(const struct difference *d)
{
	return d->scene->mode == LONG && has_prefix(d->scene, 0x36) &&
	       is_in_handler(record_of(d, d->kvm), 12) && is_in_handler(record_of(d, d->mini), 13);
}

/* A push of BP, or of EBP, whatever the stack is. */
static bool enter(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	return opcode_of(d->scene) == 0xc8 && is_field(d, "record", "detail[0]") &&
	       k->exit == MINIKVM_EXIT_MMIO && k->detail[0] & m->detail[0] & 1;
}

static bool leave(const struct difference *d)
{
	return is_field(d, "regs", "rsp") && opcode_of(d->scene) == 0xc9 &&
	       record_of(d, d->kvm)->exit == MINIKVM_EXIT_MMIO;
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
	       is_in_handler(record_of(d, d->mini), 6);
}

/* STR, SLDT, SMSW: two bytes, and only a write. */
static bool read_before_write(const struct difference *d)
{
	return (has_opcode(d->scene, 0x0f, 0x00, 3) || has_opcode(d->scene, 0x0f, 0x01, 1 << 4)) &&
	       record_of(d, d->kvm)->exit == MINIKVM_EXIT_MMIO && !(record_of(d, d->kvm)->detail[0] & 1);
}

static bool clflush(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm);

	return has_opcode(d->scene, 0x0f, 0xae, 3 << 6) && is_field(d, "record", "exit") &&
	       k->exit == MINIKVM_EXIT_MMIO && k->detail[0] == 0x100;
}

static bool vmmcall_prefixed(const struct difference *d)
{
	return opcode_of(d->scene) == 0x0f && d->scene->code[0] != 0x0f &&
	       (memmem(d->scene->code, d->scene->ncode, "\x0f\x01\xd9", 3) ||
		memmem(d->scene->code, d->scene->ncode, "\x0f\x01\xc1", 3));
}

/* KVM writes VMCALL in its place, has it executed again, and traps before that. */
static bool vmmcall_traps(const struct difference *d)
{
	return d->scene->regs.rflags & 0x100 &&
	       memmem(d->scene->code, d->scene->ncode, "\x0f\x01\xd9", 3) &&
	       is_in_handler(record_of(d, d->mini), 1) &&
	       is_in_handler(record_of(d, d->kvm), 1);
}

static bool needs_mtf(const struct difference *d)
{
	struct scene s = at_failure(d);
	u8 op = opcode_of(&s);

	return refuses(record_of(d, d->mini)) && (op == 0x9c || op == 0x9d || op == 0x17 ||
						  has_opcode(&s, 0x8e, 0, 1 << 2));
}

static bool traps_again(const struct difference *d)
{
	return d->scene->regs.rflags & 0x100 &&
	       is_in_handler(record_of(d, d->mini), 1) &&
	       (has_opcode(d->scene, 0x0f, 0x21, 0) || has_opcode(d->scene, 0x0f, 0x23, 0));
}

static bool leaves_traces(const struct difference *d)
{
	return has_op(d->scene, OP_TRANSLATE) && is_field(d, "memory", NULL) &&
	       !(d->value[1] & ~d->value[0]) && !(d->value[0] & ~d->value[1] & ~ACCESSED);
}

/* The stack's word, and its page's flags, by a CALL whose target is no address. */
static bool call_to_nowhere(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm);
	char word[16];

	if (!has_opcode(d->scene, 0xff, 0, 1 << 2) || (!is_in_handler(k, 13) &&
	    (k->exit != MINIKVM_EXIT_SHUTDOWN || k->events.exception.nr != 13)))
		return false;
	if (is_field(d, "ending", "rest"))
		return true;		/* the same, behind the words that are listed */
	if (!is_field(d, "memory", NULL))
		return false;
	snprintf(word, sizeof(word), "%#x", (u32)d->scene->regs.rsp - 8);
	return is_field(d, "memory", word) || (!(d->value[0] & ~d->value[1]) &&
		!(d->value[1] & ~d->value[0] & ~(0x60 | 0x60ull << 32)));
}

/* A 4 MiB page with bits 36 to 39 of its address. */
static bool beyond_36_bits(const struct difference *d)
{
	const struct poke *p = d->scene->pokes;
	int i;

	for (i = 0; i < d->scene->npokes; i++, p++)
		if (d->scene->mode == PAGED32 && p->at == G_PD32 && p->value >> 32 & 0x80 &&
		    p->value >> 32 & 0x1e0000)
			return true;
	return false;
}

const struct explanation explained_insn[] = {
	{ "trap-after-a-write", trap_after_write, false,
	  "SDM, single-step: the trap comes after the instruction; KVM loses it after a "
	  "write to a device" },
	{ "left-out", left_out, false,
	  "far pointers, FXSAVE and their like on a device are left out (io/step_table.c)" },
	{ "code-on-a-device", code_on_device, false,
	  "no instruction is fetched from a device; KVM tries, with bytes that it has not read" },
	{ "code-on-the-lapic", code_on_lapic, false,
	  "none from the LAPIC, either; KVM carries out zeroes, one by one" },
	{ "tables-in-a-rom", tables_in_rom, false,
	  "a walk that would write a flag into a ROM goes on without; on KVM it is endless" },
	{ "tables-on-a-device", table_on_device, false,
	  "page tables on a device are refused (api.rst); KVM takes the walk for the access" },
	{ "bytes-of-a-failure", bytes_of_failure, true,
	  "how many bytes of the instruction the run page has is not promised" },
	{ "popa-in-pieces", popa, false,
	  "POPA is one operand, eight bytes at a time, where KVM reads a register's" },
	{ "undefined-flags", undefined_flags, true, "SDM: flags that an instruction leaves undefined" },
	{ "counts-zeroes", counts_zeroes, true,
	  "TZCNT and LZCNT: KVM's emulator takes them for BSF and BSR" },
	{ "sgdt-for-ever", sgdt, false, "SGDT and SIDT to a device: KVM tries for ever" },
	{ "movsxd-of-two-bytes", movsxd, false,
	  "SDM: MOVSXD with an operand of 16 bits reads as many; KVM's emulator reads four bytes" },
	{ "far-jump-wraps", far_jump_wraps, false,
	  "Bochs takes the selector of a far pointer at the end of 64 KiB from offset 0; KVM's "
	  "emulator from beyond" },
	{ "selector-of-two-bytes", selector, false,
	  "SDM, MOV of a selector to memory: two bytes, with REX.W, too; KVM's emulator writes eight" },
	{ "stack-prefix", stack_prefix, false,
	  "64-bit mode ignores a prefix of SS: #GP; KVM's emulator makes it a fault of the stack's" },
	{ "enter-by-stack", enter, false,
	  "SDM, ENTER: BP or EBP by the size of operands; KVM's emulator goes by that of the stack" },
	{ "leave-half-done", leave, true, "KVM's LEAVE moves RSP before it has read the stack" },
	{ "time-or-chance", time_or_chance, false, "the time, or a random number" },
	{ "dr8-and-up", dr8_and_up, false,
	  "SDM: a debug register that does not exist is #UD, which goes before an exit" },
	{ "accessed-ahead", accessed_ahead, true,
	  "SDM, accessed flags: they may be set ahead of a fault" },
	{ "vmmcall-traps", vmmcall_traps, false,
	  "SDM, single-step: the trap comes after the hypercall; KVM's emulator traps before it" },
	{ "flags-from-a-device", needs_mtf, false,
	  "a stack on a device: PUSHF, POPF and loads of SS need the monitor trap flag, "
	  "which this processor has not" },
	{ "emulator-traps-again", traps_again, false,
	  "Bochs 2.7 leaves a single-step trap pending at an exit for an instruction that "
	  "is done again" },
	{ "read-before-write", read_before_write, false,
	  "SDM: SLDT, STR and SMSW write two bytes; KVM reads the operand first" },
	{ "clflush-reads", clflush, false,
	  "SDM, CLFLUSH and its kin: nothing is read; KVM's emulator reads a byte" },
	{ "vmmcall-with-prefixes", vmmcall_prefixed, false,
	  "a hypercall with a prefix is #UD here; KVM's emulator takes it" },
	{ "write-faults-first", write_faults_first, false,
	  "an operand that will be written is a fault before a device is read; KVM reads first" },
	{ "more-instructions", more_instructions, false,
	  "minikvm lets the processor carry out on a device what KVM's emulator does not know" },
	{ "translate-leaves-traces", leaves_traces, true,
	  "MINIKVM_TRANSLATE leaves no accessed flags (api.rst)" },
	{ "call-to-nowhere", call_to_nowhere, true,
	  "Bochs' CALL to no canonical address has touched the stack; KVM's emulator does not" },
	{ "beyond-36-bits", beyond_36_bits, false,
	  "SDM: PSE-36 has as many bits as the processor has, up to 40; KVM takes 36" },
	{ NULL, NULL, false, NULL },
};
