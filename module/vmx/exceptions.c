// SPDX-License-Identifier: GPL-2.0
/*
 * Which exceptions of the guest exit, SDM "Exception Bitmap": those that the host must see, those
 * of a VMM that debugs, and all while an instruction runs alone.
 */
#include <asm/trapnr.h>

#include "vmx.h"

/*
 * #DB, #AC: a guest could loop in their delivery for ever; #MC is the host's; #UD may be a
 * hypercall.
 */
#define EXCEPTIONS	(BIT(X86_TRAP_DB) | BIT(X86_TRAP_UD) | BIT(X86_TRAP_AC) | BIT(X86_TRAP_MC))

/**
 * vmx_set_exceptions - which exceptions exit
 * @vcpu: loaded; step_state.quiet or debug.control may have changed
 *
 * Nobody else writes the exception bitmap. Context: interrupts off or on.
 */
void vmx_set_exceptions(struct vcpu *vcpu)
{
	u32 exceptions = EXCEPTIONS;

	if (vcpu->debug.control & MINIKVM_GUESTDBG_USE_SW_BP)
		exceptions |= BIT(X86_TRAP_BP);
	if (vcpu->step_state.quiet)
		exceptions = ~0u;
	vmcs_write_exception_bitmap(exceptions);
}
