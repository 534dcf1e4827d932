// SPDX-License-Identifier: GPL-2.0
/*
 * The exit table: for each basic exit reason, who handles it, which exit fields
 * it needs, and whether it is quick enough to be handled with interrupts off.
 */
#include <linux/kernel.h>

#include "../io/io.h"
#include "../trace.h"
#include "exit.h"

/* Exit fields to read: the length, the qualification, and so on. */
enum {
	NEED_LEN	= BIT(0),
	NEED_QUAL	= BIT(1),
	NEED_INTR	= BIT(2),	/* interruption information and error code */
	NEED_GPA	= BIT(3),	/* guest physical address */
	NEED_IDT	= BIT(4),	/* an event may have been under delivery */
	NEED_MORE	= NEED_QUAL | NEED_INTR | NEED_GPA | NEED_IDT,
	FAST		= BIT(8),	/* with NEED_LEN at most */
};

struct exit_entry {
	int (*handler)(struct vcpu *vcpu, const struct vmexit *exit);
	u32 flags;
};

/*
 * Only exits that can happen while an event is delivered name NEED_IDT: SDM
 * "Information for VM Exits During Event Delivery". For the others the event was
 * delivered before their instruction ran.
 */
static const struct exit_entry exit_table[EXIT_REASONS] = {
	[REASON_EXCEPTION_NMI]	= { exit_exception, NEED_INTR | NEED_LEN | NEED_QUAL | NEED_IDT },
	[REASON_EXTERNAL_INTR]	= { exit_interrupt, NEED_IDT },
	[REASON_TRIPLE_FAULT]	= { exit_triple_fault, NEED_IDT },
	[REASON_INTR_WINDOW]	= { exit_intr_window, FAST },
	[REASON_NMI_WINDOW]	= { exit_nmi_window, FAST },
	[REASON_TASK_SWITCH]	= { exit_task_switch, NEED_QUAL | NEED_IDT | NEED_LEN },
	[REASON_CPUID]		= { exit_cpuid, NEED_LEN | FAST },
	[REASON_GETSEC]		= { exit_undefined, 0 },
	[REASON_HLT]		= { exit_hlt, NEED_LEN },
	[REASON_INVD]		= { exit_skip, NEED_LEN | FAST },
	[REASON_RDPMC]		= { exit_rdpmc, 0 },
	[REASON_RSM]		= { exit_undefined, 0 },
	[REASON_VMCALL]		= { exit_vmcall, NEED_LEN | FAST },
	[REASON_VMCLEAR]	= { exit_undefined, 0 },
	[REASON_VMLAUNCH]	= { exit_undefined, 0 },
	[REASON_VMPTRLD]	= { exit_undefined, 0 },
	[REASON_VMPTRST]	= { exit_undefined, 0 },
	[REASON_VMREAD]		= { exit_undefined, 0 },
	[REASON_VMRESUME]	= { exit_undefined, 0 },
	[REASON_VMWRITE]	= { exit_undefined, 0 },
	[REASON_VMXOFF]		= { exit_undefined, 0 },
	[REASON_VMXON]		= { exit_undefined, 0 },
	[REASON_CR_ACCESS]	= { exit_cr, NEED_LEN | NEED_QUAL },
	[REASON_DR_ACCESS]	= { exit_dr, NEED_LEN | NEED_QUAL },
	[REASON_IO]		= { pio_exit, NEED_LEN | NEED_QUAL },
	[REASON_RDMSR]		= { exit_rdmsr, NEED_LEN | FAST },
	[REASON_WRMSR]		= { exit_wrmsr, NEED_LEN | FAST },
	[REASON_MWAIT]		= { exit_mwait, NEED_LEN },
	[REASON_MTF]		= { exit_resume, NEED_IDT },
	[REASON_MONITOR]	= { exit_mwait, NEED_LEN },
	[REASON_PAUSE]		= { exit_pause, NEED_LEN },
	[REASON_MACHINE_CHECK]	= { exit_resume, 0 },
	[REASON_TPR_BELOW]	= { exit_tpr_below, FAST },
	[REASON_VIRTUAL_EOI]	= { exit_virtual_eoi, NEED_QUAL },
	[REASON_EPT_VIOLATION]	= { exit_ept_violation, NEED_QUAL | NEED_GPA | NEED_IDT },
	[REASON_EPT_MISCONFIG]	= { exit_ept_misconfig, NEED_GPA | NEED_IDT },
	[REASON_INVEPT]		= { exit_undefined, 0 },
	[REASON_PREEMPTION_TIMER] = { exit_timer, FAST },
	[REASON_INVVPID]	= { exit_undefined, 0 },
	[REASON_WBINVD]		= { exit_wbinvd, NEED_LEN },
	[REASON_XSETBV]		= { exit_xsetbv, NEED_LEN },
	[REASON_APIC_WRITE]	= { exit_resume, 0 },	/* self IPI of a vector that is none */
	[REASON_PML_FULL]	= { exit_pml_full, NEED_QUAL | NEED_IDT },
	[REASON_RDRAND]		= { exit_undefined, 0 },	/* CPUID hides it */
	[REASON_INVPCID]	= { exit_undefined, 0 },
	[REASON_VMFUNC]		= { exit_undefined, 0 },
	[REASON_ENCLS]		= { exit_undefined, 0 },
	[REASON_RDSEED]		= { exit_undefined, 0 },	/* likewise */
	[REASON_SEAMCALL]	= { exit_undefined, 0 },
	[REASON_TDCALL]		= { exit_undefined, 0 },
};

static const struct exit_entry *exit_entry_of(const struct vcpu *vcpu)
{
	u32 reason = vcpu->exit.reason;

	return exit_kind(reason) == EXIT_OF_TABLE ? &exit_table[reason] : NULL;
}

/**
 * exit_snapshot - read the exit fields that this reason's handler needs
 * @vcpu: loaded, on the CPU of the exit
 *
 * Context: interrupts off. SDM "VM-Exit Information Fields".
 * Return: may the exit be handled with interrupts off?
 */
bool exit_snapshot(struct vcpu *vcpu)
{
	const struct exit_entry *entry = exit_entry_of(vcpu);
	struct vmexit *exit = &vcpu->exit;
	u32 flags;

	exit->idt_info = 0;
	if (unlikely(!entry)) {
		exit->qualification = vcpu->entry_failed ? 0 : vmcs_read_exit_qualification();
		if (exit_kind(exit->reason) == EXIT_UNHEARD_OF)
			exit->idt_info = vmcs_read_exit_idt_info();
		if (unlikely(exit->idt_info & INTR_INFO_VALID))
			exit->idt_error = vmcs_read_exit_idt_error();
		return false;
	}
	vcpu->stats.exits[exit->reason]++;
	flags = entry->flags;
	if (flags & NEED_LEN)
		vcpu->insn_len = vmcs_read_exit_insn_len();
	if (!(flags & NEED_MORE))
		return flags & FAST;
	if (flags & NEED_QUAL)
		exit->qualification = vmcs_read_exit_qualification();
	if (flags & NEED_INTR) {
		exit->intr_info = vmcs_read_exit_intr_info();
		exit->intr_error = vmcs_read_exit_intr_error();
	}
	if (flags & NEED_GPA)
		exit->gpa = vmcs_read_exit_gpa();
	if (flags & NEED_IDT)
		exit->idt_info = vmcs_read_exit_idt_info();
	if (unlikely(exit->idt_info & INTR_INFO_VALID))
		exit->idt_error = vmcs_read_exit_idt_error();
	return false;
}

/* No row, or no handler in it: the processor did something that no control asked for. */
static int exit_unknown(struct vcpu *vcpu)
{
	u64 data[2] = { vcpu->exit.reason, vcpu->entry_cpu };	/* as KVM */

	vcpu->stats.unknown_exits++;
	return report_internal_error(vcpu, MINIKVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON, 2, data);
}

/**
 * exit_dispatch - handle the exit that exit_snapshot() recorded
 * @vcpu: loaded
 *
 * Context: interrupts off if exit_snapshot() said true, on otherwise.
 * Return: EXIT_RESUME, EXIT_USER or -errno; RIP has moved where it should.
 */
int exit_dispatch(struct vcpu *vcpu)
{
	const struct exit_entry *entry = exit_entry_of(vcpu);
	int verdict;

	if (unlikely(!entry || !entry->handler))
		verdict = exit_kind(vcpu->exit.reason) == EXIT_OF_ENTRY ?
			  exit_failed_entry(vcpu, &vcpu->exit) : exit_unknown(vcpu);
	/* Clever: exit-chain: each interrupt may pay it */
	else if (entry->handler == exit_hlt)
		verdict = exit_hlt(vcpu, &vcpu->exit);
	/* Clever ends: exit-chain */
	else
		verdict = entry->handler(vcpu, &vcpu->exit);
	return exit_conclude(vcpu, verdict);
}

/*
 * Clever: exit-chain: delete this and all still works, 16 instructions slower (row T1a), one
 * of them an indirect call. The exits that guests take most are compared first.
 */
static __always_inline bool exit_is_common(struct vcpu *vcpu, int *verdict)
{
	const struct vmexit *exit = &vcpu->exit;

	if (exit->reason == REASON_CPUID)
		*verdict = exit_cpuid(vcpu, exit);
	else if (exit->reason == REASON_WRMSR)
		*verdict = exit_wrmsr(vcpu, exit);
	else if (exit->reason == REASON_RDMSR)
		*verdict = exit_rdmsr(vcpu, exit);
	else if (exit->reason == REASON_VMCALL)
		*verdict = exit_vmcall(vcpu, exit);
	else if (exit->reason == REASON_PREEMPTION_TIMER)
		*verdict = exit_timer(vcpu, exit);
	else
		return false;
	return true;
}
/* Clever ends: exit-chain */

/**
 * exit_fast - exit_dispatch() for an exit of which exit_snapshot() said true
 * @vcpu: loaded
 *
 * Context: interrupts off. Return: EXIT_RESUME, EXIT_WINDOW, EXIT_USER or -errno.
 */
int exit_fast(struct vcpu *vcpu)
{
	/* Clever: exit-chain */
	int verdict;

	if (exit_is_common(vcpu, &verdict))
		return exit_conclude(vcpu, verdict);
	/* Clever ends: exit-chain */
	return exit_dispatch(vcpu);
}
