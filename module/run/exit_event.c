// SPDX-License-Identifier: GPL-2.0
/*
 * Exits that are events: exceptions the host must see first, windows that open,
 * and the ways in which a guest ends: triple fault, task switch, failed entry.
 */
#include <linux/sched.h>
#include <asm/cpu.h>
#include <asm/cpufeature.h>
#include <asm/debugreg.h>
#include <asm/processor-flags.h>

#include "../compat.h"
#include "../io/io.h"
#include "../irqchip/irqchip.h"
#include "../mm/mm.h"
#include "exit.h"

static const u8 vmmcall[] = { 0x0f, 0x01, 0xd9 }, vmcall_byte = 0xc1;
#define VENDOR_BYTE	2	/* in which the two differ */

/**
 * exit_iret_unblocked_nmis - an IRET that ended NMI blocking did not finish: block again
 * @exit: of the vCPU that is loaded
 * @unblocked: what the exit's "NMI unblocking due to IRET" says
 *
 * The bit means nothing when an event was being delivered.
 * SDM "Information About NMI Unblocking Due to IRET".
 */
void exit_iret_unblocked_nmis(const struct vmexit *exit, bool unblocked)
{
	if (unblocked && !(exit->idt_info & INTR_INFO_VALID))
		vmcs_write_guest_interruptibility(vmcs_read_guest_interruptibility() |
						  INTERRUPTIBILITY_NMI);
}

/**
 * exit_debug - a #DB of the guest's, or of its VMM
 * @vcpu: loaded
 * @exit: with the qualification: what a guest sees in DR6, as the processor would set it
 *
 * SDM "Exit Qualification for Debug Exceptions". Context: interrupts off or on.
 * Return: EXIT_RESUME, the guest gets it; EXIT_USER, the VMM.
 */
int exit_debug(struct vcpu *vcpu, const struct vmexit *exit)
{
	/* BS, BD: set here, cleared only by the guest. SDM "Debug Status Register (DR6)" */
	unsigned long dr6 = vcpu->dr6 & ~DR_TRAP_BITS;

	if (guest_debug_takes_db(vcpu))
		return guest_debug_trapped(vcpu, exit->qualification);
	/* ICEBP is an instruction: the trap comes after it, and its own is the only one. */
	if ((exit->intr_info & INTR_INFO_TYPE) == INTR_TYPE_PRIV_SW)
		vcpu_skip(vcpu, vcpu->insn_len);
	vcpu->dr6 = dr6 | (exit->qualification & (DR_TRAP_BITS | DR_STEP | DR6_DETECT));
	debug_exception_delivered(vcpu);	/* now: a VMM may save the state before the entry */
	event_exception(vcpu, X86_TRAP_DB);
	return EXIT_RESUME;
}

/* Only if the VMM has set some of its own, or while an instruction runs alone. */
static int breakpoint(struct vcpu *vcpu)
{
	vcpu->events.soft_insn_len = vcpu->insn_len;	/* the VMM may hand it on to the guest */
	if (vcpu->debug.control & MINIKVM_GUESTDBG_USE_SW_BP)
		return guest_debug_report(vcpu, X86_TRAP_BP, 0);
	event_exception(vcpu, X86_TRAP_BP);
	return EXIT_RESUME;
}

static bool is_split_lock(struct vcpu *vcpu)
{
	return !exit_ac_is_guests(boot_cpu_has(X86_FEATURE_SPLIT_LOCK_DETECT), vmx_cpl(),
				  vcpu_cr0(vcpu), vmcs_read_guest_rflags());
}

/*
 * The host does with this thread as with one that has the lock in user mode: it warns
 * and lets the instruction pass, slowly, or sends SIGBUS, and then the VMM is told.
 */
static int split_lock(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct minikvm_run *run = vcpu->run;

	if (compat_split_lock_passes(vmcs_read_guest_rip()))
		return EXIT_RESUME;
	run->exit_reason = MINIKVM_EXIT_EXCEPTION;
	run->ex.exception = X86_TRAP_AC;
	run->ex.error_code = exit->intr_error;
	return EXIT_USER;
}

/*
 * AMD's VMMCALL, which an Intel processor does not know. Real mode never has it. One that is a
 * VMCALL already was none when it exited: another CPU has made it one since.
 */
static bool is_vmmcall(struct vcpu *vcpu)
{
	struct guest_fault fault;
	u8 insn[sizeof(vmmcall)];

	if (!(vcpu->cr0 & X86_CR0_PE) || (vmcs_read_guest_rflags() & X86_EFLAGS_VM))
		return false;
	return !gva_read(vcpu, vcpu_linear_rip(vcpu), insn, sizeof(insn), ACCESS_FETCH, &fault) &&
	       !memcmp(insn, vmmcall, VENDOR_BYTE) &&
	       (insn[VENDOR_BYTE] == vmmcall[VENDOR_BYTE] || insn[VENDOR_BYTE] == vmcall_byte);
}

/* One byte makes a VMCALL of it, at once for every CPU; in code that is read-only it stays. */
static void vmmcall_to_vmcall(struct vcpu *vcpu)
{
	gva_t at = linear_wrap(vcpu_code_bits(vcpu), vcpu_linear_rip(vcpu) + VENDOR_BYTE);
	struct guest_fault fault;
	gpa_t gpa;

	if (!gva_to_gpa(vcpu, at, ACCESS_WRITE, &gpa, &fault))
		guest_write(vcpu, gpa, &vmcall_byte, sizeof(vmcall_byte));
}

/*
 * A guest that was made for the other vendor, or does not ask which one it has, makes
 * its hypercalls with VMMCALL. It works as VMCALL does, and is one the next time.
 */
static noinline_for_stack int undefined_opcode(struct vcpu *vcpu, const struct vmexit *exit)
{
	if (!vm_has_quirk(vcpu->vm, MINIKVM_X86_QUIRK_FIX_HYPERCALL_INSN) || !is_vmmcall(vcpu)) {
		event_exception(vcpu, X86_TRAP_UD);
		return EXIT_RESUME;
	}
	vmmcall_to_vmcall(vcpu);
	exit_vmcall(vcpu, exit);
	return vcpu_skip(vcpu, sizeof(vmmcall));
}

/* exit_exception - one in the bitmap; NMIs and machine checks, which the host has handled */
int exit_exception(struct vcpu *vcpu, const struct vmexit *exit)
{
	u32 type = exit->intr_info & INTR_INFO_TYPE;
	u8 vector = exit->intr_info & INTR_INFO_VECTOR;

	if (type == INTR_TYPE_NMI || vector == X86_TRAP_MC)
		return EXIT_RESUME;
	if (vector != X86_TRAP_DF)
		exit_iret_unblocked_nmis(exit, exit->intr_info & INTR_INFO_NMI_UNBLOCKING);
	if (vector == X86_TRAP_DB)
		return exit_debug(vcpu, exit);
	if (vector == X86_TRAP_BP)
		return breakpoint(vcpu);
	if (vector == X86_TRAP_AC && is_split_lock(vcpu))
		return split_lock(vcpu, exit);
	if (vector == X86_TRAP_UD)
		return undefined_opcode(vcpu, exit);
	if (vector == X86_TRAP_PF)
		event_page_fault(vcpu, exit->qualification, exit->intr_error);
	else if (exit->intr_info & INTR_INFO_ERROR_CODE)
		event_exception_error(vcpu, vector, exit->intr_error);
	else
		event_exception(vcpu, vector);
	return EXIT_RESUME;
}

/* exit_intr_window - the guest can take an interrupt now */
int exit_intr_window(struct vcpu *vcpu, const struct vmexit *exit)
{
	vmcs_set_interrupt_window(vcpu, false);
	vcpu_make_request(vcpu, REQ_EVENT);
	return run_window_opens(vcpu) ? EXIT_USER : EXIT_RESUME;
}

/* exit_nmi_window - the guest can take an NMI now */
int exit_nmi_window(struct vcpu *vcpu, const struct vmexit *exit)
{
	vmcs_set_nmi_window(vcpu, false);
	vcpu_make_request(vcpu, REQ_EVENT);
	return EXIT_RESUME;
}

/* exit_tpr_below - the TPR no longer holds back what waits; the instruction is over */
int exit_tpr_below(struct vcpu *vcpu, const struct vmexit *exit)
{
	vcpu_make_request(vcpu, REQ_EVENT);
	return EXIT_RESUME;
}

/* exit_virtual_eoi - the processor has ended an interrupt for which somebody waits; likewise */
int exit_virtual_eoi(struct vcpu *vcpu, const struct vmexit *exit)
{
	lapic_apicv_eoi(vcpu, exit->qualification);
	return EXIT_RESUME;
}

/* exit_triple_fault - the virtual CPU shuts down; the VMM may reset it */
int exit_triple_fault(struct vcpu *vcpu, const struct vmexit *exit)
{
	vcpu->run->exit_reason = MINIKVM_EXIT_SHUTDOWN;
	return EXIT_USER;
}

/* exit_task_switch - hardware task switches are not emulated, by design */
int exit_task_switch(struct vcpu *vcpu, const struct vmexit *exit)
{
	return report_emulation(vcpu, NULL, 0);
}

/*
 * exit_failed_entry - the processor refused the guest's state, or the VMCS
 *
 * The next RUN tries again: the VMM may have mended the state.
 * SDM "VM-Entry Failures During or After Loading Guest State".
 */
int exit_failed_entry(struct vcpu *vcpu, const struct vmexit *exit)
{
	struct minikvm_run *run = vcpu->run;

	run->exit_reason = MINIKVM_EXIT_FAIL_ENTRY;
	run->fail_entry.hardware_entry_failure_reason =
		vcpu->entry_failed ? vmcs_read_insn_error() : exit->reason;
	run->fail_entry.cpu = vcpu->entry_cpu;
	return EXIT_USER;
}
