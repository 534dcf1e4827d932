// SPDX-License-Identifier: GPL-2.0
/* Differences that are meant, in state: what ioctls set, MSRs, chips. */
#include <stdlib.h>
#include <string.h>

#include "explained.h"

/* Not there on minikvm, 0 on KVM. */
static bool msr_of_zero(const struct difference *d)
{
	const struct record *m = record_of(d, d->mini);

	if (!is_msr_op(d, 0, ~0u) || !is_field(d, "record", "ret"))
		return false;
	/* It may be there, and read only. */
	return m->ret >> 8 == 0 && !m->detail[0] && !record_of(d, d->kvm)->detail[0] &&
	       (record_of(d, d->kvm)->ret == 1 || !op_of(d)->value);
}

static bool lmce(const struct difference *d)
{
	return is_msr_op(d, 0x4d0, 0x4d0) && !record_of(d, d->mini)->ret &&
	       record_of(d, d->kvm)->detail[0] <= 1;
}

static bool tsx_ctrl(const struct difference *d)
{
	return is_msr_op(d, 0x122, 0x122) && !record_of(d, d->mini)->ret &&
	       record_of(d, d->kvm)->detail[0] <= 3;
}

/* OSPKE shows CR4.PKE. */
static bool ospke(const struct difference *d)
{
	const struct op *op = op_of(d);

	return op->kind == OP_CPUID && op->at == 7 && (u32)op->value == 0 && op->a == 2 &&
	       op->value >> 32 == 0x10 && is_field(d, "record", "ret") && !d->value[1];
}

/* Bit 18 of the components: the tiles' data. */
static bool tiles(const struct difference *d)
{
	const struct op *op = op_of(d);

	return op->kind == OP_CPUID && op->at == 0xd && !(u32)op->value && op->a == 0 &&
	       op->value >> 32 == 1 << 18 && is_field(d, "record", "ret") && !d->value[1];
}

/*
 * EBX of leaf 0xd, subleaf 0: how much the components need; and a VMM that has changed that. It is
 * the last leaf, which one beyond it gives, too.
 */
static bool area_size(const struct difference *d)
{
	const struct op *op = d->scene->ops;
	int i;

	for (i = 0; i < d->scene->nops; i++, op++)
		if (op->kind == OP_CPUID && op->at == 0xd && (u32)op->value >= 2 && op->a < 2)
			return is_field(d, "regs", "rbx") && (u32)d->scene->regs.rax >= 0xd;
	return false;
}

/* In-service bits that were set, by a move, too, and nothing that has looked at them since. */
static bool old_ppr(const struct difference *d)
{
	return is_field(d, "lapic", "0xa0") && d->value[0] < d->value[1] &&
	       (has_put(d->scene, P_LAPIC, 0x100, 0x180, 1) || has_op(d->scene, OP_MOVE));
}

/* With a hint, to the ID that is all: KVM makes it one of mode 0, whatever it was. */
static bool msi_to_all(const struct difference *d)
{
	const struct op *op = d->scene->ops;
	int i;

	for (i = 0; i < d->scene->nops; i++, op++)
		if (op->kind == OP_MSI && (op->at & 0xff00c) == 0xff008 &&
		    ((op->value >> 8 & 7) == 2 || (op->value >> 8 & 7) == 7))
			return d->record < 0 || d->kvm->records[d->record].op >= (u32)i;
	return false;
}

/* ICW1 to the first PIC while the second one has an interrupt. */
static bool cascade(const struct difference *d)
{
	const struct op *op = d->scene->ops;
	int i;

	for (i = 0; i < d->scene->nops; i++, op++)
		if (op->kind == OP_OUT && op->at == 0x20 && op->value & 0x10)
			return is_field(d, "pic", "0x1") && (d->value[0] | 4) == d->value[1];
	return false;
}

/* VMX, SGX, LMCE */
static bool feature_control(const struct difference *d)
{
	return is_msr_op(d, 0x3a, 0x3a) && op_of(d)->value & 0x160006 &&
	       !(op_of(d)->value & ~0x160007ull);
}

static bool no_command(const struct difference *d)
{
	return is_msr_op(d, 0x10b, 0x10b) && is_field(d, "record", "ret") && !op_of(d)->value &&
	       !d->value[0];
}

/* By ioctl; or by a guest to whom KVM has given it since, and who gets #GP here. */
static bool spec_ctrl(const struct difference *d)
{
	return is_msr_op(d, 0x48, 0x48) || is_field(d, "msr", "0x48") ||
	       (of_msr(d, 0x48) &&
		is_in_handler(record_of(d, d->mini), 13));
}

/*
 * A PIC of which the VMM says that the slave's line was high, and it is not; or whose IRQ 2 it has
 * raised itself, and then set the IOAPIC, by which KVM looks at the slave again.
 */
static bool cascade_was_high(const struct difference *d)
{
	const struct op *op = d->scene->ops, *end = op + d->scene->nops;

	for (; op < end; op++) {
		if (op->kind == OP_PUT && op->a == P_PIC_MASTER && op->at == 0 && op->value & 4)
			return true;
		if (op->kind == OP_LINE && op->at == 2 && op->value && is_field(d, "pic", "0x1"))
			return (d->value[0] ^ d->value[1]) == 4 &&
			       has_put(d->scene, P_IOAPIC, 0, ~0u, 0);
	}
	return false;
}

static bool sgx(const struct difference *d)
{
	return is_msr_op(d, 0x8c, 0x8f);
}

static bool platform_info(const struct difference *d)
{
	if (is_field(d, "regs", "rax") && has_opcode(d->scene, 0x0f, 0x32, 0))
		return d->scene->regs.rcx == 0xce && (d->value[0] ^ d->value[1]) == 0x80000000;
	if (is_field(d, "regs", "rip") && has_opcode(d->scene, 0x0f, 0x30, 0))
		return d->scene->regs.rcx == 0x140 && is_in_handler(record_of(d, d->mini), 13);
	return is_msr_op(d, 0xce, 0xce) || is_msr_op(d, 0x140, 0x140);
}

/* CR4.SMAP or CR4.PKE */
static bool translate_rights(const struct difference *d)
{
	const struct record *k = record_of(d, d->kvm);

	return op_of(d)->kind == OP_TRANSLATE && is_field(d, "record", NULL) &&
	       k->detail[0] == ~0ull && k->sregs.cr4 & (1 << 21 | 1 << 22);
}

static bool umwait(const struct difference *d)
{
	return is_msr_op(d, 0xe1, 0xe1);
}

/* From present to unusable, of any segment. */
static bool present_2(const struct difference *d)
{
	u32 segment, size = sizeof(struct minikvm_segment);
	bool has = false;

	for (segment = 0; segment < 8; segment++)
		has |= has_put(d->scene, P_SREGS, segment * size + 15, segment * size + size, 2);
	return has && is_field(d, "sregs", NULL) && strchr(d->name, '.') &&
	       !strstr(d->name, ".base") && !strstr(d->name, ".limit") &&
	       !strstr(d->name, ".selector") && !strstr(d->name, ".type");
}

/*
 * What GET read back is set again: KVM shows a segment that is not unusable as present, so it is
 * present from then on; here it stays absent, and the entry fails.
 */
static bool present_again(const struct difference *d)
{
	u32 i, size = sizeof(struct minikvm_segment);
	const struct record *k = record_of(d, d->kvm), *m = record_of(d, d->mini);

	if (d->record < 1 || !is_field(d, "record", "exit") || m->exit != MINIKVM_EXIT_FAIL_ENTRY)
		return false;
	for (i = 0; i < 8; i++)
		if (has_put(d->scene, P_SREGS, i * size + 15, i * size + 16, 2) &&
		    (&k[-1].sregs.cs)[i].present && !(&m[-1].sregs.cs)[i].present)
			return true;
	return false;
}

/*
 * EOI, CMCI's LVT, self-IPI: what is not readable in xAPIC mode, or not there; and, as the SDM
 * says, what is not aligned. The flags and registers that an instruction makes of it.
 */
static bool unreadable_lapic(const struct difference *d)
{
	const u64 readable = 0x43ff01ffffffe70c;	/* by the register's number */
	const struct op *op = op_of(d);
	u64 at = (op->kind == OP_LOAD ? op->at : operand_of(d->scene)) - 0x200000;

	if (at >= 0x400 || (at % 16 == 0 && readable >> at / 16 & 1))
		return false;
	return op->kind == OP_LOAD ||
	       (op->kind == OP_RUN && d->scene->mode >= PAE && d->scene->machine & WITH_IRQCHIP &&
		(is_field(d, "regs", NULL) || is_field(d, "record", "detail[3]")));
}

/* The low half of the IOAPIC's entry for @gsi, as the operations before @end have left it. */
static u32 redirection(const struct scene *s, u32 gsi, u32 end)
{
	u32 i, index = 0, entry = 0;

	for (i = 0; i < end; i++) {
		const struct op *op = &s->ops[i];

		if (op->kind == OP_STORE && op->at == 0x400000)
			index = op->value;
		else if (op->kind == OP_STORE && op->at == 0x400010 && index == 0x10 + 2 * gsi)
			entry = op->value;
		else if (op->kind == OP_PUT && op->a == P_IOAPIC && op->at == 24 + 8 * gsi)
			entry = op->value;
	}
	return entry;
}

/* What IRQ_LINE_STATUS counts, and Remote IRR of a level that KVM takes for delivered. */
static bool line_of_no_interrupt(const struct difference *d)
{
	const struct op *op = op_of(d);

	if (is_field(d, "ioapic", NULL) || (op->kind == OP_LOAD && is_field(d, "regs", "rax")))
		return d->value[0] == (d->value[1] | 1 << 14) && (d->value[1] >> 8 & 7) == 3;
	return op->kind == OP_LINE && is_field(d, "record", "detail[0]") &&
	       (d->value[0] == d->value[1] + 1 || d->value[0] == d->value[1] - 1) &&
	       (redirection(d->scene, op->at, op - d->scene->ops) >> 8 & 7) == 3;
}

/* SMI and ExtINT: nothing comes of them on either. */
static bool msi_of_no_interrupt(const struct difference *d)
{
	u32 mode = op_of(d)->value >> 8 & 7;

	return op_of(d)->kind == OP_MSI && is_field(d, "record", "ret") && (mode == 2 || mode == 7);
}

static bool msi_to_nobody(const struct difference *d)
{
	return op_of(d)->kind == OP_MSI && is_field(d, "record", "ret") && (int)d->value[0] == -1 &&
	       !d->value[1];
}

static bool set_fpu(const struct difference *d)
{
	u64 k = *(const u64 *)(d->kvm->ending.xsave + 512), at = strtoul(d->name, NULL, 0);
	u64 lost = *(const u64 *)(d->mini->ending.xsave + 512) & ~k;

	if (!is_field(d, "xsave", NULL) || !has_put(d->scene, P_FPU, 0, ~0u, 0))
		return false;
	/* XSTATE_BV itself, the x87's words, or the XMM registers */
	return at == 512 ? !(d->value[0] & ~d->value[1]) :
	       at < 0xa0 ? lost & 1 : at < 0x1a0 && lost & 2;
}

/* The PDPT's address is 32 bits; KVM takes all of CR3, finds nothing, and keeps the old PDPTEs. */
static bool wide_pdpt(const struct difference *d)
{
	u32 cr3 = offsetof(struct minikvm_sregs, cr3);

	return d->scene->mode == PAE && is_field(d, "record", "exit") &&
	       record_of(d, d->mini)->exit == MINIKVM_EXIT_SHUTDOWN &&
	       has_put(d->scene, P_SREGS, cr3, cr3 + 1, 1ull << 32);
}

static bool reserved_sfmask(const struct difference *d)
{
	return of_msr(d, 0xc0000084) && (d->scene->regs.rdx || op_of(d)->value >> 32);
}

const struct explanation explained_state[] = {
	{ "msr-of-zero", msr_of_zero, true,
	  "MSRs of what is left out are not there; KVM has them for the VMM, with 0, as "
	  "long as they are 0" },
	{ "spec-ctrl", spec_ctrl, false,
	  "this processor has no SPEC_CTRL, and Bochs takes any access to an MSR that is not "
	  "there, a guest's, too, once KVM lets those through" },
	{ "lmce", lmce, true, "machine checks of one processor are left out (api.rst)" },
	{ "tsx-ctrl", tsx_ctrl, true,
	  "TSX_CTRL is not there; KVM keeps it for the VMM, without TSX as well" },
	{ "feature-control", feature_control, false,
	  "FEATURE_CONTROL has no bits for what is left out" },
	{ "no-command", no_command, true,
	  "SET_MSRS of 0 to FLUSH_CMD does nothing; KVM refuses it where the processor has none" },
	{ "cascade-was-high", cascade_was_high, false,
	  "an edge of the slave PIC's line; KVM pulses it whenever it looks at the slave" },
	{ "sgx", sgx, false, "SGX is left out" },
	{ "translate-rights", translate_rights, false,
	  "MINIKVM_TRANSLATE asks neither SMAP nor protection keys (api.rst)" },
	{ "umwait", umwait, false, "UMWAIT_CONTROL is not there; KVM keeps it for the VMM, always" },
	{ "cpuid-faults", platform_info, false, "CPUID faults in user mode are not there (api.rst)" },
	{ "present-is-a-bit", present_2, true,
		"SET_SREGS with a segment's flag that is neither 0 nor 1" },
	{ "present-again", present_again, false,
	  "the same, set again as it was read: present on KVM by then" },
	{ "wide-pdpt", wide_pdpt, false,
	  "SDM, PAE paging: bits 63:32 of CR3 are ignored; KVM looks for PDPTEs there, and keeps the "
	  "old ones" },
	{ "set-fpu-counts", set_fpu, false,
	  "SET_FPU of a component that XSTATE_BV says is in its initial state: KVM loses it" },
	{ "unreadable-lapic", unreadable_lapic, false,
	  "a register of the LAPIC that cannot be read: 0; KVM gives what was read before" },
	{ "msi-to-all", msi_to_all, false,
	  "SMI and ExtINT are no interrupts to ID 0xff, either, where KVM makes one of them" },
	{ "msi-of-no-interrupt", msi_of_no_interrupt, true,
	  "SMI is left out (api.rst), ExtINT is no message: nobody took it; KVM counts it" },
	{ "msi-to-nobody", msi_to_nobody, true,
		"a message that nobody takes: 0 (api.rst), on KVM EPERM" },
	{ "line-of-no-interrupt", line_of_no_interrupt, true,
	  "delivery mode 3 is reserved: nobody took it; KVM counts it, as its own wake-up of a vCPU" },
	{ "reserved-sfmask", reserved_sfmask, false,
	  "reserved bits of SFMASK are always refused (api.rst)" },
	{ "ospke", ospke, true,
	  "SET_CPUID2 after RUN may differ in OSPKE, which goes with CR4, on a host without keys, too" },
	{ "tiles", tiles, false,
	  "SET_CPUID2 may show what no XCR0 allows; on KVM AMX' tiles need a permission of the process's" },
	{ "area-size", area_size, true,
	  "the size of the XSAVE area is that of the components as SET_CPUID2 has them; KVM's is "
	  "the host's" },
	{ "old-ppr", old_ppr, true,
	  "SDM: the PPR is made of TPR and ISR; after SET_LAPIC KVM's is late" },
	{ "cascade", cascade, true,
	  "the second PIC's output is high: the first one sees it at once, on KVM at its next change" },
	{ NULL, NULL, false, NULL },
};
